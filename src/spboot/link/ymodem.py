"""Sends a file by YMODEM (Forsberg 1988) over anything that has read and write."""

from __future__ import annotations

import time
from binascii import crc_hqx
from collections.abc import Callable
from pathlib import PurePath
from typing import Final, Protocol

from spboot.errors import LinkError

_SOH, _STX, _EOT, _ACK, _NAK, _CAN, _CALL = 0x01, 0x02, 0x04, 0x06, 0x15, 0x18, 0x43
_SIZES: Final = {128: _SOH, 1024: _STX}
_TRIES: Final = 10
_ANSWER_S: Final = 10.0
"""Longest wait for the answer to a block: a receiver may erase a lot of flash first."""
_QUIET_S: Final = 0.15
"""A `C` is a call, not a letter of some text, when nothing follows it for this long."""

Progress = Callable[[int, int], None]


class Port(Protocol):
    """A serial line.  `read` returns what comes within its timeout, b"" when nothing does."""

    def read(self, size: int, timeout_s: float) -> bytes: ...

    def write(self, data: bytes) -> None: ...


class RefusedError(LinkError):
    """The receiver cancelled the transfer; its reason is on the line, for whoever reads on."""


def packet(number: int, data: bytes, size: int) -> bytes:
    """One block: *data* padded to *size* (128 or 1024), its number and CRC-16 around it."""
    body = data.ljust(size, b"\0" if number == 0 else b"\x1a")
    return bytes((_SIZES[size], number & 0xFF, ~number & 0xFF)) + body + crc_hqx(body, 0).to_bytes(2, "big")


def wait_for_call(port: Port, timeout_s: float, *, on_text: Callable[[bytes], None], poke: bytes = b"") -> None:
    """Wait until a receiver calls; what it says before goes to *on_text*; *poke* is sent thirty times a second.

    Raises LinkError when nobody calls in *timeout_s*."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if poke:
            port.write(poke)
        if not listen(port, 0.03, on_text=on_text):
            continue
        if not poke or listen(port, 2.0, on_text=on_text):  # the next call comes when our last poke is forgotten
            return
    raise LinkError(
        f"nobody asked for a file in {timeout_s:.0f} s: reset the board with its button held, or use --load"
    )


def listen(port: Port, quiet_s: float, *, on_text: Callable[[bytes], None]) -> bool:
    """Hand what the device says to *on_text* until it pauses for *quiet_s* seconds, or calls for a file: True."""
    text = port.read(256, quiet_s)
    while text:
        called = text[-1] == _CALL
        more = port.read(256, _QUIET_S if called else quiet_s)
        on_text(text[:-1] if called and not more else text)
        if called and not more:
            return True
        text = more
    return False


def send(port: Port, name: str, data: bytes, *, block: int = 1024, progress: Progress | None = None) -> None:
    """Send *data* as file *name* to a receiver that has just called.  *block*: size of full blocks, 128 or 1024.

    Raises RefusedError when the receiver cancels, LinkError when it does not answer."""
    head = PurePath(name.replace("\\", "/")).name.encode() + b"\0" + str(len(data)).encode() + b"\0"
    _exchange(port, packet(0, head, 128 if len(head) <= 128 else 1024))
    _wait(port, _CALL)
    number, done = 1, 0
    while done < len(data):
        size = block if len(data) - done > 128 else 128
        _exchange(port, packet(number, data[done : done + size], size))
        number, done = number + 1, min(done + size, len(data))
        if progress:
            progress(done, len(data))
    _exchange(port, bytes((_EOT,)))
    _wait(port, _CALL)
    _exchange(port, packet(0, b"", 128))


def _answer(port: Port) -> int | None:
    """The next byte that is an answer; None when none comes."""
    deadline = time.monotonic() + _ANSWER_S
    while time.monotonic() < deadline:
        byte = port.read(1, 0.5)
        if byte and byte[0] == _CAN:
            if port.read(1, 1.0) == bytes((_CAN,)):
                raise RefusedError("the device refused the file")
        elif byte and byte[0] in (_ACK, _NAK, _CALL):
            return byte[0]
    return None


def _exchange(port: Port, data: bytes) -> None:
    """Send until it is acknowledged."""
    for _ in range(_TRIES):
        port.write(data)
        answer = _answer(port)
        while answer == _CALL:  # left over from before our first block
            answer = _answer(port)
        if answer == _ACK:
            return
    raise LinkError(f"the device did not take a block in {_TRIES} tries: check the line and its speed")


def _wait(port: Port, wanted: int) -> None:
    if _answer(port) != wanted:
        raise LinkError("the device does not go on: reset it and try again")
