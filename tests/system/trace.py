"""Which instructions of some functions a run executes, and when."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterable
from typing import Any, Final

import unicorn

from spboot.twin import Twin
from tests.system.fault import Fault
from tests.system.instruction import Instruction
from tests.system.listing import Function
from tests.system.striker import Point, Strike

_NEAR: Final = 8
"""Bytes between two functions that one hook sees."""


class Trace:
    """Notes each instruction of *functions* from now on, until `end`."""

    def __init__(self, twin: Twin, functions: Iterable[Function]) -> None:
        self._twin = twin
        self._base = twin.instructions
        self.indices, self.addresses = array("Q"), array("I")
        self._instructions: dict[int, Instruction] = {}
        ranges: list[list[int]] = []
        for f in functions:
            if ranges and f.start - ranges[-1][1] < _NEAR:
                ranges[-1][1] = f.end
            else:
                ranges.append([f.start, f.end])
        uc, seen = twin.core.uc, self._on_instruction()
        self._hooks = [uc.hook_add(unicorn.UC_HOOK_CODE, seen, begin=a, end=b - 1) for a, b in ranges]
        uc.ctl_flush_tb()  # code that was translated before a hook does not know it

    def _on_instruction(self) -> Callable[..., None]:
        core, base, index, address = self._twin.core, self._base, self.indices.append, self.addresses.append

        def seen(_uc: Any, at: int, *_: Any) -> None:
            index(core.executed - 1 - base)
            address(at)

        return seen

    def end(self) -> None:
        for hook in self._hooks:
            self._twin.core.uc.hook_del(hook)
        self._twin.core.uc.ctl_flush_tb()
        self._blocks = self._it_blocks()

    def _it_blocks(self) -> dict[int, int]:
        """Address of an instruction under an IT -> address of that IT."""
        found: dict[int, int] = {}
        if self._twin.chip.core == "cm0p":
            return found
        for at in set(self.addresses):
            following = at + 2
            for _ in range(self.instruction(at).under):
                found[following] = at
                following += self.instruction(following).size
        return found

    def instruction(self, address: int) -> Instruction:
        if address not in self._instructions:
            self._instructions[address] = Instruction(address, self._twin.core.fetch(address, 4) or bytes(4))
        return self._instructions[address]

    def under_it(self, address: int) -> bool:
        return address in self._blocks

    def point(self, n: int) -> Point:
        """The *n*th of what was executed."""
        address = self.addresses[n]
        it = self._blocks.get(address)
        if it is None:
            return Point(self.indices[n], address)
        back = n
        while self.addresses[back] != it:
            back -= 1
        return Point(self.indices[n], address, self.indices[back])

    def executions(self) -> dict[int, list[int]]:
        """Address -> its places in the trace."""
        where: dict[int, list[int]] = {}
        for n, address in enumerate(self.addresses):
            where.setdefault(address, []).append(n)
        return where

    def strikes(self, points: Iterable[Point], kind: Callable[[Instruction], list[Fault]]) -> list[Strike]:
        """Every fault of a *kind* at each of *points*, in their order."""
        return [Strike(point, fault) for point in points for fault in kind(self.instruction(point.address))]


def sample(strikes: list[Strike], number: int | None, seed: int = 0) -> list[Strike]:
    """*number* of them at random, or all, in the order of their moments."""
    if number is not None and len(strikes) > number:
        strikes = random.Random(seed).sample(strikes, number)
    return sorted(strikes, key=lambda strike: strike.point.index)
