"""One Thumb instruction: what a fault has to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import capstone
from unicorn import arm_const

NOPS: Final = {2: bytes.fromhex("00bf"), 4: bytes.fromhex("aff30080")}
_DECODER: Final = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
_DECODER.detail = True
_GENERAL: Final = {*(f"r{n}" for n in range(13)), "sb", "sl", "fp", "ip", "sp", "lr"}
_WIDTHS: Final = {"b": 8, "h": 16, "sb": 8, "sh": 16}
_CONDITIONS: Final = 14
"""Of a branch: 14 and 15 are other instructions."""


def size_of(halfword: int) -> int:
    """Bytes of the instruction that begins with *halfword* (ARMv7-M A5.1)."""
    return 4 if halfword >> 11 in (0b11101, 0b11110, 0b11111) else 2


@dataclass(frozen=True, slots=True)
class Loaded:
    """A register that a load fills, and how many bits of memory are in it."""

    register: int
    width: int
    signed: bool

    def mask(self, bit: int) -> int:
        """What changes in the register when *bit* in memory does."""
        return 0xFFFFFFFF << bit & 0xFFFFFFFF if self.signed and bit == self.width - 1 else 1 << bit


@dataclass(frozen=True)
class Instruction:
    """*code*: its bytes, and what is behind them up to four.  Registers are by unicorn's number."""

    address: int
    code: bytes

    @property
    def first(self) -> int:
        return int.from_bytes(self.code[:2], "little")

    @property
    def size(self) -> int:
        return size_of(self.first)

    @cached_property
    def _decoded(self) -> Any:
        return next(_DECODER.disasm(self.code[: self.size], self.address), None)

    @cached_property
    def words(self) -> str:
        return f"{self._decoded.mnemonic} {self._decoded.op_str}".strip() if self._decoded is not None else "?"

    @property
    def is_it(self) -> bool:
        return self.first & 0xFF00 == 0xBF00 and self.first & 0xF != 0

    @property
    def under(self) -> int:
        """How many instructions stand under this IT (ARMv7-M A7.7.38)."""
        return 4 - ((self.first & -self.first).bit_length() - 1) if self.is_it else 0

    @property
    def destinations(self) -> list[int]:
        """General registers that it writes, SP and LR among them, PC not."""
        if self._decoded is None:
            return []
        names = [self._decoded.reg_name(number) for number in self._decoded.regs_access()[1]]
        return [_register(name) for name in names if name in _GENERAL]

    @property
    def writes_more(self) -> bool:
        """Whether it writes anything beside one general register: memory is written by a store alone."""
        if self._decoded is None:
            return False
        written = len(self._decoded.regs_access()[1]) + self._decoded.update_flags
        return written > 1 or self._decoded.mnemonic.startswith(("st", "push"))

    @property
    def loads(self) -> list[Loaded]:
        """What it loads from memory: a load of one or two registers, of many, or a POP; PC among them."""
        if self._decoded is None:
            return []
        name = self._decoded.mnemonic.removesuffix(".w")
        if not name.startswith(("ldr", "ldm", "pop")):
            return []
        registers = [self._decoded.reg_name(o.reg) for o in self._decoded.operands if o.type == capstone.arm.ARM_OP_REG]
        if name.startswith("ldm"):
            del registers[0]
        kind = name[3:].removeprefix("ex") if name.startswith("ldr") else ""
        width = _WIDTHS.get(kind.removesuffix("t"), 32)
        return [Loaded(_register(each), width, kind.startswith("s")) for each in registers]

    @property
    def target(self) -> int | None:
        """Where a branch goes that says so itself."""
        if self._decoded is None or capstone.CS_GRP_BRANCH_RELATIVE not in self._decoded.groups:
            return None
        return int(self._decoded.operands[-1].imm)

    def inverted(self) -> bytes | None:
        """The conditional branch that is taken when this one is not (ARMv7-M A7.7.12, A7.7.21); None: it is none."""
        first = self.first
        is_short = first >> 12 == 0b1101 and first >> 8 & 15 < _CONDITIONS
        if is_short:
            return _with_first(self.code[:2], first ^ 1 << 8)
        if first & 0xF500 == 0xB100:
            return _with_first(self.code[:2], first ^ 1 << 11)
        if first >> 11 == 0b11110 and self.code[3] & 0xD0 == 0x80 and first >> 6 & 15 < _CONDITIONS:
            return _with_first(self.code[:4], first ^ 1 << 6)
        return None

    def inverted_it(self, which: range) -> bytes | None:
        """The same IT, but that those of *which* under it are executed when they are not; None: it is no IT, or its
        instructions are always executed."""
        condition = self.first >> 4 & 15
        if not self.is_it or condition >= _CONDITIONS:
            return None
        mask, under = self.first & 15, self.under
        lowest = [condition & 1, *(mask >> 3 - n & 1 for n in range(under - 1))]
        lowest = [bit ^ (n in which) for n, bit in enumerate(lowest)]
        base = condition & 14 | lowest[0]
        mask = sum(bit << 3 - n for n, bit in enumerate(lowest[1:])) | 1 << 4 - under
        return _with_first(self.code[:2], 0xBF00 | base << 4 | mask)


def _with_first(code: bytes, first: int) -> bytes:
    return first.to_bytes(2, "little") + code[2:]


def _register(name: str) -> int:
    return int(getattr(arm_const, f"UC_ARM_REG_{name.upper()}"))
