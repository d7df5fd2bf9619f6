"""Makes the smallest ELF files that have segments and sections."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

_EHSIZE, _PHSIZE, _SHSIZE = 52, 32, 40
_SHT_PROGBITS, _SHT_STRTAB, _SHT_NOBITS = 1, 3, 8
_ALLOC = 2
ARM, X64, AARCH64 = 40, 62, 183
EXECUTABLE, OBJECT, SHARED = 2, 1, 3


def make(
    segments: Sequence[tuple[int, bytes]],
    *,
    machine: int = ARM,
    kind: int = EXECUTABLE,
    entry: int = 0,
    big: bool = False,
    own_headers: bool = False,
    sections: bool = True,
    ram: tuple[tuple[int, int], ...] = (),
    runs_at: Mapping[int, int] | None = None,
) -> bytes:
    """An ELF with one PT_LOAD per (physical address, bytes), and one without bytes per (address, size) in *ram*.

    *runs_at*: physical address -> that at run time, where it is another one.

    *own_headers*: the first segment begins with the ELF's own headers, as linkers make it when nobody tells them."""
    order = ">" if big else "<"
    start = _EHSIZE + _PHSIZE * (len(segments) + len(ram))
    programs, headers, body = b"", bytes(_SHSIZE), b""
    for number, (address, data) in enumerate(segments):
        offset = start + len(body)
        skip = offset if own_headers and not number else 0
        size, runs = len(data) + skip, (runs_at or {}).get(address, address)
        programs += struct.pack(f"{order}8I", 1, offset - skip, runs - skip, address - skip, size, size, 5, 4)
        headers += struct.pack(f"{order}10I", 0, _SHT_PROGBITS, _ALLOC, runs, offset, len(data), 0, 0, 4, 0)
        body += data
    for address, size in ram:
        programs += struct.pack(f"{order}8I", 1, start + len(body), address, address, 0, size, 6, 4)
        headers += struct.pack(f"{order}10I", 0, _SHT_NOBITS, _ALLOC, address, start + len(body), size, 0, 0, 4, 0)
    names = start + len(body)
    headers += struct.pack(f"{order}10I", 0, _SHT_STRTAB, 0, 0, names, 1, 0, 0, 1, 0)
    ident = b"\x7fELF\x01" + (b"\x02" if big else b"\x01") + b"\x01" + bytes(9)
    count = len(segments) + len(ram)
    number = (count + 2, count + 1) if sections else (0, 0)
    head = struct.pack(
        f"{order}2H5I6H",
        *(kind, machine, 1, entry, _EHSIZE, names + 1 if sections else 0, 0, _EHSIZE, _PHSIZE, count, _SHSIZE, *number),
    )
    return ident + head + programs + body + b"\0" + (headers if sections else b"")
