"""Power control of STM32G0 (RM0444 chapter 4)."""

from __future__ import annotations

from typing import ClassVar

from spboot.twin.power.l4 import PwrL4


class PwrG0(PwrL4, ips=("pwr_g0",)):
    """STM32G0 (RM0444 4.4.1)."""

    RESET: ClassVar[dict[str, int]] = {"CR1": 0x208, "CR3": 0x8000}
    STOP_2 = False
    WAKE_PINS = ("PA0", "PC13", "PE6", "PA2", "PC5", "PB5")
    MANUAL = "RM0444 4.4.1"
    SR2 = 1 << 7
