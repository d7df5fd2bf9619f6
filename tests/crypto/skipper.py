"""Leaves out one instruction of a call, each in its turn: what P3 of firmware/crypto/p256.h is tested with."""

from __future__ import annotations

import re
from array import array
from bisect import bisect
from collections.abc import Iterable
from typing import Any

import unicorn
from unicorn import arm_const

from spboot.twin.measure.callee import Callee

RETURN = 0x081F_F000
STACK = (0x2003_F000, 0x1000)
CHANGED = (STACK, (0x2004_1000, 0x1000))  # by a run: the stack, and the work area among the arguments
ENOUGH = 8_000_000  # instructions: a verification that a fault makes endless is a refusal


class Skipper:
    """One call, run again and again with one instruction left out.

    *before*: the arguments of a call that every run finds the remains of, on the stack and in the work area.
    """

    def __init__(self, callee: Callee, function: str, *arguments: int, before: tuple[int, ...] = ()) -> None:
        self._uc = callee.uc
        self._symbols = callee.symbols
        self.trace = array("I")
        self.unfaulted: int | None = None
        # Hooked to the end: code that is translated without a hook is not counted in a sweep either.
        hook = self._uc.hook_add(unicorn.UC_HOOK_CODE, self._tracer())
        self.unfaulted = callee.call(function, *arguments).r0
        self.length = len(self.trace)
        self.earlier = callee.call(function, *before).r0 if before else None
        self._uc.hook_del(hook)
        self._uc.reg_write(arm_const.UC_ARM_REG_SP, sum(STACK))
        self._uc.reg_write(arm_const.UC_ARM_REG_LR, RETURN | 1)
        for register, value in zip(range(4), arguments, strict=False):
            self._uc.reg_write(arm_const.UC_ARM_REG_R0 + register, value)
        self._uc.reg_write(arm_const.UC_ARM_REG_PC, callee.symbols[function] | 1)
        self._at = 0
        self._save()

    def _tracer(self) -> Any:
        """Sees what `emu_start` counts: not what an IT block skips."""
        trace = self.trace

        def on_instruction(_uc: Any, address: int, *_: Any) -> None:
            if self.unfaulted is None:
                trace.append(address)

        return on_instruction

    def ends(self, but: re.Pattern[str]) -> list[int]:
        """Where each instruction runs for the first and for the last time, but for functions named like *but*."""
        names = {address & ~1: name for name, address in sorted(self._symbols.items()) if not name.startswith("$")}
        starts = sorted(names)
        found: dict[int, tuple[int, int]] = {}
        for index, address in enumerate(self.trace):
            found[address] = (found.get(address, (index, 0))[0], index)
        of = {address: names[starts[bisect(starts, address) - 1]] for address in found}
        return sorted({index for address, pair in found.items() if not but.match(of[address]) for index in pair})

    def clear_stack(self) -> None:
        """Zeros on the stack that the runs find."""
        self._uc.mem_write(STACK[0], bytes(STACK[1]))
        self._save()

    def _save(self) -> None:
        self._context = self._uc.context_save()
        self._memory = [bytes(self._uc.mem_read(*span)) for span in CHANGED]

    def _restore(self) -> None:
        self._uc.context_restore(self._context)
        for (address, _), content in zip(CHANGED, self._memory, strict=True):
            self._uc.mem_write(address, content)

    def _run(self, count: int) -> None:
        if count:
            self._uc.emu_start(self._uc.reg_read(arm_const.UC_ARM_REG_PC) | 1, RETURN, count=count)

    def _skip_one(self) -> None:
        pc = self._uc.reg_read(arm_const.UC_ARM_REG_PC)
        first = int.from_bytes(self._uc.mem_read(pc, 2), "little")
        size = 4 if first >> 11 in (0b11101, 0b11110, 0b11111) else 2
        self._uc.reg_write(arm_const.UC_ARM_REG_PC, pc + size | 1)

    def results(self, indices: Iterable[int]) -> list[int | None]:
        """What the call returned with the instruction of each index skipped; None where it crashed or did not end.

        Indices must ascend: the run up to each of them goes on from the one before.
        """
        found: list[int | None] = []
        for index in indices:
            self._restore()
            self._run(index - self._at)
            self._at = index
            self._save()
            try:
                self._skip_one()
                self._run(ENOUGH)
                returned = self._uc.reg_read(arm_const.UC_ARM_REG_PC) == RETURN
                found.append(self._uc.reg_read(arm_const.UC_ARM_REG_R0) if returned else None)
            except unicorn.UcError:
                found.append(None)
        return found
