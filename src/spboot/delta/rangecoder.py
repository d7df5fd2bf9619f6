"""Binary decisions, and the numbers made of them.  Source: spec/patch-stream.md, "Range decoder" to "Golomb number"."""

from __future__ import annotations

from typing import Protocol

from spboot.delta.models import AFTER, EXPONENT, index, start

U32 = 0xFFFFFFFF
_TOP = 1 << 24


class Bits(Protocol):
    """A source of decisions: a range decoder, or a test that makes them up."""

    def bit(self, model: int) -> int:
        """A decision with the adaptive bit *model*."""

    def mixed(self, one: int, other: int) -> int:
        """A decision with the mean of two adaptive bits, which both learn from it."""

    def direct(self, count: int) -> int:
        """*count* bits at even odds, most significant first."""


class RangeDecoder:
    """Decodes the decisions in a stream, behind whose end every byte reads as zero."""

    def __init__(self, stream: bytes) -> None:
        self._models = start()
        self._range = U32
        self._code = int.from_bytes(stream[:4].ljust(4, b"\0"), "big")
        self._stream = stream
        self._at = 4

    @property
    def taken(self) -> int:
        """Bytes read so far, zeros past the end of the stream included."""
        return self._at

    @property
    def unread(self) -> int:
        """Number of bytes of the stream that were not read yet."""
        return max(0, len(self._stream) - self._at)

    def bit(self, model: int) -> int:
        """A decision with the adaptive bit *model*."""
        state = self._models[model]
        bit = self._decide(state >> 4)
        self._models[model] = AFTER[bit][state]
        return bit

    def mixed(self, one: int, other: int) -> int:
        """A decision with the mean of two adaptive bits, which both learn from it."""
        first, second = self._models[one], self._models[other]
        bit = self._decide((first >> 4) + (second >> 4) >> 1)
        self._models[one], self._models[other] = AFTER[bit][first], AFTER[bit][second]
        return bit

    def direct(self, count: int) -> int:
        """*count* bits at even odds, most significant first."""
        value = 0
        for _ in range(count):
            value = value << 1 | self._decide(2048)
        return value

    def _decide(self, p: int) -> int:
        bound = (self._range >> 12) * p
        bit = self._code < bound
        if bit:
            self._range = bound
        else:
            self._code -= bound
            self._range -= bound
        while self._range < _TOP:
            self._range <<= 8
            byte = self._stream[self._at] if self._at < len(self._stream) else 0
            self._code = (self._code << 8 | byte) & U32
            self._at += 1
        return int(bit)


def tree(bits: Bits, first: int, width: int) -> int:
    """A value of *width* bits from the tree whose first adaptive bit is *first*."""
    node = 1
    for _ in range(width):
        node = node << 1 | bits.bit(first + node - 1)
    return node - (1 << width)


def golomb(bits: Bits, model: int) -> int:
    """A Golomb number of *model*, 0 .. 2^32 - 2."""
    e = tree(bits, index("exponent", model), EXPONENT)
    u = 1
    if e > 2:
        u = 1 << (e - 2) | bits.direct(e - 2)
    if e > 1:
        u = u << 1 | bits.bit(index("mantissa", model, e > 3))
    if e > 0:
        u = u << 1 | bits.bit(index("mantissa", model, 2 + (e > 3)))
    return u - 1


def signed(bits: Bits, model: int) -> int:
    """A signed number of *model*, never 0."""
    negative = bits.bit(index("sign", model))
    step = golomb(bits, model) + 1
    return -step if negative else step
