"""Virtual time: what the clock says, and what is due when.

Times are integers in picoseconds since the twin was made.  They come from the number of instructions executed, one
cycle each, from the clock the firmware configured, and from the times the chip waited."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final

from spboot.twin.core import Core

PS_PER_S: Final = 10**12
PS_PER_MS: Final = 10**9
PS_PER_US: Final = 10**6
NEVER: Final = 1 << 100


class Order(IntEnum):
    """What comes first of all that is due at one moment; of one order, the first by name.

    A byte arrives before silence is noticed and before a tick; whatever a watchdog waits for comes before it bites."""

    EVENT = 0
    """Something of the chip itself is done: a clock, the flash."""
    ARRIVAL = 1
    DEPARTURE = 2
    SILENCE = 3
    TICK = 4
    WATCHDOG = 5


class Timeline:
    """The clock and the list of what is due.  When something new is due before the time that *core* was sent off for,
    its slice ends."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._base = 0
        self._mark = 0
        self._cycles = 0
        self._due: dict[str, int] = {}
        self._handlers: dict[str, Callable[[int], None]] = {}
        self._order: dict[str, tuple[Order, str]] = {}
        self.cycle_ps = 250_000
        self.horizon = NEVER
        self.next_due = NEVER
        self.idle_ps = 0
        """Time the firmware spent waiting with nothing to do."""

    @property
    def now(self) -> int:
        """The present, in picoseconds."""
        return self._base + (self._core.executed - self._mark) * self.cycle_ps

    @property
    def cycles(self) -> int:
        """Core clock cycles so far, waits included."""
        return self._cycles + self._core.executed - self._mark

    def set_frequency(self, hertz: int) -> None:
        """The core clock is *hertz* from now on."""
        self._base, self._cycles, self._mark = self.now, self.cycles, self._core.executed
        self.cycle_ps = round(PS_PER_S / hertz)
        self._core.end_slice()

    def skip(self, span: int) -> None:
        """Let *span* pass while the core executes nothing."""
        self._base += span
        self._cycles += span // self.cycle_ps
        self._core.end_slice()

    def on(self, key: str, handler: Callable[[int], None], order: Order = Order.EVENT) -> None:
        """Call *handler* with the time it was due, whenever *key* falls due; *order* among others of that moment."""
        self._handlers[key] = handler
        self._order[key] = order, key

    def at(self, key: str, when: int) -> None:
        """*key* falls due at *when*, instead of any earlier appointment of that key."""
        self._due[key] = when
        self.next_due = min(self._due.values())
        if when < self.horizon:
            self._core.end_slice()

    def next_but(self, key: str) -> int:
        """When the next but *key* falls due."""
        return min((due for name, due in self._due.items() if name != key), default=NEVER)

    def cancel(self, key: str) -> None:
        """*key* is due no more."""
        if self._due.pop(key, None) is not None:
            self.next_due = min(self._due.values(), default=NEVER)

    def freeze(self, runs: Callable[[str], bool]) -> dict[str, int]:
        """Take out of the list what is due under keys for which *runs* does not hold, and return it."""
        frozen = {key: when for key, when in self._due.items() if not runs(key)}
        for key in frozen:
            self.cancel(key)
        return frozen

    def thaw(self, frozen: dict[str, int], span: int, cycles: int) -> None:
        """What `freeze` took out is due again, *span* later.  The core has done *cycles* so far."""
        for key, when in frozen.items():
            self.at(key, when + span)
        self._cycles = cycles - (self._core.executed - self._mark)

    def fire(self) -> None:
        """Hand out everything that is due by now, in order of time, then of `Order`."""
        now = self.now
        while self.next_due <= now:
            when = self.next_due
            key = min((key for key, due in self._due.items() if due == when), key=self._order.__getitem__)
            del self._due[key]
            self.next_due = min(self._due.values(), default=NEVER)
            self._handlers[key](when)

    def save(self) -> Any:
        """All state, for `load`."""
        return self.now, self.cycles, self.cycle_ps, self.idle_ps, dict(self._due)

    def load(self, state: Any) -> None:
        """Back to what `save` returned; the instruction count must have been restored before."""
        self._base, self._cycles, self.cycle_ps, self.idle_ps, due = state
        self._mark = self._core.executed
        self._due = dict(due)
        self.next_due = min(self._due.values(), default=NEVER)
