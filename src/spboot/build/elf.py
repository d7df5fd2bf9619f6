"""Flash contents in and out of ELF and Intel HEX files."""

from __future__ import annotations

import io
from typing import Final

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from intelhex import IntelHex, IntelHexError

from spboot.errors import BuildError

_FLASH_MOST: Final = 1 << 24
"""Bytes; no STM32 has as much flash inside."""


def _segments(data: bytes) -> list[tuple[int, int, int]]:
    """(file offset, physical address, size) of every loaded segment with bytes in the file."""
    try:
        file = ELFFile(io.BytesIO(data))
        return [
            (s["p_offset"], s["p_paddr"], s["p_filesz"])
            for s in file.iter_segments()
            if s["p_type"] == "PT_LOAD" and s["p_filesz"]
        ]
    except (ELFError, ValueError, KeyError, AttributeError) as error:  # what elftools raises on damaged files
        raise BuildError(f"not a usable ELF file: {error or type(error).__name__}") from None


def flash_bytes(data: bytes, address: int) -> bytes:
    """The bytes an ELF file puts into flash from *address* on; gaps read as erased (0xFF)."""
    segments = _segments(data)
    end = max((paddr + size for _, paddr, size in segments), default=address)
    _check_end(end, address)
    image = bytearray(b"\xff" * (end - address))
    for offset, paddr, size in segments:
        if paddr < address:
            raise BuildError(f"a segment is at {paddr:#x}, below flash at {address:#x}")
        image[paddr - address : paddr - address + size] = data[offset : offset + size]
    return bytes(image)


def hex_bytes(data: bytes, address: int) -> bytes:
    """The bytes an Intel HEX file puts into flash from *address* on; gaps read as erased (0xFF).  Raises BuildError."""
    out = IntelHex()
    try:
        out.loadhex(io.StringIO(data.decode("ascii")))
    except (IntelHexError, UnicodeDecodeError) as error:
        raise BuildError(f"not an Intel HEX file: {error}") from None
    if not out.segments() or out.minaddr() < address:
        raise BuildError(f"it has nothing at {address:#x}, where flash begins, or something below")
    _check_end(out.maxaddr() + 1, address)
    return bytes(out.tobinstr(start=address, end=out.maxaddr()))


def _check_end(end: int, address: int) -> None:
    """Nothing made for flash at *address* ends so far behind it."""
    if end - address > _FLASH_MOST:
        raise BuildError(f"it reaches up to {end:#x}, far behind flash at {address:#x}: it is not made for flash alone")


def with_flash_bytes(data: bytes, address: int, image: bytes) -> bytes:
    """The ELF file with the bytes of its segments taken from *image*, which starts at *address*."""
    out = bytearray(data)
    for offset, paddr, size in _segments(data):
        out[offset : offset + size] = image[paddr - address : paddr - address + size].ljust(size, b"\xff")
    return bytes(out)


def intel_hex(areas: dict[int, bytes]) -> str:
    """Intel HEX text of *areas*, address -> bytes."""
    out = IntelHex()
    for address, data in areas.items():
        out.frombytes(data, offset=address)
    text = io.StringIO()
    out.write_hex_file(text, eolstyle="native")
    return text.getvalue()
