"""The code of a bootloader by its functions."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

from spboot.formats import elf
from spboot.twin import Twin
from tests.system.instruction import Instruction


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


class Listing:
    """Functions of the ELF file at *path*, and their instructions as *twin* has them in flash."""

    def __init__(self, path: Path, twin: Twin) -> None:
        self.functions = functions_of(path)
        self._twin = twin
        self._starts = [f.start for f in self.functions]

    def function(self, address: int) -> Function | None:
        """The one that *address* is in."""
        at = bisect_right(self._starts, address) - 1
        return self.functions[at] if at >= 0 and address < self.functions[at].end else None

    def instruction(self, address: int) -> Instruction:
        return Instruction(address, self._twin.core.fetch(address, 4) or bytes(4))

    def place(self, address: int) -> str:
        """An address as function and offset, with the instruction."""
        function = self.function(address)
        name = f"{function.name}+{address - function.start:#x}" if function else f"{address:#010x}"
        return f"{address:08x} {name}: {self.instruction(address).words}"

    def named(self, names: re.Pattern[str]) -> list[Function]:
        return [f for f in self.functions if names.search(f.name)]
