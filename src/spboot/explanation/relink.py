"""An image put together in another order, as a linker would: what was moved is named by its new address.

No linker: references are found by their looks, as the patch stream finds them (spec/patch-stream.md, "Reference").
What comes out is to be weighed, not to be run."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from spboot.delta import reference

_WORD: Final = 4
_MOVT_WITHIN: Final = 12
"""Bytes behind a MOVW in which its MOVT is looked for."""
_NO_IMAGE: Final = reference.Image(0, 0)
_FAR: Final = (reference.BL, reference.B_COND_W, reference.B)
"""Branches that leave a function."""


class Piece(NamedTuple):
    """Bytes *start* to below *end* of an image, which move as one; *data* stands there afterwards, as before to a
    multiple of *align*."""

    start: int
    end: int
    data: bytes
    align: int = _WORD


def relink(image: bytes, address: int, pieces: Sequence[Piece]) -> bytes:
    """*image*, linked at *address*, with its *pieces*, all of it, in this order."""
    places: dict[int, int] = {}
    at = 0
    for piece in pieces:
        at += (piece.start - at) % piece.align
        places[piece.start] = at
        at += len(piece.data)
    moved = _mapping(pieces, places, address, len(image))
    out = bytearray(at)
    for piece in pieces:
        start = places[piece.start]
        same_size = len(piece.data) == piece.end - piece.start
        data = _retargeted(piece, address, start, moved) if same_size else piece.data
        out[start : start + len(data)] = data
    return bytes(out)


def align_of(code: bytes) -> int:
    """What functions of the bytes *code* have to be aligned to: 4 with a literal that they load, otherwise 2."""
    for at in _instructions(code):
        found = reference.find(code[at : at + _WORD], 0, _NO_IMAGE, aligned=False)
        if found is not None and found.kind in (reference.LDR, reference.LDR_W):
            return _WORD
    return 2


def _instructions(code: bytes | bytearray, start: int = 0) -> Iterator[int]:
    """Where instructions begin, the first one at *start*: of two half-words by their first (DDI 0403, A5.1)."""
    at = start
    while at + 2 <= len(code):
        yield at
        at += 4 if code[at + 1] >> 3 in (0x1D, 0x1E, 0x1F) else 2


def _mapping(pieces: Sequence[Piece], places: dict[int, int], address: int, size: int) -> Callable[[int], int | None]:
    """Address -> where what was there is now; None: no address of the image."""
    by_start = sorted(pieces)
    starts = [piece.start for piece in by_start]

    def moved(target: int) -> int | None:
        offset = (target & ~1) - address
        if not 0 <= offset < size:
            return None
        piece = by_start[bisect_right(starts, offset) - 1]
        return target - piece.start + places[piece.start]

    return moved


def _retargeted(piece: Piece, address: int, place: int, moved: Callable[[int], int | None]) -> bytes:
    """The bytes of *piece* with what they name where it is now."""
    data = bytearray(piece.data)
    done = 0
    for at in _instructions(data, piece.start % 2):
        if at < done:
            continue
        here, there = address + piece.start + at + 4, address + place + at + 4
        if (piece.start + at) % _WORD == 0 and at + _WORD <= len(data):
            target = moved(int.from_bytes(data[at : at + _WORD], "little"))
            if target is not None:
                data[at : at + _WORD] = target.to_bytes(_WORD, "little")
                done = at + _WORD
                continue
        found = reference.find(bytes(data[at : at + _WORD]), here, _NO_IMAGE, aligned=False)
        if found is None:
            continue
        if found.kind == reference.MOVW:
            _number(data, at, moved)
        elif found.kind in _FAR and (target := moved(found.target)) is not None:
            written = reference.write(bytes(data[at : at + found.size]), found.kind, there, target)
            data[at : at + found.size] = written or data[at : at + found.size]
    return bytes(data)


def _number(data: bytearray, at: int, moved: Callable[[int], int | None]) -> None:
    """An address in a MOVW, at *at*, and the MOVT of the same register behind it (DDI 0403, A7.7.76, A7.7.79)."""
    register = data[at + 3] & 0xF
    for high in range(at + 4, min(at + _MOVT_WITHIN, len(data) - 3), 2):
        first = int.from_bytes(data[high : high + 2], "little")
        if first & 0xFBF0 == 0xF2C0 and data[high + 3] & 0x8F == register:
            target = moved(_immediate(data, high) << 16 | _immediate(data, at))
            if target is not None:
                _put(data, at, target & 0xFFFF)
                _put(data, high, target >> 16)
            return


def _immediate(data: bytearray, at: int) -> int:
    """The 16 bits of a MOVW or MOVT, which have them in the same places."""
    a, b = (int.from_bytes(data[at + half : at + half + 2], "little") for half in (0, 2))
    return (a & 0xF) << 12 | (a & 0x400) << 1 | (b & 0x7000) >> 4 | b & 0xFF


def _put(data: bytearray, at: int, number: int) -> None:
    written = reference.write(bytes(data[at : at + 4]), reference.MOVW, 0, number)
    assert written is not None
    data[at : at + 4] = written
