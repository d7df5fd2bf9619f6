"""Operations of the patch stream and how they are sent.  Source: spec/patch-stream.md, "Operations"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from spboot.delta.models import (
    COPY_OLD,
    GOLOMB_DIST,
    GOLOMB_NEAR,
    GOLOMB_NEW_LEN,
    GOLOMB_OLD_LEN,
    LITERAL,
    NEAR,
    NREP,
    OP,
    REP,
    REP1,
    SIGN,
    SPACE,
    U32,
    hi_tree,
    lo_tree,
)
from spboot.delta.rangecoder import Sink, put_golomb, put_tree


class Operation(NamedTuple):
    """*length* bytes of NEW.  *place*: displacement (modulo 2^32) of a copy from OLD, distance of one from NEW."""

    kind: int
    length: int
    place: int


def near_step(r0: int, displacement: int) -> int:
    """Signed way from *r0* to *displacement*, both modulo 2^32."""
    return ((displacement - r0 + (1 << 31)) & U32) - (1 << 31)


def near_pays(r0: int, displacement: int, src_bits: int) -> bool:
    """Whether a displacement is sent as a step from *r0* instead of as *src_bits* direct bits."""
    return 2 * abs(near_step(r0, displacement)).bit_length() < src_bits + 8 and displacement != r0


class Writer:
    """Sends operations to a sink; keeps the state that the decoder will have."""

    def __init__(self, sink: Sink, old_len: int, new: bytes) -> None:
        self._sink = sink
        self._new = new
        self._from_nothing = old_len == 0
        self._src_bits = (old_len - 1).bit_length() if old_len else 0
        self._pos = 0
        self._prev = LITERAL
        self._literals = 0
        self._r0 = self._r1 = self._d0 = 0

    def put_all(self, operations: Iterable[Operation]) -> None:
        """Send *operations* in order; together they make NEW."""
        for operation in operations:
            self._put(operation)

    def _put(self, operation: Operation) -> None:
        context = min(self._literals, 3) if self._prev == LITERAL else 3 + self._prev
        self._sink.bit(OP + context, int(operation.kind != LITERAL))
        if operation.kind == LITERAL:
            self._literal()
        else:
            if not self._from_nothing:
                self._sink.bit(SPACE + self._prev, int(operation.kind != COPY_OLD))
            if operation.kind == COPY_OLD:
                self._displacement(operation.place)
                put_golomb(self._sink, GOLOMB_OLD_LEN, operation.length - 1)
            else:
                self._distance(operation.place)
                put_golomb(self._sink, GOLOMB_NEW_LEN, operation.length - 1)
            self._literals = 0
        self._prev = operation.kind
        self._pos += operation.length

    def _literal(self) -> None:
        at, byte = self._pos, self._new[self._pos]
        put_tree(self._sink, hi_tree(at, self._new[at - 2] if at >= 2 else 0), 4, byte >> 4)
        put_tree(self._sink, lo_tree(at, byte >> 4), 4, byte & 15)
        self._literals += 1

    def _displacement(self, displacement: int) -> None:
        sink, r0 = self._sink, self._r0
        again = displacement == r0
        sink.bit(REP + (self._prev != LITERAL), int(again))
        if again:
            return
        swap = displacement == self._r1
        sink.bit(REP1, int(swap))
        if not swap:
            near = near_pays(r0, displacement, self._src_bits)
            sink.bit(NEAR, int(near))
            if near:
                step = near_step(r0, displacement)
                sink.bit(SIGN, int(step < 0))
                put_golomb(sink, GOLOMB_NEAR, abs(step) - 1)
            else:
                sink.direct(self._pos - displacement & U32, self._src_bits)
        self._r0, self._r1 = displacement, r0

    def _distance(self, distance: int) -> None:
        again = distance == self._d0
        self._sink.bit(NREP, int(again))
        if not again:
            put_golomb(self._sink, GOLOMB_DIST, distance - 1)
            self._d0 = distance
