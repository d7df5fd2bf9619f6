"""Makes Intel HEX files by the intelhex package alone, for tests of our reader."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from intelhex import IntelHex

Maker = Callable[[Sequence[tuple[int, bytes]]], bytes]


def make(segments: Sequence[tuple[int, bytes]], width: int = 16) -> bytes:
    """One with *segments*, (address, bytes), in lines of at most *width* bytes."""
    out, text = IntelHex(), io.StringIO()
    for address, data in segments:
        out.puts(address, data)
    out.write_hex_file(text, byte_count=width)
    return text.getvalue().encode()
