"""Makes the smallest ELF files that have segments and sections."""

from __future__ import annotations

import struct

_EHSIZE, _PHSIZE, _SHSIZE = 52, 32, 40
_SHT_PROGBITS, _SHT_STRTAB = 1, 3
_ALLOC = 2


def make(segments: list[tuple[int, bytes]], *, machine: int = 40, own_headers: bool = False) -> bytes:
    """An ELF with one PT_LOAD per (physical address, bytes); *machine* 40 is ARM.

    *own_headers*: the first segment begins with the ELF's own headers, as linkers make it when nobody tells them."""
    start = _EHSIZE + _PHSIZE * len(segments)
    programs, sections, body = b"", bytes(_SHSIZE), b""
    for number, (address, data) in enumerate(segments):
        offset = start + len(body)
        skip = offset if own_headers and not number else 0
        size = len(data) + skip
        programs += struct.pack("<8I", 1, offset - skip, 0x20000000, address - skip, size, size, 5, 4)
        sections += struct.pack("<10I", 0, _SHT_PROGBITS, _ALLOC, 0x20000000, offset, len(data), 0, 0, 4, 0)
        body += data
    names = start + len(body)
    sections += struct.pack("<10I", 0, _SHT_STRTAB, 0, 0, names, 1, 0, 0, 1, 0)
    ident = b"\x7fELF\x01\x01\x01" + bytes(9)
    count = len(segments)
    head = struct.pack(
        "<2H5I6H", 2, machine, 1, 0, _EHSIZE, names + 1, 0, _EHSIZE, _PHSIZE, count, _SHSIZE, count + 2, count + 1
    )
    return ident + head + programs + body + b"\0" + sections
