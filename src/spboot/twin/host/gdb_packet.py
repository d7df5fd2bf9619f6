"""Packets of the GDB remote serial protocol in a stream of bytes.  Knows no command and no target.

What is sent to us is bounded: a packet above LIMIT is not kept, its end is only looked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

LIMIT: Final = 0x4000
"""Most bytes between `$` and `#`, in both directions."""
_ESCAPE: Final = 0x7D
_TOGGLE: Final = 0x20
_ESCAPED: Final = frozenset(b"#$}*")
_INTERRUPT: Final = 0x03

Kind = Literal["packet", "damaged", "too long", "interrupt", "again"]


@dataclass(frozen=True, slots=True)
class Event:
    """What came: a packet, one whose checksum is wrong or that is too long, Ctrl-C, or a request to send again."""

    kind: Kind
    data: bytes = b""


class Reader:
    """Cuts a stream into events; what comes between packets and means nothing is passed over."""

    def __init__(self) -> None:
        self._body: bytearray | None = None
        self._check: bytearray | None = None
        self._too_long = False

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that end in *data*."""
        for byte in data:
            event = self._take(byte)
            if event is not None:
                yield event

    def _take(self, byte: int) -> Event | None:
        if self._check is not None:
            self._check.append(byte)
            return self._end() if len(self._check) == 2 else None
        if byte == ord("$"):
            self._body, self._too_long = bytearray(), False
        elif self._body is None:
            return {_INTERRUPT: Event("interrupt"), ord("-"): Event("again")}.get(byte)
        elif byte == ord("#"):
            self._check = bytearray()
        elif len(self._body) < LIMIT:
            self._body.append(byte)
        else:
            self._too_long = True
        return None

    def _end(self) -> Event:
        body, check, too_long = bytes(self._body or b""), bytes(self._check or b""), self._too_long
        self._body = self._check = None
        if too_long:
            return Event("too long")
        return Event("packet" if check.lower() == b"%02x" % checksum(body) else "damaged", body)


def checksum(body: bytes) -> int:
    """The sum of the bytes of a packet as they are sent, modulo 256."""
    return sum(body) & 0xFF


def framed(body: bytes) -> bytes:
    """The packet with *body*, whose binary data are escaped already."""
    return b"$%s#%02x" % (body, checksum(body))


def escaped(data: bytes) -> bytes:
    """Binary data as they stand in a packet."""
    out = bytearray()
    for byte in data:
        out += bytes([_ESCAPE, byte ^ _TOGGLE]) if byte in _ESCAPED else bytes([byte])
    return bytes(out)


def unescaped(data: bytes) -> bytes:
    """The binary data of a packet; an escape at its end stands for nothing."""
    out, toggle = bytearray(), 0
    for byte in data:
        if not toggle and byte == _ESCAPE:
            toggle = _TOGGLE
        else:
            out.append(byte ^ toggle)
            toggle = 0
    return bytes(out)
