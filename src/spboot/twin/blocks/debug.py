"""DBGMCU and the cycle counter."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die

_DWT = 0xE0001000
_DWT_REGISTERS = {"CTRL": 0, "CYCCNT": 4, "LAR": 0xFB0}


class Dbgmcu(Block, ips=("dbgmcu_f4", "dbgmcu_f7", "dbgmcu_g4", "dbgmcu_h5", "dbgmcu_h7", "dbgmcu_l4")):
    """RM0351 48.16.  Not reset by a system reset.  On STM32H7 IDCODE is called IDC."""

    READ_ONLY = frozenset({"IDC", "IDCODE"})

    def reset(self) -> None:
        super().reset()
        name = "IDC" if "IDC" in self.registers else "IDCODE"
        self.registers[name] = self.die.chip.of_family.revision << 12 | self.die.chip.device_id


class Dwt(Block):
    """Only CTRL, CYCCNT and LAR (ARMv7-M C1.8)."""

    RESET: ClassVar[dict[str, int]] = {"CTRL": 0x40000000}
    STATE = ("_zero",)
    QUIET = frozenset({4})
    PAGES = (0, 3)
    DECLARES = frozenset(_DWT_REGISTERS)

    def __init__(self, die: Die) -> None:
        super().__init__(die, Facts(name="DWT", ip="", address=_DWT, enable=None, reset=None, interrupts={}, pins=()))
        for name, offset in _DWT_REGISTERS.items():
            self._declare(name, offset, {})
        self._zero = 0

    def write_CTRL(self, value: int) -> None:
        if (value ^ self.registers["CTRL"]) & 1:
            self._zero = self.die.timeline.cycles - self._zero
        self.registers["CTRL"] = 0x40000000 | value & 1

    def read_CYCCNT(self) -> int:
        count = self.die.timeline.cycles - self._zero if self.registers["CTRL"] & 1 else self._zero
        return count & 0xFFFFFFFF

    def write_CYCCNT(self, value: int) -> None:
        self._zero = self.die.timeline.cycles - value if self.registers["CTRL"] & 1 else value
