"""How fast a part may run, and what a new board of it gets: a clock that its internal oscillators reach."""

from __future__ import annotations

import fnmatch
from typing import Final

from spboot.chips import Chip
from spboot.errors import BoardError

_MHZ: Final = 1_000_000

_CLOCKS: Final = (
    ("STM32F401*", 84, 84),
    ("STM32F41[0-3]*", 100, 100),
    ("STM32F423*", 100, 100),
    ("STM32F4[01][57]*", 168, 168),
    ("STM32F4*", 180, 168),
    ("STM32F7*", 216, 216),
    ("STM32G0*", 64, 64),
    ("STM32G4*", 170, 170),
    ("STM32H7[AB]*", 280, 200),
    ("STM32H7[23]*", 550, 400),
    ("STM32H7*", 480, 400),
    ("STM32L0*", 32, 32),
    ("STM32L4[PQRS]*", 120, 80),
    ("STM32L4*", 80, 80),
    ("STM32L5*", 110, 110),
    ("STM32WL*", 48, 48),
)
"""Parts, the limit of their data sheets and the clock of a new board, in MHz.  More needs over-drive on STM32F42x and
later, a voltage scale that not every supply allows on STM32H7, boost mode on STM32L4+."""


def _clocks(chip: Chip) -> tuple[int, int]:
    for pattern, limit, usual in _CLOCKS:
        if fnmatch.fnmatchcase(chip.name, pattern):
            return limit * _MHZ, usual * _MHZ
    raise BoardError(f"{chip.name}: its clocks are not known; add its family to boards/clocks.py")


def clock_limit(chip: Chip) -> int:
    """The highest clock of *chip*, in Hz."""
    return _clocks(chip)[0]


def usual_clock(chip: Chip) -> int:
    """The clock, in Hz, of a board of *chip* that does not ask for another."""
    return _clocks(chip)[1]
