"""`spboot send` at a pseudo-terminal with a device of a few lines behind it: exit codes, words, and every wait ends."""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tty
from binascii import crc_hqx
from collections.abc import Callable
from pathlib import Path

import pytest

from spboot import release
from spboot.boards import Board
from spboot.image import Image
from spboot.keys import Keys
from spboot.link import ymodem
from spboot.link.verdict import Hearing
from spboot.version import Version
from tests.apps import startable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")

ACK, NAK, CAN, EOT = b"\x06", b"\x15", b"\x18", b"\x04"


def update() -> bytes:
    """A full image that hardly compresses."""
    board = Board.load("NUCLEO-L476RG")
    app = startable(board, random.Random(1).randbytes(2300))
    with tempfile.TemporaryDirectory() as folder:
        keys = Keys.new(Path(folder) / "lamp")
        return release.full_image(Image(data=app, board=board, version=Version.parse("1.1.0")), keys=keys)


DATA = update()
"""Three blocks of 1024."""
assert 2 * 1024 < len(DATA) <= 3 * 1024
HANGS_S = 120
TAKEN = b"[    1.000] version 1.1.0 received, 768 bytes, verified, changed pages: 1, room for a trial: 208\r\n"
REFUSED = b"[    1.000] refused, code 26: already installed: give it a higher version\r\n"
BANNER = b"\r\n[    0.000] spboot 0.1.0 for BOARD, 80 MHz, reset by software\r\n"


