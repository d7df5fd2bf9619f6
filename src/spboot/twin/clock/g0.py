"""Reset and clock control of STM32G0 (RM0444 chapter 5)."""

from __future__ import annotations

from typing import ClassVar

from spboot.twin.clock.pll import PllLimits, RccPll


class RccG0(RccPll, ips=("rcc_g0x0",)):
    """HSI 16 MHz after a reset; the PLL makes at most 64 MHz."""

    RESET: ClassVar[dict[str, int]] = {"CR": 0x500, "ICSCR": 0x4000, "PLLCFGR": 0x1000, "AHBENR": 0x100}
    START_US: ClassVar[dict[str, int]] = {"HSI": 2, "HSE": 2000, "PLL": 40}
    SOURCES = ("HSI", "HSE", "PLL", "LSI", "LSE")
    CAUSES: ClassVar[dict[str, str]] = {**RccPll.CAUSES, "por": "PWRRSTF"}
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {**RccPll.CHOICES, "RNG": ("", "HSI", "SYSCLK", "PLLQ")}
    PLL = PllLimits(n=(8, 86), least_r=1, input_mhz=(2.66, 16), vco_mhz=(96, 344), output_mhz=64, manual="RM0444 5.4.4")

    def chosen_hz(self, name: str, bus: int) -> int:
        """RNGDIV divides the clock of RNG by 1, 2, 4 or 8 (RM0444 5.4.21)."""
        return super().chosen_hz(name, bus) >> (self.field("CCIPR", "RNGDIV") if name == "RNG" else 0)

    def pll_source(self) -> str:
        return ("", "", "HSI", "HSE")[self.field("PLLCFGR", "PLLSRC")]

    def hertz(self, name: str) -> int:
        if name == "HSI":
            return self.HSI_HZ >> (self.field("CR", "HSIDIV") if self.switched() == "HSI" else 0)
        if name in ("LSI", "LSE"):
            return self.LSI_HZ
        return self.hse_hz if name == "HSE" else round(self.pll()[2])


class RccG0x1(RccG0, ips=("rcc_g0x1",)):
    """Of STM32G0B1 and its kin, with an oscillator more (RM0444 5.4.1)."""

    START_US: ClassVar[dict[str, int]] = {**RccG0.START_US, "HSI48": 6}
