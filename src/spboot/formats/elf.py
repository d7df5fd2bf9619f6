"""ELF of a program for a Cortex-M -> segments, where it starts, which memory it uses.

Read as objcopy reads it: section by section, each where it is loaded (its segment's physical address).  So the .elf and
the .bin and .hex made of it are the same bytes (docs/decisions/0030)."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, NamedTuple

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from spboot.errors import FormatError
from spboot.formats.segment import Segment, joined

MAGIC: Final = b"\x7fELF"
_ALLOC: Final = 2
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
    """Memory that a program uses while it runs, and what for, as "section '.bss'"."""

    name: str
    address: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Elf:
    """A linked program.  *entry*: where it starts; 0 when it does not say that, or says the start of a C library.

    *core*: the architecture it was compiled for, as "ARMv7E-M"; "" when it does not say."""

    segments: tuple[Segment, ...]
    uses: tuple[Use, ...]
    entry: int
    core: str


def read(name: str, data: bytes) -> Elf:
    """The program in the ELF file *data*.  Raises FormatError, with *name*: damaged, not linked, or for another kind of
    processor."""
    if not data.startswith(MAGIC):
        raise FormatError(f"{name}: not an ELF file: it begins with {data[:4].hex(' ')}, expected 7f 45 4c 46")
    try:
        file: Any = ELFFile(BytesIO(data))
        _check_kind(name, file)
        sections = [s for s in file.iter_sections() if s["sh_flags"] & _ALLOC and s["sh_size"]]
        return Elf(
            segments=joined(name, _pieces(name, file, sections)),
            uses=_uses(file, sections),
            entry=_entry(file),
            core=_core(file),
        )
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


def _pieces(name: str, file: Any, sections: list[Any]) -> list[Segment]:
    """What is loaded: the sections of PT_LOAD segments that have bytes in the file; the segments, if there are none.

    A segment can begin with the ELF's own headers, or have padding between its sections: neither is the program's."""
    loads = [segment for segment in file.iter_segments("PT_LOAD") if segment["p_filesz"]]
    where = "p_paddr" if any(segment["p_paddr"] for segment in loads) else "p_vaddr"
    if not file.num_sections():
        return [Segment(load[where], _content(name, load)) for load in loads]
    pieces = []
    for section in sections:
        if section["sh_type"] == "SHT_NOBITS":
            continue
        start, size = section["sh_offset"], section["sh_size"]
        holder = next((load for load in loads if _holds(load, start, size)), None)
        if holder is None:
            raise FormatError(
                f"{name}: section {section.name!r} is to be loaded and is in no segment: expected it in one; look at "
                "PHDRS of the linker script"
            )
        pieces.append(Segment(holder[where] + start - holder["p_offset"], _content(name, section)))
    return pieces


def _uses(file: Any, sections: list[Any]) -> tuple[Use, ...]:
    if file.num_sections():
        return tuple(Use(f"section {section.name!r}", section["sh_addr"], section["sh_size"]) for section in sections)
    return tuple(Use("a segment", load["p_vaddr"], load["p_memsz"]) for load in file.iter_segments("PT_LOAD"))


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
    """By .ARM.attributes; of ARMv7 there are kinds, and only "M" is a Cortex-M."""
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
