"""Programs a twin from a file."""

from __future__ import annotations

from pathlib import Path

from spboot.errors import TwinError
from spboot.formats import program
from spboot.twin.machine import Twin


def load(twin: Twin, path: Path) -> None:
    """Program *path* into flash: a .hex or .elf where it says, a .bin from the start.  Raises SpbootError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TwinError(f"{path}: cannot be read: {error.strerror}") from None
    found = program.read(path, data, twin.flash.address)
    if found.kind == "ELF":
        twin.symbols(path)
    for segment in found.segments:
        twin.flash_load(segment.address, segment.data)
