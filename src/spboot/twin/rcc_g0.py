"""Reset and clock control of STM32G0 (RM0444 chapter 5)."""

from __future__ import annotations

from typing import ClassVar

from spboot.twin.rcc_low import RccLow


class RccG0(RccLow):
    """HSI 16 MHz after a reset; the PLL makes at most 64 MHz."""

    RESET: ClassVar[dict[str, int]] = {"CR": 0x500, "ICSCR": 0x4000, "PLLCFGR": 0x1000, "AHBENR": 0x100}
    START_US: ClassVar[dict[str, int]] = {"HSI": 2, "HSE": 2000, "PLL": 40}
    SOURCES = ("HSI", "HSE", "PLL", "LSI", "LSE")
    CAUSES: ClassVar[dict[str, str]] = {**RccLow.CAUSES, "por": "PWRRSTF"}

    def pll_source(self) -> str:
        return ("", "", "HSI", "HSE")[self.field("PLLCFGR", "PLLSRC")]

    def pll(self) -> tuple[float, float, float]:
        source = self.pll_source()
        into = (self.hertz(source) if source else 0) / (self.field("PLLCFGR", "PLLM") + 1)
        vco = into * self.field("PLLCFGR", "PLLN")
        return into, vco, vco / (self.field("PLLCFGR", "PLLR") + 1)

    def check_factors(self) -> None:
        into, vco, out = self.pll()
        factor, division = self.field("PLLCFGR", "PLLN"), self.field("PLLCFGR", "PLLR")
        if not (8 <= factor <= 86 and division and 2.66e6 <= into <= 16e6 and 96e6 <= vco <= 344e6 and out <= 64e6):
            raise self.refuse_pll(
                "N 8..86, R at least 1, input 2.66..16, VCO 96..344, output at most 64 MHz (RM0444 5.4.4)"
            )

    def hertz(self, name: str) -> int:
        if name == "HSI":
            return self.HSI_HZ >> (self.field("CR", "HSIDIV") if self.switched() == "HSI" else 0)
        if name in ("LSI", "LSE"):
            return self.LSI_HZ
        return self.hse_hz if name == "HSE" else round(self.pll()[2])
