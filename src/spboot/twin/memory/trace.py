"""Which flash the firmware has looked at: the units of a range that were read, executed or programmed before they were
erased.  What was not looked at can hold anything, and the run is the same, instruction by instruction."""

from __future__ import annotations

from typing import Any, Protocol

import unicorn

from spboot.twin.core import Core
from spboot.twin.memory.oplog import OperationLog


class Traced(Protocol):
    """The flash that is looked at: where the core sees it, and what of it is programmed at once."""

    address: int
    unit: int

    @property
    def bases(self) -> list[int]: ...
    def offset(self, address: int) -> int: ...


class FlashTrace:
    """Looks at one range of one flash at a time.  Between runs only, but for its hooks."""

    def __init__(self, core: Core, flash: Traced, log: OperationLog) -> None:
        self._core, self._flash, self._log = core, flash, log
        self._hooks: list[Any] = []
        self._range = range(0)
        self._touched: set[int] = set()
        self._erased: set[int] = set()
        self._seen = 0
        self._known: set[int] = set()
        """Addresses that were looked at: touched or erased, they stay so."""

    def watch(self, flash: Traced, low: int, high: int) -> None:
        """Look at low <= address < high of *flash* from now on, instead of what was looked at; nothing was touched."""
        if self._range != range(low, high):
            self.end()
            self._flash, self._range = flash, range(low, high)
            for base in self._flash.bases:
                start = low - self._flash.address + base
                for kind, call in (
                    (unicorn.UC_HOOK_MEM_READ, self._on_read),
                    (unicorn.UC_HOOK_BLOCK, self._on_block),
                ):
                    self._hooks.append(self._core.uc.hook_add(kind, call, begin=start, end=start + high - low - 1))
            self._core.uc.ctl_flush_tb()
        self._touched.clear()
        self._erased.clear()
        self._known.clear()
        self._seen = len(self._log)

    def end(self) -> None:
        """Look at nothing."""
        for hook in self._hooks:
            self._core.uc.hook_del(hook)
        self._hooks.clear()
        self._range = range(0)

    @property
    def touched(self) -> frozenset[int]:
        """Addresses of the units that were looked at since `watch`."""
        self._follow()
        return frozenset(self._touched)

    def _follow(self) -> None:
        """What the operations since the last look erased, and what they programmed without that."""
        for number in range(self._seen, len(self._log)):
            operation = self._log[number]
            units = self._units(operation.address, operation.size)
            if operation.kind == "erase":
                self._erased |= units
            else:
                self._touched |= units - self._erased
        self._seen = len(self._log)

    def _units(self, address: int, size: int) -> set[int]:
        unit = self._flash.unit
        low, high = max(address - address % unit, self._range.start), min(address + size, self._range.stop)
        return set(range(low, high, unit))

    def look(self, address: int, size: int) -> None:
        """These bytes were read, by whom the core's accesses do not show."""
        self._follow()
        self._touched |= self._units(self._flash.offset(address) + self._flash.address, size) - self._erased

    def _on_read(self, _uc: Any, _kind: int, address: int, size: int, _value: int, _data: Any) -> None:
        if self._core.in_it_block:
            self._core.clear_it_state()
        if address not in self._known:
            self._known.add(address)
            self.look(address, size)

    def _on_block(self, _uc: Any, address: int, size: int, _data: Any) -> None:
        if address not in self._known:
            self._known.add(address)
            self.look(address, size)
