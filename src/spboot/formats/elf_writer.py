"""Segments -> an ELF file that a programmer loads and a debugger knows: with the names, and the debug information, of
the ELF files that the segments came from.

What is loaded are the bytes of the segments, all of them.  The sections of the one ELF that gives its debug information
are here, too, as gdb and objcopy go by sections; a gap between two is a section of its own, for it is part of what a
bootloader hashes (docs/decisions/0060)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from spboot.errors import FormatError
from spboot.formats.elf import MAGIC
from spboot.formats.segment import Segment

_HEAD: Final = struct.Struct("<16sHHIIIIIHHHHHH")
_PROGRAM: Final = struct.Struct("<8I")
_SECTION: Final = struct.Struct("<10I")
_SYMBOL: Final = struct.Struct("<IIIBBH")
assert (_HEAD.size, _PROGRAM.size, _SECTION.size, _SYMBOL.size) == (52, 32, 40, 16)

_IDENT: Final = MAGIC + bytes([1, 1, 1])
_EXECUTABLE, _ARM, _PT_LOAD = 2, 40, 1
_SOFT_FLOAT: Final = 0x05000200
"""EABI 5, no floating point in registers: of a program that does not say it."""
_PROGBITS, _SYMTAB, _STRTAB, _RELA, _NOBITS, _REL, _GROUP, _SHNDX = 1, 2, 3, 4, 8, 9, 17, 18
_LEFT_OUT: Final = frozenset({0, _SYMTAB, _STRTAB, _RELA, _REL, _GROUP, _SHNDX})
"""Kinds of sections that are made anew, or mean nothing in a linked program."""
_WRITE, _ALLOC, _EXEC, _INFO_LINK = 1, 2, 4, 0x40
_RESERVED, _ABSOLUTE = 0xFF00, 0xFFF1
_LOCAL, _NAMES_SECTION = 0, 3
_READ_EXECUTE, _STORES = 5, 2


class _Section(NamedTuple):
    """A section with its bytes; *load* is where they are programmed, None when they are not."""

    name: str
    kind: int
    flags: int
    address: int
    size: int
    data: bytes
    load: int | None = None
    link: int = 0
    info: int = 0
    align: int = 1
    each: int = 0
    origin: int = 0
    """Its number in the file that it is from, 0 when it is from none."""


class _Symbol(NamedTuple):
    name: str
    value: int
    size: int
    info: int
    other: int
    section: int


@dataclass(slots=True)
class _File:
    """An ELF file, read as far as it is written again."""

    flags: int
    sections: list[_Section]
    symbols: list[_Symbol]


@dataclass(slots=True)
class _Output:
    """The file as it grows: what stands behind its headers, and the tables about it."""

    start: int
    body: bytearray = field(default_factory=bytearray)
    programs: list[list[int]] = field(default_factory=list)
    sections: list[list[int]] = field(default_factory=lambda: [[0] * 10])
    names: bytearray = field(default_factory=lambda: bytearray(1))

    def add(self, section: _Section) -> None:
        """Append a section, and what loads it."""
        if section.load is not None:
            self._load(section, section.load)
        elif section.kind != _NOBITS:
            self.body += bytes(-(self.start + len(self.body)) % 4)
        offset = self.start + len(self.body)
        self.body += section.data
        entry = [len(self.names), section.kind, section.flags, section.address, offset, section.size]
        self.sections.append([*entry, section.link, section.info, section.align, section.each])
        self.names += section.name.encode() + b"\0"

    def _load(self, section: _Section, at: int) -> None:
        """Let the last entry that loads reach over *section*, or make one for it."""
        flags = _READ_EXECUTE | (_STORES if section.flags & _WRITE else 0)
        if self.programs:
            _, offset, virtual, physical, size, _, _, _ = last = self.programs[-1]
            behind = offset + size == self.start + len(self.body)
            if behind and (virtual + size, physical + size) == (section.address, at):
                last[4] = last[5] = size + section.size
                last[6] |= flags
                return
        while (self.start + len(self.body)) % 4 != section.address % 4:
            self.body.append(0)
        offset = self.start + len(self.body)
        self.programs.append([_PT_LOAD, offset, section.address, at, section.size, section.size, flags, 4])


def write(segments: Sequence[Segment], entry: int, origins: Sequence[tuple[str, bytes]]) -> bytes:
    """An ELF file that loads *segments* and starts at *entry*.

    *origins* are ELF files whose names it has, each with what is put in front of them; the one with "" gives sections
    and debug information, too.  Raises FormatError when one of them is damaged."""
    read = [(prefix, _read(data)) for prefix, data in origins]
    main = next((file for prefix, file in read if not prefix), _File(_SOFT_FLOAT, [], []))
    sections = [*_placed(segments, main), *_kept(main)]
    numbers = {section.origin: number for number, section in enumerate(sections, 1) if section.origin}
    symbols = [symbol for prefix, file in read for symbol in _renamed(prefix, file, sections, numbers)]
    text, table, first = _table(symbols)
    out = _Output(start=_HEAD.size + _PROGRAM.size * (len(sections) + 1))
    for section in sections:
        linked = section._replace(link=numbers.get(section.link, 0))
        out.add(linked._replace(info=numbers.get(section.info, 0)) if section.flags & _INFO_LINK else linked)
    count = len(sections) + 1
    out.add(_Section(".symtab", _SYMTAB, 0, 0, len(table), table, None, count + 1, first, 4, _SYMBOL.size))
    out.add(_Section(".strtab", _STRTAB, 0, 0, len(text), text))
    names = bytes(out.names) + b".shstrtab\0"
    out.add(_Section(".shstrtab", _STRTAB, 0, 0, len(names), names))
    return _assembled(out, entry, main.flags)


def _assembled(out: _Output, entry: int, flags: int) -> bytes:
    programs = b"".join(_PROGRAM.pack(*program) for program in out.programs)
    body = bytes(out.body) + bytes(-len(out.body) % 4)
    sizes = _HEAD.size, _PROGRAM.size, len(out.programs), _SECTION.size, len(out.sections), len(out.sections) - 1
    head = _HEAD.pack(_IDENT, _EXECUTABLE, _ARM, 1, entry, _HEAD.size, out.start + len(body), flags, *sizes)
    table = b"".join(_SECTION.pack(*section) for section in out.sections)
    return (head + programs).ljust(out.start, b"\0") + body + table


# sections


def _placed(segments: Sequence[Segment], main: _File) -> Iterator[_Section]:
    """The bytes of *segments* as sections: those of *main* where they are, others for the rest."""
    known = sorted((section for section in main.sections if section.load is not None), key=lambda s: s.load or 0)
    for segment in segments:
        at = segment.address
        for section in known:
            load = section.load or 0
            if at <= load and load + section.size <= segment.end:
                yield from _rest(segment, at, load)
                start = load - segment.address
                yield section._replace(data=segment.data[start : start + section.size])
                at = load + section.size
        yield from _rest(segment, at, segment.end)


def _rest(segment: Segment, start: int, end: int) -> Iterator[_Section]:
    if start < end:
        data = segment.data[start - segment.address : end - segment.address]
        name = f".flash_{start:08x}"
        yield _Section(name, _PROGBITS, _ALLOC | _EXEC, start, len(data), data, load=start, align=1)


def _kept(main: _File) -> Iterator[_Section]:
    """What is not loaded: debug information, attributes, memory that starts empty, and sections without bytes."""
    return (section for section in main.sections if section.load is None and section.kind not in _LEFT_OUT)


# symbols


def _renamed(prefix: str, file: _File, sections: list[_Section], numbers: dict[int, int]) -> Iterator[_Symbol]:
    """The symbols of *file*, each in the section that it is in now."""
    for symbol in file.symbols:
        if symbol.info & 15 == _NAMES_SECTION or not symbol.name:
            continue
        place = symbol.section
        if place and place < _RESERVED:
            by_number = numbers.get(place) if not prefix else None
            place = by_number or _number_at(symbol.value & ~1, sections) or _ABSOLUTE
        name = symbol.name if symbol.name.startswith("$") else prefix + symbol.name  # `$t`: Thumb code begins here
        yield symbol._replace(name=name, section=place)


def _number_at(address: int, sections: list[_Section]) -> int | None:
    """The number of the loaded section with *address* in it."""
    for number, section in enumerate(sections, 1):
        if section.load is not None and section.address <= address < section.address + section.size:
            return number
    return None


def _table(symbols: list[_Symbol]) -> tuple[bytes, bytes, int]:
    """The string table, the symbol table, and the number of the first symbol that is not local: those come first."""
    ordered = sorted(symbols, key=lambda symbol: symbol.info >> 4 != _LOCAL)
    text, table = bytearray(1), bytearray(_SYMBOL.size)
    places: dict[str, int] = {}
    for name, value, size, info, other, section in ordered:
        if name not in places:
            places[name] = len(text)
            text += name.encode() + b"\0"
        table += _SYMBOL.pack(places[name], value, size, info, other, section)
    local = sum(symbol.info >> 4 == _LOCAL for symbol in ordered)
    return bytes(text), bytes(table), 1 + local


# reading


def _read(data: bytes) -> _File:
    """What is in an ELF file that `elf.read` has taken.  Raises FormatError."""
    try:
        head = _HEAD.unpack_from(data)
        sections = _sections(data, head)
        return _File(head[7], sections, _symbols(sections))
    except (struct.error, IndexError, ValueError) as error:
        raise FormatError(f"not a usable ELF file: {error}: build it again") from None


def _sections(data: bytes, head: tuple[int, ...]) -> list[_Section]:
    _, _, _, _, _, program_at, section_at, _, _, program_size, programs, section_size, count, names_at = head
    loads = [_PROGRAM.unpack_from(data, program_at + n * program_size) for n in range(programs)]
    loads = [load for load in loads if load[0] == _PT_LOAD and load[4]]
    physical = 3 if any(load[3] for load in loads) else 2
    raw = [_SECTION.unpack_from(data, section_at + n * section_size) for n in range(count)]
    names = _bytes(data, raw[names_at]) if count else b""
    found = []
    for number, section in enumerate(raw):
        name, kind, flags, address, offset, size, link, info, align, each = section
        content = _bytes(data, section) if kind != _NOBITS else b""
        holder = next((load for load in loads if load[1] <= offset and offset + size <= load[1] + load[4]), None)
        load = None
        if holder is not None and flags & _ALLOC and kind != _NOBITS and size:
            load = holder[physical] + offset - holder[1]
        text = _string(names, name)
        found.append(_Section(text, kind, flags, address, size, content, load, link, info, align, each, number))
    return found


def _bytes(data: bytes, section: tuple[int, ...]) -> bytes:
    content = data[section[4] : section[4] + section[5]]
    if len(content) != section[5]:
        raise ValueError(f"{len(content)} bytes of a section with {section[5]}")
    return content


def _string(names: bytes, at: int) -> str:
    return names[at : names.index(b"\0", at)].decode()


def _symbols(sections: list[_Section]) -> list[_Symbol]:
    table = next((section for section in sections if section.kind == _SYMTAB), None)
    if table is None:
        return []
    names = sections[table.link].data
    return [
        _Symbol(_string(names, name), value, size, info, other, section)
        for name, value, size, info, other, section in _SYMBOL.iter_unpack(table.data)
    ]
