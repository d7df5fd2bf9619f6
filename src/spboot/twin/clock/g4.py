"""Reset and clock control of STM32G4 (RM0440 chapter 7)."""

from __future__ import annotations

from typing import ClassVar, Final

from spboot.twin.clock.pll import PllLimits, RccPll
from spboot.twin.power.g4 import PwrG4
from spboot.twin.timeline import PS_PER_US

_STEP_HZ: Final = 80_000_000
_NORMAL_HZ: Final = 150_000_000


class RccG4(RccPll, ips=("rcc_g4",)):
    """HSI 16 MHz after a reset; the PLL makes at most 170 MHz, 150 without the boost of the regulator."""

    RESET: ClassVar[dict[str, int]] = {
        "CR": 0x500, "ICSCR": 0x40000000, "CFGR": 5, "PLLCFGR": 0x1000, "AHB1ENR": 0x100, "APB1ENR1": 0x400,
        "AHB1SMENR": 0x131F, "AHB2SMENR": 0x50F667F, "AHB3SMENR": 0x101, "APB1SMENR1": 0xD2FECD3F,
        "APB1SMENR2": 0x103, "APB2SMENR": 0x437F801,
    }  # fmt: skip
    START_US: ClassVar[dict[str, int]] = {"HSI": 2, "HSE": 2000, "PLL": 40}
    STATE: ClassVar[tuple[str, ...]] = (*RccPll.STATE, "_source", "_switched_at")
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {**RccPll.CHOICES, "RNG": ("HSI48", "", "PLLQ")}
    SOURCES = ("", "HSI", "HSE", "PLL")
    PLL = PllLimits(
        n=(8, 127),
        input_mhz=(2.66, 16),
        vco_mhz=(96, 344),
        output_mhz=170,
        r_step=2,
        manual="RM0440 7.4.4, DS12288 PLL",
    )

    def reset(self) -> None:
        super().reset()
        self._source = self.RUNS_FIRST
        self._switched_at = 0

    def leave_stop(self) -> None:
        self._source = self.RUNS_FIRST  # no step of the core under way
        super().leave_stop()

    def pll_source(self) -> str:
        return ("", "", "HSI", "HSE")[self.field("PLLCFGR", "PLLSRC")]

    def hertz(self, name: str) -> int:
        if name == "HSI":
            return self.HSI_HZ
        if name in ("LSI", "LSE"):
            return self.LSI_HZ
        return self.hse_hz if name == "HSE" else round(self.pll()[2])

    def update(self) -> None:
        if not self.SOURCES[self.field("CFGR", "SW")]:
            self.die.refuse("RCC_CFGR.SW = 0", "choose 1, 2 or 3 (RM0440 7.4.3)")
        super().update()

    def set_hclk(self, hclk: int) -> None:
        """Between a slow clock and one above 80 MHz HPRE divides, for 1 us at least (RM0440 7.2.7)."""
        source, now = self.switched(), self.die.timeline.now
        if source != self._source:
            if max(hclk, self.hclk) > _STEP_HZ and hclk == self.sysclk:
                self.die.forbid(
                    f"HCLK from {self.hclk / 1e6:g} MHz to {hclk / 1e6:g} MHz in one step",
                    "switch the source with HPRE dividing by 2, wait 1 us, then change HPRE (RM0440 7.2.7)",
                )
            self._source, self._switched_at = source, now
        elif hclk > _STEP_HZ and hclk > self.hclk and now < self._switched_at + PS_PER_US:
            self.die.forbid(
                f"HCLK raised to {hclk / 1e6:g} MHz less than 1 us after the source was switched",
                "wait 1 us first (RM0440 7.2.7)",
            )
        super().set_hclk(hclk)

    def check_limits(self) -> None:
        """Table 38: above 150 MHz in boost mode only; table 50: range 2 ends at 26 MHz."""
        if self.sysclk > _NORMAL_HZ and self.die.block("PWR", PwrG4).voltage_range() != 0:
            self.die.refuse(
                f"SYSCLK {self.sysclk / 1e6:g} MHz with the regulator in range 1 normal mode",
                "clear PWR_CR5.R1MODE first (RM0440 6.1.5)",
            )
        super().check_limits()
