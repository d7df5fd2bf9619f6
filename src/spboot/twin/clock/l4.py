"""Reset and clock control of STM32L4 (RM0351 chapter 6) and L4+ (RM0432 chapter 6)."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from spboot.twin.clock.boost import BoostedRcc
from spboot.twin.clock.msi import MsiRcc
from spboot.twin.clock.pll import PllLimits


class RccL4(MsiRcc, ips=("rcc_l4",)):
    """At most 80 MHz, PLLN to 86; the PLLs of SAI start, but feed nothing here."""

    RESET: ClassVar[dict[str, int]] = {
        "CR": 0x63, "ICSCR": 0x10000000, "PLLCFGR": 0x1000, "PLLSAI1CFGR": 0x1000, "PLLSAI2CFGR": 0x1000,
        "AHB1ENR": 0x100, "CSR": 0x600, "AHB1SMENR": 0x11303, "AHB2SMENR": 0x532FF, "AHB3SMENR": 0x101,
        "APB1SMENR1": 0xF2FECA3F, "APB1SMENR2": 0x25, "APB2SMENR": 0x1677C01,
    }  # fmt: skip
    START_US: ClassVar[dict[str, int]] = {"MSI": 10, "HSI": 2, "HSE": 2000, "PLL": 40, "PLLSAI1": 40, "PLLSAI2": 40}
    PLL: ClassVar[PllLimits] = PllLimits(
        n=(8, 86), r_step=2, input_mhz=(4, 16), vco_mhz=(64, 344), output_mhz=80, manual="RM0351 6.4.4"
    )


class RccL4Plus(BoostedRcc, RccL4, ips=("rcc_l4plus",)):
    """PLLN to 127, and 120 MHz in boost mode."""

    PLL = replace(RccL4.PLL, n=(8, 127), output_mhz=120, manual="RM0432 6.4.4")
    MEMORY: ClassVar[dict[str, tuple[str, ...]]] = {"OCTOSPISEL": ("SYSCLK", "MSI", "PLLQ", "")}  # RM0432 RCC_CCIPR2
    NORMAL_HZ = 80_000_000
    BOOST_MANUAL = "RM0432 5.1.8"
    STEP_MANUAL = "RM0432 5.1.8"
