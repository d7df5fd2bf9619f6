"""Reference decoder of the patch stream: OLD and a stream give NEW.  Source: spec/patch-stream.md."""

from __future__ import annotations

from spboot.delta.models import (
    COPY_NEW,
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
from spboot.delta.rangecoder import Decoder
from spboot.errors import FormatError


class _State:
    """What the decoder remembers between operations."""

    def __init__(self, old: bytes, stream: bytes, new_len: int) -> None:
        self.old = old
        self.new = bytearray()
        self.new_len = new_len
        self.coder = Decoder(stream)
        self.prev = LITERAL
        self.literals = 0
        self.r0 = self.r1 = self.d0 = 0
        self.src_bits = (len(old) - 1).bit_length() if old else 0

    def step(self) -> None:
        """Decode one operation."""
        context = min(self.literals, 3) if self.prev == LITERAL else 3 + self.prev
        if not self.coder.bit(OP + context):
            self._literal()
        elif not self.old or self.coder.bit(SPACE + self.prev):
            self._copy_new()
        else:
            self._copy_old()

    def _literal(self) -> None:
        at = len(self.new)
        high = self.coder.tree(hi_tree(at, self.new[at - 2] if at >= 2 else 0), 4)
        self.new.append(high << 4 | self.coder.tree(lo_tree(at, high), 4))
        self.prev = LITERAL
        self.literals += 1

    def _displacement(self) -> int:
        """The displacement of a copy from OLD, modulo 2^32; updates r0 and r1."""
        coder = self.coder
        if coder.bit(REP + (self.prev != LITERAL)):
            return self.r0
        if coder.bit(REP1):
            self.r0, self.r1 = self.r1, self.r0
            return self.r0
        if coder.bit(NEAR):
            negative = coder.bit(SIGN)
            step = coder.golomb(GOLOMB_NEAR) + 1
            fresh = self.r0 - step if negative else self.r0 + step
        else:
            fresh = len(self.new) - coder.direct(self.src_bits)
        self.r0, self.r1 = fresh & U32, self.r0
        return self.r0

    def _copy_old(self) -> None:
        src = len(self.new) - self._displacement() & U32
        length = self.coder.golomb(GOLOMB_OLD_LEN) + 1
        if src >= len(self.old) or length > len(self.old) - src:
            raise FormatError(
                f"patch stream: copy of {length} bytes from {src} of OLD, which has {len(self.old)} bytes: "
                "the patch is damaged or for another OLD"
            )
        self._room(length)
        self.new += self.old[src : src + length]
        self._copied(COPY_OLD)

    def _copy_new(self) -> None:
        at = len(self.new)
        distance = self.d0 if self.coder.bit(NREP) else self.coder.golomb(GOLOMB_DIST) + 1
        self.d0 = distance
        length = self.coder.golomb(GOLOMB_NEW_LEN) + 1
        if not 1 <= distance <= at:
            raise FormatError(
                f"patch stream: copy from {distance} bytes back when {at} bytes of NEW are written: "
                "the patch is damaged or for another OLD"
            )
        self._room(length)
        period = bytes(self.new[at - distance : at - distance + length])
        self.new += (period * (length // len(period) + 1))[:length]
        self._copied(COPY_NEW)

    def _room(self, length: int) -> None:
        if length > self.new_len - len(self.new):
            raise FormatError(
                f"patch stream: copy of {length} bytes with {self.new_len - len(self.new)} bytes of NEW left: "
                "the patch is damaged or for another OLD"
            )

    def _copied(self, kind: int) -> None:
        self.prev = kind
        self.literals = 0


def decode(old: bytes, stream: bytes, new_len: int) -> bytes:
    """NEW, *new_len* bytes, made from *old* (empty: from nothing) by *stream*.

    Raises FormatError when an operation reaches outside OLD or NEW, or bytes of the stream are left unread.  A wrong
    OLD of the right length is not noticed here: compare the hash of the result.
    """
    state = _State(old, stream, new_len)
    while len(state.new) < new_len:
        state.step()
    if state.coder.unread:
        raise FormatError(
            f"patch stream: {state.coder.unread} bytes left after the end of NEW: "
            "the patch is damaged or for another OLD"
        )
    return bytes(state.new)
