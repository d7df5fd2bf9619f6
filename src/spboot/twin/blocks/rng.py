"""Random numbers: one word after 42 cycles of the RNG clock (RM0351 27, RM0401 13), or four at once (RM0440 26, RM0453
22).  What comes follows from the twin's seed, whatever was reset in between."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

import hashlib
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.timeline import PS_PER_S

_RNGEN, _IE, _CED = 1 << 2, 1 << 3, 1 << 5
_DRDY, _CECS, _SECS, _CEIS, _SEIS = 1, 1 << 1, 1 << 2, 1 << 5, 1 << 6
_CONDRST, _CONFIGLOCK = 1 << 30, 1 << 31
_CONFIG: Final = 0x3FFFFFF0
"""Fields that take a new value only together with CONDRST."""
_SETS_OF_FOUR: Final = frozenset({"STM32G0", "STM32G4", "STM32H7", "STM32L4+"})
"""Families whose version 1 has the conditioning stage that makes four words of 128 bits."""


class Rng(Block, ips=("rng_v1",)):
    """The clock is checked unless CED is set: one below a part of the AHB clock is an error, and none comes."""

    READ_ONLY = frozenset({"DR"})
    CONSUMING = frozenset({8})
    STATE: ClassVar[tuple[str, ...]] = ("_left", "_due", "_drawn", "_failed")

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self._drawn = 0
        """Words that came so far, over all resets."""
        die.timeline.on(self.name, lambda _when: self._update())

    def reset(self) -> None:
        super().reset()
        self._left = 0
        """Words that can be read,"""
        self._due: int | None = None
        """and when the next ones are there, while they are being made."""
        self._failed = False
        self.die.timeline.cancel(self.name)
        self.line("RNG", False)

    # how long it takes

    def _sets(self) -> bool:
        return self.die.chip.family in _SETS_OF_FOUR

    def _words(self) -> int:
        """How many come at once."""
        return 4 if self._sets() else 1

    def _spans(self, clock: int, bus: int) -> tuple[int, int]:
        """Picoseconds to the first words after RNGEN was set, and from then on (RM0401 13.6, RM0440 26.5)."""
        if not self._sets():
            return 46 * PS_PER_S // clock, 42 * PS_PER_S // clock
        raw, rounds = (128, 426) if bus * 64 < 213 * clock else (192, 213)
        first = raw * PS_PER_S // clock + rounds * PS_PER_S // bus
        return first, max(16 * PS_PER_S // clock, 213 * PS_PER_S // bus)

    def _least(self) -> int:
        """The RNG clock must be above the AHB clock divided by this (RM0351 27.3.6, RM0440 26.3.6)."""
        return 32 if self._sets() else 16

    def _clock(self) -> int:
        return self.die.rcc.chosen_hz("RNG", 2)

    # what happens

    def _works(self) -> bool:
        """Whether it makes words now."""
        on = self.registers["CR"] & _RNGEN and not self.registers["CR"] & _CONDRST
        return bool(on and self.clocked and not self._failed and not self.registers["SR"] & _CECS and self._clock())

    def clocks_changed(self) -> None:
        if self.registers["CR"] & _RNGEN:
            self._update()

    def _update(self, *, first: bool = False) -> None:
        """Follow the clock and the time; *first*: RNGEN was just set."""
        now = self.die.timeline.now
        self._check_clock()
        if self._due is not None and now >= self._due:
            self._left, self._due = self._words(), None
        if not self._works():
            self._due = None
            self.die.timeline.cancel(self.name)
        elif self._due is None and not self._left:
            spans = self._spans(self._clock(), self.die.rcc.flash_hz)
            self._due = now + spans[0 if first else 1]
            self.die.timeline.at(self.name, self._due)
        status = self.registers["SR"]
        self.line("RNG", bool(self.registers["CR"] & _IE and (self._left or status & (_CEIS | _SEIS))))

    def _check_clock(self) -> None:
        """CECS follows the clock, CEIS stays until 0 is written (RM0351 27.3.7)."""
        checked = self.registers["CR"] & _RNGEN and not self.registers["CR"] & _CED
        if checked and self._clock() * self._least() < self.die.rcc.flash_hz:
            self.registers["SR"] |= _CECS | _CEIS
        else:
            self.registers["SR"] &= ~_CECS

    def fail(self) -> None:
        """The noise source fails its test: SECS and SEIS are set, and no words come until it is started anew."""
        self._failed, self._left = True, 0
        self.registers["SR"] |= _SECS | _SEIS
        self._update()

    def _start(self) -> None:
        self._failed, self._due = False, None
        self.registers["SR"] &= ~_SECS

    # registers

    def write_CR(self, value: int) -> None:
        """RNGEN starts it, and after an error again (RM0351 27.3.7, 27.8.1)."""
        started = value & _RNGEN and not self.registers["CR"] & _RNGEN
        self.registers["CR"] = value & self.masks["CR"]
        if started:
            self._start()
        self._update(first=bool(started))

    def read_SR(self) -> int:
        self._update()
        return self.registers["SR"] | (_DRDY if self._left else 0)

    def write_SR(self, value: int) -> None:
        """CEIS and SEIS go away by writing 0 (RM0351 27.8.2)."""
        self.registers["SR"] &= value | ~(_CEIS | _SEIS)
        self._update()

    def read_DR(self) -> int:
        """0 while DRDY is 0 (RM0430 16.3.5)."""
        self._update()
        if not self._left:
            return 0
        self._left -= 1
        self._drawn += 1
        self._update()
        digest = hashlib.sha256(f"{self.die.seed} {self.name} {self._drawn}".encode()).digest()
        return int.from_bytes(digest[:4], "little") or 1


class RngConditioned(Rng, ips=("rng_v2",)):
    """Four words at once, configured together with a reset of the conditioning stage (RM0453 22)."""

    RESET: ClassVar[dict[str, int]] = {"CR": 0x00800D00, "HTCR": 0x72AC}

    def _sets(self) -> bool:
        return True

    def _spans(self, clock: int, bus: int) -> tuple[int, int]:
        """RM0453 22.5; the first words take 16 cycles, three sets for the start-up tests, and their own (22.3.4)."""
        clock = max(clock >> self.field("CR", "CLKDIV"), 1)
        each = 412 * PS_PER_S // bus if 10 * bus < 16 * clock else 256 * PS_PER_S // clock
        return 16 * PS_PER_S // clock + 4 * each, each

    def write_CR(self, value: int) -> None:
        """Configuration together with CONDRST alone, and not after CONFIGLOCK; CONDRST clears words and flags."""
        old = self.registers["CR"]
        if old & _CONFIGLOCK or not value & _CONDRST:
            value = value & ~_CONFIG | old & _CONFIG
        value |= old & _CONFIGLOCK
        if value & _CONDRST:
            self._left, self._due, self._failed = 0, None, False
            self.registers["SR"] = 0
        elif old & _CONDRST and old & _RNGEN:
            self.registers["CR"] = old & ~_RNGEN  # it begins anew
        super().write_CR(value)


class RngSources(RngConditioned, ips=("rng_v3",)):
    """Its noise sources can be chosen (RM0456 48.7.4); what comes is the same."""

    REGISTERS: ClassVar[dict[str, int]] = {"NSCR": 0x0C}

    def reset(self) -> None:
        super().reset()
        self.registers["NSCR"] = 0x3FFFF

    def write_NSCR(self, value: int) -> None:
        """It counts together with CONDRST, and not after CONFIGLOCK."""
        if self.registers["CR"] & (_CONDRST | _CONFIGLOCK) == _CONDRST:
            self.registers["NSCR"] = value & 0x3FFFF
