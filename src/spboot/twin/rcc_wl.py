"""Reset and clock control of STM32WL, CPU1's side (RM0453 chapter 7, RM0461 chapter 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from spboot.chips import Block as Facts
from spboot.twin.rcc_l4 import MsiRcc

if TYPE_CHECKING:
    from spboot.twin.machine import Twin


class RccWl(MsiRcc):
    """MSI 4 MHz after a reset, at most 48 MHz."""

    RESET: ClassVar[dict[str, int]] = {
        "CR": 0x61, "ICSCR": 0x40B00000, "CFGR": 0x70000, "PLLCFGR": 0x22041000, "CSR": 0x600, "EXTCFGR": 0x30000,
        "AHB3ENR": 0x2080000,
    }  # fmt: skip
    START_US: ClassVar[dict[str, int]] = {"MSI": 10, "HSI": 2, "HSE": 2000, "PLL": 40}

    def __init__(self, twin: Twin, facts: Facts) -> None:
        super().__init__(twin, facts)
        self.hse_hz = 32_000_000

    def pll(self) -> tuple[float, float, float]:
        source = self.pll_source()
        into = (self.hertz(source) if source else 0) / (self.field("PLLCFGR", "PLLM") + 1)
        vco = into * self.field("PLLCFGR", "PLLN")
        return into, vco, vco / (self.field("PLLCFGR", "PLLR") + 1)

    def check_factors(self) -> None:
        into, vco, out = self.pll()
        factor, division = self.field("PLLCFGR", "PLLN"), self.field("PLLCFGR", "PLLR")
        if not (6 <= factor <= 127 and division and 2.66e6 <= into <= 16e6 and 96e6 <= vco <= 344e6 and out <= 48e6):
            raise self.refuse_pll(
                "N 6..127, R at least 1, input 2.66..16, VCO 96..344, output at most 48 MHz (RM0453 7.4.4)"
            )
