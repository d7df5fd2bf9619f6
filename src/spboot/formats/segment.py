"""A run of bytes and the bus address it belongs at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from spboot.errors import FormatError


class Segment(NamedTuple):
    """Bytes and the bus address they belong at."""

    address: int
    data: bytes

    @property
    def end(self) -> int:
        """First address after the bytes."""
        return self.address + len(self.data)

    def __repr__(self) -> str:  # a bootloader's bytes have keys in them
        return f"<{len(self.data)} bytes at {self.address:#010x}>"


def joined(name: str, pieces: Iterable[Segment]) -> tuple[Segment, ...]:
    """*pieces* in the order of their addresses, those that touch as one.  Raises FormatError, with *name*, when two
    overlap."""
    runs: list[tuple[int, bytearray]] = []
    for piece in sorted(piece for piece in pieces if piece.data):
        end = runs[-1][0] + len(runs[-1][1]) if runs else -1
        if piece.address < end:
            raise FormatError(
                f"{name}: the bytes at {piece.address:#010x} overlap those before them, which end at {end:#010x}: "
                "expected each address once; is this two programs in one file?"
            )
        if piece.address == end:
            runs[-1][1].extend(piece.data)
        else:
            runs.append((piece.address, bytearray(piece.data)))
    return tuple(Segment(address, bytes(data)) for address, data in runs)
