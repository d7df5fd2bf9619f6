"""Leaving out one instruction: what that means on a core of the twin (decision 0040)."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spboot.formats import elf
from spboot.twin import Twin

_NOPS: Final = {2: bytes.fromhex("00bf"), 4: bytes.fromhex("aff30080")}


@dataclass(frozen=True, slots=True)
class Function:
    """Where one is, and what it is called."""

    start: int
    end: int
    name: str


def functions_of(path: Path) -> list[Function]:
    """The functions of an ELF file in the order of their addresses; those in assembly may have no size."""
    found = {each.value & ~1: each for each in elf.symbols(path.name, path.read_bytes()) if each.is_function}
    starts = sorted(found)
    ends = [*starts[1:], starts[-1] + 0x400]
    return [
        Function(at, at + found[at].size if found[at].size else end, found[at].name)
        for at, end in zip(starts, ends, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Point:
    """One instruction of the boot without a fault: its number, its address, and the number of the IT it is under."""

    index: int
    address: int
    it: int | None = None


@dataclass(slots=True)
class Result:
    """What became of the boot."""

    point: Point
    outcome: str
    detail: str = ""


class Omission:
    """Has a core leave out instructions.  *width*: how many behind each other."""

    def __init__(self, twin: Twin, width: int = 1) -> None:
        self._core, self._flash, self.width = twin.core, twin.flash, width
        self._run = self._core.run
        self._core.run = self.run  # type: ignore[method-assign]
        self.point: Point | None = None
        self._at = 0
        self.done = False
        self.missed = False
        """Another instruction than the one expected was there."""

    def arm(self, point: Point, base: int) -> None:
        """Leave out *point* of the boot that began when *base* instructions were executed."""
        self.point, self.done, self.missed = point, False, False
        self._at = base + (point.index if point.it is None else point.it)

    def run(self, count: int) -> int | None:
        """As Core.run; a slice that reaches the point ends there."""
        if self.point is None:
            return self._run(count)
        todo = self._at - self._core.executed
        if todo >= count:
            return self._run(count)
        if todo > 0:
            error = self._run(todo)
            if error is not None or self._core.interrupt is not None or self._core.executed < self._at:
                return error
        point, self.point, self.done = self.point, None, True
        if point.it is None:
            return self._pass_over(point)
        return self._blank_out(point)

    def size(self, address: int) -> int:
        return 4 if self._core.halfword(address) >> 11 in (0b11101, 0b11110, 0b11111) else 2

    def _pass_over(self, point: Point) -> None:
        core = self._core
        core.interrupt = None
        self.missed = point.address not in (0, core.pc)
        for _ in range(self.width):
            core.pc = core.pc + self.size(core.pc)

    def _blank_out(self, point: Point) -> int | None:
        """The instruction is a NOP while its block is executed: the core cannot be stopped in there."""
        core, flash = self._core, self._flash
        start = core.pc
        self.missed = core.halfword(start) & 0xFF00 != 0xBF00
        offset, size = flash.offset(point.address), self.size(point.address)
        where = ctypes.addressof(flash.cells) + offset
        kept = ctypes.string_at(where, size)
        ctypes.memmove(where, _NOPS[size], size)
        core.forget_code(point.address, size)
        error: int | None = None
        for _ in range(6):
            error = self._run(1)
            if error is not None or core.interrupt is not None or not start < core.pc <= point.address:
                break
        ctypes.memmove(where, kept, size)
        core.forget_code(point.address, size)
        return error


def counted(results: Iterable[Result]) -> Counter[str]:
    """How many of each outcome."""
    return Counter(result.outcome for result in results)
