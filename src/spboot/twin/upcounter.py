"""A prescaled counter that goes up to a top and returns to 0, computed from the time that passed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass, field

Tick = tuple[int, int]
"""One cycle of the clock in front of the prescaler: picoseconds, as numerator and denominator."""


@dataclass
class Upcounter:
    """Counts of *width* bits.  Call `advance` until it returns no more before anything is changed; the *divider* is
    that of the prescaler, to be changed at a count of 0 only."""

    width: InitVar[int]
    most: int = field(init=False)
    running: bool = field(init=False)
    tick: Tick | None = field(init=False)
    top: int = field(init=False)
    divider: int = field(init=False)
    count: int = field(init=False)
    _phase: int = field(init=False)
    """Cycles since the count changed,"""
    _since: int = field(init=False)
    """the time that the rest is counted from,"""
    _ticks: int = field(init=False)
    """and cycles since then that were counted."""

    def __post_init__(self, width: int) -> None:
        self.most = (1 << width) - 1
        self.reset()

    def reset(self) -> None:
        """Stopped at 0, without a clock; it would count up to its most."""
        self.running, self.tick, self.top, self.divider = False, None, self.most, 1
        self.count = self._phase = self._since = self._ticks = 0

    @property
    def moves(self) -> bool:
        """Whether it counts: it runs, has a clock, and its top is not 0."""
        return self.running and self.tick is not None and self.top > 0

    def change(
        self, now: int, *, running: bool | None = None, tick: Tick | None = None, top: int | None = None
    ) -> None:
        """Set what is given, from *now* on.  A *tick* of (0, 1) is no clock."""
        moved, old = self.moves, self.tick
        self.running = self.running if running is None else running
        self.top = self.top if top is None else top
        if tick is not None:
            self.tick = tick if tick[0] else None
        if not moved or self.tick != old:
            self._since, self._ticks = now, 0

    def shift(self, span: int) -> None:
        """It had no clock for *span* picoseconds up to now."""
        self._since += span

    def restart(self) -> None:
        """To 0, and the prescaler begins anew."""
        self.count = self._phase = 0

    def _cycles(self, now: int) -> int:
        """Cycles that are not counted yet."""
        if self.tick is None or not self.moves:
            return 0
        length, parts = self.tick
        return (now - self._since) * parts // length - self._ticks

    @property
    def last(self) -> int:
        """The count after which it returns to 0; one above the top is not noticed, and goes to the very end."""
        return self.top if self.count <= self.top else self.most

    def advance(self, now: int, marks: Iterable[int]) -> tuple[list[int], bool, bool]:
        """Count up to *now*, but not beyond the next return to 0.

        Returns the places of those *marks* that were reached, whether it came to 0, and whether from its top."""
        total = self._phase + self._cycles(now)
        before, last, regular = self.count, self.last, self.count <= self.top
        left, returned = last - before + 1, False
        if total // self.divider < left:
            self._ticks += total - self._phase
            self.count, self._phase = before + total // self.divider, total % self.divider
            end = self.count
        else:
            self._ticks += left * self.divider - self._phase
            self.count = self._phase = 0
            end, returned = last, True
        reached = [n for n, mark in enumerate(marks) if before < mark <= end or (returned and mark == 0)]
        return reached, returned, returned and regular

    def skip(self, now: int, most: int | None = None) -> int:
        """Right after a return to 0: leave out whole rounds up to *now*, at most *most*.  Returns how many."""
        if not self.moves:
            return 0
        round_ = self.divider * (self.top + 1)
        rounds = self._cycles(now) // round_
        rounds = rounds if most is None else min(rounds, most)
        self._ticks += rounds * round_
        return rounds

    def when(self, count: int) -> int:
        """The time when it will reach *count*, which is above the present one; `last` + 1 is the return to 0.  For one
        that moves."""
        assert self.tick is not None
        length, parts = self.tick
        cycles = self._ticks + (count - self.count) * self.divider - self._phase
        return self._since - -cycles * length // parts
