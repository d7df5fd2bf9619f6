"""Controller of external memories (RM0399 chapter 23, RM0090 37, RM0351 16): its registers, without the memories.

The start-up code of STM32H7 applications turns off its bank 1, which a reset leaves on.  They are storage: a bank has
something to do when its memory is accessed, which the twin refuses."""

from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die

_BANKS: Final = range(1, 5)
_NAND: Final = {"PCR": 0x80, "SR": 0x84, "PMEM": 0x88, "PATT": 0x8C, "ECCR": 0x94}
_SDRAM: Final = {"SDCR1": 0x140, "SDCR2": 0x144, "SDTR1": 0x148, "SDTR2": 0x14C, "SDCMR": 0x150, "SDRTR": 0x154}
_SDSR: Final = {"SDSR": 0x158}
"""It is never busy, as there is no memory."""
_WITH_SDRAM: Final = ("STM32F4", "STM32F7", "STM32H5", "STM32H7")


class Fmc(Block):
    """The block, on all families that have one."""

    FOR = ("FMC",)
    REGISTERS: ClassVar[dict[str, int]] = {
        **{f"BCR{n}": 8 * (n - 1) for n in _BANKS},
        **{f"BTR{n}": 8 * (n - 1) + 4 for n in _BANKS},
        **{f"BWTR{n}": 0x104 + 8 * (n - 1) for n in _BANKS},
        **_NAND,
    }
    RESET: ClassVar[dict[str, int]] = {
        "BCR1": 0x30DB,
        **{f"BCR{n}": 0x30D2 for n in _BANKS if n > 1},
        **{f"B{way}TR{n}": 0x0FFFFFFF for n in _BANKS for way in ("", "W")},
        "PCR": 0x18, "SR": 0x40, "PMEM": 0xFCFCFCFC, "PATT": 0xFCFCFCFC,
        "SDCR1": 0x2D0, "SDCR2": 0x2D0, "SDTR1": 0x0FFFFFFF, "SDTR2": 0x0FFFFFFF,
    }  # fmt: skip
    READ_ONLY = frozenset({"ECCR", "SDSR"})

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        if die.chip.family in _WITH_SDRAM:
            for name, offset in {**_SDRAM, **_SDSR}.items():
                self._declare(name, offset, {})
