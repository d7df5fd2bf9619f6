"""Flash controller of STM32L5 (RM0438 chapter 6)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar

from spboot.chips import Block as Facts
from spboot.twin.die import Die
from spboot.twin.flash.ecc import FlashEcc
from spboot.twin.flash.icache import Icache
from spboot.twin.memory.ageing import Span


class FlashL5(FlashEcc, ips=("flash_l5",)):
    """Non-secure side of STM32L5 with TZEN = 0 (RM0438 chapter 6): 2 KB pages in two banks, or 4 KB in one."""

    RESET: ClassVar[dict[str, int]] = {
        "NSCR": 0xC0000000, "SECCR": 1 << 31, "OPTR": 0x7FEFF8AA, "WRP1AR": 0xFF80FFFF, "WRP1BR": 0xFF80FFFF,
        "WRP2AR": 0xFF80FFFF, "WRP2BR": 0xFF80FFFF,
    }  # fmt: skip
    OPTIONS: ClassVar[tuple[str, ...]] = ("OPTR", "WRP1AR", "WRP1BR", "WRP2AR", "WRP2BR")
    SR, CR, KEYR, PREFIX = "NSSR", "NSCR", "NSKEYR", "NS"
    TWO_IN_ONE = True
    MASS = ("MER1", "MER2")
    PROGRAM = Span(81_690_000, 83_350_000)
    """DS12736 table 95, which has the erases of STM32L4."""
    LATENCY_MHZ: ClassVar[dict[int, tuple[int, ...]]] = {
        0: (20, 40, 60, 80, 100, 110), 1: (20, 40, 60, 80, 80, 80), 2: (8, 16, 26, 26, 26, 26),
    }  # fmt: skip
    LATENCY_SOURCE = "RM0438 6.3.3"

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        if die.flash.banks == 1:
            self.options["OPTR"] &= ~self.mask("OPTR", "DBANK")

    @property
    def _icache(self) -> Icache:
        return self.die.block("ICACHE", Icache)

    def store(self, address: int, size: int, value: int) -> None:
        self._icache.stored()
        super().store(address, size, value)

    def caches_at_the_end(self) -> None:
        self._icache.check()

    def write_NSKEYR(self, value: int) -> None:
        self.write_KEYR(value)

    def read_NSKEYR(self) -> int:
        return 0

    def read_NSSR(self) -> int:
        return self.read_SR()

    def write_NSSR(self, value: int) -> None:
        self.write_SR(value)

    def write_NSCR(self, value: int) -> None:
        self.write_CR(value)

    def write(self, offset: int, size: int, value: int) -> None:
        if self.names.get(offset, "").startswith("SEC"):
            name = self.names[offset]
            self.die.refuse(f"FLASH_{name} written with TZEN = 0", "use the non-secure registers (RM0438 6.9)")
        super().write(offset, size, value)
