"""Reset and clock control of STM32F7 (RM0410 5, RM0385 5)."""

from __future__ import annotations

from typing import ClassVar

from spboot.twin.clock.backup import LSE_HZ
from spboot.twin.clock.f4 import RccF4


class RccF7(RccF4, ips=("rcc_f7",)):
    """DCKCFGR2 selects the clock of each UART (RM0410 5.3.26)."""

    RESET: ClassVar[dict[str, int]] = {
        "CR": 0x83, "PLLCFGR": 0x24003010, "AHB1ENR": 0x00100000, "AHB1LPENR": 0x7EF7B7FF, "AHB2LPENR": 0xF1,
        "AHB3LPENR": 3, "APB1LPENR": 0xFFFFCBFF, "APB2LPENR": 0x04F77F33, "PLLI2SCFGR": 0x24003000,
        "PLLSAICFGR": 0x24003000,
    }  # fmt: skip

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {**RccF4.CHOICES, "LPTIM": ("PCLK", "LSI", "HSI", "LSE")}

    def apb_mhz(self) -> tuple[int, int]:
        return (54, 108) if self.pwr.over_drive else (45, 90)

    def kernel(self, field: str, bus: int) -> int:
        choice = self.field("DCKCFGR2", field) if field in self.fields["DCKCFGR2"] else 0
        if choice == 2:
            return self.HSI_HZ if self.ready("HSI") else 0
        if choice == 3:
            return LSE_HZ if self.lse_ready() else 0
        return self.sysclk if choice == 1 else self.pclk(bus)
