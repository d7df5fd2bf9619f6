"""Reset and clock control of STM32L5 (RM0438 chapter 9)."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from spboot.twin.clock.l4 import RccL4


class RccL5(RccL4, ips=("rcc_l5",)):
    """At most 110 MHz."""

    RESET: ClassVar[dict[str, int]] = {
        "CR": 0x63, "ICSCR": 0x10000000, "PLLCFGR": 0x1000, "PLLSAI1CFGR": 0x1000, "PLLSAI2CFGR": 0x1000,
        "AHB1ENR": 0x100, "CSR": 0x600,
    }  # fmt: skip
    PLL = replace(RccL4.PLL, n=(8, 127), output_mhz=110, manual="RM0438 9.8.4")
