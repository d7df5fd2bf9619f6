"""Adaptive binary range coder of the patch stream.  Source: spec/patch-stream.md, "Range decoder"."""

from __future__ import annotations

from typing import Protocol

from spboot.delta.models import AFTER_0, AFTER_1, COUNT, EXP, MANT, START, U32

_TOP = 1 << 24


class Sink(Protocol):
    """Takes binary decisions: the range encoder, or something that only counts them."""

    def bit(self, index: int, bit: int) -> None:
        """One decision with the adaptive bit *index*."""

    def direct(self, value: int, count: int) -> None:
        """The low *count* bits of *value*, most significant first, adapting nothing."""


def put_tree(sink: Sink, tree: int, bits: int, value: int) -> None:
    """Send *value* (*bits* wide) through the tree that starts at model *tree*."""
    node = 1
    for shift in range(bits - 1, -1, -1):
        bit = value >> shift & 1
        sink.bit(tree + node, bit)
        node = node << 1 | bit


def put_golomb(sink: Sink, model: int, value: int) -> None:
    """Send *value* (0 .. 2^32 - 2) as a Golomb number of *model*."""
    u = value + 1
    e = u.bit_length() - 1
    put_tree(sink, EXP + 32 * model, 5, e)
    if e:
        sink.bit(MANT + 32 * model + e, u >> (e - 1) & 1)
        sink.direct(u & ((1 << (e - 1)) - 1), e - 1)


class Encoder:
    """Turns decisions into bytes.  Implements Sink; finish() ends the stream."""

    def __init__(self) -> None:
        self._models = [START] * COUNT
        self._low = 0
        self._range = U32
        self._out = bytearray()

    def bit(self, index: int, bit: int) -> None:
        """One decision with the adaptive bit *index*."""
        state = self._models[index]
        bound = (self._range >> 12) * (state >> 4)
        if bit:
            self._models[index] = AFTER_1[state]
            self._range = bound
        else:
            self._models[index] = AFTER_0[state]
            self._low += bound
            self._range -= bound
        if self._range < _TOP:
            self._shift()

    def direct(self, value: int, count: int) -> None:
        """The low *count* bits of *value*, most significant first, at even odds."""
        for shift in range(count - 1, -1, -1):
            bound = (self._range >> 12) << 11
            if value >> shift & 1:
                self._range = bound
            else:
                self._low += bound
                self._range -= bound
            if self._range < _TOP:
                self._shift()

    def _shift(self) -> None:
        while self._range < _TOP:
            self._range <<= 8
            self._carry()
            self._out.append(self._low >> 24)
            self._low = self._low << 8 & U32

    def _carry(self) -> None:
        if self._low > U32:
            self._low &= U32
            at = len(self._out) - 1
            while self._out[at] == 0xFF:
                self._out[at] = 0
                at -= 1
            self._out[at] += 1

    def finish(self) -> bytes:
        """End the stream: the number in the final interval with the most trailing zeros, less its zero bytes."""
        for zeros in range(32, -1, -1):
            mask = (1 << zeros) - 1
            value = self._low + mask & ~mask
            if value < self._low + self._range:
                break
        self._low = value
        self._carry()
        self._out += self._low.to_bytes(4, "big")
        return bytes(self._out).rstrip(b"\0") or b"\0"


class Decoder:
    """Turns bytes back into decisions.  Past the end of the stream every byte reads as zero."""

    def __init__(self, stream: bytes) -> None:
        self._models = [START] * COUNT
        self._range = U32
        self._code = int.from_bytes(stream[:4].ljust(4, b"\0"), "big")
        self._stream = stream
        self._at = 4

    @property
    def unread(self) -> int:
        """Bytes of the stream not looked at yet."""
        return max(0, len(self._stream) - self._at)

    def bit(self, index: int) -> int:
        """One decision with the adaptive bit *index*."""
        state = self._models[index]
        bound = (self._range >> 12) * (state >> 4)
        if self._code < bound:
            self._models[index] = AFTER_1[state]
            self._range = bound
            bit = 1
        else:
            self._models[index] = AFTER_0[state]
            self._code -= bound
            self._range -= bound
            bit = 0
        if self._range < _TOP:
            self._fill()
        return bit

    def _fill(self) -> None:
        while self._range < _TOP:
            self._range <<= 8
            byte = self._stream[self._at] if self._at < len(self._stream) else 0
            self._code = (self._code << 8 | byte) & U32
            self._at += 1

    def direct(self, count: int) -> int:
        """*count* bits, most significant first, at even odds."""
        value = 0
        for _ in range(count):
            bound = (self._range >> 12) << 11
            bit = self._code < bound
            if bit:
                self._range = bound
            else:
                self._code -= bound
                self._range -= bound
            if self._range < _TOP:
                self._fill()
            value = value << 1 | bit
        return value

    def tree(self, tree: int, bits: int) -> int:
        """A value of *bits* bits from the tree that starts at model *tree*."""
        node = 1
        for _ in range(bits):
            node = node << 1 | self.bit(tree + node)
        return node - (1 << bits)

    def golomb(self, model: int) -> int:
        """A Golomb number of *model*, 0 .. 2^32 - 2."""
        e = self.tree(EXP + 32 * model, 5)
        if not e:
            return 0
        u = 2 | self.bit(MANT + 32 * model + e)
        return (u << (e - 1) | self.direct(e - 1)) - 1
