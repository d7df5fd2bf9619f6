"""Whether an image can start on a board: the same questions that the bootloader asks before it takes one.

S1  The initial stack pointer is a multiple of 4 in a RAM of the part or at its end, and not in the reserved RAM.
S2  The reset vector is odd (Thumb) and an instruction within the image, behind the two words themselves."""

from __future__ import annotations

import struct
from typing import Final

from spboot.boards import Board
from spboot.errors import FormatError
from spboot.formats.content import kind_of
from spboot.formats.manifest import IMAGE_MIN

_VECTORS: Final = struct.Struct("<II")
assert _VECTORS.size == IMAGE_MIN
_INCLUDE: Final = "include spboot's linker file for this board (spboot build writes it) and link again"


def check(image: bytes, board: Board, name: str = "the image") -> None:
    """Raise FormatError, with *name* in front, unless *image* (from the vector table on) can start on *board*."""
    if len(image) < IMAGE_MIN:
        raise FormatError(
            f"{name} has {len(image)} bytes, a vector table needs at least {IMAGE_MIN}: give the whole file"
        )
    stack, reset = _VECTORS.unpack_from(image)
    kind = kind_of(image)
    if kind and not (_is_stack(stack, board) and _is_reset(reset, board, len(image))):
        raise FormatError(
            f"{name} cannot start: it is {kind}, expected an application that begins with its vector table: give the "
            "file of the build, by a name that says what it is (.elf, .hex, .bin)"
        )
    if not _is_stack(stack, board):
        raise FormatError(f"{name} cannot start: the initial stack pointer (word 0) is {_stack_text(stack, board)}")
    if not _is_reset(reset, board, len(image)):
        raise FormatError(f"{name} cannot start: the reset vector (word 1) is {_reset_text(reset, board, len(image))}")


def check_entry(entry: int, image: bytes, name: str) -> None:
    """Raise FormatError, with *name* in front, unless *entry* (of an ELF) is the reset vector of *image*."""
    _, reset = _VECTORS.unpack_from(image)
    if entry != reset:
        raise FormatError(
            f"{name} cannot start: its ELF entry is {entry:#010x}, its reset vector {reset:#010x}, expected the same "
            "address: is the vector table first? Name the reset handler in ENTRY() of the linker script"
        )


def _is_stack(stack: int, board: Board) -> bool:
    return stack % 4 == 0 and any(area.address < stack <= area.end for area in board.stacks)


def _is_reset(reset: int, board: Board, size: int) -> bool:
    start = board.image_address
    return reset % 2 == 1 and start + IMAGE_MIN <= reset - 1 <= start + size - 2


def _stack_text(stack: int, board: Board) -> str:
    ranges = " or ".join(f"{area.address + 4:#010x} .. {area.end:#010x}" for area in board.stacks)
    expected = f"{stack:#010x}, expected a multiple of 4 in {ranges}"
    if board.ram.address < stack <= board.ram.end:
        return f"{expected}: it is in the bootloader's RAM, {board.ram}: {_INCLUDE}"
    if any(memory.address <= stack <= memory.end for memory in board.chip.flash):
        return f"{expected}: it is in flash; the vector table has to be first: {_INCLUDE}"
    return f"{expected}: is the vector table first, and is it an application for {board.name}?"


def _reset_text(reset: int, board: Board, size: int) -> str:
    start = board.image_address
    expected = f"{reset:#010x}, expected an odd address in {start + IMAGE_MIN:#010x} .. {start + size - 1:#010x}"
    for base in (board.chip.flash[0].address, 0):
        if base <= reset < min(base + size, start):
            return f"{expected}: the application is linked at {base:#010x}, not at {start:#010x}: {_INCLUDE}"
    rest = board.slot0.rest
    if rest is not None and rest.address <= reset < rest.end:
        return (
            f"{expected}: it is in external flash, where nothing is started: link the reset handler, and all that runs "
            "before the application has set that flash up, into internal flash"
        )
    if start <= reset < start + size and reset % 2 == 0:
        return (
            f"{expected}: it is even, which is ARM state, and a Cortex-M has Thumb only: declare the handler a function"
        )
    if start + size <= reset < start + board.image_capacity:
        return f"{expected}: it is behind the end of the image, which has {size} bytes: is the file whole?"
    return f"{expected}: is the vector table first, and is it linked at {start:#010x}? If not, {_INCLUDE}"
