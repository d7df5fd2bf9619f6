"""ELF of a program for a Cortex-M -> segments, where it starts, which memory it uses, its symbols; one with new bytes.

Read as objcopy reads it: section by section, each where it is loaded (its segment's physical address).  So the .elf and
the .bin and .hex made of it are the same bytes (docs/decisions/0030)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, NamedTuple

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from spboot.errors import FormatError
from spboot.formats.segment import Segment, joined

MAGIC: Final = b"\x7fELF"
KEPT_FREE: Final = ".spboot_reserved"
"""A section without bytes that is no use of memory: it keeps the bootloader's RAM free (sdk/zephyr/ram.ld)."""
_ALLOC, _EXECUTES = 2, 4
"""Flags of a section: it is in memory, and its bytes are instructions."""
_KINDS: Final = {
    "ET_REL": "an object file that is not linked yet: link it",
    "ET_DYN": "a shared object: link it as a program for fixed addresses, without -shared and -pie",
    "ET_CORE": "a core dump, not a program",
}
_C_STARTS: Final = ("__main", "__iar_program_start", "_start", "_mainCRTStartup")
"""Where the start of C libraries is: the entry that Arm's and IAR's linkers, and newlib's crt0, give a program.  The
reset handler calls it."""
_CORES: Final = {
    1: "ARMv4",
    2: "ARMv4T",
    3: "ARMv5T",
    4: "ARMv5TE",
    5: "ARMv5TEJ",
    6: "ARMv6",
    7: "ARMv6KZ",
    8: "ARMv6T2",
    9: "ARMv6K",
    10: "ARMv7",
    11: "ARMv6-M",
    12: "ARMv6S-M",
    13: "ARMv7E-M",
    14: "ARMv8-A",
    15: "ARMv8-R",
    16: "ARMv8-M.base",
    17: "ARMv8-M.main",
    21: "ARMv8.1-M.main",
}
"""Tag_CPU_arch (Addenda to the ABI for the Arm Architecture, 3.3.5.2)."""


class Use(NamedTuple):
    """Memory that a program uses while it runs: a section by its name, a segment of an ELF without sections by ""."""

    name: str
    address: int
    size: int


class Symbol(NamedTuple):
    """A name of the program.  *value*: its address, of a function with bit 0 set, which says Thumb."""

    name: str
    value: int
    size: int
    is_function: bool


class Section(NamedTuple):
    """A section with bytes: where they are loaded, and where they are while the program runs."""

    name: str
    address: int
    runs_at: int
    size: int


class _Piece(NamedTuple):
    """Bytes that are loaded, and where the ELF has them.  *name*: of their section."""

    name: str
    offset: int
    runs_at: int
    segment: Segment
    executes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Elf:
    """A linked program.  *entry*: where it starts; 0 when it does not say that, or says the start of a C library.

    *core*: the architecture it was compiled for, as "ARMv7E-M"; "" when it does not say.  *copied*: whether something
    is loaded at one place and runs at another, to which start-up code copies it.  *code*: sections with instructions,
    where they are loaded."""

    segments: tuple[Segment, ...]
    uses: tuple[Use, ...]
    code: tuple[Use, ...]
    entry: int
    core: str
    copied: bool


def read(name: str, data: bytes) -> Elf:
    """The program in the ELF file *data*.  Raises FormatError, with *name*: damaged, not linked, or for another kind of
    processor."""
    with _opened(name, data) as file:
        pieces = _pieces(name, file)
        return Elf(
            segments=joined(name, (piece.segment for piece in pieces)),
            uses=_uses(file),
            code=tuple(
                Use(piece.name, piece.segment.address, len(piece.segment.data)) for piece in pieces if piece.executes
            ),
            entry=_entry(file),
            core=_core(file),
            copied=any(piece.runs_at != piece.segment.address for piece in pieces),
        )


def symbols(name: str, data: bytes) -> tuple[Symbol, ...]:
    """The symbols of the ELF file *data*, in the order of its table; none when the table was stripped.  Raises
    FormatError, with *name*, as `read` does."""
    with _opened(name, data) as file:
        table = file.get_section_by_name(".symtab")
        return tuple(
            Symbol(each.name, each["st_value"], each["st_size"], each["st_info"]["type"] == "STT_FUNC")
            for each in (table.iter_symbols() if table else ())
            if each.name
        )


def sections(name: str, data: bytes) -> tuple[Section, ...]:
    """What of the ELF file *data* is loaded, by section; a segment as one of "" without sections.  Raises FormatError,
    with *name*, as `read` does."""
    with _opened(name, data) as file:
        return tuple(
            Section(piece.name, piece.segment.address, piece.runs_at, len(piece.segment.data))
            for piece in _pieces(name, file)
        )


def filled(name: str, data: bytes, content: Segment) -> bytes:
    """The ELF file *data* with the bytes of its program taken from *content*, within which it is.

    Raises FormatError, with *name*, when it is not, or as `read` does."""
    out = bytearray(data)
    with _opened(name, data) as file:
        for _, offset, _, piece, _ in _pieces(name, file):
            if not content.address <= piece.address <= piece.end <= content.end:
                raise FormatError(f"{name}: it has {piece}, expected all within {content}: link it in one place")
            start = piece.address - content.address
            out[offset : offset + len(piece.data)] = content.data[start : start + len(piece.data)]
    return bytes(out)


