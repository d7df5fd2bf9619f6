"""The registers of the core as gdb numbers them, and the target description that says so.

Features and names are gdb's (its manual, "ARM Features"): `m-profile` has the general ones, `m-system` the stack
pointers and masks, `vfp` the floating point unit of parts that have one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from unicorn import arm_const as arm

from spboot.errors import TwinError
from spboot.twin.core import SET_MODE, mode
from spboot.twin.machine import Twin

_WITHOUT_FPU: Final = frozenset({"STM32WL"})
"""Families whose Cortex-M4 has none: `__FPU_PRESENT` is 0 in their CMSIS headers."""
_V6_SYSTEM: Final = ("msp", "psp", "primask", "control")
_V7_SYSTEM: Final = ("msp", "psp", "primask", "basepri", "faultmask", "control")
_TYPES: Final = {"sp": "data_ptr", "msp": "data_ptr", "psp": "data_ptr", "pc": "code_ptr"}
_NUMBERS: Final = {
    **{f"r{n}": arm.UC_ARM_REG_R0 + n for n in range(13)},
    **{"sp": arm.UC_ARM_REG_SP, "lr": arm.UC_ARM_REG_LR, "fpscr": arm.UC_ARM_REG_FPSCR},
    **{name: getattr(arm, f"UC_ARM_REG_{name.upper()}") for name in _V7_SYSTEM},
    **{f"d{n}": arm.UC_ARM_REG_D0 + n for n in range(16)},
}
_STACK_POINTERS: Final = ("sp", "msp", "psp")
_MODE: Final = 3


@dataclass(frozen=True, slots=True)
class _Register:
    name: str
    size: int
    """Bytes."""
    feature: str


class Registers:
    """The registers of *twin*, by number: in the order of the description, from 0."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._core = twin.core
        general = (*(f"r{n}" for n in range(13)), "sp", "lr", "pc", "xpsr")
        system = _V6_SYSTEM if twin.chip.core == "cm0p" else _V7_SYSTEM
        self._all = [_Register(name, 4, "m-profile") for name in general]
        self._all += [_Register(name, 4, "m-system") for name in system]
        if twin.chip.core != "cm0p" and twin.chip.family not in _WITHOUT_FPU:
            self._all += [_Register(f"d{n}", 8, "vfp") for n in range(16)] + [_Register("fpscr", 4, "vfp")]

    def __len__(self) -> int:
        return len(self._all)

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum(register.size for register in self._all)

    def read(self, number: int) -> bytes:
        """Register *number*, the lowest byte first.  Raises TwinError when there is none."""
        register = self._register(number)
        return self._get(register.name).to_bytes(register.size, "little")

    def write(self, number: int, data: bytes) -> None:
        """Change register *number*.  Raises TwinError when there is none, or *data* has not its size."""
        register = self._register(number)
        if len(data) != register.size:
            raise TwinError(f"register {register.name} has {register.size} bytes, {len(data)} were given")
        self._set(register.name, int.from_bytes(data, "little"))

    def read_all(self) -> bytes:
        """All registers, one behind the other."""
        return b"".join(self.read(number) for number in range(len(self._all)))

    def write_all(self, data: bytes) -> None:
        """Change all registers.  Raises TwinError when *data* has not their size."""
        if len(data) != self.size:
            raise TwinError(f"the registers have {self.size} bytes, {len(data)} were given")
        at = 0
        for number, register in enumerate(self._all):
            self.write(number, data[at : at + register.size])
            at += register.size

    def _register(self, number: int) -> _Register:
        if number >= len(self._all):
            raise TwinError(f"there is no register {number}, expected one of 0 to {len(self._all) - 1}")
        return self._all[number]

    def _get(self, name: str) -> int:
        core = self._core
        if name == "pc":
            return core.pc
        if name == "xpsr":
            return core.get(arm.UC_ARM_REG_XPSR)
        if name in _V7_SYSTEM:
            return int(self._as_handler(lambda: core.uc.reg_read(_NUMBERS[name])))
        return int(core.uc.reg_read(_NUMBERS[name]))

    def _set(self, name: str, value: int) -> None:
        core = self._core
        if name == "pc":
            if value & ~1 != core.pc:
                core.clear_it_state()
                self._twin.cpu.sleeping = False
            core.pc = value
        elif name == "xpsr":
            core.set(arm.UC_ARM_REG_XPSR_NZCVQG, value & 0xF80F0000 | core.get(arm.UC_ARM_REG_IPSR))  # U19
            core.set(arm.UC_ARM_REG_EPSR, value & 0x0600FC00 | 1 << 24)
        elif name == "control":
            exception = core.get(arm.UC_ARM_REG_IPSR)
            core.set(arm.UC_ARM_REG_IPSR, exception or _MODE)
            for register, word in zip(SET_MODE, mode(exception, value & 7), strict=True):
                core.set(register, word)
        elif name in _V7_SYSTEM:
            value &= ~3 if name in _STACK_POINTERS else -1
            self._as_handler(lambda: core.uc.reg_write(_NUMBERS[name], value))
        else:
            core.uc.reg_write(_NUMBERS[name], value & ~3 if name in _STACK_POINTERS else value)

    def _as_handler(self, access: Callable[[], int | None]) -> int:
        """*access* in handler mode where the mode is unprivileged, from where not all is seen (U6)."""
        core = self._core
        if core.get(arm.UC_ARM_REG_IPSR) or not core.get(arm.UC_ARM_REG_CONTROL) & 1:
            return access() or 0
        core.set(arm.UC_ARM_REG_IPSR, _MODE)
        try:
            return access() or 0
        finally:
            core.set(arm.UC_ARM_REG_IPSR, 0)

    @property
    def description(self) -> str:
        """The target description, in XML."""
        lines = ['<?xml version="1.0"?>', '<!DOCTYPE target SYSTEM "gdb-target.dtd">', "<target>"]
        lines.append("<architecture>arm</architecture>")
        feature = ""
        for register in self._all:
            if register.feature != feature:
                lines += ["</feature>"] if feature else []
                feature = register.feature
                lines.append(f'<feature name="org.gnu.gdb.arm.{feature}">')
            kind = "ieee_double" if register.size == 8 else _TYPES.get(register.name, "uint32")
            group = ' group="system"' if feature == "m-system" else ' group="float"' if feature == "vfp" else ""
            lines.append(f'<reg name="{register.name}" bitsize="{8 * register.size}" type="{kind}"{group}/>')
        return "\n".join([*lines, "</feature>", "</target>", ""])
