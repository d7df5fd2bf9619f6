"""Programs a twin from a file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from intelhex import HexReaderError, IntelHex

from spboot.errors import TwinError

if TYPE_CHECKING:
    from spboot.twin.machine import Twin


def load(twin: Twin, path: Path) -> None:
    """Program *path* into flash: a .hex or .elf where it says, a .bin from the start.  Raises TwinError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TwinError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        if data[:4] == b"\x7fELF":
            parts = _elf(data)
            twin.symbols(path)
        elif path.suffix.lower() == ".hex":
            parts = _hex(data)
        elif path.suffix.lower() == ".bin":
            parts = [(twin.flash.address, data)]
        else:
            raise TwinError(f"{path}: unknown kind of file, expected .hex, .bin or .elf")
    except (ELFError, HexReaderError, UnicodeDecodeError) as error:
        raise TwinError(f"{path}: cannot be read: {error}") from None
    for address, content in parts:
        twin.flash_load(address, content)


def _elf(data: bytes) -> list[tuple[int, bytes]]:
    segments = ELFFile(io.BytesIO(data)).iter_segments()
    return [(s["p_paddr"], s.data()) for s in segments if s["p_type"] == "PT_LOAD" and s["p_filesz"]]


def _hex(data: bytes) -> list[tuple[int, bytes]]:
    reader = IntelHex()
    reader.loadhex(io.StringIO(data.decode("ascii")))
    return [(low, reader.tobinstr(low, high - 1)) for low, high in reader.segments()]
