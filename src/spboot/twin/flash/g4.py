"""Flash controller of STM32G4 (RM0440: chapter 3 for category 3, 4 for category 4, 5 for category 2)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar

from spboot.chips import Block as Facts
from spboot.twin.die import Die
from spboot.twin.flash.caches import FlashCaches
from spboot.twin.flash.ecc import FlashEcc
from spboot.twin.memory.ageing import Span
from spboot.twin.power.g4 import PwrG4
from spboot.twin.timeline import PS_PER_US


class FlashG4(FlashEcc, ips=("flash_g4c2",)):
    """Category 2: one bank with pages of 2 KB.  Sections are those of chapter 3, which says the same."""

    RESET: ClassVar[dict[str, int]] = {
        "ACR": 0x40601, "CR": 0xC0000000, "OPTR": 0xFFEFF8AA, "PCROP1SR": 0xFFFFFFFF, "WRP1AR": 0x3F, "WRP1BR": 0x3F,
        "SEC1R": 0xFFFEFF80,
    }  # fmt: skip
    OPTIONS: ClassVar[tuple[str, ...]] = ("OPTR", "PCROP1SR", "PCROP1ER", "WRP1AR", "WRP1BR", "SEC1R")
    MASS: ClassVar[tuple[str, ...]] = ("MER1",)
    PCROP = ("",)
    PROGRAM = Span(81_700_000, 83_350_000)
    MASS_ERASE = Span(22_130 * PS_PER_US, 24_600 * PS_PER_US)
    """DS12288 table 47."""
    LATENCY_MHZ: ClassVar[dict[int, tuple[int, ...]]] = {
        0: (34, 68, 102, 136, 170), 1: (30, 60, 90, 120, 150), 2: (12, 24, 26),
    }  # fmt: skip
    MOST_STATES = 15  # RM0440 3.7.1
    LATENCY_SOURCE = "RM0440 3.3.3"
    CACHES = FlashCaches.CODE_AND_DATA
    MANUAL = "RM0440"

    def write_ACR(self, value: int) -> None:
        """RUN_PD has a lock of its own (3.7.1)."""
        if value & self.mask("ACR", "RUN_PD"):
            self.die.refuse("FLASH_ACR.RUN_PD was set", "the twin does not model flash in power-down")
        super().write_ACR(value)

    def write_PDKEYR(self, _value: int) -> None:
        self.die.refuse("FLASH_PDKEYR written", "the twin does not model flash in power-down")

    def write_CR(self, value: int) -> None:
        """Erase and program are possible in range 1 only (3.3.5)."""
        starts = value & (self._modes[0] | self._control(self.START))
        if starts and self.die.block("PWR", PwrG4).voltage_range() == 2:
            self.die.refuse("flash operation in voltage range 2", "set PWR_CR1.VOS to range 1 first (RM0440 3.3.5)")
        super().write_CR(value)


class FlashG4C4(FlashG4, ips=("flash_g4c4",)):
    """Category 4: one bank of up to 256 pages."""

    RESET: ClassVar[dict[str, int]] = {**FlashG4.RESET, "WRP1AR": 0xFF, "WRP1BR": 0xFF, "SEC1R": 0xFFFEFE00}


class FlashG4C3(FlashG4, ips=("flash_g4c3",)):
    """Category 3: two banks with pages of 2 KB, the second at 0x08040000 whatever the size, or one of 4 KB (DBANK)."""

    RESET: ClassVar[dict[str, int]] = {
        **FlashG4.RESET, "WRP1AR": 0x7F, "WRP1BR": 0x7F, "SEC1R": 0xFFFEFF00, "PCROP2SR": 0xFFFFFFFF, "WRP2AR": 0x7F,
        "WRP2BR": 0x7F, "SEC2R": 0xFFFFFF00,
    }  # fmt: skip
    OPTIONS: ClassVar[tuple[str, ...]] = (*FlashG4.OPTIONS, "PCROP2SR", "PCROP2ER", "WRP2AR", "WRP2BR", "SEC2R")
    MASS = ("MER1", "MER2")
    TWO_IN_ONE = True

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        if die.flash.banks == 1:
            self.PCROP_UNIT = 16  # RM0440 3.5.2
            self.options["OPTR"] &= ~self.mask("OPTR", "DBANK")
