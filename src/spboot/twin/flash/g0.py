"""Flash controller of STM32G0 (RM0444 chapter 3, RM0454)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar

from spboot.chips import Block as Facts
from spboot.twin.die import Die
from spboot.twin.flash.ecc import FlashEcc
from spboot.twin.memory.ageing import Span
from spboot.twin.timeline import PS_PER_US


class FlashG0(FlashEcc, ips=("flash_g0x1",)):
    """STM32G0x1 (RM0444 chapter 3): one bank, or two with a status and an ECC register bit each."""

    RESET: ClassVar[dict[str, int]] = {
        "ACR": 0x40600, "CR": 0xC0000000, "OPTR": 0xFFFFFEAA, "WRP1AR": 0xFF, "WRP1BR": 0xFF, "WRP2AR": 0xFF,
        "WRP2BR": 0xFF, "PCROP1ASR": 0x1FF, "PCROP1BSR": 0x1FF, "PCROP2ASR": 0x1FF, "PCROP2BSR": 0x1FF,
    }  # fmt: skip
    OPTIONS: ClassVar[tuple[str, ...]] = (
        "OPTR", "PCROP1ASR", "PCROP1AER", "WRP1AR", "WRP1BR", "PCROP1BSR", "PCROP1BER", "PCROP2ASR", "PCROP2AER",
        "WRP2AR", "WRP2BR", "PCROP2BSR", "PCROP2BER", "SECR",
    )  # fmt: skip
    MASS = ("MER", "MER2")
    PCROP: ClassVar[tuple[str, ...]] = ("A", "B")
    PCROP_UNIT = 512  # RM0444 3.5.2
    PROGRAM = Span(85 * PS_PER_US, 125 * PS_PER_US)
    PAGE_ERASE = Span(22_000 * PS_PER_US, 40_000 * PS_PER_US)
    MASS_ERASE = Span(22_100 * PS_PER_US, 40_100 * PS_PER_US)
    """DS13560 table 48, DS12992 table 44."""
    LATENCY_MHZ: ClassVar[dict[int, tuple[int, ...]]] = {1: (24, 48, 64), 2: (8, 16)}
    LATENCY_SOURCE = "RM0444 table 16"

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        if die.flash.banks == 1:
            self.options["OPTR"] &= ~self.mask("OPTR", "DUAL_BANK")

    def busy_flags(self) -> int:
        """BSY is of bank 1, BSY2 of bank 2; CFGBSY also stands between the words of a double word (RM0444 3.7.4)."""
        flags = self.mask("SR", "CFGBSY") if self.busy or self._half_stored() else 0
        return flags | (self.mask("SR", "BSY") | self.mask("SR", "BSY2") if self.busy else 0)

    def write_CR(self, value: int) -> None:
        """Between the words of a double word a HardFault (RM0444 3.7.5)."""
        if self._first is not None:
            self.refusals.append("FLASH_CR written while CFGBSY is set")
            self.bus_fault("CR")
            return
        super().write_CR(value)

    def _ecc_register(self, bank: int) -> str:
        return "ECCR2" if bank else "ECCR"

    def write_ECCR2(self, value: int) -> None:
        self._write_ecc("ECCR2", value)


class FlashG0x0(FlashG0, ips=("flash_g0x0",)):
    """STM32G0x0 (RM0454 chapter 3): without securable areas; the facts lack the ECC register of bank 2 (3.7.7)."""

    RESET: ClassVar[dict[str, int]] = {
        "ACR": 0x600, "CR": 0xC0000000, "OPTR": 0xFFFFFEAA, "WRP1AR": 0xFF, "WRP1BR": 0xFF, "WRP2AR": 0xFF,
        "WRP2BR": 0xFF,
    }  # fmt: skip
    OPTIONS = ("OPTR", "WRP1AR", "WRP1BR", "WRP2AR", "WRP2BR")
    PCROP = ()
    DECLARES = frozenset({"ECCR2"})

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self._declare("ECCR2", 0x1C, self.fields["ECCR"])
