"""The application's bytes, from the vector table on, out of an .elf, .hex or .bin file.

Gaps are filled as objcopy fills them, so that one build is the same image in all three (docs/decisions/0030)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from spboot import startable
from spboot.boards import Board
from spboot.errors import BoardError, FormatError
from spboot.formats import program
from spboot.formats.content import kind_of
from spboot.formats.program import Program
from spboot.formats.segment import Segment

_INCLUDE: Final = "include spboot's linker file for this board"
_RUNS: Final = {
    "cm0p": ("ARMv6-M", "ARMv6S-M"),
    "cm4": ("ARMv6-M", "ARMv6S-M", "ARMv7-M", "ARMv7E-M"),
    "cm7": ("ARMv6-M", "ARMv6S-M", "ARMv7-M", "ARMv7E-M"),
    "cm33": ("ARMv6-M", "ARMv6S-M", "ARMv7-M", "ARMv7E-M", "ARMv8-M.base", "ARMv8-M.main"),
}
"""Core in the part facts -> architectures whose code it runs."""
_REGIONS: Final = (
    (0x1FF0_0000, 0x2000_0000, "system memory: option bytes and OTP of the chip", "program it by itself, once"),
    (0x4000_0000, 0x6000_0000, "peripheral registers", "write them in code"),
    (0x6000_0000, 0x8000_0000, "external memory (FMC, QUADSPI, OCTOSPI)", "program that memory by itself"),
    (0x8000_0000, 0xA000_0000, "external memory (QUADSPI, OCTOSPI)", "program that memory by itself"),
    (0xC000_0000, 0xE000_0000, "external RAM (FMC)", "load it from flash (AT> FLASH in the linker script)"),
    (0xE000_0000, 0x1_0000_0000, "registers of the core", "write them in code"),
)
"""Of every STM32 (RM0351 2.2.2, RM0433 2.3.2): first and next address, what is there, what to do with bytes for it."""


def load(path: Path, board: Board) -> bytes:
    """The image in *path*, which must be linked for *board* and able to start there.

    A .bin carries no address and is taken as it is.  Raises FormatError: unreadable, linked elsewhere, too large, data
    for other places, an application that cannot start."""
    found = read(path, board)
    image = flatten(found, board, str(path))
    startable.check(image, board, str(path))
    if found.entry:
        startable.check_entry(found.entry, image, str(path))
    return image


def read(path: Path, board: Board) -> Program:
    """The program in *path*, made for the core of *board* and clear of its reserved RAM.  Raises FormatError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from None
    found = program.read(path, data, board.image_address)
    if found.core and found.core not in _RUNS[board.chip.core]:
        raise FormatError(
            f"{path}: compiled for {found.core}, {board.chip.name} runs {', '.join(_RUNS[board.chip.core])}: set -mcpu"
        )
    for use in found.uses:
        if use.address < board.ram.end and board.ram.address < use.address + use.size:
            raise FormatError(
                f"{path}: {use.name} is in RAM at {use.address:#010x} .. {use.address + use.size - 1:#010x}, "
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
    for segment in found.segments:
        _check_place(segment, board, name)
    return found.from_address(start)


def _check_place(segment: Segment, board: Board, name: str) -> None:
    """Refuse bytes outside SLOT0, in words about the place they are for."""
    start, end = board.image_address, board.image_address + board.image_capacity
    if start <= segment.address and segment.end <= end:
        return
    if start <= segment.address < end:
        raise FormatError(
            f"{name}: the segment at {segment.address:#010x} of {len(segment.data)} bytes ends outside the slot, which "
            f"is {start:#010x} .. {end - 1:#010x}: make the application smaller, or the gap in front of it"
        )
    what, remedy = _place(segment.address, board)
    raise FormatError(
        f"{name}: {len(segment.data)} bytes at {segment.address:#010x}, which is {what}; an update has bytes for "
        f"{start:#010x} .. {end - 1:#010x} only: {remedy}"
    )


def _place(address: int, board: Board) -> tuple[str, str]:
    """What *address* is, and what to do with bytes for it."""
    remove = "leave it out of the application's file (objcopy --remove-section), and"
    for area_name, area in board.areas.items():
        if area.address <= address < area.end:
            return f"the place of {area_name}", f"{remove} keep it clear of what the bootloader writes"
    try:
        memory = board.chip.memory_at(address)
    except BoardError:
        for first, end, what, remedy in _REGIONS:
            if first <= address < end:
                return what, f"{remove} {remedy}"
        return "no memory of the chip", f"is it linked for {board.name}? {_INCLUDE}"
    if memory.kind == "ram":
        return (
            f"RAM ({memory.name})",
            "load it from flash (AT> FLASH in the linker script, and the start-up code copies it)",
        )
    if memory.kind == "eeprom":
        return f"data EEPROM ({memory.name})", f"{remove} program it by itself, or write it in code"
    return f"flash outside of SLOT0 ({memory.name})", f"{remove} program it by itself, or move it into the application"
