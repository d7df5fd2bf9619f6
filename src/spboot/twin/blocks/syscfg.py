"""The system configuration: what is mapped at address 0, which ports EXTI watches, and much that is storage here."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

import re
from functools import partial
from typing import ClassVar, Final, NoReturn

from spboot.chips import Block as Facts
from spboot.twin.blocks.selection import Selection
from spboot.twin.die import Die

_ELSEWHERE: Final = "the twin boots from flash only"
_REMAPS: Final = (("MEMRMP", ""), ("MEMRM", ""), ("CFGR1", "MEM_MODE"))
"""Register that says what is at address 0, and its field; "": all of it."""
_UNKNOWN: Final = re.compile(r"ITLINE\d+|UR\d+|PKGR|HDPL\w+|NEXTHDPLCR|DBG\w+|RSSCMDR|EPOCHSELCR")
"""Registers about option bytes, life cycle and pending interrupts, which the twin does not fill."""


class Syscfg(Selection, like="syscfg_l4"):
    """Base of them (RM0351 9.2).  Remapping is refused, write protection of RAM as well."""

    READ_ONLY = frozenset({"SCSR", "CCVR", "CCVALR"})
    CELLS: ClassVar[dict[str, dict[str, str]]] = {}
    """Register of the compensation cells -> bit that switches one on -> bit that says it is ready."""

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        for offset, name in self.names.items():
            if _UNKNOWN.fullmatch(name):
                self._readers[offset] = partial(self._refuse, name)
                self._writers[offset] = partial(self._refuse, name)
            elif name in ("SWPR", "SWPR2"):
                self._writers[offset] = partial(self._protect, name)
            elif name in self.CELLS:
                self._readers[offset] = partial(self._read_cells, name)
        for name, field in _REMAPS:
            if name in self.fields and (not field or field in self.fields[name]):
                self._writers[self.offset_of(name)] = partial(self._remap, name, field)

    def _refuse(self, name: str, _value: int = 0) -> NoReturn:
        self.die.refuse(f"{self.name}_{name} was accessed", "the twin does not model it")

    def _remap(self, name: str, field: str, value: int) -> None:
        if value & (self.mask(name, field) if field else self.masks[name]):
            manual = "MEMRMP" if name == "MEMRM" else name
            self.die.refuse(f"SYSCFG_{manual} = {value:#x} remaps memory", _ELSEWHERE)
        self.registers[name] = value & self.masks[name]

    def _protect(self, name: str, value: int) -> None:
        if value:
            self.die.refuse(f"{self.name}_{name} = {value:#x} protects RAM", "the twin does not model that")

    def _read_cells(self, name: str) -> int:
        """A compensation cell that is switched on and has its clock is ready."""
        value = self.registers[name]
        for on, ready in self.CELLS[name].items():
            if on in self.fields[name] and value & self.mask(name, on) and self.cell_clocked():
                value |= self.mask(name, ready)
        return value

    def cell_clocked(self) -> bool:
        """Whether the compensation cells have the clock that they need."""
        return True


class SyscfgL4(Syscfg, ips=("syscfg_l4", "syscfg_g4")):
    """RM0351 9.2, RM0440 10.2."""

    RESET: ClassVar[dict[str, int]] = {"CFGR1": 0x7C000001}


class SyscfgL0(Syscfg, ips=("syscfg_l0",)):
    """RM0367 10.2.  The reference voltage is there as soon as it is switched on."""

    CELLS: ClassVar[dict[str, dict[str, str]]] = {"CFGR3": {"EN_VREFINT": "VREFINT_RDYF"}}


class SyscfgPlain(Syscfg, ips=("syscfg_g0", "syscfg_wl5", "syscfg_wle")):
    """RM0444 8.1, RM0453 10.2: nothing is set after a reset."""


class SyscfgF4(Syscfg, ips=("syscfg_f4", "syscfg_f7")):
    """RM0090 9.2, RM0410 7.2.  The facts call SYSCFG_MEMRMP of STM32F4 MEMRM."""

    CELLS: ClassVar[dict[str, dict[str, str]]] = {"CMPCR": {"CMP_PD": "READY"}}


class SyscfgL5(Syscfg, ips=("syscfg_l5",)):
    """RM0438, SYSCFG_FPUIMR: inexact results raise no interrupt after a reset."""

    RESET: ClassVar[dict[str, int]] = {"FPUIMR": 0x1F}


class SyscfgU5(SyscfgL5, ips=("syscfg_u5", "syscfg_h5")):
    """RM0456 and RM0481: as on L5, and compensation cells."""

    CELLS: ClassVar[dict[str, dict[str, str]]] = {"CCCSR": {f"EN{n}": f"RDY{n}" for n in range(3)}}


class SyscfgH7(Syscfg, ips=("syscfg_h7od",)):
    """RM0399 13.3.  The compensation cell runs on CSI."""

    CELLS: ClassVar[dict[str, dict[str, str]]] = {"CCCSR": {"EN": "RDY"}}

    def cell_clocked(self) -> bool:
        return self.die.rcc.ready("CSI")

    def write_PWRCR(self, value: int) -> None:
        if value:
            self.die.refuse(f"SYSCFG_PWRCR = {value:#x}", "the twin does not model scale 0 of the voltage")
