"""The application's bytes, from the vector table on, out of an .elf, .hex or .bin file.

Gaps between segments read as erased flash (0xFF)."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO, StringIO
from pathlib import Path
from typing import NamedTuple

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from intelhex import IntelHex, IntelHexError

from spboot.errors import FormatError

_ERASED = b"\xff"


class Segment(NamedTuple):
    """Bytes and the bus address they belong at."""

    address: int
    data: bytes


def load(path: Path, address: int, capacity: int) -> bytes:
    """The image in *path*; it must begin at bus address *address* and fit *capacity* bytes.

    A .bin carries no address and is taken as it is.  Raises FormatError: unreadable, linked elsewhere, too large."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from None
    kind = path.suffix.lower()
    if kind == ".bin":
        return _fit(path, data, capacity)
    if kind == ".hex":
        return _fit(path, _flatten(path, _hex_segments(path, data), address, capacity), capacity)
    if kind == ".elf" or data[:4] == b"\x7fELF":
        return _fit(path, _flatten(path, _elf_segments(path, data), address, capacity), capacity)
    raise FormatError(f"{path}: unknown kind of file {kind!r}, expected an application as .elf, .hex or .bin")


def _fit(path: Path, data: bytes, capacity: int) -> bytes:
    if not data:
        raise FormatError(f"{path}: there is nothing in it, expected an application")
    if len(data) > capacity:
        raise FormatError(
            f"{path}: the application has {len(data)} bytes, the slot takes {capacity}: {len(data) - capacity} too many"
        )
    return data


def _flatten(path: Path, segments: Iterable[Segment], address: int, capacity: int) -> bytes:
    ordered = sorted(segments)
    if not ordered:
        raise FormatError(f"{path}: there is nothing to load in it, expected an application")
    first = ordered[0].address
    if first != address:
        raise FormatError(
            f"{path}: linked at {first:#010x}, expected {address:#010x}: include spboot's linker file for this board, "
            "or choose another --board"
        )
    image = bytearray()
    for segment in ordered:
        at = segment.address - address
        if at < len(image):
            raise FormatError(f"{path}: the segment at {segment.address:#010x} overlaps the one before it")
        if at + len(segment.data) > capacity:
            raise FormatError(
                f"{path}: the segment at {segment.address:#010x} of {len(segment.data)} bytes ends outside the slot, "
                f"which is {address:#010x} .. {address + capacity:#010x}"
            )
        image += _ERASED * (at - len(image)) + segment.data
    return bytes(image)


def _elf_segments(path: Path, data: bytes) -> list[Segment]:
    """PT_LOAD segments by physical address, without the ELF's own headers where a segment begins with them."""
    try:
        elf = ELFFile(BytesIO(data))
        if elf.get_machine_arch() != "ARM":
            raise FormatError(f"{path}: made for {elf.get_machine_arch()}, expected an ELF for ARM")
        sections = [
            section["sh_offset"]
            for section in elf.iter_sections()
            if section["sh_flags"] & 2 and section["sh_type"] != "SHT_NOBITS"
        ]
        segments = []
        for segment in elf.iter_segments("PT_LOAD"):
            start, size = segment["p_offset"], segment["p_filesz"]
            skip = 0
            if start < elf["e_ehsize"]:
                skip = min((at - start for at in sections if start <= at < start + size), default=0)
            if size > skip:
                segments.append(Segment(segment["p_paddr"] + skip, segment.data()[skip:]))
        return segments
    except ELFError as error:
        raise FormatError(f"{path}: not a usable ELF file: {error}") from None


def _hex_segments(path: Path, data: bytes) -> list[Segment]:
    try:
        parsed = IntelHex(StringIO(data.decode("ascii")))
    except (IntelHexError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: not an Intel HEX file: {error}") from None
    return [Segment(start, parsed.tobinstr(start=start, end=end - 1)) for start, end in parsed.segments()]
