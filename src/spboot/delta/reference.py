"""References: instructions and words that name another place.  Source: spec/patch-stream.md, "Reference".

Encodings: Arm v7-M Architecture Reference Manual (DDI 0403E), A7.7: B A7.7.12, BL A7.7.18, CBZ A7.7.21, LDR (literal)
A7.7.44, MOV (immediate) A7.7.76.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spboot.delta.rangecoder import U32

BL: Final = 0
REL: Final = 1
CODE: Final = 2
DATA: Final = 3
SMALL: Final = 4
LDR: Final = 5
B_COND: Final = 6
B: Final = 7
CBZ: Final = 8
B_COND_W: Final = 9
LDR_W: Final = 10
MOVW: Final = 11

SLACK: Final = 4096  # bytes behind the end of OLD that a pointer may still lead to
_BACK: Final = 0x7F  # top byte of a distance of 31 bits, up to 16 MB back
_LEAST_CODE: Final = 0x400  # a word up to here is taken for a number, not for a pointer
_LEAST_SMALL: Final = 0x20
_SMALL_END: Final = 1 << 16
_DEVICE: Final = 0x90  # top byte of a pointer to external flash ...
_RAMS: Final = (0x10, 0x20, 0x24, 0x30)  # ... and to RAM

# Bits of an offset from pc, sign included; largest distance from pc, in units.
_SIGNED: Final = {BL: 25, B_COND_W: 21, B_COND: 9, B: 12}
_UNSIGNED: Final = {LDR_W: (4095, 1), LDR: (255, 4), CBZ: (63, 2)}


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference that is *size* bytes long and names the address *target*."""

    kind: int
    size: int
    target: int

    @property
    def is_local(self) -> bool:
        """Whether it reaches only what is near itself."""
        return LDR <= self.kind <= LDR_W

    @property
    def unit(self) -> int:
        """What its targets are multiples of, as far as misses count them."""
        if self.kind == LDR:
            return 4
        return 2 if self.kind in (BL, B_COND, B, CBZ, B_COND_W) else 1


@dataclass(frozen=True, slots=True)
class Image:
    """Where OLD lies: address and size of its first part, and of its second, size 0 when it has none."""

    base: int
    size: int
    rest_base: int = 0
    rest_size: int = 0

    def has_second(self, address: int) -> bool:
        """Whether *address* is in the second part, or just behind it."""
        return self.rest_size > 0 and (address - self.rest_base & U32) < self.rest_size + SLACK

    def has(self, address: int) -> bool:
        """Whether a pointer to *address* may be one into this image."""
        first = address > _LEAST_CODE and (address - self.base & U32) < self.size + SLACK
        return first or self.has_second(address)


def find(data: bytes, pc: int, image: Image, *, aligned: bool, pointers_only: bool = False) -> Reference | None:
    """The reference that *data* (two bytes or more) begins with, executed with *pc* in the program counter.

    *image*: OLD.  *aligned*: data lies on a multiple of 4 in OLD and NEW.  *pointers_only*: as in a second part."""
    if pointers_only:
        word = int.from_bytes(data, "little")
        kind = _word(word, image, 0) if aligned and len(data) >= 4 else None
        return Reference(kind, 4, word) if kind in (CODE, DATA) else None
    a = int.from_bytes(data[:2], "little")
    if len(data) >= 4:
        word = int.from_bytes(data[:4], "little")
        if aligned and (kind := _word(word, image, pc - 4)) is not None:
            return Reference(kind, 4, _far(word, pc - 4) if kind == REL else word)
        b = int.from_bytes(data[2:4], "little")
        if (wide := _wide(a, b, pc)) is not None:
            return wide
    return _narrow(a, pc)


def _far(word: int, at: int) -> int:
    """What the distance *word*, at address *at*, leads to."""
    return at + (word | 1 << 31) & U32


def _word(word: int, image: Image, at: int) -> int | None:
    if word >> 24 == _BACK:
        return REL if image.has(_far(word, at)) else None
    if image.has(word):
        return CODE
    if word >> 24 == _DEVICE or (word >> 24 in _RAMS and not word & 0xF00000):
        return DATA
    return SMALL if _LEAST_SMALL <= word < _SMALL_END else None


