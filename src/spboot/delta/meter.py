"""What each step of a patch stream costs, in bits: the reference decoder run over a range decoder that counts.

A decision with probability p costs -log2 p bits, here by the widths of the range before and after it, so that the sum
is that of the coder itself, rounding included.  What is left of the stream's length is its end: see `trace`."""

from __future__ import annotations

from collections.abc import Iterator
from math import log2
from typing import Final, NamedTuple

from spboot.delta import models
from spboot.delta.decoder import STORED, Decoder
from spboot.delta.models import DISTANCE, NEAR, SHAPES, SURE, index
from spboot.delta.rangecoder import RangeDecoder

START: Final = "start"
"""Where the images are linked, at the head of the stream;"""
NEW: Final = "new"
"""bytes that stand nowhere else;"""
CHANGED: Final = "changed"
"""bytes of a copy that are others now;"""
REFERENCE: Final = "reference"
"""branches, loads and pointers, as guessed or not;"""
COPY: Final = "copy"
"""where copies begin and end;"""
SAME: Final = "same"
"""that bytes of a copy are as they were."""
KINDS: Final = (START, NEW, CHANGED, REFERENCE, COPY, SAME)
_FLAG: Final = "flag"
"""Decided by what comes of it: SAME, CHANGED or COPY."""

_GROUPS: Final = {
    **dict.fromkeys(("op", "space", "same", "mapped", "near", "low", "again"), COPY),
    "as_it_is": SAME,
    **dict.fromkeys(("flag", "opcode", "end"), _FLAG),
    **dict.fromkeys(("ref", "ref_new", "missed"), REFERENCE),
    **dict.fromkeys(("literal_high", "literal_low"), NEW),
    **dict.fromkeys(("change_high", "change_low"), CHANGED),
}
_NUMBERS: Final = {NEAR: COPY, DISTANCE: COPY, SURE: SAME}
"""What a Golomb number is for; the others are references."""


class Step(NamedTuple):
    """One step of the decoder: bytes *start* to below *end* of NEW, and the bits that it took, by kind.

    A step may give no byte: then what it tells is about the bytes from *start* on."""

    start: int
    end: int
    bits: dict[str, float]


def _kinds() -> list[str]:
    """The kind of each adaptive bit."""
    kinds = [""] * models.COUNT
    for group, kind in _GROUPS.items():
        size = 1
        for length in SHAPES[group]:
            size *= length
        kinds[index(group) : index(group) + size] = [kind] * size
    for group in ("sign", "exponent", "mantissa"):
        for number in range(SHAPES[group][0]):
            size = SHAPES[group][1] if len(SHAPES[group]) > 1 else 1
            first = index(group, number)
            kinds[first : first + size] = [_NUMBERS.get(number, REFERENCE)] * size
    return kinds


_KIND: Final = _kinds()


class Meter(RangeDecoder):
    """A range decoder that knows what its decisions cost.  *spent*: bits by kind, since somebody emptied it."""

    def __init__(self, stream: bytes) -> None:
        super().__init__(stream)
        self.spent: dict[str, float] = {}
        self._kind = START

    def bit(self, model: int) -> int:
        """As the decoder's."""
        self._kind = _KIND[model]
        return super().bit(model)

    def mixed(self, one: int, other: int) -> int:
        """As the decoder's."""
        self._kind = _KIND[one]
        return super().mixed(one, other)

    def _decide(self, p: int) -> int:
        before, bound = self._range, (self._range >> 12) * p
        bit = super()._decide(p)
        width = bound if bit else before - bound
        self.spent[self._kind] = self.spent.get(self._kind, 0.0) + log2(before / width)
        return bit


def trace(old: bytes, stream: bytes, new_len: int, *, old_rest: bytes = b"", new_rest_len: int = 0) -> Iterator[Step]:
    """Every step that makes NEW, *new_len* bytes and *new_rest_len* of a second part behind them, from *old* and
    *old_rest*; the first one, without a byte, is the stream's start.

    The last one, without a byte either, is its end: what whole bytes leave over, of kind START.  The bits of all steps
    are those of the stream.  Raises FormatError as `decoder.decode` does."""
    meter = Meter(stream)
    decoder = Decoder(meter, old, new_len, old_rest=old_rest, new_rest_len=new_rest_len)
    total = sum(meter.spent.values())
    yield Step(0, 0, meter.spent)
    while decoder.more():
        meter.spent, start = {}, decoder.written
        decoder.step()
        bits, end = meter.spent, decoder.written
        if _FLAG in bits:
            flag = CHANGED if CHANGED in bits else SAME if end > start else COPY
            bits[flag] = bits.get(flag, 0.0) + bits.pop(_FLAG)
        elif decoder.space == STORED:
            bits = {NEW: sum(bits.values())}
        elif NEW in bits:  # that it is a literal is part of what it costs
            bits[NEW] += bits.pop(COPY, 0.0)
        total += sum(bits.values())
        yield Step(start, end, bits)
    end = new_len + new_rest_len
    yield Step(end, end, {START: 8 * len(stream) - total})


def base_of(stream: bytes) -> int:
    """The address that OLD and NEW of *stream* are linked at, which a stream with an OLD begins with."""
    return RangeDecoder(stream).direct(24) << 8
