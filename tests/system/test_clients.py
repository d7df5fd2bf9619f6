"""Real clients: lrzsz through a pseudo-terminal, `spboot twin` and `spboot send` as a user runs them."""

from __future__ import annotations

import os
import random
import re
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

import pytest

from spboot.build import merge
from spboot.link import ymodem
from spboot.twin.pty import PtyBridge
from tests.system.rig import Rig, Workshop

SPBOOT = Path(sys.executable).with_name("spboot")
SPEED = 4.0
"""Waiting passes this many times as fast as in life, for tests in less time."""


@contextmanager
def on_pty(rig: Rig) -> Iterator[str]:
    """The rig runs in a thread of its own, its console on a pseudo-terminal."""
    stop = threading.Event()
    with PtyBridge(rig.twin, rig.board.console.port, SPEED) as bridge:
        thread = threading.Thread(target=bridge.pump, kwargs={"until": stop.is_set})
        thread.start()
        try:
            yield bridge.path
        finally:
            stop.set()
            thread.join()


def wait_for(rig: Rig, words: bytes, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while words not in rig.uart.output:
        assert time.monotonic() < deadline, rig.uart.output.decode(errors="replace")
        time.sleep(0.02)


@contextmanager
def opened(path: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(descriptor)
    yield descriptor
    os.close(descriptor)


def sb(line: int, file: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("sb")
    assert program, "lrzsz is not installed: make tools"
    return subprocess.run([program, *options, str(file)], stdin=line, stdout=line, stderr=subprocess.PIPE, timeout=120)


@pytest.mark.parametrize("options", [(), ("-k",)], ids=["128", "1k"])
def test_lrzsz(shop: Workshop, tmp_path: Path, options: tuple[str, ...]) -> None:
    image, patch = tmp_path / "demo-1.1.0.sfb", tmp_path / "demo-1.2.0.sfbp"
    image.write_bytes(shop.image("1.1.0"))
    patch.write_bytes(shop.patch("1.1.0", "1.2.0"))
    rig = Rig(shop)
    rig.enter_loader()
    with on_pty(rig) as path, opened(path) as line:
        done = sb(line, image, *options)
        assert done.returncode == 0, done.stderr.decode()
        wait_for(rig, b"demo 1.1.0 on")
        wait_for(rig, b"r resets")
        os.write(line, b"u")
        wait_for(rig, b"update: send")
        done = sb(line, patch, *options)
        assert done.returncode == 0, done.stderr.decode()
        wait_for(rig, b"demo 1.2.0 on")


def test_lrzsz_is_told_of_a_refusal(shop: Workshop, tmp_path: Path) -> None:
    file = tmp_path / "demo.sfb"
    file.write_bytes(shop.image("1.0.0"))
    rig = Rig(shop)
    rig.enter_loader()
    with on_pty(rig) as path, opened(path) as line:
        assert sb(line, file).returncode != 0
        wait_for(rig, b"refused, code 26: already installed")


def test_mixed_blocks(shop: Workshop) -> None:
    """A sender that mixes blocks of 128 and 1024 bytes at will, and repeats one whose answer it lost."""
    rnd = random.Random(3)
    for _ in range(4):
        rig = Rig(shop)
        rig.enter_loader()
        data = shop.image("1.1.0")
        head = b"x\0" + str(len(data)).encode() + b"\0"
        line = ymodem.Dialogue(rig.port)
        line.exchange(ymodem.packet(0, head, rnd.choice((128, 1024))), calling=True)
        line.wait_for_call(1)
        at, number = 0, 1
        while at < len(data):
            size = rnd.choice((128, 1024))
            block = ymodem.packet(number, data[at : at + size], size)
            for _ in range(rnd.choice((1, 1, 2))):
                line.exchange(block)
            at, number = at + size, number + 1
        line.exchange(bytes((ymodem.EOT,)))
        line.wait_for_call(1)
        line.exchange(ymodem.packet(0, b"", 128), calling=True)
        assert b"demo 1.1.0 on" in rig.listen()


def test_damaged_blocks_are_asked_for_again(shop: Workshop) -> None:
    rig = Rig(shop)
    rig.enter_loader()
    write, count = rig.port.write, 0

    def noisy(data: bytes) -> None:
        nonlocal count
        count += 1
        if len(data) > 100 and count % 3 == 0:
            data = data[:50] + bytes([data[50] ^ 8]) + data[51:]
        write(data)

    rig.port.write = noisy  # type: ignore[method-assign]
    rig.send(shop.image("1.1.0"), block=128)
    assert b"demo 1.1.0 on" in rig.listen()


def spboot(*arguments: str | Path) -> str:
    done = subprocess.run([SPBOOT, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def twin_command(*arguments: str | Path) -> Iterator[str]:
    """`spboot twin --pty` in its own process; Ctrl-C at the end."""
    command = [str(SPBOOT), "twin", "NUCLEO-L476RG", *map(str, arguments), "--pty", "--speed", str(SPEED)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_twin_and_send_commands(shop: Workshop, tmp_path: Path) -> None:
    factory, state = tmp_path / "factory.hex", tmp_path / "flash.state"
    image, patch = tmp_path / "demo-1.1.0.sfb", tmp_path / "demo-1.2.0.sfbp"
    factory.write_bytes(merge.as_hex(shop.factory("1.0.0")))
    image.write_bytes(shop.image("1.1.0"))
    patch.write_bytes(shop.patch("1.1.0", "1.2.0"))
    with twin_command("--image", factory, "--state", state) as path:
        assert "demo 1.1.0 on" in spboot("send", path, image, "--key", "r", "--load")
    with twin_command("--image", factory, "--state", state) as path:  # the state wins: 1.1.0 is still there
        time.sleep(2.0 / SPEED + 1.0)
        said = spboot("send", path, patch, "--key", "u", "--block", "128")
        assert re.search("installed as 1.2.0", said), said
    with twin_command("--state", state) as path:
        refused = subprocess.run([SPBOOT, "send", path, image, "--load"], capture_output=True, text=True, timeout=120)
        assert refused.returncode == 1
        assert "older than installed" in refused.stderr
