"""Faults as functions: what one execution of an instruction does in place of what it should (decision 0072)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from unicorn import arm_const

from spboot.twin.core import Core
from tests.system.instruction import NOPS, Instruction, Loaded

ONES: Final = 0xFFFFFFFF
FEW_BITS: Final = (0, 4, 15, 31)
"""Those of a word that are flipped when not all of them are."""
ALL_BITS: Final = tuple(range(32))
_SP: Final = arm_const.UC_ARM_REG_SP
_PC: Final = arm_const.UC_ARM_REG_PC


class Stopped:
    """A core that stands in front of an instruction.  *run*: as Core.run, of that core."""

    def __init__(self, core: Core, run: Callable[[int], int | None]) -> None:
        self.core, self._run = core, run

    @property
    def instruction(self) -> Instruction:
        """The one at the PC."""
        return Instruction(self.core.pc, self.core.fetch(self.core.pc, 4) or b"")

    def step(self) -> int | None:
        """Execute the instruction.  Returns unicorn's error number."""
        self.core.alone = True
        error = self._run(1)
        self.core.alone = False
        return error

    def done(self) -> bool:
        """Execute it; whether it was executed, without an exception."""
        core, before = self.core, self.core.executed
        self.error = self.step()
        return self.error is None and core.interrupt is None and core.executed > before

    error: int | None = None
    """Of what `done` executed."""

    def instead(self, code: bytes) -> int | None:
        """Execute *code*, which is as long, in place of it: flash is as ever before and after."""
        core, at = self.core, self.core.pc
        kept = core.fetch(at, len(code))
        assert kept is not None
        core.store(at, code)
        core.forget_code(at - 2, len(code) + 2)
        error = self.step()
        core.store(at, kept)
        core.forget_code(at - 2, len(code) + 2)
        return error

    def pass_over(self) -> int | None:
        """Do not execute it.  Under an IT it is a NOP, so that the others keep their conditions."""
        core, size = self.core, self.instruction.size
        core.interrupt = None
        if core.in_it_block:
            return self.instead(NOPS[size])
        core.pc = core.pc + size
        return None


@dataclass(frozen=True, slots=True)
class Fault:
    """*words*: what it does.  *strike*: does it, once, to the core that stands in front of the instruction; returns
    unicorn's error number."""

    words: str
    strike: Callable[[Stopped], int | None]


def skip(width: int = 1) -> Fault:
    """*width* instructions behind each other are not executed."""

    def strike(stopped: Stopped) -> int | None:
        error: int | None = None
        for _ in range(width):
            error = stopped.pass_over()
            if error is not None or stopped.core.interrupt is not None:
                break
        return error

    return Fault("skipped" if width == 1 else f"{width} skipped", strike)


def replaced(words: str, code: bytes) -> Fault:
    """*code* is executed in place of the instruction."""
    return Fault(words, lambda stopped: stopped.instead(code))


def stuck(register: int, name: str, value: int | None) -> Fault:
    """*register* holds *value* after the instruction, or what it held before it (None)."""

    def strike(stopped: Stopped) -> int | None:
        core = stopped.core
        left = core.get(register) if value is None else value
        if stopped.done():
            core.set(register, left & ~3 if register == _SP else left)
        return stopped.error

    return Fault(f"{name} kept" if value is None else f"{name} = {value:#x}", strike)


def flipped(loaded: Loaded, name: str, bit: int) -> Fault:
    """*bit* of what the instruction loads is another one."""

    def strike(stopped: Stopped) -> int | None:
        core = stopped.core
        if stopped.done():
            value = core.get(loaded.register) ^ loaded.mask(bit)
            if loaded.register == _PC:
                core.pc = value
            else:
                core.set(loaded.register, value & ~3 if loaded.register == _SP else value)
        return stopped.error

    return Fault(f"bit {bit} of {name}", strike)


# the faults of a kind that an instruction can suffer


def skips(_: Instruction) -> list[Fault]:
    return [skip()]


def double_skips(_: Instruction) -> list[Fault]:
    return [skip(2)]


def inversions(instruction: Instruction) -> list[Fault]:
    """A conditional branch goes the other way; all instructions under an IT do, or one of them."""
    branch = instruction.inverted()
    if branch is not None:
        return [replaced("inverted", branch)]
    under = instruction.under
    ranges = [range(under), *(range(n, n + 1) for n in range(under) if under > 1)]
    codes = [(each, instruction.inverted_it(each)) for each in ranges]
    return [replaced(f"inverted {each.start} to {each.stop - 1}", code) for each, code in codes if code is not None]


def sticks(instruction: Instruction) -> list[Fault]:
    """Each register that it writes is zero or all ones, or keeps its value where that is not the same as a skip."""
    values = (0, ONES, None) if instruction.writes_more else (0, ONES)
    return [stuck(each, _name(each), value) for each in instruction.destinations for value in values]


def flips(instruction: Instruction, bits: Iterable[int] = FEW_BITS) -> list[Fault]:
    """Each of *bits* of each register that it loads.  Bit 0 of a PC, which ends in a fault at once, is left out."""
    return [
        flipped(each, _name(each.register), bit)
        for each in instruction.loads
        for bit in bits
        if bit < each.width and (bit or each.register != _PC)
    ]


def all_flips(instruction: Instruction) -> list[Fault]:
    return flips(instruction, ALL_BITS)


KINDS: Final[dict[str, Callable[[Instruction], list[Fault]]]] = {
    "skip": skips,
    "skip-2": double_skips,
    "inverted": inversions,
    "stuck": sticks,
    "flipped": flips,
    "flipped-all": all_flips,
}
"""Name of a kind -> the faults of that kind that an instruction can suffer."""

_NAMES: Final = {
    **{arm_const.UC_ARM_REG_R0 + n: f"r{n}" for n in range(13)},
    _SP: "sp",
    arm_const.UC_ARM_REG_LR: "lr",
    _PC: "pc",
}


def _name(register: int) -> str:
    return _NAMES[register]
