"""What is at an address of a chip, and what to do with a file that has bytes for it: for whoever refuses them."""

from __future__ import annotations

from typing import Final, NamedTuple

from spboot.chips import Chip
from spboot.errors import BoardError


class Place(NamedTuple):
    """What is there, in words, and what to do with bytes for it."""

    what: str
    remedy: str


LEAVE_OUT: Final = "leave it out of the file (objcopy --remove-section), and"
_SYSTEM: Final = Place("system memory: option bytes and OTP of the chip", "program it by itself, once")
_REGIONS: Final = (
    (0x1FF0_0000, 0x2000_0000, _SYSTEM),
    (0x4000_0000, 0x6000_0000, Place("peripheral registers", "write them in code")),
    (0x6000_0000, 0x8000_0000, Place("external memory (FMC, QUADSPI, OCTOSPI)", "program that memory by itself")),
    (0x8000_0000, 0xA000_0000, Place("external memory (QUADSPI, OCTOSPI)", "program that memory by itself")),
    (0xC000_0000, 0xE000_0000, Place("external RAM (FMC)", "load it from flash (AT> FLASH in the linker script)")),
    (0xE000_0000, 0x1_0000_0000, Place("registers of the core", "write them in code")),
)
"""Of every STM32 (RM0351 2.2.2, RM0433 2.3.2): first and next address, what is there."""


def place_at(chip: Chip, address: int) -> Place | None:
    """What *address* of *chip* is; None where nothing is that we know."""
    try:
        memory = chip.memory_at(address)
    except BoardError:
        own = ((first, end, _SYSTEM) for first, end in chip.of_family.system_memory)
        found = next((place for first, end, place in (*own, *_REGIONS) if first <= address < end), None)
        return found and found._replace(remedy=f"{LEAVE_OUT} {found.remedy}")
    if memory.kind == "ram":
        return Place(
            f"RAM ({memory.name})",
            "load it from flash (AT> FLASH in the linker script, and the start-up code copies it)",
        )
    if memory.kind == "eeprom":
        return Place(f"data EEPROM ({memory.name})", f"{LEAVE_OUT} program it by itself, or write it in code")
    return Place(f"flash ({memory.name})", f"{LEAVE_OUT} program it by itself")
