"""Instruction cache of STM32L5 (RM0438, chapter on ICACHE) and U5, kept as rules, not as contents.

It stands before all that the core reads at the addresses of flash, data as well, and stores pass it by: what an erase
or a program changed is read as it was, until the cache is emptied.  The twin reads as if there were none, and refuses
to go on with one that is on and may hold what flash no longer does."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.memory.cells import Watcher

_EN, _CACHEINV, _WAYSEL = 1 << 0, 1 << 1, 1 << 2
_BUSYF, _BSYENDF, _ERRF = 1 << 0, 1 << 1, 1 << 2
EMPTYING: Final = 256
"""HCLK cycles until it is empty: one for each set of 8 KB in two ways.  The manual has no number."""


class Icache(Block, Watcher, ips=("icache_v1_3crr", "icache_v1_4crr")):
    """The block.  A reset and turning it off empty it, as CACHEINV does; turned on meanwhile it is passed by until
    then."""

    RESET: ClassVar[dict[str, int]] = {"CR": _WAYSEL}
    READ_ONLY = frozenset({"SR", "HMONR", "MMONR"})
    STATE = ("_busy_until", "_filled", "_stale")

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        die.flash.watchers.append(self)
        die.timeline.on("ICACHE", lambda _when: None)  # who polls BUSYF is asleep until then

    def reset(self) -> None:
        super().reset()
        self._empty()

    def _empty(self) -> None:
        self._filled = self._stale = False
        self.registers["SR"] |= _BSYENDF  # as soon as it is done
        self._busy_until = self.die.timeline.now + EMPTYING * self.die.timeline.cycle_ps
        self.die.timeline.at("ICACHE", self._busy_until)

    @property
    def _busy(self) -> bool:
        return self.die.timeline.now < self._busy_until

    def read_SR(self) -> int:
        return self.registers["SR"] & ~_BSYENDF | _BUSYF if self._busy else self.registers["SR"]

    def write_FCR(self, value: int) -> None:
        self.registers["SR"] &= ~(value & (_BSYENDF | _ERRF))

    def write_IER(self, value: int) -> None:
        if value:
            self.die.refuse("ICACHE_IER was set", "the twin does not model interrupts of the cache")

    def write_CR(self, value: int) -> None:
        old = self.registers["CR"]
        if (value ^ old) & _WAYSEL and old & _EN:
            self.die.forbid("ICACHE_CR.WAYSEL changed while the cache is on", "clear EN first; it is ignored")
            value = value & ~_WAYSEL | old & _WAYSEL
        self.registers["CR"] = value & self.masks["CR"] & ~_CACHEINV
        if value & _CACHEINV or old & ~value & _EN:
            self._empty()
        self._filled |= bool(value & _EN)

    # flash

    def flash_erased(self, _address: int, _size: int) -> None:
        self._stale |= self._filled

    def flash_programmed(self, _address: int, _size: int) -> None:
        self._stale |= self._filled

    def stored(self) -> None:
        """A store to an address it caches: an error, of which only the flag tells."""
        if self.registers["CR"] & _EN:
            self.registers["SR"] |= _ERRF

    def check(self) -> None:
        """A flash operation is over."""
        if self._stale and self.registers["CR"] & _EN:
            self.die.forbid(
                "flash was changed with ICACHE on: it may hold what stood there before",
                "clear ICACHE_CR.EN before, set it after (RM0438, ICACHE)",
            )
