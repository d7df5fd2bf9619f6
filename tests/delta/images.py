"""Pairs of images that look like two releases of one firmware."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass

from .code import noise

BASE = 0x08008200


@dataclass
class _Function:
    """Half-words of code with, here and there, a call or a pointer to another function."""

    body: list[int]  # half-words; -1 - n: BL to function n (two half-words); -1000 - n: pointer to it (a word)


def _functions(count: int, pick: random.Random) -> list[_Function]:
    vocabulary = [pick.randrange(1 << 16) & 0x3FFF for _ in range(300)]
    functions = []
    for _ in range(count):
        body = []
        for _ in range(pick.randrange(10, 60)):
            way = pick.random()
            body.append(-1 - pick.randrange(count) if way < 0.08 else pick.choice(vocabulary))
        body += [-1000 - pick.randrange(count) for _ in range(pick.randrange(3))]
        functions.append(_Function(body))
    return functions


def _call(at: int, target: int) -> bytes:
    offset = target - at - 4
    s, imm = offset >> 31 & 1, offset >> 1 & 0xFFFFFF
    j1, j2 = (imm >> 22 & 1) ^ s ^ 1, (imm >> 21 & 1) ^ s ^ 1
    return struct.pack("<HH", 0xF000 | s << 10 | imm >> 11 & 0x3FF, 0xD000 | j1 << 13 | j2 << 11 | imm & 0x7FF)


def _link(functions: list[_Function], order: list[int]) -> bytes:
    places, at = {}, BASE
    for number in order:
        places[number] = at
        size = sum(2 if word >= 0 else 4 for word in functions[number].body)
        at += (size + 6) & ~3  # room to align the pointers
    image = bytearray()
    for number in order:
        start = len(image)
        for word in functions[number].body:
            if word >= 0:
                image += struct.pack("<H", word)
            elif word > -1000:
                image += _call(BASE + len(image), places[-1 - word])
            else:
                image += bytes(len(image) & 2) + struct.pack("<I", places[-1000 - word] | 1)
        image += bytes(
            places[number] + ((sum(2 if w >= 0 else 4 for w in functions[number].body) + 6) & ~3) - BASE - len(image)
        )
        assert len(image) > start
    return bytes(image)


def code_pair(size: int, seed: int = 1) -> tuple[bytes, bytes]:
    """About *size* bytes of code, and its next release: some functions changed, some new, some gone, all moved."""
    pick = random.Random(seed)
    functions = _functions(max(4, size // 90), pick)
    order = list(range(len(functions)))
    old = _link(functions, order)
    for number in pick.sample(order, max(1, len(order) // 15)):
        body = functions[number].body
        body[pick.randrange(len(body)) :] = [pick.randrange(1 << 14) for _ in range(pick.randrange(1, 9))]
    gone = set(pick.sample(order[2:], len(order) // 40))
    later = [number for number in order if number not in gone] + sorted(gone)
    return old, _link(functions, later) + noise(32, "new data")
