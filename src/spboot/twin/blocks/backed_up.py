"""What blocks in the backup domain have in common (RM0351 38.3.8, 6.4.29)."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die

_CAN_GATE: Final = frozenset({"STM32G0", "STM32L5", "STM32U5", "STM32H5"})
"""Families where the registers have a clock that is off after a reset; elsewhere it is on, or there is no such bit."""


class BackedUp(Block):
    """Base of them.  A power-on and the reset of the domain reset it, no other reset and no Standby does; its registers
    have the clock of the RTC, and are written while PWR says so."""

    STATE: ClassVar[tuple[str, ...]] = ("fresh",)

    def __init__(self, die: Die, facts: Facts) -> None:
        gate = die.chip.block("RTC").enable if die.chip.family in _CAN_GATE else None
        super().__init__(die, replace(facts, enable=gate))
        self.fresh = True
        """Whether the next reset is one that resets it."""

    def power_on(self) -> None:
        self.fresh = True

    def reset(self) -> None:
        if self.fresh:
            super().reset()
        self.fresh = False

    def lose_supply(self) -> None:
        """Standby leaves it alone."""

    def may_write(self, offset: int) -> bool:
        """Whether the register at *offset* takes a write; told where it does not."""
        lock, name = self.die.rcc.BACKUP_LOCK, self.names.get(offset & ~3, "")
        if self.die.block("PWR", Block).field(lock, "DBP"):
            return True
        self.die.forbid(f"{self.name}_{name} written while PWR_{lock}.DBP is clear", "set DBP first; it is ignored")
        return False
