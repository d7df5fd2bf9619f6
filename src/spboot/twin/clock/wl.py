"""Reset and clock control of STM32WL, CPU1's side (RM0453 chapter 7, RM0461 chapter 6)."""

from __future__ import annotations

from typing import ClassVar

from spboot.chips import Block as Facts
from spboot.twin.clock.msi import MsiRcc
from spboot.twin.clock.pll import PllLimits
from spboot.twin.die import Die


class RccWl(MsiRcc, ips=("rcc_wl5", "rcc_wle")):
    """MSI 4 MHz after a reset, at most 48 MHz."""

    RESET: ClassVar[dict[str, int]] = {
        "CR": 0x61, "ICSCR": 0x40B00000, "CFGR": 0x70000, "PLLCFGR": 0x22041000, "CSR": 0x600, "EXTCFGR": 0x30000,
        "AHB3ENR": 0x2080000,
    }  # fmt: skip
    START_US: ClassVar[dict[str, int]] = {"MSI": 10, "HSI": 2, "HSE": 2000, "PLL": 40}
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {**MsiRcc.CHOICES, "RNG": ("PLLQ", "LSI", "LSE", "MSI")}
    PLL = PllLimits(
        n=(6, 127), least_r=1, input_mhz=(2.66, 16), vco_mhz=(96, 344), output_mhz=48, manual="RM0453 7.4.4"
    )

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self.hse_hz = 32_000_000
