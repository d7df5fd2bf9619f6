"""Reset and clock control of STM32G4 (RM0440 chapter 7)."""

from __future__ import annotations

from typing import ClassVar

from spboot.twin.clock.boost import BoostedRcc
from spboot.twin.clock.pll import PllLimits, RccPll


class RccG4(BoostedRcc, ips=("rcc_g4",)):
    """HSI 16 MHz after a reset; the PLL makes at most 170 MHz, 150 without the boost of the regulator."""

    RESET: ClassVar[dict[str, int]] = {
        "CR": 0x500, "ICSCR": 0x40000000, "CFGR": 5, "PLLCFGR": 0x1000, "AHB1ENR": 0x100, "APB1ENR1": 0x400,
        "AHB1SMENR": 0x131F, "AHB2SMENR": 0x50F667F, "AHB3SMENR": 0x101, "APB1SMENR1": 0xD2FECD3F,
        "APB1SMENR2": 0x103, "APB2SMENR": 0x437F801,
    }  # fmt: skip
    START_US: ClassVar[dict[str, int]] = {"HSI": 2, "HSE": 2000, "PLL": 40}
    NORMAL_HZ = 150_000_000
    BOOST_MANUAL = "RM0440 6.1.5"
    STEP_MANUAL = "RM0440 7.2.7"
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
