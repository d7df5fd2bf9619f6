"""The flash controllers built on double words with ECC, one class for each IP version."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar

from spboot.chips import Block as Facts
from spboot.twin.die import Die
from spboot.twin.flash_caches import FlashCaches
from spboot.twin.flash_ecc import FlashEcc
from spboot.twin.icache import Icache

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
    LATENCY_SOURCE = "RM0351 table 9"
    CACHES = FlashCaches.CODE_AND_DATA
    PCROP = ("",)

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        if die.chip.family == "STM32L4+":
            self.TWO_IN_ONE = True
            self.PCROP_UNIT = 16 if die.flash.banks == 1 else 8  # RM0432 3.5.2
            self.LATENCY_MHZ = {1: (20, 40, 60, 80, 80, 80), 2: (8, 16, 26)}  # type: ignore[misc]
            self.LATENCY_SOURCE = "RM0432 table 12"  # type: ignore[misc]
            if die.flash.banks == 1:
                self.options["OPTR"] &= ~_DBANK


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
    LATENCY_MHZ: ClassVar[dict[int, tuple[int, ...]]] = {1: (24, 48, 64), 2: (8, 16)}
    LATENCY_SOURCE = "RM0444 table 16"

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        if die.flash.banks == 1:
            self.options["OPTR"] &= ~self.mask("OPTR", "DUAL_BANK")

    def busy_flags(self) -> int:
        """BSY is of bank 1, BSY2 of bank 2; CFGBSY also stands between the words of a double word (RM0444 3.7.4)."""
        flags = self.mask("SR", "CFGBSY") if self.busy or self._first is not None else 0
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
        flags = self.mask("SR", "CFGBSY") if self.busy or self._first is not None else 0
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


class FlashL5(FlashEcc, ips=("flash_l5",)):
    """Non-secure side of STM32L5 with TZEN = 0 (RM0438 chapter 6): 2 KB pages in two banks, or 4 KB in one."""

    RESET: ClassVar[dict[str, int]] = {
        "NSCR": 0xC0000000, "SECCR": 1 << 31, "OPTR": 0x7FEFF8AA, "WRP1AR": 0xFF80FFFF, "WRP1BR": 0xFF80FFFF,
        "WRP2AR": 0xFF80FFFF, "WRP2BR": 0xFF80FFFF,
    }  # fmt: skip
    OPTIONS = ("OPTR", "WRP1AR", "WRP1BR", "WRP2AR", "WRP2BR")
    SR, CR, PREFIX = "NSSR", "NSCR", "NS"
    TWO_IN_ONE = True
    MASS = ("MER1", "MER2")
    LATENCY_MHZ: ClassVar[dict[int, tuple[int, ...]]] = {
        0: (20, 40, 60, 80, 100, 110), 1: (20, 40, 60, 80, 80, 80), 2: (8, 16, 26, 26, 26, 26),
    }  # fmt: skip
    LATENCY_SOURCE = "RM0438 table 29"

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
