"""Real clients at a device: its console on a pseudo-terminal, lrzsz, the `spboot` command.

The limits here are for a machine that hangs; none decides a test on one that is merely slow."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spboot.twin.host.pty import PtyBridge
from tests.system.rig import Rig

SPBOOT = Path(sys.executable).with_name("spboot")
SPEED = 4.0
"""Waiting passes this many times as fast as in life, for tests in less time."""
HANGS_S = 600


@contextmanager
def on_pty(rig: Rig, speed: float = SPEED) -> Iterator[str]:
    """The rig runs in a thread of its own, its console on a pseudo-terminal."""
    stop = threading.Event()
    with PtyBridge(rig.twin, rig.board.console.port, speed) as bridge:
        thread = threading.Thread(target=bridge.pump, kwargs={"until": stop.is_set})
        thread.start()
        try:
            yield bridge.path
        finally:
            stop.set()
            thread.join()


def wait_for(rig: Rig, words: bytes, start: int = 0) -> None:
    """Until the device said *words*, from byte *start* of all that it said."""
    deadline = time.monotonic() + HANGS_S
    while rig.uart.output.find(words, start) < 0:
        assert time.monotonic() < deadline, rig.uart.output.decode(errors="replace")
        time.sleep(0.02)


@contextmanager
def opened(path: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(descriptor)
    yield descriptor
    os.close(descriptor)


def lrzsz(program: str, line: int, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    """`sb` or `sx` with *arguments* on the descriptor *line*."""
    found = shutil.which(program)
    assert found, "lrzsz is not installed: make tools"
    command = [found, *map(str, arguments)]
    return subprocess.run(command, stdin=line, stdout=line, stderr=subprocess.PIPE, timeout=HANGS_S)


def spboot(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The command as a user types it, with *stdin* in a pipe."""
    command = [SPBOOT, *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=HANGS_S)


@contextmanager
def twin_command(*arguments: str | Path) -> Iterator[str]:
    """`spboot twin --pty` in its own process; Ctrl-C at the end."""
    command = [str(SPBOOT), "twin", "NUCLEO-L476RG", *map(str, arguments), "--pty"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(HANGS_S) == 0
        finally:
            process.kill()
