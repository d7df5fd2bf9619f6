"""Power control of STM32WL (RM0453 chapter 6)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar

from spboot.twin.power.l4 import PwrL4


class PwrWl(PwrL4, ips=("pwr_wl5",)):
    """STM32WL (RM0453 6.6.1)."""

    RESET: ClassVar[dict[str, int]] = {"CR1": 0x200, "CR3": 0x8000}
    MANUAL = "RM0453 6.6.1"
    SR2 = 1 << 7 | 1 << 8
    WAKE_PINS = ("PA0", "PC13", "PB3")
    STANDBY = ("EXTSCR", "C1SBF", "")
    CLEAR = ("EXTSCR", "C1CSSF", "")

    def read_EXTSCR(self) -> int:
        flag = "C1STOP2F" if self.field("CR1", "LPMS") == 2 else "C1STOPF"
        return self.sbf("EXTSCR") | (self.mask("EXTSCR", flag) if self.stop_flag else 0)

    def write_EXTSCR(self, value: int) -> None:
        self._clear("EXTSCR", value)
        if value & self.mask("EXTSCR", "C1CSSF"):
            self.stop_flag = False