@contextmanager
def _opened(name: str, data: bytes) -> Iterator[Any]:
    """The ELF file *data*, of a kind that we read; what pyelftools raises over a damaged one is a FormatError."""
    if not data.startswith(MAGIC):
        raise FormatError(f"{name}: not an ELF file: it begins with {data[:4].hex(' ')}, expected 7f 45 4c 46")
    try:
        file: Any = ELFFile(BytesIO(data))
        _check_kind(name, file)
        yield file
    except (ELFError, UnicodeDecodeError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise FormatError(f"{name}: not a usable ELF file: {error or type(error).__name__}: build it again") from None


def _check_kind(name: str, file: Any) -> None:
    machine = file.get_machine_arch()
    if machine != "ARM" or file.elfclass != 32:
        raise FormatError(f"{name}: made for {machine}, expected an ELF for ARM: build it for the board")
    if not file.little_endian:
        raise FormatError(f"{name}: big-endian, expected little-endian: build it without -mbig-endian")
    if file["e_type"] != "ET_EXEC":
        raise FormatError(f"{name}: {_KINDS.get(file['e_type'], 'not a program')}; expected a linked program (.elf)")
    core = _core(file)
    if core and "-M" not in core:
        raise FormatError(f"{name}: made for {core}, expected a Cortex-M, which has Thumb only: build it for the board")


def _sections(file: Any) -> list[Any]:
    """Sections that have a place in memory while the program runs."""
    return [section for section in file.iter_sections() if section["sh_flags"] & _ALLOC and section["sh_size"]]


def _pieces(name: str, file: Any) -> list[_Piece]:
    """What is loaded: the sections with bytes in PT_LOAD segments, or those segments, if there are no sections.

    A segment can begin with the ELF's own headers, or have padding between its sections: neither is the program's."""
    loads = [segment for segment in file.iter_segments("PT_LOAD") if segment["p_filesz"]]
    where = "p_paddr" if any(segment["p_paddr"] for segment in loads) else "p_vaddr"
    if not file.num_sections():
        return [
            _Piece("", load["p_offset"], load["p_vaddr"], Segment(load[where], _content(name, load))) for load in loads
        ]
    pieces = []
    for section in _sections(file):
        if section["sh_type"] == "SHT_NOBITS":
            continue
        start, size = section["sh_offset"], section["sh_size"]
        holder = next((load for load in loads if _holds(load, start, size)), None)
        if holder is None:
            raise FormatError(
                f"{name}: section {section.name!r} is to be loaded and is in no segment: expected it in one; look at "
                "PHDRS of the linker script"
            )
        at = holder[where] + start - holder["p_offset"]
        content, executes = Segment(at, _content(name, section)), bool(section["sh_flags"] & _EXECUTES)
        pieces.append(_Piece(section.name, start, section["sh_addr"], content, executes))
    return pieces


def _uses(file: Any) -> tuple[Use, ...]:
    if file.num_sections():
        used = (section for section in _sections(file) if not _kept_free(section))
        return tuple(Use(section.name, section["sh_addr"], section["sh_size"]) for section in used)
    return tuple(Use("", load["p_vaddr"], load["p_memsz"]) for load in file.iter_segments("PT_LOAD"))


def _kept_free(section: Any) -> bool:
    """Nothing is in it: it stands for the bootloader's RAM, where a linker script cannot begin its own behind it."""
    return bool(section.name == KEPT_FREE and section["sh_type"] == "SHT_NOBITS")


def _holds(load: Any, start: int, size: int) -> bool:
    """Whether bytes of the file are within the segment *load*."""
    return bool(load["p_offset"] <= start and start + size <= load["p_offset"] + load["p_filesz"])


def _content(name: str, part: Any) -> bytes:
    data: bytes = part.data()
    size = part["p_filesz"] if "p_filesz" in part.header else part["sh_size"]
    if len(data) != size:
        raise FormatError(f"{name}: ends early: {len(data)} bytes where {size} are expected: build it again")
    return data


def _entry(file: Any) -> int:
    entry: int = file["e_entry"]
    table = file.get_section_by_name(".symtab")
    for start in _C_STARTS if table else ():
        if any(symbol["st_value"] == entry for symbol in table.get_symbol_by_name(start) or ()):
            return 0
    return entry


def _core(file: Any) -> str:
    """The architecture, by .ARM.attributes.  ARMv7 has several profiles, of which only "M" is a Cortex-M."""
    section = file.get_section_by_name(".ARM.attributes")
    if section is None:
        return ""
    tags = {
        attribute.tag: attribute.value
        for subsection in section.iter_subsections()
        for part in subsection.iter_subsubsections()
        for attribute in part.iter_attributes()
    }
    arch = _CORES.get(tags.get("TAG_CPU_ARCH", -1), "")
    profile = tags.get("TAG_CPU_ARCH_PROFILE", 0)
    return f"{arch}-{chr(profile)}" if arch == "ARMv7" and profile else arch
