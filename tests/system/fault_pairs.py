"""Two faults in one run: a skip or an inverted branch, and another one near it (decision 0072).

The second is at an instruction that the run without a fault executes soon after the first, at one of the other way of
a branch that was inverted, or at the same instruction when it is executed again.  It strikes when the core is next
there, whatever way it came."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from tests.system.fault import KINDS, Fault
from tests.system.striker import Strike
from tests.system.trace import Trace

REACH: Final = 48
"""Instructions after the first fault at which the second may be."""
_FAR: Final = 3000
"""Executions that are looked through for them."""
_OTHER_WAY: Final = 12
"""Instructions of the other way of a branch."""


class Pairs:
    """Those of one run: *trace* is that without a fault."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._executions = trace.executions()

    def _faults(self, address: int) -> list[Fault]:
        instruction = self._trace.instruction(address)
        return [*KINDS["skip"](instruction), *KINDS["inverted"](instruction)]

    def _firsts(self) -> list[tuple[int, Fault]]:
        """Places in the trace, and what happens there: the first and the last execution of each instruction."""
        places = sorted({n for hits in self._executions.values() for n in (hits[0], hits[-1])})
        return [(n, fault) for n in places for fault in self._faults(self._trace.addresses[n])]

    def _seconds(self, n: int, fault: Fault) -> list[tuple[int, Fault]]:
        addresses = self._trace.addresses
        near: dict[int, None] = {}
        for at in range(n + 1, min(n + _FAR, len(addresses))):
            near[addresses[at]] = None
            if len(near) == REACH:
                break
        if self._executions[addresses[n]][-1] > n:
            near[addresses[n]] = None
        if fault.words == "inverted" and n + 1 < len(addresses):
            near |= dict.fromkeys(self._other_way(n))
        return [(address, each) for address in near for each in self._faults(address)]

    def _other_way(self, n: int) -> Iterator[int]:
        """Addresses where an inverted branch goes."""
        address, following = self._trace.addresses[n], self._trace.addresses[n + 1]
        branch = self._trace.instruction(address)
        behind = address + branch.size
        at = branch.target if following == behind else behind
        for _ in range(_OTHER_WAY if at is not None else 0):
            assert at is not None
            yield at
            at += self._trace.instruction(at).size

    def all(self) -> Iterator[Strike]:
        """Each of them, in the order of the first fault."""
        for n, fault in self._firsts():
            point = self._trace.point(n)
            for second in self._seconds(n, fault):
                yield Strike(point, fault, second)

    def sample(self, number: int, seed: int = 0) -> list[Strike]:
        """*number* of them at random, in the same order."""
        chance, firsts = random.Random(seed), self._firsts()
        found: list[tuple[int, Strike]] = []
        for _ in range(number):
            n, fault = chance.choice(firsts)
            seconds = self._seconds(n, fault)
            if seconds:
                found.append((n, Strike(self._trace.point(n), fault, chance.choice(seconds))))
        return [strike for _, strike in sorted(found, key=lambda each: each[0])]
