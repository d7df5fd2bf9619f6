"""A picture as a display shows it, and the PNG of it."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEADER: Final = struct.Struct(">IIBBBBB")
assert _HEADER.size == 13
_RGB: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """*rgb* has three bytes for each pixel: red, green, blue; line by line from the top."""

    width: int
    height: int
    rgb: bytes

    def at(self, x: int, y: int) -> int:
        """A pixel as 0xRRGGBB."""
        place = 3 * (y * self.width + x)
        return int.from_bytes(self.rgb[place : place + 3], "big")

    def png(self) -> bytes:
        """The file: eight bits a channel, each line as it is (PNG 11.2, 12)."""
        step = 3 * self.width
        lines = b"".join(b"\0" + self.rgb[at : at + step] for at in range(0, step * self.height, step))
        head = _HEADER.pack(self.width, self.height, 8, _RGB, 0, 0, 0)
        parts = (b"IHDR", head), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")
        return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
