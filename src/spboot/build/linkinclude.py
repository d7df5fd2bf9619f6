"""The linker include: what an application's linker script needs to know of the bootloader."""

from __future__ import annotations

from spboot.boards import Board
from spboot.formats.spec import spec

_TEXT = """\
/* spboot linker include for {board}.  Generated; include it before MEMORY.
 * Place the vector table at SLOT0_START + VECTOR_SIZE, all RAM between RAM_START and RAM_TOP. */
VECTOR_SIZE = {vector_size:#x};
{prefix}SLOT0_START = {slot0_start:#010x};
{prefix}SLOT0_END = {slot0_end:#010x};      /* last byte */
{prefix}RAM_START = {ram_start:#010x};      /* first byte that is the application's */
{prefix}RAM_TOP = {ram_top:#010x};          /* first byte after RAM: the initial stack pointer */

/* Functions of the bootloader (spboot/spboot.h); Thumb, so bit 0 is set. */
{gates}
"""


def link_include(board: Board) -> str:
    """Text of the include for *board*."""
    facts = spec()["abi"]
    gate = board.bootloader.address + facts["gate_offset"]
    gates = "\n".join(
        f"{name} = {gate + number * facts['gate_stride'] + 1:#010x};" for number, name in enumerate(facts["gates"])
    )
    return _TEXT.format(
        board=board.name,
        prefix="STM32_SECURE_PATCHING_BOOTLOADER_",
        vector_size=board.vector_size,
        slot0_start=board.slot0.address,
        slot0_end=board.slot0.end - 1,
        ram_start=board.ram.end,
        ram_top=board.ram_top,
        gates=gates,
    )
