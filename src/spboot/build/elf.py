"""Flash contents in and out of ELF and Intel HEX files."""

from __future__ import annotations

import io

from elftools.elf.elffile import ELFFile
from intelhex import IntelHex

from spboot.errors import BuildError


def _segments(data: bytes) -> list[tuple[int, int, int]]:
    """(file offset, physical address, size) of every loaded segment with bytes in the file."""
    file = ELFFile(io.BytesIO(data))
    return [
        (s["p_offset"], s["p_paddr"], s["p_filesz"])
        for s in file.iter_segments()
        if s["p_type"] == "PT_LOAD" and s["p_filesz"]
    ]


def flash_bytes(data: bytes, address: int) -> bytes:
    """The bytes an ELF file puts into flash from *address* on; gaps read as erased (0xFF)."""
    segments = _segments(data)
    end = max((paddr + size for _, paddr, size in segments), default=address)
    image = bytearray(b"\xff" * (end - address))
    for offset, paddr, size in segments:
        if paddr < address:
            raise BuildError(f"a segment is at {paddr:#x}, below flash at {address:#x}")
        image[paddr - address : paddr - address + size] = data[offset : offset + size]
    return bytes(image)


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
