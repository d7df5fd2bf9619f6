"""Names for addresses, from an ELF."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from spboot.errors import TwinError


class Symbols:
    """The functions of an ELF file.  Raises TwinError when the file is none."""

    def __init__(self, path: Path) -> None:
        functions = []
        try:
            with path.open("rb") as stream:
                for section in ELFFile(stream).iter_sections():
                    if isinstance(section, SymbolTableSection):
                        functions += [
                            (symbol["st_value"] & ~1, symbol["st_size"], symbol.name)
                            for symbol in section.iter_symbols()
                            if symbol["st_info"]["type"] == "STT_FUNC"
                        ]
        except (OSError, ELFError) as error:
            raise TwinError(f"{path}: cannot read symbols ({error}); give the ELF of the image") from error
        self._functions = sorted(functions)
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
