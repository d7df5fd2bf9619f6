"""Flash controller of STM32L4 (RM0351, RM0394 chapter 3) and L4+ (RM0432 chapter 3)."""

from __future__ import annotations

from typing import ClassVar

from spboot.chips import Block as Facts
from spboot.twin.die import Die
from spboot.twin.flash.caches import FlashCaches
from spboot.twin.flash.ecc import FlashEcc

_WRP: dict[str, int] = {"WRP1AR": 0xFF00FFFF, "WRP1BR": 0xFF00FFFF}
_DBANK = 1 << 22


class FlashL4(FlashEcc, ips=("flash_l4",)):
    """STM32L4 (RM0351, RM0394 chapter 3) and L4+ (RM0432 chapter 3): pages of 2 KB in one bank or two, on L4+ of
    4 KB in two banks (option DBANK) or of 8 KB in one."""

    ECC = True

    RESET: ClassVar[dict[str, int]] = {
        "ACR": 0x600, "CR": 0xC0000000, "OPTR": 0xFFEFF8AA, "PCROP1SR": 0xFFFFFFFF, "PCROP1ER": 0x0FFF0000,
        **_WRP, "PCROP2SR": 0xFFFFFFFF, "PCROP2ER": 0xFFFF0000, "WRP2AR": 0xFF00FFFF, "WRP2BR": 0xFF00FFFF,
    }  # fmt: skip
    OPTIONS = (
        "OPTR", "PCROP1SR", "PCROP1ER", "WRP1AR", "WRP1BR", "PCROP2SR", "PCROP2ER", "WRP2AR", "WRP2BR",
    )  # fmt: skip
    START = "START"
    MASS = ("MER0", "MER1")
    LATENCY_MHZ: ClassVar[dict[int, tuple[int, ...]]] = {1: (16, 32, 48, 64, 80), 2: (6, 12, 18, 26)}
    LATENCY_SOURCE = "RM0351 3.3.3"
    CACHES = FlashCaches.CODE_AND_DATA
    PCROP = ("",)

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        if die.chip.family == "STM32L4+":
            self.fields["OPTR"] = {**self.fields["OPTR"], "DBANK": (22, 1)}  # RM0432 3.7.8; STM32L4 has none
            self.masks["OPTR"] |= _DBANK
            self.TWO_IN_ONE = True
            self.PCROP_UNIT = 16 if die.flash.banks == 1 else 8  # RM0432 3.5.2
            self.LATENCY_MHZ = {0: (20, 40, 60, 80, 100, 120), 1: (20, 40, 60, 80, 80, 80), 2: (8, 16, 26)}  # type: ignore[misc]
            self.LATENCY_SOURCE = "RM0432, read access latency"  # type: ignore[misc]
            if die.flash.banks == 1:
                self.options["OPTR"] &= ~_DBANK
