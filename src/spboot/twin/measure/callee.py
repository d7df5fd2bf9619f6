"""Calls a function of a linked ELF as a C caller would: for tests and measurements of single routines.

The image is loaded as the linker placed it; no start-up code runs, no peripheral exists.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import unicorn
from unicorn import arm_const

from spboot import disk
from spboot.errors import TwinError
from spboot.formats import elf
from spboot.twin.measure.cost import CoreKind, CycleCounter

Core = Literal["cm0p", "cm3", "cm4", "cm7", "cm33"]

# The emulated CPU and the cost table of each core.  unicorn has no M0+; its M0 runs the same instructions.
_CORES: Final[dict[Core, tuple[int, CoreKind]]] = {
    "cm0p": (arm_const.UC_CPU_ARM_CORTEX_M0, "cm0p"),
    "cm3": (arm_const.UC_CPU_ARM_CORTEX_M3, "cm4"),
    "cm4": (arm_const.UC_CPU_ARM_CORTEX_M4, "cm4"),
    "cm7": (arm_const.UC_CPU_ARM_CORTEX_M7, "cm4"),
    "cm33": (arm_const.UC_CPU_ARM_CORTEX_M33, "cm4"),
}
_FLASH: Final = 0x0800_0000
_FLASH_SIZE: Final = 0x0020_0000
_RAM: Final = 0x2000_0000
_RAM_SIZE: Final = 0x0010_0000
_STACK_TOP: Final = _RAM + 0x4_0000  # the image's own data are below, arguments above
_STACK_LIMIT: Final = 0x8000
_ARGUMENTS: Final = _STACK_TOP + 0x1000
_RETURN: Final = _FLASH + _FLASH_SIZE - 0x1000
_engine: Any = unicorn  # its type hints hide what it exports
_PAINT: Final = b"\xa5"
_SCRATCH: Final = [getattr(arm_const, f"UC_ARM_REG_R{i}") for i in range(13)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """What a call returned and took.  *stack* is in bytes; everything but *r0* is 0 when the callee does not count."""

    r0: int
    instructions: int
    cycles: int
    stack: int


class Callee:
    """A linked image whose functions can be called.

    With `counting=False` calls run some ten times as fast and report no costs.  *uc* is open to tests that hook it.
    """

    def __init__(self, path: Path, core: Core = "cm4", *, counting: bool = True) -> None:
        model, kind = _CORES[core]
        self.uc: Any = _engine.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
        self.uc.ctl_set_cpu_model(model)
        self.uc.mem_map(_FLASH, _FLASH_SIZE, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        self.uc.mem_map(_RAM, _RAM_SIZE, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
        self._load(path)
        self._counter = CycleCounter(self.uc, kind) if counting else None
        self._next_argument = _ARGUMENTS

    def _load(self, path: Path) -> None:
        data = disk.read(path)
        made = elf.read(path.name, data)
        if made.copied:
            raise TwinError(f"{path.name}: start-up code would copy some of it, and none runs here: link all in place")
        self.symbols = {each.name: each.value for each in elf.symbols(path.name, data)}
        try:
            for segment in made.segments:
                self.uc.mem_write(segment.address, segment.data)
        except _engine.UcError as error:
            raise TwinError(
                f"{path.name} cannot be loaded ({error}): expected a linked image for flash at {_FLASH:#x}"
            ) from error

    def allocate(self, data: bytes | int) -> int:
        """Put *data*, or so many zero bytes, in RAM; its address, a multiple of 8.  Valid until `release`."""
        content = bytes(data)
        address = self._next_argument
        if address + len(content) > _RAM + _RAM_SIZE:
            raise TwinError(f"no room for {len(content)} bytes of arguments: call release() between calls")
        self.uc.mem_write(address, content)
        self._next_argument += (len(content) + 7) & ~7
        return address

    def release(self) -> None:
        """Take back everything that was allocated."""
        self._next_argument = _ARGUMENTS

    def read(self, address: int, length: int) -> bytes:
        """*length* bytes of memory."""
        return bytes(self.uc.mem_read(address, length))

    def write(self, address: int, data: bytes) -> None:
        """Overwrite RAM at *address*."""
        self.uc.mem_write(address, data)

    def call(self, function: str, *arguments: int) -> CallResult:
        """Call *function* with 32-bit *arguments*: four in registers, the others on the stack (AAPCS)."""
        if function not in self.symbols:
            raise TwinError(f"the image has no symbol {function}: is it removed at link time, or stripped?")
        sp = _STACK_TOP - (4 * max(0, len(arguments) - 4) + 7 & ~7)
        self._prepare(sp, arguments)
        try:
            self.uc.emu_start(self.symbols[function] | 1, _RETURN)
        except _engine.UcError as error:
            pc = self.uc.reg_read(arm_const.UC_ARM_REG_PC)
            raise TwinError(f"{function} stopped at {pc:#010x}: {error}") from error
        r0 = self.uc.reg_read(arm_const.UC_ARM_REG_R0)
        if self._counter is None:
            return CallResult(r0=r0, instructions=0, cycles=0, stack=0)
        return CallResult(
            r0=r0,
            instructions=self._counter.instructions,
            cycles=self._counter.cycles,
            stack=sp - min(self._counter.lowest_sp, self._lowest_written(sp)),
        )

    def _prepare(self, sp: int, arguments: tuple[int, ...]) -> None:
        words = [argument & 0xFFFFFFFF for argument in arguments]
        for i, register in enumerate(_SCRATCH):
            self.uc.reg_write(register, words[i] if i < min(4, len(words)) else 0xDEAD0000 + i)
        self.uc.mem_write(sp, struct.pack(f"<{len(words[4:])}I", *words[4:]))
        self.uc.reg_write(arm_const.UC_ARM_REG_SP, sp)
        self.uc.reg_write(arm_const.UC_ARM_REG_LR, _RETURN | 1)
        if self._counter is not None:
            self._counter.reset()
            self.uc.mem_write(sp - _STACK_LIMIT, _PAINT * _STACK_LIMIT)

    def _lowest_written(self, sp: int) -> int:
        stack = self.read(sp - _STACK_LIMIT, _STACK_LIMIT)
        return sp - len(stack.lstrip(_PAINT))
