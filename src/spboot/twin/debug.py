"""DBGMCU, the cycle counter, and the system configuration: small blocks that firmware touches."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die

_DWT = 0xE0001000
_DWT_REGISTERS = {"CTRL": 0, "CYCCNT": 4, "LAR": 0xFB0}
_DIRECT_LINES = {
    "STM32G4": {"IMR0": 0x1F840000, "IMR1": 0xC3C},  # RM0440 table 101
    "STM32L4": {"IMR0": 0xFF820000, "IMR1": 0x87},
}
"""Family -> interrupt masks that a reset sets: those of lines that are not configurable."""

_REVISIONS = {0x450: 0x20030000}
"""Device id -> REV_ID in its place, where software asks for it.  STM32H742 to H757: revision V, decision 0039."""


class Dbgmcu(Block, ips=("dbgmcu_f4", "dbgmcu_f7", "dbgmcu_g4", "dbgmcu_h7", "dbgmcu_l4")):
    """RM0351 48.16.  Not reset by a system reset."""

    READ_ONLY = frozenset({"IDCODE"})

    def reset(self) -> None:
        super().reset()
        self.registers["IDCODE"] = _REVISIONS.get(self.die.chip.device_id, 0x10070000) | self.die.chip.device_id


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


class SyscfgL4(Block, ips=("syscfg_l4",)):
    """RM0351 9.2.  Remapping is not modelled."""

    RESET: ClassVar[dict[str, int]] = {"CFGR1": 0x7C000001}
    READ_ONLY = frozenset({"SCSR"})

    def write_MEMRMP(self, value: int) -> None:
        if value & self.masks["MEMRMP"]:
            self.die.refuse(f"SYSCFG_MEMRMP = {value:#x} remaps memory", "the twin boots from flash only")


class SyscfgF4(Block, ips=("syscfg_f4",)):
    """SYSCFG_MEMRMP of STM32F4 (RM0090 9.2.1), which the facts call MEMRM.  Remapping is not modelled."""

    def write_MEMRM(self, value: int) -> None:
        if value & self.masks["MEMRM"]:
            self.die.refuse(f"SYSCFG_MEMRMP = {value:#x} remaps memory", "the twin boots from flash only")


class Exti(Block, ips=("exti_v1",)):
    """RM0351 14.5: storage, software events and their pending bits; pins raise no events."""

    def reset(self) -> None:
        super().reset()
        self.registers.update(_DIRECT_LINES.get(self.die.chip.family, {}))

    def write_PR0(self, value: int) -> None:
        self.registers["PR0"] &= ~value
        self._update()

    def write_PR1(self, value: int) -> None:
        self.registers["PR1"] &= ~value

    def write_SWIER0(self, value: int) -> None:
        self.registers["PR0"] |= value & self.registers["IMR0"]
        self._update()

    def _update(self) -> None:
        pending = self.registers["PR0"] & self.registers["IMR0"]
        for name, mask in (
            *((f"EXTI{n}", 1 << n) for n in range(5)),
            ("EXTI9_5", 0x3E0),
            ("EXTI15_10", 0xFC00),
        ):
            self.line(name, bool(pending & mask))
