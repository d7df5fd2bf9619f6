"""Names for addresses, from an ELF."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

from spboot import disk
from spboot.formats import elf


class Symbols:
    """The functions of an ELF file.  Raises FormatError when the file is none, DiskError when it cannot be read."""

    def __init__(self, path: Path) -> None:
        named = elf.symbols(str(path), disk.read(path))
        self._functions = sorted((each.value & ~1, each.size, each.name) for each in named if each.is_function)
        self._starts = [start for start, _, _ in self._functions]

    def name(self, address: int) -> str | None:
        """As "flash_program+0x12"; None outside of all functions."""
        index = bisect_right(self._starts, address & ~1) - 1
        if index < 0:
            return None
        start, size, name = self._functions[index]
        if address - start >= max(size, 2):
            return None
        return name if address == start else f"{name}+{address - start:#x}"
