"""Programs of Thumb code as a linker lays them out: calls, branches, literals, tables of pointers.  An edit in one
function moves all behind it, as in real firmware.  Encodings: ARMv7-M Architecture Reference Manual, A7.7."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

BASE = 0x08004000
_RAM = 0x20000000
_ADDED = 1000
"""From here on the names of functions that an edit adds."""
_KINDS = ("op", "op", "op", "op", "bl", "bl", "ldr", "bcc", "b", "cbz", "bw", "ldrw", "movw")
_SIZE = {"bl": 4, "bw": 4, "ldrw": 4, "movw": 4}
_WORDS = ("code", "code", "data", "data", "small", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """Instructions in order, each a kind and a number that chooses operands, and the words behind them."""

    name: int
    body: tuple[tuple[str, int], ...]
    words: tuple[tuple[str, int], ...]

    @property
    def code_size(self) -> int:
        """Bytes up to the words, which start at a multiple of four."""
        return sum(_SIZE.get(kind, 2) for kind, _ in self.body) + 3 & ~3

    @property
    def size(self) -> int:
        return self.code_size + 4 * len(self.words)


@dataclass(slots=True)
class Program:
    """Functions in the order of memory; what names another one names it by its name."""

    functions: list[Function] = field(default_factory=list)
    ram: int = _RAM

    def link(self) -> bytes:
        """The image, at BASE."""
        places, at = {}, BASE
        for function in self.functions:
            places[function.name] = at
            at += function.size
        return b"".join(_emit(function, places, self.ram) for function in self.functions)


def function(rnd: random.Random, name: int) -> Function:
    """A function of some ten to forty instructions."""
    body = tuple((rnd.choice(_KINDS), rnd.randrange(1 << 16)) for _ in range(rnd.randrange(8, 40)))
    words = tuple((rnd.choice(_WORDS), rnd.randrange(1 << 16)) for _ in range(rnd.randrange(1, 7)))
    return Function(name=name, body=(("push", 0), *body), words=words)


def program(seed: int, functions: int) -> Program:
    """The same one for the same *seed*."""
    rnd = random.Random(seed)
    return Program([function(rnd, name) for name in range(functions)])


def edited(old: Program, seed: int, edits: int) -> Program:
    """*edits* times: instructions put in or taken out, a function new or elsewhere; and now and then RAM moves."""
    rnd = random.Random(seed)
    new = Program(list(old.functions), old.ram + rnd.choice((0, 0, 8)))
    for _ in range(edits):
        at = rnd.randrange(len(new.functions))
        chosen = new.functions[at]
        what = rnd.randrange(6)
        if what == 0:
            new.functions.insert(at, function(rnd, _ADDED + len(new.functions)))
        elif what == 1 and len(new.functions) > 1:
            new.functions.insert(rnd.randrange(len(new.functions)), new.functions.pop(at))
        else:
            body = list(chosen.body)
            place = 1 + rnd.randrange(len(body))
            body[place : place + rnd.randrange(3)] = function(rnd, 0).body[1 : 1 + rnd.randrange(4)]
            new.functions[at] = Function(name=chosen.name, body=tuple(body), words=chosen.words)
    return new


def _emit(function: Function, places: dict[int, int], ram: int) -> bytes:
    start = places[function.name]
    names = sorted(name for name in places if name < _ADDED)  # what an edit adds, nothing names
    labels = [start]
    for kind, _ in function.body:
        labels.append(labels[-1] + _SIZE.get(kind, 2))
    words_at = start + function.code_size
    out = b""
    for (kind, number), at in zip(function.body, labels, strict=False):
        if kind == "bl":
            target = places[names[number % len(names)]]
        elif kind in {"ldr", "ldrw"}:
            target = words_at + 4 * (number % len(function.words))
        else:
            target = labels[number % len(labels)]
        halves = _instruction(kind, number, at, target)
        out += struct.pack(f"<{len(halves)}H", *halves)
    out = out.ljust(function.code_size, b"\x00")
    for kind, number in function.words:
        pointer = places[names[number % len(names)]] | 1
        values = {"code": pointer, "data": ram + number % 4096 * 4, "small": number, "other": number * 0x9E3779B1}
        out += struct.pack("<I", values[kind] & 0xFFFFFFFF)
    return out


def _instruction(kind: str, number: int, at: int, target: int) -> tuple[int, ...]:
    """Half-words of the instruction at address *at*; a branch that cannot reach *target* is a NOP."""
    offset = target - at - 4
    literal = target - (at + 4 & ~3)
    sign = int(offset < 0)
    if kind == "bl":
        j1, j2 = (offset >> 23 ^ sign ^ 1) & 1, (offset >> 22 ^ sign ^ 1) & 1
        return 0xF000 | sign << 10 | offset >> 12 & 0x3FF, 0xD000 | j1 << 13 | j2 << 11 | offset >> 1 & 0x7FF
    if kind == "bw":
        high = 0xF000 | sign << 10 | number % 14 << 6 | offset >> 12 & 0x3F
        return high, 0x8000 | sign << 13 | sign << 11 | offset >> 1 & 0x7FF
    if kind == "ldrw":
        return 0xF8DF, number % 8 << 12 | literal
    if kind == "movw":
        return 0xF240 | number >> 12 & 3, number & 0x7FFF
    if kind == "cbz" and not 0 <= offset <= 126:
        return (0xBF00,)
    half = {
        "push": 0xB510,
        "op": (0x1800, 0x2000, 0x4600, 0x6800, 0x3000)[number % 5] | number >> 3 & 0x3FF,
        "ldr": 0x4800 | number % 8 << 8 | literal >> 2,
        "bcc": 0xD000 | number % 14 << 8 | offset >> 1 & 0xFF,
        "b": 0xE000 | offset >> 1 & 0x7FF,
        "cbz": 0xB100 | (offset >> 6 & 1) << 9 | (offset >> 1 & 31) << 3 | number % 8,
    }
    return (half[kind],)
