"""Pictures of a browser, made small: few colours, in a palette (ISO/IEC 15948)."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Final

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEAD: Final = struct.Struct(">IIBBBBB")
_PIXEL: Final = 3
_STEP: Final = 17
"""Steps of a channel, so that there are 16."""
_COLOURS: Final = 256


def smaller(data: bytes) -> bytes:
    """An RGB picture with each channel rounded to 4 bits, its colours in a palette."""
    width, height, rows = _rows(data)
    flat = bytes((byte + _STEP // 2) // _STEP * _STEP for row in rows for byte in row)
    pixels = [flat[at : at + _PIXEL] for at in range(0, len(flat), _PIXEL)]
    count = Counter(pixels)
    often = sorted(count, key=lambda pixel: (-count[pixel], pixel))
    palette = often[:_COLOURS]
    place = {pixel: _nearest(pixel, palette) for pixel in often}
    lines = (bytes([0, *(place[pixel] for pixel in pixels[at : at + width])]) for at in range(0, width * height, width))
    head = _HEAD.pack(width, height, 8, 3, 0, 0, 0)
    chunks = (b"IHDR", head), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(b"".join(lines), 9)), (b"IEND", b"")
    return _SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks)


def _nearest(pixel: bytes, palette: list[bytes]) -> int:
    return min(range(len(palette)), key=lambda at: sum((a - b) ** 2 for a, b in zip(pixel, palette[at], strict=True)))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _rows(data: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height, and lines without their filters."""
    chunks = list(_chunks(data))
    width, height, depth, colour, *_ = _HEAD.unpack(chunks[0][1])
    assert (depth, colour) == (8, 2), "a picture of RGB with 8 bits each"
    raw = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    step, rows, above = width * _PIXEL + 1, [], bytes(width * _PIXEL)
    for at in range(0, step * height, step):
        above = _line(raw[at], raw[at + 1 : at + step], above)
        rows.append(above)
    return width, height, rows


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += size + 12


def _line(kind: int, line: bytes, above: bytes) -> bytes:
    """A line whose filter is undone (9.2)."""
    out = bytearray(line)
    for at in range(len(out) if kind else 0):
        left, up = (out[at - _PIXEL], above[at]) if at >= _PIXEL else (0, above[at])
        corner = above[at - _PIXEL] if at >= _PIXEL else 0
        out[at] = (out[at] + (left, up, (left + up) // 2, _paeth(left, up, corner))[kind - 1]) & 0xFF
    return bytes(out)


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))
