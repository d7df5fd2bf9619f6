"""Has a core suffer a fault at one moment, or at two (decision 0072)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from spboot.twin.core import Core
from tests.system.fault import Fault, Stopped


@dataclass(frozen=True, slots=True)
class Point:
    """One instruction of the run without a fault: its number, its address, and the number of the IT it is under."""

    index: int
    address: int
    it: int | None = None


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault at a point, and perhaps one more, where the core is next at another address."""

    point: Point
    fault: Fault
    second: tuple[int, Fault] | None = None


@dataclass(slots=True)
class Result:
    """What became of the run."""

    strike: Strike
    outcome: str
    detail: str = ""


class Striker:
    """Stands between the twin and its core; does nothing until it is armed."""

    def __init__(self, core: Core) -> None:
        self._core, self._run = core, core.run
        core.run = self.run  # type: ignore[method-assign]
        self._stopped = Stopped(core, self._run)
        self._strike: Strike | None = None
        self._second: tuple[int, Fault] | None = None
        self._at = 0
        self.done = False
        """Whether the (first) fault was there."""
        self.missed = False
        """Another instruction than the one expected was there."""

    def arm(self, strike: Strike, base: int) -> None:
        """Do *strike* in the run that began when *base* instructions were executed."""
        self._strike, self._second = strike, None
        self.done = self.missed = False
        point = strike.point
        self._at = base + (point.index if point.it is None else point.it)

    def disarm(self) -> None:
        self._strike = self._second = None

    def run(self, count: int) -> int | None:
        """As Core.run; a slice that reaches a point ends behind it."""
        if self._strike is not None:
            return self._towards(self._strike, count)
        if self._second is not None:
            return self._on_to(*self._second, count)
        return self._run(count)

    def _towards(self, strike: Strike, count: int) -> int | None:
        core, point = self._core, strike.point
        todo = self._at - core.executed
        if todo >= count:
            return self._run(count)
        if todo > 0:
            error = self._run(todo)
            if error is not None or core.interrupt is not None or core.executed < self._at:
                return error
        if point.it is not None:
            core.wall = point.address
            error = self._run(8)
            if error is not None or core.interrupt is not None:
                self.missed, self._strike = True, None
                return error
        self.missed = point.address != core.pc
        before = core.executed, core.pc
        error = strike.fault.strike(self._stopped)
        if point.it is not None or (core.executed, core.pc) != before or error is not None:
            self._strike, self._second, self.done = None, strike.second, True
        return error

    def _on_to(self, address: int, fault: Fault, count: int) -> int | None:
        core = self._core
        core.wall = address
        error = self._run(count)
        if error is not None or core.interrupt is not None or core.pc != address:
            return error
        self._second = None
        return fault.strike(self._stopped)


def counted(results: Iterable[Result]) -> Counter[str]:
    """How many of each outcome."""
    return Counter(result.outcome for result in results)
