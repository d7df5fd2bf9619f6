"""`spboot monitor` at a pseudo-terminal with a device of a few lines behind it: in a pipe, and at a terminal."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.test_send import HANGS_S, Device

if sys.platform == "win32":
    pytest.skip("no pseudo-terminals", allow_module_level=True)

import contextlib
import termios

COMMAND = [sys.executable, "-c", "from spboot.cli import main; main()", "monitor"]
LEAVE = b"\x1d"


@pytest.fixture
def device() -> Iterator[Device]:
    made = Device()
    yield made
    made.stop.set()
    for descriptor in (made.master, made.slave):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def piped(
    device: Device, acts: Callable[[], None], *options: str | Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """The command in pipes; the device *acts* once the port is open: it waits for a first byte from stdin."""
    process = subprocess.Popen(
        [*COMMAND, device.path, *map(str, options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )

    def act() -> None:
        assert device.get(1 + len(stdin), HANGS_S) == b"!" + stdin
        acts()

    thread = threading.Thread(target=act)
    thread.start()
    try:
        out, err = process.communicate(b"!" + stdin, timeout=HANGS_S)
    finally:
        process.kill()
        device.stop.set()
        thread.join()
    assert b"Traceback" not in err, err.decode()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def test_until_it_is_said(device: Device) -> None:
    def acts() -> None:
        for piece in (b"\x06booting \xc3", b"\xbc\r\nstart", b"ing 1.1.0 no", b"w\r\n"):
            device.say(piece)
            time.sleep(0.05)

    done = piped(device, acts, "--until", "starting 1.1.0", stdin=b"r\x1d\x03")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() in ("booting ü\nstarting 1.1.0 no\n", "booting ü\nstarting 1.1.0 now\n")


def test_what_is_not_said_in_time(device: Device) -> None:
    done = piped(device, lambda: device.say(b"something else"), "--until", "ready", "--seconds", "1.5")
    assert (done.returncode, done.stdout) == (1, b"something else\n")
    assert done.stderr.decode() == f"error: {device.path}: the device did not say 'ready' in 1.5 s\n"


def test_for_some_seconds(device: Device) -> None:
    assert piped(device, lambda: device.say(b"line\r\n"), "--seconds", "1.5").stdout == b"line\n"


def test_a_port_that_goes_away(device: Device) -> None:
    def acts() -> None:
        device.say(b"last words")
        time.sleep(0.3)
        os.close(device.slave)
        os.close(device.master)

    done = piped(device, acts)
    assert (done.returncode, done.stdout) == (1, b"last words\n")
    assert b"the port went away" in done.stderr


def test_times_and_a_log(device: Device, tmp_path: Path) -> None:
    log = tmp_path / "lamp.log"
    log.write_text("of yesterday\n")
    text = b"\r\none\r\ntwo\x07\r\nready"
    done = piped(device, lambda: device.say(text), "--until", "ready", "--timestamps", "--log", log)
    stamp = r"\[\d\d:\d\d:\d\d\.\d{3}\] "
    assert re.fullmatch(rf"\n{stamp}one\n{stamp}two\n{stamp}ready\n", done.stdout.decode())
    assert log.read_text() == "of yesterday\n" + done.stdout.decode()


# a person at a terminal


class Person:
    """`spboot monitor` in a session of its own, whose terminal is another pseudo-terminal."""

    def __init__(self, device: Device, *options: str) -> None:
        self.device = device
        self.master, self.terminal = os.openpty()
        self.before = termios.tcgetattr(self.terminal)
        self.shown = b""
        program = f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n{COMMAND[2]}"
        self.process = subprocess.Popen(
            [COMMAND[0], "-c", program, "monitor", device.path, *options],
            stdin=self.terminal,
            stdout=self.terminal,
            stderr=self.terminal,
            start_new_session=True,
        )

    def __enter__(self) -> Person:
        self.see(b"Ctrl-] leaves")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.terminal)

    def see(self, words: bytes) -> None:
        """Until *words* are on the screen."""
        deadline = time.monotonic() + HANGS_S
        while words not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if select.select([self.master], [], [], 0.1)[0]:
                self.shown += os.read(self.master, 1024)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)


def test_keys_as_they_are(device: Device) -> None:
    keys = b"ab\r\x03\x1a\x1c\x13\x11\x7f\x1b[A\x04\x16"
    with Person(device) as person:
        assert termios.tcgetattr(person.terminal) != person.before
        person.type(keys)
        assert device.get(len(keys), HANGS_S) == keys
        device.say(b"12\b3\r\n\x1b[1mbold")
        person.see(b"12\b3\r\r\n\x1b[1mbold")
        person.type(b"x" + LEAVE + b"y")
        assert person.process.wait(HANGS_S) == 0
        assert device.get(2, 0.3) == b"x", "what is typed behind the key that leaves is not the device's"
        assert termios.tcgetattr(person.terminal) == person.before
        assert b"ab" not in person.shown, "no echo but the device's"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_terminal_as_it_was(device: Device, number: int) -> None:
    with Person(device) as person:
        assert termios.tcgetattr(person.terminal) != person.before
        person.process.send_signal(number)
        assert person.process.wait(HANGS_S) == 130
        assert termios.tcgetattr(person.terminal) == person.before
        person.see(b"interrupted")


def test_a_port_that_goes_away_leaves_the_terminal_as_it_was(device: Device) -> None:
    with Person(device) as person:
        os.close(device.slave)
        os.close(device.master)
        assert person.process.wait(HANGS_S) == 1
        assert termios.tcgetattr(person.terminal) == person.before
        person.see(b"the port went away")
