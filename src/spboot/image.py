"""The application's bytes, from the vector table on, out of an .elf, .hex or .bin file.

Gaps are filled as objcopy fills them, so that one build is the same image in all three (docs/decisions/0030)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, Self

from spboot import startable
from spboot.boards import Area, Board
from spboot.chips.place import LEAVE_OUT, Place, place_at
from spboot.errors import FormatError
from spboot.formats import program
from spboot.formats.content import kind_of
from spboot.formats.program import Program
from spboot.formats.segment import Segment
from spboot.version import Version

_INCLUDE: Final = "include spboot's linker file for this board"
_OUTSIDE: Final = "[external] and slots of two parts in the board's file (docs/external-flash.md)"
_RUNS: Final = {
    "cm0p": ("ARMv6-M", "ARMv6S-M"),
    "cm4": ("ARMv6-M", "ARMv6S-M", "ARMv7-M", "ARMv7E-M"),
    "cm7": ("ARMv6-M", "ARMv6S-M", "ARMv7-M", "ARMv7E-M"),
    "cm33": ("ARMv6-M", "ARMv6S-M", "ARMv7-M", "ARMv7E-M", "ARMv8-M.base", "ARMv8-M.main"),
}
"""Core in the part facts -> architectures whose code it runs."""


class Room(NamedTuple):
    """The memory that a program has: *name* it, as "the slot"; *holder* is what has the bytes, as "an update"."""

    area: Area
    name: str
    holder: str
    too_large: str
    also: str = ""
    """Where else the holder has bytes, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An application for *board* as *version*: its bytes from the vector table on, as they stand at *address*, and
    *rest*, those in external flash, on a board whose slots have a part there.

    >>> app = Image.load("lamp-1.0.0.elf", Board.load("NUCLEO-L476RG"), "1.0.0")
    >>> app.version, hex(app.address)
    (Version(major=1, minor=0, patch=0), '0x8008200')
    """

    data: bytes
    board: Board
    version: Version
    rest: bytes = b""
    origins: tuple[tuple[str, bytes], ...] = field(default=(), compare=False)
    """The ELF file that it was read from, for its names: see formats.program.Program."""
    warnings: tuple[str, ...] = field(default=(), compare=False)
    """Sentences on what is allowed and seldom meant: code in external flash, a .bin where there may be more."""

    @classmethod
    def load(cls, path: str | os.PathLike[str], board: Board, version: Version | str) -> Self:
        """The application in the file *path* (.elf, .hex, .bin), linked for *board* and able to start there.

        A .bin carries no address and is taken as it is, for internal flash.  Where slots have a part in external flash,
        what an .elf or .hex has for it is *rest*, from the start of that part on.  Raises FormatError: no program,
        linked elsewhere, too large, data for other places, an application that cannot start; VersionError; DiskError
        when it cannot be read."""
        number = Version.parse(version) if isinstance(version, str) else version
        found = read(Path(path), board)
        data, rest = parts(found, board, str(path))
        startable.check(data, board, str(path))
        if found.entry:
            startable.check_entry(found.entry, data, str(path))
        return cls(
            data=data, board=board, version=number, rest=rest, origins=found.origins,
            warnings=tuple(_warnings(found, board, str(path))),
        )  # fmt: skip

    @property
    def size(self) -> int:
        """Bytes in internal and in external flash."""
        return len(self.data) + len(self.rest)

    def check_rest(self) -> None:
        """Raise FormatError when it has more in external flash than slots of its board have there."""
        room = self.board.slot0.rest.size if self.board.slot0.rest else 0
        if len(self.rest) > room:
            raise FormatError(
                f"the image has {len(self.rest)} bytes for external flash, a slot of {self.board.name} takes {room} "
                f"there: {len(self.rest) - room} too many"
            )

    @property
    def address(self) -> int:
        """Where the application is linked."""
        return self.board.image_address

    def __repr__(self) -> str:
        more = f" and {len(self.rest)} in external flash" if self.rest else ""
        return f"<image {self.version} for {self.board.name}, {len(self.data)} bytes{more}>"


def read(path: Path, board: Board) -> Program:
    """The program in *path*, made for the core of *board* and clear of its reserved RAM.

    Raises FormatError; DiskError when it cannot be read."""
    found = program.load(path, board.image_address)
    if found.core and found.core not in _RUNS[board.chip.core]:
        raise FormatError(
            f"{path}: compiled for {found.core}, {board.chip.name} runs {', '.join(_RUNS[board.chip.core])}: set -mcpu"
        )
    for name, address, size in found.uses:
        if address < board.ram.end and board.ram.address < address + size:
            what = f"section {name!r}" if name else "a segment"
            raise FormatError(
                f"{path}: {what} is in RAM at {address:#010x} .. {address + size - 1:#010x}, "
                f"where the bootloader's own RAM is ({board.ram}): it would run, and never take an update; begin the "
                f"RAM of the linker script at {board.ram.end:#010x}: {_INCLUDE}"
            )
    return found


def flatten(found: Program, board: Board, name: str) -> bytes:
    """The segments of *found* for internal flash as one, gaps filled.  Raises FormatError as `parts`."""
    return parts(found, board, name)[0]


def parts(found: Program, board: Board, name: str) -> tuple[bytes, bytes]:
    """The segments of *found* as one for each part of SLOT0, gaps filled; nothing for a part that there is not.

    Gaps in external flash read as erased flash does, which costs no time to program (docs/decisions/0085).  Raises
    FormatError, with *name*: empty, not in SLOT0, too large."""
    start = board.image_address
    _check_first(found, board, name)
    rooms = _rooms(board)
    sorted_: list[list[Segment]] = [[] for _ in rooms]
    for segment in found.segments:
        at = next((n for n, room in enumerate(rooms) if room.area.address <= segment.address < room.area.end), 0)
        check_place(segment, rooms[at], board, name)
        sorted_[at].append(segment)
    if not sorted_[0]:
        raise FormatError(
            f"{name}: there are bytes for external flash alone, and an application starts in internal flash: give the "
            "whole program, with its vector table"
        )
    rest = program.flat(sorted_[1], rooms[1].area.address, program.ERASED) if sorted_[1:] else b""
    return program.flat(sorted_[0], start, program.FILL), rest


def _check_first(found: Program, board: Board, name: str) -> None:
    """What can be said before each segment is looked at.  Raises FormatError."""
    start, capacity = board.image_address, board.image_capacity
    if not found.segments:
        what = "nothing in it" if found.kind == "binary" else "nothing to load in it"
        raise FormatError(f"{name}: there is {what}, expected an application")
    if found.kind == "binary" and len(found.segments[0].data) > capacity:
        size = len(found.segments[0].data)
        raise FormatError(
            f"{name}: the application has {size} bytes, the slot takes {capacity}: {size - capacity} too many"
        )
    first = found.segments[0]
    if first.address != start and any(run.address <= first.address < run.end for run in board.chip.flash):
        kind = kind_of(first.data)
        raise FormatError(
            f"{name}: linked at {first.address:#010x}, expected {start:#010x}: "
            + (f"it is {kind}; give the application alone" if kind else f"{_INCLUDE}, or choose another --board")
        )


def _rooms(board: Board) -> tuple[Room, ...]:
    """Where an update has bytes for, part by part."""
    area = Area(address=board.image_address, size=board.image_capacity)
    smaller = "make the application smaller, or the gap in front of it"
    rest = board.slot0.rest
    if rest is None:
        return (Room(area, "the slot", "an update", smaller),)
    inner, outer = (f"{each.address:#010x} .. {each.end - 1:#010x}" for each in (area, rest))
    return (
        Room(area, "the slot's part in internal flash", "an update", f"{smaller}, or move assets out", f" and {outer}"),
        Room(
            rest,
            "the slot's part in external flash",
            "an update",
            "make that smaller, or both second parts larger in the board's file",
            f" and {inner}",
        ),
    )


def _warnings(found: Program, board: Board, name: str) -> Iterator[str]:
    rest = board.slot0.rest
    if rest is None:
        return
    if found.kind == "binary":
        yield f"{name} has nothing for external flash, as a .bin has no addresses: give the .elf or .hex where there is"
    for section, address, size in found.code:
        if rest.address <= address < rest.end:
            yield (
                f"{name}: {size} bytes of code in external flash (section {section!r} at {address:#010x}): everybody "
                "at the pins of that chip can read them, and change them after they were verified; link code into "
                "internal flash"
            )


def check_place(segment: Segment, room: Room, board: Board, name: str) -> None:
    """Refuse bytes outside *room*, in words about the place they are for.  Raises FormatError, with *name*."""
    start, end = room.area.address, room.area.end
    if start <= segment.address and segment.end <= end:
        return
    if start <= segment.address < end:
        raise FormatError(
            f"{name}: the segment at {segment.address:#010x} of {len(segment.data)} bytes ends outside {room.name}, "
            f"which is {start:#010x} .. {end - 1:#010x}: {segment.end - end} too many; {room.too_large}"
        )
    what, remedy = _place(segment.address, board)
    raise FormatError(
        f"{name}: {len(segment.data)} bytes at {segment.address:#010x}, which is {what}; {room.holder} has bytes for "
        f"{start:#010x} .. {end - 1:#010x}{room.also} only: {remedy}"
    )


def _place(address: int, board: Board) -> Place:
    """What *address* is, and what to do with bytes for it."""
    for area_name, area in board.areas.items():
        if area.address <= address < area.end:
            return Place(f"the place of {area_name}", f"{LEAVE_OUT} keep it clear of what the bootloader writes")
    if board.external is not None and board.external.memory.address <= address < board.external.memory.end:
        larger = "make both second parts larger" if board.slot0.rest else "give both slots a second part there"
        return Place(
            f"external flash outside of SLOT0 ({board.external.controller}, {board.external.chip.name})",
            f"{LEAVE_OUT} program it by itself; or {larger} in the board's file",
        )
    found = place_at(board.chip, address)
    if found is not None and board.external is None and board.chip.window_at(address):
        return found._replace(remedy=f"{found.remedy}; or have updates carry it: {_OUTSIDE}")
    if found is None:
        return Place("no memory of the chip", f"is it linked for {board.name}? {_INCLUDE}")
    if any(run.address <= address < run.end for run in board.chip.flash):
        return Place(
            f"flash outside of SLOT0 ({board.chip.memory_at(address).name})",
            f"{found.remedy}, or move it into the application",
        )
    return found
