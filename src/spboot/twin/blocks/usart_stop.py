"""A UART in Stop: it goes on receiving where it may, and wakes the core (RM0351 40.5.18, RM0440 37.5.21)."""

from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.blocks.dma import Requester
from spboot.twin.die import Die

WUF: Final = 1 << 20
_BY_ADDRESS, BY_START_BIT, BY_BYTE = 0, 2, 3
"""What sets WUF, by WUS."""
_STOP_2: Final = 2


class UsartStop(Requester, like="usart_v3"):
    """Base of UARTs: of the flags and enables that have to do with Stop."""

    STATUS: ClassVar[str] = "ISR"
    """The register with the flags,"""
    ENABLE: ClassVar[int] = 1
    """and UE in CR1."""

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self.stays_on = self.mask("CR1", "UESM") if "UESM" in self.fields["CR1"] else 0
        """The bit in CR1 that lets it go on in Stop; 0: it has none."""

    def deaf(self) -> str:
        """Why it does not receive, "" when it does."""
        raise NotImplementedError

    def update_line(self) -> None:
        """Drive the interrupt."""
        raise NotImplementedError

    def oscillator(self) -> str:
        """The oscillator that clocks it, "" where that clock stops in Stop."""
        return self.die.rcc.uart_oscillator(self.facts.clock.partition(".")[2] or f"{self.name}SEL")

    def wakes_by(self) -> int | None:
        """WUS, what sets WUF, where UESM lets it receive in Stop."""
        cr1 = self.registers["CR1"]
        return self.field("CR3", "WUS") if cr1 & self.stays_on and cr1 & self.ENABLE else None

    def runs_in_stop(self) -> bool:
        return self.wakes_by() is not None and bool(self.oscillator())

    def before_stop(self) -> None:
        by, power = self.wakes_by(), self.die.pwr
        if by is None:
            return
        if not self._can_wake():
            self.die.refuse(f"Stop with {self.name}_CR1.UESM set", f"{self.name} cannot end Stop: clear it")
        if not self.oscillator():
            self.die.refuse(
                f"Stop with {self.name}_CR1.UESM set, and a clock that stops",
                "choose HSI, or LSE, as its clock in RCC (RM0351 40.5.18)",
            )
        mode = power.field("CR1", "LPMS") if "LPMS" in power.fields.get("CR1", {}) else 0
        if mode > _STOP_2 or (mode == _STOP_2 and not self.name.startswith("LPUART")):
            self.die.refuse(f"Stop {mode} with {self.name} enabled", f"{self.name} has no clock there: clear UE first")
        if by == _BY_ADDRESS and self.field("CR3", "WUFIE"):
            self.die.refuse(
                f"Stop with {self.name}_CR3.WUS = 0", "the twin does not model wake-up by an address: choose 2 or 3"
            )

    def _can_wake(self) -> bool:
        """It has a line of EXTI; on STM32H5 and U5 every UART can, by its interrupt (RM0481, RM0456)."""
        lines = self.die.chip.of_family.exti.lines
        return self.name in lines or self.die.chip.family in ("STM32H5", "STM32U5")

    def wake(self, by: int) -> None:
        """Set WUF, if that is what ends Stop."""
        if self.wakes_by() == by and self.die.in_stop and not self.deaf():
            self.registers[self.STATUS] |= WUF
            self.update_line()
