"""Loops that wait for an interrupt by looking at memory, or at nothing: the time until the next event is skipped.

A loop that accesses no peripheral and comes back to where it was with all registers and all RAM as before goes on like
that until something happens to it.  Looked for behind slices without an access; the longer in vain, the less often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from unicorn import arm_const as arm

from spboot.twin.bus import Bus
from spboot.twin.die import Die

_LONGEST: Final = 48
"""Instructions of such a loop, at most."""
_LEAST: Final = 1000
"""Instructions of a slice behind which one is looked for."""
_WORTH: Final = 16_000
"""Cycles up to the next event: fewer are executed sooner than a loop is found."""
_MOST_SLICES: Final = 4096
_STORES: Final = (
    (0xF800, 0x5000), (0xFC00, 0x5400), (0xF800, 0x6000), (0xF800, 0x7000), (0xF800, 0x8000), (0xF800, 0x9000),
    (0xFE00, 0xB400), (0xF800, 0xC000), (0xFE10, 0xE800), (0xFF10, 0xF800),
)  # fmt: skip
"""Mask and value of the first halfword of instructions that store (ARMv7-M A5.2.4, A5.2.5, A5.3.5, A5.3.6, A5.3.10)."""
_COPROCESSOR: Final = 0xEC00
"""The bits that those of the FPU have, whose registers are not compared."""


class Spin:
    """Whether the firmware goes round in one.  *step* executes an instruction."""

    def __init__(self, die: Die, bus: Bus, step: Callable[[], None]) -> None:
        self._die = die
        self._bus = bus
        self._core = die.core
        self._step = step
        self._pause = self._left = 1

    def found(self, executed: int, accesses: int) -> bool:
        """After a slice of *executed* instructions that began when the bus had seen *accesses*."""
        if executed < _LEAST or accesses != self._bus.accesses or self._die.stalls.until:
            return False
        timeline = self._die.timeline
        if timeline.next_due - timeline.now < _WORTH * timeline.cycle_ps:
            return False
        self._left -= 1
        if self._left > 0:
            return False
        found = self._goes_round()
        self._pause = 1 if found else min(2 * self._pause, _MOST_SLICES)
        self._left = self._pause
        return found

    def _goes_round(self) -> bool:
        core = self._core
        registers, flags = core.general(), core.get(arm.UC_ARM_REG_XPSR)
        stores = False
        for length in range(1, _LONGEST + 1):
            code = core.halfword(core.pc)
            if code & 0xEC00 == _COPROCESSOR or not self._undisturbed():
                return False
            stores = stores or any(code & mask == value for mask, value in _STORES)
            if core.general() == registers and core.get(arm.UC_ARM_REG_XPSR) == flags:
                return not stores or self._changes_nothing(length)
        return False

    def _changes_nothing(self, length: int) -> bool:
        """Whether *length* instructions more leave registers and RAM as they are."""
        registers, rams = self._core.general(), self._die.rams.buffers
        before = {address: bytes(ram) for address, ram in rams.items()}
        if not all(self._undisturbed() for _ in range(length)):
            return False
        return self._core.general() == registers and all(bytes(ram) == before[at] for at, ram in rams.items())

    def _undisturbed(self) -> bool:
        """Execute an instruction; whether it did no more than that."""
        accesses, active = self._bus.accesses, len(self._die.cpu.active)
        self._step()
        cpu = self._die.cpu
        quiet = self._core.interrupt is None and not cpu.sleeping and len(cpu.active) == active
        return quiet and accesses == self._bus.accesses

    def save(self) -> Any:
        return self._pause, self._left

    def load(self, state: Any) -> None:
        self._pause, self._left = state
