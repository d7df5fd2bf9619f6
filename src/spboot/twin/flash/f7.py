"""Flash controller of STM32F7 (RM0410 chapter 3, RM0385): as on STM32F4 but for the accelerator and its sizes."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.die import Die
from spboot.twin.flash.f4 import ByWidth, FlashF4, Sector

_TWO_BANKS: Final = 0x451
"""Device id of STM32F76x and F77x, the only ones with nDBANK."""
_READ_PROTECTED: Final = 0x452
"""Device id of STM32F72x and F73x, the only ones with PCROP."""
_QUICK_ERASE_MS: Final[tuple[ByWidth, ...]] = (
    ((346, 418), (252, 312), (208, 265)), ((1027, 1298), (675, 840), (505, 682)),
    ((1953, 2500), (1252, 1639), (927, 1322)),
)  # fmt: skip
_QUICK_BANK_MS: Final[ByWidth] = ((15_436, 19_766), (9_738, 12_758), (7_006, 10_360))
"""Of these: DS12536 table 53, where 512 KB take half of it."""


class FlashF7(FlashF4, ips=("flash_f7",)):
    """PGSERR is called ERSERR.  The twin has the geometry of the facts whatever nDBANK says."""

    CACHES: ClassVar[dict[int, int]] = {1 << 9: 1 << 11}
    BEFORE_ALIAS_ALONE = True
    """The accelerator is on the ITCM side; the caches of the core are on the other (RM0410, FLASH_ACR)."""
    MANUAL: ClassVar[str] = "RM0410"
    RESET: ClassVar[dict[str, int]] = {"CR": 1 << 31, "OPTCR": 0xC0FFAAFD, "OPTCR1": 0x00400080, "OPTCR2": 1 << 31}
    OPTIONS: ClassVar[tuple[str, ...]] = ("OPTCR", "OPTCR1", "OPTCR2")
    OPTION_BYTES = 0x1FFF_0000
    ERASE_MS: tuple[ByWidth, ...] = (
        ((400, 800), (250, 600), (200, 500)), ((1100, 2400), (800, 1400), (500, 1100)),
        ((2100, 4000), (1500, 2600), (1000, 2000)),
    )  # fmt: skip
    """DS11532 table 56, DS10916 table 49."""
    BANK_ERASE_MS: ByWidth = ((8_000, 16_000), (5_500, 11_000), (4_000, 8_000))
    """Half of what the 2 MB of STM32F76x take (DS11532 table 56); 5.6 s at x16 on STM32F74x (DS10916)."""

    def __init__(self, die: Die, facts: Facts) -> None:
        if die.chip.device_id == _READ_PROTECTED:
            self.ERASE_MS, self.BANK_ERASE_MS = _QUICK_ERASE_MS, _QUICK_BANK_MS
        super().__init__(die, facts)
        if die.chip.device_id == _TWO_BANKS:
            self.options["OPTCR"] = 0xFFFFAAFD

    def _protected(self, sector: Sector) -> bool:
        """A bit of PCROP that is 1 protects its sector as well (RM0431, FLASH_OPTCR2)."""
        pcrop = self.options["OPTCR2"] if self.die.chip.device_id == _READ_PROTECTED else 0
        return super()._protected(sector) or bool(pcrop >> sector.snb & 1)

    def locked(self) -> str:
        """Bits of PCROP that are ones protect sectors (RM0431, FLASH_OPTCR2)."""
        pcrop = self.die.chip.device_id == _READ_PROTECTED
        lost = pcrop and any(name == "OPTCR2" for name, _ in self.lost)
        return "option bytes PCROP are lost, and every sector is protected from reading" if lost else ""

    def write_OPTCR2(self, value: int) -> None:
        if self.die.chip.device_id != _READ_PROTECTED:
            self.die.refuse("FLASH_OPTCR2 written", "STM32F72x and F73x alone have it (RM0431, FLASH_OPTCR2)")
        self._set_options("OPTCR2", value)

    def _gives_up_protection(self, wanted: dict[str, int]) -> bool:
        """A sector is protected from reading until level 1 is left (RM0431, FLASH_OPTCR2)."""
        pcrop = self.die.chip.device_id == _READ_PROTECTED
        return pcrop and bool(self.options["OPTCR2"] & ~wanted["OPTCR2"] & self.mask("OPTCR2", "PCROPi"))
