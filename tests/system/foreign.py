"""Senders of our own making that do what other people's do, right or wrong, over a port of the twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spboot.link import ymodem
from spboot.link.port import Port
from spboot.link.ymodem import ACK, CALL, CAN, EOT, NAK, packet

EOT_BYTE = bytes((EOT,))
NAME = b"update.sfb\0"


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """One sender.  *head*: block 0 by the size of the file; *end*: what it does behind the last block."""

    head: Callable[[int], bytes] = lambda size: NAME + str(size).encode()
    block: int = 128
    between: Callable[[Port, int], None] = lambda port, number: None
    """What else is on the line before block *number*."""
    end: str = "EOT EOT close"
    """EOT: sent, an answer awaited.  `close`: the end block once the receiver called.  `close!`: the end block at once.
    `CAN`: cancelled.  `second`: a second file instead of the end.  Nothing: silence."""

    def send(self, port: Port, data: bytes) -> str:
        """`whole` when all blocks were taken, or `refused` by CAN, or `unanswered`."""
        line = ymodem.Dialogue(port)
        head = self.head(len(data))
        try:
            line.exchange(packet(0, head, 128 if len(head) < 128 else 1024), calling=True)
            line.wait_for_call(5)
            for number, at in enumerate(range(0, len(data), self.block), 1):
                self.between(port, number)
                line.exchange(packet(number, data[at : at + self.block], self.block))
            for step in self.end.split():
                self._finish(port, line, step)
        except ymodem.RefusedError:
            return "refused"
        except (ymodem.NoAnswerError, ymodem.RestartedError):
            return "unanswered"
        return "whole"

    def _finish(self, port: Port, line: ymodem.Dialogue, step: str) -> None:
        if step == "EOT":
            port.write(EOT_BYTE)
            answered(port)
        elif step == "CAN":
            port.write(bytes((CAN, CAN)))
        elif step == "close!":
            port.write(packet(0, b"", 128))
        elif step == "close":
            line.wait_for_call(5)
            line.exchange(packet(0, b"", 128), calling=True)
        elif step == "second":
            line.wait_for_call(5)
            line.exchange(packet(0, NAME + b"10", 128), calling=True)


def answered(port: Port) -> bytes:
    """The next answer; b"" when none comes within a second."""
    until = port.now() + 1
    while port.now() < until:
        byte = port.read(1, 0.2)
        if byte and byte[0] in (ACK, NAK):
            return byte
    return b""


def padded(to: int) -> Callable[[int], bytes]:
    """Block 0 of a sender that tells the size of the padded file."""
    return lambda size: NAME + str(-(-size // to) * to).encode()


def noise(*numbers: int) -> Callable[[Port, int], None]:
    """A byte that looks like an EOT, before some of the blocks."""

    def between(port: Port, number: int) -> None:
        if number in numbers:
            port.write(EOT_BYTE)

    return between


def silent(at: int, seconds: float = 15.0) -> Callable[[Port, int], None]:
    """Nothing for *seconds* before block *at*."""

    def between(port: Port, number: int) -> None:
        if number == at:
            until = port.now() + seconds
            while port.now() < until:
                port.read(256, 1)

    return between


def dripping(at: int, byte: bytes, pause_s: float, seconds: float, heard: bytearray) -> Callable[[Port, int], None]:
    """*byte* again and again before block *at*, for *seconds* or until the receiver cancels; answers are *heard*."""

    def between(port: Port, number: int) -> None:
        if number != at:
            return
        until = port.now() + seconds
        while port.now() < until:
            port.write(byte)
            next_at = port.now() + pause_s
            while port.now() < next_at:
                heard.extend(port.read(256, max(0.0, next_at - port.now())))
            if bytes((CAN, CAN)) in heard:
                raise ymodem.RefusedError("cancelled")

    return between


def xmodem(port: Port, data: bytes) -> str:
    """Block 1 without a block 0, ten times at most, as `sx` does."""
    for _ in range(10):
        port.write(packet(1, data[:128], 128))
        until = port.now() + 3
        while port.now() < until:
            byte = port.read(1, 0.5)
            if byte == bytes((CAN,)):
                return "refused"
            if byte == bytes((CALL,)):
                break
    return "unanswered"
