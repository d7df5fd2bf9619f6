"""Power control of STM32L5 (RM0438 chapter 8)."""

from __future__ import annotations

from typing import ClassVar

from spboot.twin.power.l4 import PwrL4


class PwrL5(PwrL4, ips=("pwr_l5",)):
    """STM32L5 (RM0438 8.6.1): three ranges, range 2 after a reset; SR1 bit 15 says that the SMPS is ready."""

    RESET: ClassVar[dict[str, int]] = {"CR1": 0x400, "CR3": 0x8000}
    RANGES = (0, 1, 2)
    MANUAL = "RM0438 8.6.1"
    SR1 = 1 << 15