class Device:
    """The other end of the line."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        self.heard = b""
        self.stop = threading.Event()

    def say(self, text: bytes) -> None:
        os.write(self.master, text)

    def get(self, count: int, seconds: float = 20.0) -> bytes:
        """*count* bytes, or what there is after *seconds* or at the end of the test."""
        data, until = b"", time.monotonic() + seconds
        while len(data) < count and time.monotonic() < until and not self.stop.is_set():
            if select.select([self.master], [], [], 0.05)[0]:
                data += os.read(self.master, count - len(data))
        self.heard += data
        return data

    def call(self) -> None:
        """Until the sender answers: what is said before it has the port open is lost."""
        while not select.select([self.master], [], [], 0.5)[0] and not self.stop.is_set():
            self.say(b"C")

    def block(self) -> bytes:
        """The next block, checked and acknowledged; an EOT is, too."""
        head = self.get(1)
        if head in (b"", EOT):
            self.say(ACK)
            return head
        size = 1024 if head == b"\x02" else 128
        body = self.get(2 + size + 2)
        assert crc_hqx(body[2:], 0) == 0
        self.say(ACK)
        return body[2:-2]

    def receive(self, blocks: int = 99) -> None:
        """Call, take a file up to *blocks* blocks of it, or all of it and the end of the batch."""
        self.call()
        self.block()
        self.say(b"C")
        for _ in range(blocks):
            if self.block() in (b"", EOT):
                self.say(b"C")
                self.block()
                return


def send(
    tmp_path: Path, acts: Callable[[Device], None], *options: str, interrupt: bool = False, data: bytes = DATA
) -> tuple[int, str, str, Device]:
    """Exit code, stdout and stderr of `spboot send` of *data* at a device that *acts*, and the device."""
    file = tmp_path / "app.sfb"
    file.write_bytes(data)
    device = Device()
    command = [sys.executable, "-c", "from spboot.cli import main; main()", "send", device.path, str(file)]
    process = subprocess.Popen(
        [*command, "--quiet-after", "0.5", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )

    def act() -> None:
        with contextlib.suppress(OSError):
            acts(device)
        if interrupt:
            process.send_signal(signal.SIGINT)
            device.get(10_000)

    thread = threading.Thread(target=act)
    thread.start()
    try:
        out, err = process.communicate(timeout=HANGS_S)
    finally:
        process.kill()
        device.stop.set()
        thread.join()
        for descriptor in (device.master, device.slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)
    assert "Traceback" not in err, err
    return process.returncode, out, err, device


def says(*texts: bytes, refuses: bool = False) -> Callable[[Device], None]:
    """A device that takes the file, or cancels it, and then says *texts*."""

    def acts(device: Device) -> None:
        device.receive(1 if refuses else 99)
        if refuses:
            device.get(1000, 0.2)
            device.say(CAN * 8)
        for text in texts:
            device.say(text)
            time.sleep(0.1)

    return acts


PATCH = b"patch: stage %s, 768 of 768 bytes, code %s\r\n"
VERDICTS = {
    "loader, accepted": (says(TAKEN, BANNER), 0, "version 1.1.0 received"),
    "loader, refused": (says(REFUSED, refuses=True), 1, "refused, code 26: already installed"),
    "loader, ended early": (says(b"refused, code 19: ended early\r\n"), 1, "code 19: ended early"),
    "loader, gave up": (says(b"transfer ended: too many errors\r\n"), 1, "transfer ended: too many errors"),
    "application, accepted": (
        says(PATCH % (b"verified", b"1: done"), b"update: complete, resetting\r\n"), 0, "update: complete",
    ),
    "application, refused": (
        says(PATCH % (b"idle", b"26: already installed"), b"update: not done\r\n", refuses=True), 1,
        "code 26: already installed",
    ),
    "installed": (says(TAKEN, BANNER, b"[    0.500] installed\r\n"), 0, "installed"),
    "dropped at the start": (
        says(TAKEN, BANNER, b"[    0.500] image in SLOT1 refused and dropped\r\n"), 1, "SLOT1 refused and dropped"
    ),
    "not installed": (
        says(TAKEN, BANNER, b"[    0.500] install failed, a reset tries again\r\n"), 1, "install failed"
    ),
    "nothing": (says(), 3, "did not say what became of it"),
    "something else": (says(b"[    9.000] thank you\r\n"), 3, "did not say what became of it"),
    "refused without a word": (says(refuses=True), 1, "did not say why"),
    "accepted in pieces": (says(TAKEN[:30], TAKEN[30:50], TAKEN[50:]), 0, "version 1.1.0 received"),
}  # fmt: skip


@pytest.mark.parametrize("name", VERDICTS)
def test_the_verdict_is_the_exit_code(name: str, tmp_path: Path) -> None:
    acts, code, words = VERDICTS[name]
    found, out, err, _ = send(tmp_path, acts)
    assert (found, words in err) == (code, True), out + err
    assert "\x18" not in out and "\x06" not in out


def test_no_verdict_is_enough_when_asked_for(tmp_path: Path) -> None:
    assert send(tmp_path, says(), "--no-verdict")[0] == 0
    assert send(tmp_path, says(REFUSED, refuses=True), "--no-verdict")[0] == 1


def test_the_text_is_whole_on_stdout(tmp_path: Path) -> None:
    _, out, _, _ = send(
        tmp_path, says("[    1.000] größer 1\r\n".encode(), REFUSED, b"  the file says: 1\r\n", refuses=True)
    )
    assert "größer 1\n" in out and "the file says: 1\n" in out


def begins_again(times: int) -> Callable[[Device], None]:
    """Resets in the middle of the file and calls again; takes it afterwards."""

    def acts(device: Device) -> None:
        for _ in range(times):
            device.receive(0)
            device.get(100)
            for _ in range(3):
                device.say(b"C")
                device.get(10_000, 1.0)
        device.receive()
        device.say(TAKEN)

    return acts


def chatters(device: Device) -> None:
    while not device.stop.is_set():
        device.say(b"[    1.000] Counting...\r\n")
        device.get(10_000, 0.03)


def takes_then_chatters(device: Device) -> None:
    device.receive()
    chatters(device)


def restarts_with_the_last_byte(device: Device) -> None:
    device.receive(2)
    device.get(1029)
    device.say(BANNER + b"[    0.500] installing, pages: 1\r\n[    0.500] installed\r\n")


def unplugged(device: Device) -> None:
    device.receive(0)
    device.get(200)
    os.close(device.slave)
    os.close(device.master)


ENDS: dict[str, tuple[Callable[[Device], None], tuple[str, ...], int, str]] = {
    "a reset in the middle": (begins_again(1), (), 0, "began again in the middle of the file"),
    "nobody calls": (lambda device: None, ("--timeout", "0.5"), 1, "nobody asked for a file in 0.5 s"),
    "a log that never pauses": (chatters, ("--timeout", "1.5", "--load"), 1, "nobody asked for a file in 1.5 s"),
    "a log that never pauses, with a key": (chatters, ("--timeout", "1.5", "--key", "u"), 1, "nobody asked for a file"),
    "a reset with the last byte": (restarts_with_the_last_byte, (), 0, "installed"),
    "the cable pulled": (unplugged, (), 1, "the port went away"),
    "a log that never pauses, afterwards": (takes_then_chatters, (), 3, "did not say what became of it"),
}


@pytest.mark.parametrize("name", ENDS)
def test_every_wait_ends(name: str, tmp_path: Path) -> None:
    acts, options, code, words = ENDS[name]
    found, out, err, _ = send(tmp_path, acts, *options)
    assert (found, words in err) == (code, True), out + err


def test_a_key_is_repeated_until_the_device_hears(tmp_path: Path) -> None:
    def acts(device: Device) -> None:
        device.get(2)  # the first is lost
        device.receive()
        device.say(TAKEN)

    code, out, err, device = send(tmp_path, acts, "--key", "u")
    assert (code, device.heard[:2]) == (0, b"uu"), out + err


def test_ctrl_c_cancels_the_transfer(tmp_path: Path) -> None:
    code, _, err, device = send(tmp_path, lambda device: device.receive(0), interrupt=True)
    assert (code, "told that the file ends here" in err) == (130, True), err
    assert CAN * 2 in device.heard


# what is no update


def test_a_file_that_is_no_update_is_refused_before_the_device_is_asked(tmp_path: Path) -> None:
    damaged = DATA[:-1] + bytes([DATA[-1] ^ 1])
    for data, words in ((b"words\n" * 99, "not an update file"), (damaged, "damaged: payload: chunk"), (b"", "empty")):
        code, out, err, device = send(tmp_path, lambda device: device.say(b"C" * 3), data=data)
        assert (code, words in err, "app.sfb" in err) == (1, True, True), out + err
        assert device.heard == b""


def test_any_file_is_for_the_device_to_judge(tmp_path: Path) -> None:
    code, out, err, _ = send(tmp_path, says(REFUSED, refuses=True), "--any-file", data=b"words\n" * 500)
    assert (code, "code 26: already installed" in err) == (1, True), out + err


# ports that cannot be opened


def spboot_send(port: str, file: Path, **more: object) -> tuple[int, str]:
    file.write_bytes(DATA)
    command = [sys.executable, "-c", "from spboot.cli import main; main()", "send", port, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS_S, **more)  # type: ignore[call-overload]
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    code, err = spboot_send("/dev/ttyNONE", tmp_path / "f")
    assert code == 1 and err.startswith("error: /dev/ttyNONE: there is no such port; ")
    assert "ports of this machine: " in err or "this machine has no serial port: plug in" in err
    assert "Errno" not in err


def test_a_port_that_is_no_port(tmp_path: Path) -> None:
    code, err = spboot_send(str(tmp_path / "f"), tmp_path / "f")
    assert code == 1 and "is not a serial port; " in err and "Errno" not in err


def test_a_port_in_use(tmp_path: Path) -> None:
    import serial

    device = Device()
    with serial.Serial(device.path, exclusive=True):
        code, err = spboot_send(device.path, tmp_path / "f")
    assert code == 1 and "is in use: close the terminal program that has it open" in err


def test_a_port_of_another_user(tmp_path: Path) -> None:
    device = Device()
    os.chmod(device.path, 0)  # noqa: PTH101
    if os.geteuid() != 0:
        code, err = spboot_send(device.path, tmp_path / "f")
    else:
        # root may do everything: as nobody, who cannot read the sources, so the library is asked in a fork
        code, err = 1, _as_nobody(device.path)
    assert code == 1 and "may not be opened by you: join group " in err and "sudo usermod -aG" in err


def _as_nobody(path: str) -> str:
    from spboot.errors import LinkError
    from spboot.link.serial_port import SerialPort

    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setuid(65534)
        try:
            SerialPort(path, 115_200)
        except LinkError as error:
            os.write(writer, str(error).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writer)
    return os.read(reader, 10_000).decode()


class Line:
    """A port with a clock of its own, and what comes when."""

    def __init__(self, *arrivals: tuple[float, bytes]) -> None:
        self._time, self._arrivals = 0.0, list(arrivals)

    def now(self) -> float:
        return self._time

    def write(self, data: bytes) -> None: ...

    def read(self, size: int, timeout_s: float) -> bytes:
        if not self._arrivals or self._arrivals[0][0] > self._time + timeout_s:
            self._time += timeout_s
            return b""
        at, data = self._arrivals.pop(0)
        self._time = max(self._time, at)
        return data


def test_a_call_that_comes_as_the_wait_ends_is_heard() -> None:
    """Else it is not heard again: a loader that is typed to does not call."""
    said = bytearray()
    assert ymodem.listen(Line((0.04, b"YMOD"), (0.05, b"EM\r\nC")), 0.05, on_text=said.extend, limit_s=0.05)
    assert said == b"YMODEM\r\n"
    said.clear()
    letters = Line((0.04, b"CC"), (0.05, b"CC"), (0.06, b"C\r\n"))
    assert not ymodem.listen(letters, 0.05, on_text=said.extend, limit_s=0.05)
    assert said == b"CCCCC\r\n"


def test_a_verdict_does_not_depend_on_how_the_text_is_divided() -> None:
    text = b"\r\n[    0.5] starting\r\n" + TAKEN + BANNER + b"Counting\r\n"
    for size in range(1, 40):
        hearing = Hearing()
        for at in range(0, len(text), size):
            hearing.feed(text[at : at + size])
        assert hearing.verdict is not None and hearing.verdict.accepted
        assert hearing.verdict.words == (
            "version 1.1.0 received, 768 bytes, verified, changed pages: 1, room for a trial: 208",
        )
