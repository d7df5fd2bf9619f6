"""The application's bytes, from the vector table on, out of an .elf, .hex or .bin file.

Gaps are filled as objcopy fills them, so that one build is the same image in all three (docs/decisions/0030)."""

from __future__ import annotations

import os
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An application for *board* as *version*: its bytes from the vector table on, as they stand at *address*.

    >>> app = Image.load("lamp-1.0.0.elf", Board.load("NUCLEO-L476RG"), "1.0.0")
    >>> app.version, hex(app.address)
    (Version(major=1, minor=0, patch=0), '0x8008200')
    """

    data: bytes
    board: Board
    version: Version
    origins: tuple[tuple[str, bytes], ...] = field(default=(), compare=False)
    """The ELF file that it was read from, for its names: see formats.program.Program."""

    @classmethod
    def load(cls, path: str | os.PathLike[str], board: Board, version: Version | str) -> Self:
        """The application in the file *path* (.elf, .hex, .bin), linked for *board* and able to start there.

        A .bin carries no address and is taken as it is.  Raises FormatError: no program, linked elsewhere, too large,
        data for other places, an application that cannot start; VersionError; DiskError when it cannot be read."""
        number = Version.parse(version) if isinstance(version, str) else version
        found = read(Path(path), board)
        data = flatten(found, board, str(path))
        startable.check(data, board, str(path))
        if found.entry:
            startable.check_entry(found.entry, data, str(path))
        return cls(data=data, board=board, version=number, origins=found.origins)

    @property
    def address(self) -> int:
        """Where the application is linked."""
        return self.board.image_address

    def __repr__(self) -> str:
        return f"<image {self.version} for {self.board.name}, {len(self.data)} bytes>"


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
    """The segments of *found* as one, gaps filled.  Raises FormatError, with *name*: empty, not in SLOT0, too large."""
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
    slot = Room(
        Area(address=start, size=capacity),
        "the slot",
        "an update",
        "make the application smaller, or the gap in front of it",
    )
    for segment in found.segments:
        check_place(segment, slot, board, name)
    return found.from_address(start)


def check_place(segment: Segment, room: Room, board: Board, name: str) -> None:
    """Refuse bytes outside *room*, in words about the place they are for.  Raises FormatError, with *name*."""
    start, end = room.area.address, room.area.end
    if start <= segment.address and segment.end <= end:
        return
    if start <= segment.address < end:
        raise FormatError(
            f"{name}: the segment at {segment.address:#010x} of {len(segment.data)} bytes ends outside {room.name}, "
            f"which is {start:#010x} .. {end - 1:#010x}: {room.too_large}"
        )
    what, remedy = _place(segment.address, board)
    raise FormatError(
        f"{name}: {len(segment.data)} bytes at {segment.address:#010x}, which is {what}; {room.holder} has bytes for "
        f"{start:#010x} .. {end - 1:#010x} only: {remedy}"
    )


def _place(address: int, board: Board) -> Place:
    """What *address* is, and what to do with bytes for it."""
    for area_name, area in board.areas.items():
        if area.address <= address < area.end:
            return Place(f"the place of {area_name}", f"{LEAVE_OUT} keep it clear of what the bootloader writes")
    found = place_at(board.chip, address)
    if found is None:
        return Place("no memory of the chip", f"is it linked for {board.name}? {_INCLUDE}")
    if any(run.address <= address < run.end for run in board.chip.flash):
        return Place(
            f"flash outside of SLOT0 ({board.chip.memory_at(address).name})",
            f"{found.remedy}, or move it into the application",
        )
    return found
