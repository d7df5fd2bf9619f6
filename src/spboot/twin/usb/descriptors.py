"""Descriptors of a flash drive (USB 2.0 9.6), built out of what it offers."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

DEVICE, CONFIGURATION, STRING, INTERFACE, ENDPOINT = range(1, 6)
MASS_STORAGE, HUB_CLASS = 8, 9
SCSI, BULK_ONLY, UAS = 6, 0x50, 0x62
_DEVICE: Final = struct.Struct("<BBHBBBBHHHBBBB")
_CONFIGURATION: Final = struct.Struct("<BBHBBBBB")
_INTERFACE: Final = struct.Struct("<9B")
_ENDPOINT: Final = struct.Struct("<BBBBHB")
assert (_DEVICE.size, _CONFIGURATION.size, _INTERFACE.size, _ENDPOINT.size) == (18, 9, 9, 7)
BULK, INTERRUPT = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One interface descriptor with its endpoints: (address, kind, packet size)."""

    number: int = 0
    alternate: int = 0
    kind: tuple[int, int, int] = (MASS_STORAGE, SCSI, BULK_ONLY)
    endpoints: Sequence[tuple[int, int, int]] = ((0x81, BULK, 64), (0x02, BULK, 64))
    extra: bytes = b""
    """Descriptors of a class, before those of the endpoints."""

    def encode(self) -> bytes:
        """As the configuration has it."""
        head = _INTERFACE.pack(
            _INTERFACE.size, INTERFACE, self.number, self.alternate, len(self.endpoints), *self.kind, 0
        )
        ends = [_ENDPOINT.pack(7, ENDPOINT, address, kind, size, 0) for address, kind, size in self.endpoints]
        return head + self.extra + b"".join(ends)


ONE: Final = (Interface(),)
WITH_UAS: Final = (
    Interface(),
    Interface(
        alternate=1,
        kind=(MASS_STORAGE, SCSI, UAS),
        endpoints=((0x81, BULK, 64), (0x02, BULK, 64), (0x83, BULK, 64), (0x04, BULK, 64)),
        extra=bytes([4, 0x24, 1, 0]),
    ),
)
"""What drives of USB 3 offer: UAS as alternate 1, with the pipe usage descriptors of it."""
SECOND: Final = (
    Interface(kind=(3, 1, 1), endpoints=((0x83, INTERRUPT, 8),), extra=bytes([9, 0x21, 0x11, 1, 0, 1, 0x22, 63, 0])),
    Interface(number=1, endpoints=((0x05, BULK, 64), (0x86, BULK, 64))),
)
"""A keyboard first, the drive second, OUT before IN."""


def device(*, mps0: int, kind: int = 0, vendor: int = 0x0781, product: int = 0x5567) -> bytes:
    """The device descriptor."""
    return _DEVICE.pack(18, DEVICE, 0x0200, kind, 0, 0, mps0, vendor, product, 0x0100, 0, 0, 0, 1)


def configuration(interfaces: Sequence[Interface], *, value: int = 1, milliamps: int = 200) -> bytes:
    """The configuration descriptor with all that belongs to it."""
    body = b"".join(each.encode() for each in interfaces)
    count = len({each.number for each in interfaces})
    return _CONFIGURATION.pack(9, CONFIGURATION, 9 + len(body), count, value, 0, 0x80, milliamps // 2) + body
