"""Clock trees of STM32G4 and L4+, whose voltage range 1 has a boost mode, and the step on the way above 80 MHz."""

from __future__ import annotations

from typing import ClassVar, Final

from spboot.twin.clock.pll import RccPll
from spboot.twin.power.l4 import PwrL4
from spboot.twin.timeline import PS_PER_US

_STEP_HZ: Final = 80_000_000


class BoostedRcc(RccPll, like="rcc_l4"):
    """Base of them.  Between a slow clock and one above 80 MHz HPRE divides, for 1 us at least (RM0440 7.2.7, RM0432
    5.1.8)."""

    STATE: ClassVar[tuple[str, ...]] = (*RccPll.STATE, "_source", "_switched_at")
    NORMAL_HZ: ClassVar[int]
    """The fastest clock without the boost,"""
    BOOST_MANUAL: ClassVar[str]
    """where the manual has it,"""
    STEP_MANUAL: ClassVar[str]
    """and the step."""

    def reset(self) -> None:
        super().reset()
        self._source = self.RUNS_FIRST
        self._switched_at = 0

    def leave_stop(self) -> None:
        self._source = self.RUNS_FIRST  # no step of the core under way
        super().leave_stop()

    def set_hclk(self, hclk: int) -> None:
        """HCLK is about to be *hclk* hertz."""
        source, now = self.switched(), self.die.timeline.now
        if source != self._source:
            if max(hclk, self.hclk) > _STEP_HZ and hclk == self.sysclk:
                self.die.forbid(
                    f"HCLK from {self.hclk / 1e6:g} MHz to {hclk / 1e6:g} MHz in one step",
                    f"switch the source with HPRE dividing by 2, wait 1 us, then change HPRE ({self.STEP_MANUAL})",
                )
            self._source, self._switched_at = source, now
        elif hclk > _STEP_HZ and hclk > self.hclk and now < self._switched_at + PS_PER_US:
            self.die.forbid(
                f"HCLK raised to {hclk / 1e6:g} MHz less than 1 us after the source was switched",
                f"wait 1 us first ({self.STEP_MANUAL})",
            )
        super().set_hclk(hclk)

    def check_limits(self) -> None:
        if self.sysclk > self.NORMAL_HZ and self.die.block("PWR", PwrL4).voltage_range() != 0:
            self.die.refuse(
                f"SYSCLK {self.sysclk / 1e6:g} MHz with the regulator in range 1 normal mode",
                f"clear PWR_CR5.R1MODE first ({self.BOOST_MANUAL})",
            )
        super().check_limits()
