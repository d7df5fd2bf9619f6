"""Flash controller of STM32U5 (RM0456 chapter 7)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar

from spboot.twin.flash.l5 import FlashL5
from spboot.twin.memory.ageing import Span
from spboot.twin.timeline import PS_PER_US


class FlashU5(FlashL5, ips=("flash_u5",)):
    """Non-secure side of STM32U5 with TZEN = 0: pages of 8 KB in two banks, quad-words, ICACHE before all of it."""

    RESET: ClassVar[dict[str, int]] = {
        "NSCR": 0xC0000000, "SECCR": 1 << 31, "OPTR": 0x1FEFF8AA, "NSBOOTADD0R": 0x0800007F, "NSBOOTADD1R": 0x0BF9007F,
        "WRP1AR": 0xFF00FFFF, "WRP1BR": 0xFF00FFFF, "WRP2AR": 0xFF00FFFF, "WRP2BR": 0xFF00FFFF,
    }  # fmt: skip
    OPTIONS = ("OPTR", "NSBOOTADD0R", "NSBOOTADD1R", "WRP1AR", "WRP1BR", "WRP2AR", "WRP2BR")
    KEYR, PREFIX = "NSKEYR", ""
    TWO_IN_ONE = False
    LATENCY_MHZ: ClassVar[dict[int, tuple[int, ...]]] = {
        1: (32, 64, 96, 128, 160), 2: (30, 60, 90, 110, 110), 3: (24, 48, 55, 55, 55), 4: (12, 25, 25, 25, 25),
    }  # fmt: skip
    LATENCY_SOURCE = "RM0456 7.3.3"
    PROGRAM = Span(118 * PS_PER_US, 118 * PS_PER_US)
    PAGE_ERASE = Span(1500 * PS_PER_US, 3400 * PS_PER_US)
    """DS14217 table 86, of STM32U535, the longest after 100,000 erases; a bank takes as long as its pages, two banks
    twice as long.  That of STM32U575 (DS13737) was not to be had."""
    BANKS_AT_ONCE = False

    def busy_flags(self) -> int:
        """WDW from the first word of a quad-word until its program begins (RM0456, FLASH_NSSR)."""
        return super().busy_flags() | (self.mask("NSSR", "WDW") if self._half_stored() else 0)

    def write_ACR(self, value: int) -> None:
        if value & ~(self.mask("ACR", "LATENCY") | self.mask("ACR", "PRFTEN")):
            self.die.refuse(f"FLASH_ACR = {value:#x}", "the twin models neither LPM nor the power-down of a bank")
        super().write_ACR(value)

    def store(self, address: int, size: int, value: int) -> None:
        if self.field("NSCR", "BWR"):
            self.die.refuse(f"store to {address:#010x} with BWR", "the twin does not model bursts; clear it")
        super().store(address, size, value)

    def write_NSCR(self, value: int) -> None:
        """What waits in the buffer is not dropped: its other words, or an error, end it."""
        first = self._first
        super().write_NSCR(value)
        if not self.registers["NSSR"] & self._blocking:
            self._first = first

    def _bank_start(self, bank: int) -> int:
        """BKER is the physical bank: SWAP_BANK exchanges addresses only (RM0456, FLASH_NSCR)."""
        swapped = bool(self.options["OPTR"] & self.mask("OPTR", "SWAP_BANK"))
        return super()._bank_start(bank ^ swapped)