def _wide(a: int, b: int, pc: int) -> Reference | None:
    s, j1, j2 = a >> 10 & 1, b >> 13 & 1, b >> 11 & 1
    if a & 0xF800 == 0xF000:
        if b & 0x9000 == 0x9000:
            high = s << 24 | (j1 ^ s ^ 1) << 23 | (j2 ^ s ^ 1) << 22
            return Reference(BL, 4, _ahead(pc, high | (a & 0x3FF) << 12 | (b & 0x7FF) << 1, 25))
        if b & 0xD000 == 0x8000 and a & 0x380 != 0x380:
            high = s << 20 | j2 << 19 | j1 << 18
            return Reference(B_COND_W, 4, _ahead(pc, high | (a & 0x3F) << 12 | (b & 0x7FF) << 1, 21))
    if a == 0xF8DF:
        return Reference(LDR_W, 4, (pc & ~3) + (b & 0xFFF) & U32)
    if a & 0xFBF0 == 0xF240 and not b & 0x8000:
        return Reference(MOVW, 4, (a & 0xF) << 12 | (a & 0x400) << 1 | (b & 0x7000) >> 4 | b & 0xFF)
    return None


def _narrow(a: int, pc: int) -> Reference | None:
    if a & 0xF800 == 0x4800:
        return Reference(LDR, 2, (pc & ~3) + 4 * (a & 0xFF) & U32)
    if a & 0xF000 == 0xD000 and a & 0xE00 != 0xE00:
        return Reference(B_COND, 2, _ahead(pc, (a & 0xFF) << 1, 9))
    if a & 0xF800 == 0xE000:
        return Reference(B, 2, _ahead(pc, (a & 0x7FF) << 1, 12))
    if a & 0xF500 == 0xB100:
        return Reference(CBZ, 2, pc + ((a & 0x200) >> 3 | (a & 0xF8) >> 2) & U32)
    return None


def _ahead(pc: int, offset: int, bits: int) -> int:
    """*pc* plus an offset of so many *bits*, sign included."""
    return pc + offset - ((offset >> (bits - 1)) << bits) & U32


def write(data: bytes, kind: int, pc: int, target: int) -> bytes | None:
    """*data*, a reference of that *kind*, made to name *target* from *pc*; None when that is out of its reach."""
    if kind in (CODE, DATA):
        return target.to_bytes(4, "little")
    if kind == REL:
        return (target - (pc - 4) & U32 >> 1).to_bytes(4, "little")
    if kind == SMALL:
        return target.to_bytes(4, "little") if target < _SMALL_END else None
    halves = [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]
    if kind == MOVW:
        if target >= _SMALL_END:
            return None
        fields = _movw(target)
    elif kind in _SIGNED:
        offset = target - pc + (1 << 31) & U32
        offset -= 1 << 31
        reach = 1 << (_SIGNED[kind] - 1)
        if offset & 1 or not -reach <= offset < reach:
            return None
        fields = _branch(kind, offset)
    else:
        last, unit = _UNSIGNED[kind]
        offset = target - (pc if kind == CBZ else pc & ~3) & U32
        if offset % unit or offset > last * unit:
            return None
        fields = _ahead_only(kind, offset)
    changed = [half & ~mask | value for half, (mask, value) in zip(halves, fields, strict=True)]
    return b"".join(half.to_bytes(2, "little") for half in changed)


_Fields = list[tuple[int, int]]  # mask and value of the changed bits, for each half-word


def _movw(number: int) -> _Fields:
    return [(0x40F, number >> 12 | (number & 0x800) >> 1), (0x70FF, (number & 0x700) << 4 | number & 0xFF)]


def _branch(kind: int, offset: int) -> _Fields:
    low = offset >> 1
    if kind == B_COND:
        return [(0xFF, low & 0xFF)]
    if kind == B:
        return [(0x7FF, low & 0x7FF)]
    if kind == B_COND_W:
        s, j2, j1 = offset >> 20 & 1, offset >> 19 & 1, offset >> 18 & 1
        first = (0x43F, s << 10 | offset >> 12 & 0x3F)
    else:
        s = offset >> 24 & 1
        j1, j2 = offset >> 23 & 1 ^ s ^ 1, offset >> 22 & 1 ^ s ^ 1
        first = (0x7FF, s << 10 | offset >> 12 & 0x3FF)
    return [first, (0x2FFF, j1 << 13 | j2 << 11 | low & 0x7FF)]


def _ahead_only(kind: int, offset: int) -> _Fields:
    if kind == LDR_W:
        return [(0, 0), (0xFFF, offset)]
    if kind == LDR:
        return [(0xFF, offset // 4)]
    return [(0x2F8, (offset & 0x40) << 3 | (offset & 0x3E) << 2)]
