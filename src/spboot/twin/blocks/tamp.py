"""Backup registers in TAMP: G0, G4, L5, WL, U5, H5 (TAMP_BKPxR in RM0444, RM0440, RM0438, RM0453, RM0456, RM0481) and
the newest of L4 and L4+ (RM0394, RM0432).

The tamper functions and the monotonic counter are refused: the chip facts have no registers of TAMP, and nothing else
models what they would erase."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.blocks.backed_up import BackedUp
from spboot.twin.die import Die

_FIRST: Final = 0x100
_COUNT: Final = {"STM32G0": 5, "STM32WL": 20}
"""Family -> its backup registers, where it has not 32."""
_BACKUP: Final = re.compile(r"BKP\d+R")
_OTHERS: Final = {
    "CR1": 0x00, "CR2": 0x04, "CR3": 0x08, "FLTCR": 0x0C, "ATCR1": 0x10, "ATSEEDR": 0x14, "ATOR": 0x18, "ATCR2": 0x1C,
    "SECCFGR": 0x20, "PRIVCFGR": 0x24, "IER": 0x2C, "SR": 0x30, "MISR": 0x34, "SMISR": 0x38, "SCR": 0x3C,
    "COUNTR": 0x40, "ERCFGR": 0x54,
}  # fmt: skip


class Tamp(BackedUp):
    """The block."""

    FOR = ("TAMP",)
    DECLARES: ClassVar[frozenset[str]] = frozenset({*_OTHERS, *(f"BKP{n}R" for n in range(32))})

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        for name, offset in _OTHERS.items():
            self._declare(name, offset, {})
        for number in range(_COUNT.get(die.chip.family, 32)):
            self._declare(f"BKP{number}R", _FIRST + 4 * number, {})

    def _check(self, offset: int, what: str) -> None:
        name = self.names.get(offset & ~3, f"offset {offset:#x}")
        if not _BACKUP.fullmatch(name):
            self.die.refuse(f"{self.name}_{name} was {what}", "the twin models its backup registers alone")

    def read(self, offset: int, size: int) -> int:
        self._check(offset, "read")
        return super().read(offset, size)

    def write(self, offset: int, size: int, value: int) -> None:
        self._check(offset, "written")
        if self.may_write(offset):
            super().write(offset, size, value)
