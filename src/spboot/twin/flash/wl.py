"""Flash controller of STM32WL (RM0453 chapter 4, RM0461 chapter 3)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar

from spboot.twin.flash.caches import FlashCaches
from spboot.twin.flash.ecc import FlashEcc


class FlashWl(FlashEcc, ips=("flash_wl",)):
    """STM32WL, as CPU1 sees it (RM0453 chapter 4, RM0461 chapter 3): one bank."""

    RESET: ClassVar[dict[str, int]] = {
        "ACR": 0x600, "CR": 0xC0000000, "OPTR": 0x3FFFF0AA, "WRP1AR": 0xFF80FFFF, "WRP1BR": 0xFF80FFFF,
        "PCROP1ASR": 0x1FF, "PCROP1BSR": 0x1FF, "C2ACR": 0x600, "C2CR": 0xC0000000,
    }  # fmt: skip
    OPTIONS = ("OPTR", "PCROP1ASR", "PCROP1AER", "WRP1AR", "WRP1BR", "PCROP1BSR", "PCROP1BER")
    LATENCY_MHZ: ClassVar[dict[int, tuple[int, ...]]] = {1: (18, 36, 48), 2: (6, 12, 16)}
    LATENCY_SOURCE = "RM0453 table 15"
    PCROP = ("A", "B")
    PCROP_UNIT = 1024  # RM0453 4.6.2
    CACHES = FlashCaches.CODE_AND_DATA
    MANUAL = "RM0453"

    def busy_flags(self) -> int:
        """CFGBSY also stands between the words of a double word (RM0453 4.10.5)."""
        flags = self.mask("SR", "CFGBSY") if self.busy or self._half_stored() else 0
        return flags | (self.mask("SR", "BSY") if self.busy else 0) | self._suspended()

    def _suspended(self) -> int:
        """PESD, while either core asks for it by PES (RM0453 4.3.6)."""
        asked = self.field("ACR", "PES") or self.field("C2ACR", "PES")
        return self.mask("SR", "PESD") if asked else 0

    def write_CR(self, value: int) -> None:
        if value & (self._modes[0] | self._control(self.START)) and self._suspended():
            self.die.refuse(
                "flash operation while PESD is set", "clear FLASH_ACR.PES, or wait for the other core (RM0453 4.3.6)"
            )
        if self._first is not None:
            self.die.refuse("FLASH_CR written while CFGBSY is set", "store the second word (RM0453, FLASH_CR)")
        super().write_CR(value)
