"""How fast a part may run, and what a new board of it gets: a clock that its internal oscillators reach."""

from __future__ import annotations

from typing import Final

from spboot.chips import Chip

_MHZ: Final = 1_000_000


def clock_limit(chip: Chip) -> int:
    """The highest clock of *chip* in its data sheet, in Hz."""
    return chip.of_family.clock(chip.name).limit_mhz * _MHZ


def usual_clock(chip: Chip) -> int:
    """The clock, in Hz, of a board of *chip* that does not ask for another."""
    return chip.of_family.clock(chip.name).usual_mhz * _MHZ
