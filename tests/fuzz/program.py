"""Programs of Thumb code as a linker lays them out: calls, branches, literals, tables of pointers.  An edit in one
function moves all behind it, as in real firmware.  Encodings: ARMv7-M Architecture Reference Manual, A7.7."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

BASE = 0x08004000
_RAM = 0x20000000
_ADDED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """Instructions in order, each a kind and a number that chooses operands, and the words behind them."""

    name: int
    body: tuple[tuple[str, int], ...]
    words: tuple[tuple[str, int], ...]

    @property
    def code_size(self) -> int:
        """Bytes up to the words, which start at a multiple of four."""
        return sum(4 if kind in {"bl", "bw", "ldrw", "movw"} else 2 for kind, _ in self.body) + 3 & ~3

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


_KINDS = ("op", "op", "op", "op", "bl", "bl", "ldr", "bcc", "b", "cbz", "bw", "ldrw", "movw")
_WORDS = ("code", "code", "data", "data", "small", "other")


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
    """*edits* times: instructions put in or taken out, a function new, gone or elsewhere; and now and then RAM moves."""
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
    out = b""
    for kind, number in function.body:
        out += _instruction(kind, number, start + len(out), function, places[names[number % len(names)]])
    out = out.ljust(function.code_size, b"\x00")
    for kind, number in function.words:
        target = places[names[number % len(names)]]
        word = {"code": target | 1, "data": ram + number % 4096 * 4, "small": number, "other": number * 0x9E3779B1}[
            kind
        ]
        out += struct.pack("<I", word & 0xFFFFFFFF)
    return out


def _instruction(kind: str, number: int, at: int, function: Function, target: int) -> bytes:
    pc = at + 4
    literal = target // 4 * 4 + function.code_size - (pc & ~3)  # of the function itself below
    offset = target - pc
    if kind == "bl":
        sign = int(offset < 0)
        j1, j2 = (offset >> 23 ^ sign ^ 1) & 1, (offset >> 22 ^ sign ^ 1) & 1
        return struct.pack(
            "<HH", 0xF000 | sign << 10 | offset >> 12 & 0x3FF, 0xD000 | j1 << 13 | j2 << 11 | offset >> 1 & 0x7FF
        )
    if kind == "bw":
        near = number % 128 - 64
        return struct.pack("<HH", 0xF000 | (near < 0) << 10 | (near >> 11 & 0x3F), 0x8000 | near & 0x7FF)
    if kind == "ldrw":
        return struct.pack("<HH", 0xF8DF, number % 8 << 12 | max(literal, 0) % 256 * 4)
    if kind == "movw":
        return struct.pack("<HH", 0xF240 | number >> 12 & 3, number & 0x7FFF)
    half = {
        "push": 0xB510,
        "op": (0x1800, 0x2000, 0x4600, 0x6800, 0x3000)[number % 5] | number >> 3 & 0x3FF,
        "ldr": 0x4800 | number % 8 << 8 | number >> 3 & 15,
        "bcc": 0xD000 | number % 14 << 8 | number >> 4 & 0xFF,
        "b": 0xE000 | number >> 3 & 0x7FF,
        "cbz": 0xB100 | number & 0x2F8,
    }[kind]
    return struct.pack("<H", half)
