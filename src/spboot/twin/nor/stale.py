"""What the data cache of a Cortex-M7 may hold of external flash that was changed since (PM0253 4.8, decision 0018).

Of caches the twin has no contents.  What was read through a window that is cached may be in it, by blocks of 64 KB; a
line that was erased or programmed then has to be dropped before the window is read again."""

from __future__ import annotations

from typing import Any, Final

from spboot.twin.die import Die

_LINE: Final = 32
_BLOCK: Final = 0x10000


class Stale:
    """The lines of one window."""

    def __init__(self, die: Die) -> None:
        self._die = die
        self._read: set[int] = set()
        self._lines: set[int] = set()
        die.nvic.on_drop(self._drop)

    def read(self, address: int) -> None:
        """The core begins to read in the block of *address*.  Raises TwinError where strict code reads what is old."""
        nvic = self._die.nvic
        if self._lines and nvic.caches_data:
            first = min(self._lines)
            self._lines.clear()
            self._die.doubt(
                f"the window is read, {first:#010x} was changed, and the data cache may still hold what stood there",
                "write its lines to DCCIMVAC after an erase or a program",
            )
        if nvic.caches_data and nvic.mpu.caching(address, "through") != "none":
            self._read.add(address - address % _BLOCK)

    def changed(self, address: int, size: int) -> None:
        """An operation changes these bytes."""
        lines = range(address - address % _LINE, address + size, _LINE)
        self._lines.update(line for line in lines if line - line % _BLOCK in self._read)

    def _drop(self, line: int | None) -> None:
        if line is None:
            self._lines.clear()
            self._read.clear()
        else:
            self._lines.discard(line)

    def save(self) -> Any:
        return set(self._read), set(self._lines)

    def load(self, state: Any) -> None:
        self._read, self._lines = set(state[0]), set(state[1])
