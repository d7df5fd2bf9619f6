"""DBGMCU and the cycle counter."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

import re
from functools import partial
from typing import ClassVar, Final, NoReturn

from spboot.chips import Block as Facts
from spboot.chips import registers
from spboot.twin.block import Block
from spboot.twin.die import Die

_DWT = 0xE0001000
_DWT_REGISTERS = {"CTRL": 0, "CYCCNT": 4, "LAR": 0xFB0}
_IDENTITY: Final = re.compile(r"IDC|IDCODER?")
_STORED: Final = re.compile(r"CR|\w*FZR\d?")
_RESERVED: Final = 0x6000
"""Bits 15 to 12 of the identity as all dies have them (RM0433, DBGMCU_IDC: reset value 0xXXXX 6XXX)."""


class Dbgmcu(
    Block,
    ips=(
        *("dbgmcu_f4", "dbgmcu_f7", "dbgmcu_g0", "dbgmcu_g4", "dbgmcu_h5", "dbgmcu_h7", "dbgmcu_l0", "dbgmcu_l4"),
        *("dbgmcu_l5", "dbgmcu_u5", "dbgmcu_wl"),
    ),
):
    """RM0351 48.16.  Not reset by a system reset.  IDCODE is called IDC on STM32H7 and IDCODER on STM32WL.

    What freezes with the core does so for a debugger, and there is none: such bits are storage.  Registers that a
    debugger alone needs are refused."""

    READ_ONLY = frozenset({"IDC", "IDCODE", "IDCODER"})

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        for offset, name in self.names.items():
            if not _IDENTITY.fullmatch(name) and not _STORED.fullmatch(name):
                self._readers[offset] = partial(self._refuse, name)
                self._writers[offset] = partial(self._refuse, name)
        clocks = registers(die.chip.blocks["RCC"].ip)
        for register in ("APBENR1", "APB2ENR"):  # STM32G0 and STM32L0 have a clock for it, DBGEN
            if register in clocks and "DBGEN" in clocks[register].fields:
                low, _ = clocks[register].fields["DBGEN"]
                self.gate = register, 1 << low

    def _refuse(self, name: str, _value: int = 0) -> NoReturn:
        self.die.refuse(f"{self.name}_{name} is for debuggers", "firmware has no use for it; leave it alone")

    def reset(self) -> None:
        super().reset()
        chip = self.die.chip
        revision = chip.of_family.revisions[chip.device_id]
        name = next(filter(_IDENTITY.fullmatch, self.registers))
        self.registers[name] = revision << 16 | _RESERVED | chip.device_id


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
