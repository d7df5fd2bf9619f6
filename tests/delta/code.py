"""Bytes for the tests: plain ones, and code with known references in it."""

from __future__ import annotations

import hashlib

from spboot.delta import reference
from spboot.delta.reference import B_COND, B_COND_W, BL, CBZ, CODE, DATA, LDR, LDR_W, MOVW, REL, SMALL, B

from .writer import BASE

FILLER = bytes.fromhex("c046")
"""MOV r8, r8: neither an instruction that names a place nor, twice, a word that does."""
NAMES = {
    BL: "BL",
    REL: "relative pointer",
    CODE: "code pointer",
    DATA: "data pointer",
    SMALL: "small number",
    LDR: "LDR",
    B_COND: "B<c>",
    B: "B",
    CBZ: "CBZ",
    B_COND_W: "B<c>.W",
    LDR_W: "LDR.W",
    MOVW: "MOVW",
}
_PLAIN = {  # an instruction of each kind with offset 0; a word is only its number
    BL: "00f000f8",
    B_COND_W: "00f00080",
    LDR_W: "dff80010",
    MOVW: "40f20001",
    LDR: "0048",
    B_COND: "00d0",
    B: "00e0",
    CBZ: "00b1",
}
AWAY = {BL: 3000, REL: -8, LDR: 64, B_COND: -20, B: 100, CBZ: 30, B_COND_W: -400, LDR_W: 700}
_NUMBERS = {CODE: BASE + 0x41, DATA: 0x20000134, SMALL: 0x1234, MOVW: 0x4321}


def noise(size: int, seed: str) -> bytes:
    """*size* bytes that do not compress and are the same everywhere."""
    blocks = (hashlib.sha256(f"{seed} {at}".encode()).digest() for at in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def plain(size: int) -> bytes:
    """*size* bytes without a reference; no eight are the same as eight others."""
    return bytes(byte & 0x1F | 0x60 for byte in noise(size, "plain"))


def filler(size: int) -> bytes:
    """*size* times nearly the same, without a reference."""
    return (FILLER * (size // 2 + 1))[:size]


def instruction(kind: int, off: int) -> bytes:
    """A reference of *kind* at *off* (a multiple of 4) of an image at BASE."""
    pc = BASE + off + 4
    target = _NUMBERS.get(kind, pc + AWAY.get(kind, 0))
    made = reference.write(bytes.fromhex(_PLAIN.get(kind, "00000000")), kind, pc, target)
    assert made is not None
    return made


def one_kind(kind: int) -> tuple[bytes, int]:
    """An image with one reference, of *kind*, and where that is."""
    image = filler(12) + instruction(kind, 12)
    return image + filler(28 - len(image)), 12


def every_kind() -> bytes:
    """An image with one reference of each kind, 16 bytes apart."""
    image = bytearray(filler(16))
    for kind in NAMES:
        image += instruction(kind, len(image))
        image += filler(-len(image) % 16)
    return bytes(image) + filler(16)


def words(*numbers: int) -> bytes:
    """*numbers* as words."""
    return b"".join(number.to_bytes(4, "little") for number in numbers)


def pointers(count: int, step: int) -> bytes:
    """*count* words that point into the image, *step* bytes from one target to the next."""
    return words(*(BASE + 0x404 + step * at for at in range(count)))
