"""What the bytes of an image are: functions, tables, and the stretches between them that have no name.

Names come from the symbols of the ELF file that the image was read from; without one, the places are pages."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, NamedTuple

from spboot.formats import elf

FUNCTION: Final = "function"
TABLE: Final = "table"
LITERAL: Final = "literal"
"""Bytes of no symbol, as messages are: a compiler gives a literal no name."""
_TEXT: Final = re.compile(rb"([\x20-\x7e\t\r\n]{4,})\0+")
"""A string as C stores it, with what fills up behind it."""
_LETTERS: Final = 40
"""Letters of a text that are its name."""
RANGE: Final = 2048
"""Bytes of a place in a file without symbols."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Bytes *start* to below *end* of an image.  *section*: the one that they are in, "" when that is not known."""

    start: int
    end: int
    name: str
    kind: str
    section: str = ""

    @property
    def size(self) -> int:
        """How many bytes."""
        return self.end - self.start


class Rest(NamedTuple):
    """From byte *start* on an image is in external flash, at *address*, its places in *step* bytes."""

    start: int
    address: int
    step: int


class Places:
    """The places of one image, which begins at *address*: every byte is in one of them.  *rest*: the end of it in
    external flash."""

    def __init__(self, places: Sequence[Place], address: int = 0, rest: Rest | None = None) -> None:
        self.all = tuple(places)
        self._address = address
        self._rest = rest
        self.named = any(place.kind != LITERAL for place in self.all)
        """Whether there are symbols."""
        self._starts = [place.start for place in self.all]
        names = Counter(place.name for place in self.all if place.kind != LITERAL)
        self.by_name = {place.name: place for place in self.all if names[place.name] == 1 and place.kind != LITERAL}
        """Those with a name that no other one has."""

    def at(self, offset: int) -> Place:
        """The place of the byte at *offset*; behind the end the last one."""
        return self.all[max(0, bisect_right(self._starts, offset) - 1)]

    def address(self, offset: int) -> int:
        """Where the byte at *offset* is in memory."""
        if self._rest is not None and offset >= self._rest.start:
            return self._rest.address + offset - self._rest.start
        return self._address + offset


def of(data: bytes, address: int, origin: bytes | None = None, step: int = RANGE, rest: Rest | None = None) -> Places:
    """The places of the image *data*, linked at *address*, by the symbols of the ELF file *origin*; without symbols
    a place each *step* bytes of memory.  Raises FormatError when *origin* is damaged."""
    if rest is None:
        return Places(_of(data, address, origin, step), address)
    inside = _of(data[: rest.start], address, origin, step)
    outside = _of(data[rest.start :], rest.address, origin, rest.step)
    moved = [replace(place, start=place.start + rest.start, end=place.end + rest.start) for place in outside]
    return Places([*inside, *moved], address, rest)


def _of(data: bytes, address: int, origin: bytes | None, step: int) -> list[Place]:
    """Of bytes that are one behind the other in memory."""
    sections = elf.sections("", origin) if origin else ()
    symbols = elf.symbols("", origin) if origin else ()
    found = sorted(_named_places(address, len(data), symbols, sections), key=lambda place: (place.start, -place.end))
    if not found:
        return list(_ranges(len(data), address, step))
    places: list[Place] = []
    at = 0
    for place in found:
        if place.start < at:
            continue  # another name of the same bytes
        places += _between(data, range(at, place.start), address, sections)
        places.append(place)
        at = place.end
    return [*places, *_between(data, range(at, len(data)), address, sections)]


def _named_places(
    address: int, size: int, names: tuple[elf.Symbol, ...], sections: tuple[elf.Section, ...]
) -> Iterator[Place]:
    """Functions, and objects with a size, that are in the image; a function without one ends where the next begins."""
    symbols = [each for each in names if each.is_function or each.size]
    starts = sorted({each.value & ~1 if each.is_function else each.value for each in symbols})
    for each in symbols:
        value = each.value & ~1 if each.is_function else each.value
        section = next((one for one in sections if one.runs_at <= value < one.runs_at + one.size), None)
        if section is None:
            continue
        start, end = section.address + value - section.runs_at - address, section.address + section.size - address
        if each.size:
            end = min(end, start + each.size)
        else:
            following = bisect_right(starts, value)
            end = min(end, start + starts[following] - value) if following < len(starts) else end
        if 0 <= start < end <= size:
            kind = FUNCTION if each.is_function else TABLE
            yield Place(start=start, end=end, name=each.name, kind=kind, section=section.name)


def _between(data: bytes, gap: range, address: int, sections: tuple[elf.Section, ...]) -> Iterator[Place]:
    """What has no symbol, section by section, a text each."""
    edges = {gap.start, gap.stop}
    for section in sections:
        edges |= {edge - address for edge in (section.address, section.address + section.size)}
    for match in _TEXT.finditer(data, gap.start, gap.stop):
        edges |= {match.start(), match.end()}
    for low, high in pairwise(sorted(edge for edge in edges if gap.start <= edge <= gap.stop)):
        where = next((s.name for s in sections if s.address <= low + address < s.address + s.size), "")
        text = _TEXT.match(data, low, high)
        name = f"{where or 'gap'} at {low + address:#010x}" if text is None else _named(text[1])
        yield Place(start=low, end=high, name=name, kind=LITERAL, section=where)


def _named(text: bytes) -> str:
    said = text.decode("ascii").strip()
    return json.dumps(said if len(said) <= _LETTERS else said[: _LETTERS - 1] + "…", ensure_ascii=False)


def _ranges(size: int, address: int, step: int) -> Iterator[Place]:
    at = 0
    while at < size:
        end = min(size, at + step - (address + at) % step)
        name = f"{address + at:#010x} .. {address + end - 1:#010x}"
        yield Place(start=at, end=end, name=name, kind=LITERAL)
        at = end
