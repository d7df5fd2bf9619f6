"""Programs a twin from a file."""

from __future__ import annotations

from pathlib import Path

from spboot.chips.place import place_at
from spboot.errors import TwinError
from spboot.formats import program
from spboot.twin.machine import Twin


def load(twin: Twin, path: Path) -> None:
    """Program *path* into flash: a .hex or .elf where it says, a .bin from the start.

    Raises FormatError when it is no program, TwinError when it has bytes for other places, DiskError when it cannot be
    read."""
    found = program.load(path, twin.flash.address)
    if found.kind == "ELF":
        twin.symbols(path)
    for segment in found.segments:
        try:
            twin.flash_load(segment.address, segment.data)
        except TwinError as error:
            place = place_at(twin.chip, segment.address)
            what = f"there is {place.what}: {place.remedy}" if place else f"is it for {twin.chip.name}?"
            raise TwinError(f"{path}: {error}; {what}") from None
