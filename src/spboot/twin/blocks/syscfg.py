"""The system configuration: what is mapped at address 0."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar

from spboot.twin.block import Block


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
