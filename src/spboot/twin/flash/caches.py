"""Caches in the interface of a flash, kept as rules, not as contents (as `NvicM7` does for those of a core).

The twin reads as if there were no cache.  It refuses what would make a difference on silicon: a cache that is on and
may hold what flash no longer does."""

from __future__ import annotations

from typing import ClassVar

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.memory.cells import Watcher


class FlashCaches(Block, Watcher):
    """Base of controllers with caches that ACR turns on and empties."""

    STATE: ClassVar[tuple[str, ...]] = ("_filled", "_stale")
    CODE_AND_DATA: ClassVar[dict[int, int]] = {1 << 9: 1 << 11, 1 << 10: 1 << 12}
    """ICEN, DCEN -> ICRST, DCRST, on every family that has both."""
    CACHES: ClassVar[dict[int, int]] = {}
    """Enable bit in ACR -> the bit that empties this cache."""
    KEEPS: ClassVar[int] = 0xFFFFFFFF
    """Enable bits of those that may be asked for what an operation changed: all, or that for data alone."""
    MANUAL: ClassVar[str]

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        die.flash.watchers.append(self)

    def reset(self) -> None:
        super().reset()
        self._filled = self.registers["ACR"] & sum(self.CACHES)
        self._stale = 0

    def caches_set(self, value: int) -> None:
        """ACR is to become *value*."""
        for enable, empty in self.CACHES.items():
            if value & empty and (value & enable or self.registers["ACR"] & enable):
                self.die.refuse(
                    f"FLASH_ACR = {value:#x} empties a cache that is on", f"clear its enable bit first ({self.MANUAL})"
                )
            if value & empty:
                self._filled &= ~enable
                self._stale &= ~enable
            if value & enable & self._stale:
                self.die.refuse(
                    "FLASH_ACR turns a cache on that may hold what was erased",
                    f"reset the cache while it is off ({self.MANUAL}, erase)",
                )
            self._filled |= value & enable

    def flash_erased(self, _address: int, _size: int) -> None:
        """A program, but no erase, reaches what a cache holds as well (RM0090, RM0351: programming and caches)."""
        self._stale |= self._filled & self.KEEPS

    def caches_at_the_end(self) -> None:
        """The controller is being locked."""
        if self.registers["ACR"] & self._stale:
            self.die.refuse(
                "an erase was finished with a cache on that may hold what was erased",
                f"turn the caches off before, reset them after ({self.MANUAL}, erase)",
            )
