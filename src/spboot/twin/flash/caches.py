"""Caches in the interface of a flash, kept as rules, not as contents (as `NvicM7` does for those of a core).

The twin reads as if there were no cache.  It forbids what would make a difference on silicon: a cache that is on and
may hold what flash no longer does.  Silicon goes on, with old data or new ones."""

from __future__ import annotations

from typing import Any, ClassVar

import unicorn

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
    BEFORE_ALIAS_ALONE: ClassVar[bool] = False
    """They serve the second address of flash alone."""
    MANUAL: ClassVar[str]

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self._hooks: list[Any] = []
        die.flash.watchers.append(self)

    def reset(self) -> None:
        super().reset()
        self._filled = 0 if self.BEFORE_ALIAS_ALONE else self.registers["ACR"] & sum(self.CACHES)
        self._stale = 0

    @property
    def _bases(self) -> list[int]:
        """Where flash is seen through the caches."""
        flash = self.die.flash
        return [flash.alias or 0] if self.BEFORE_ALIAS_ALONE else flash.bases

    def _fill(self, value: int) -> None:
        """ACR is now *value*.  A cache that is on has contents from the first fetch or load on that it serves: at once
        where the code that runs stands behind it, otherwise when `settle` sees one."""
        flash = self.die.flash
        if any(base <= self.die.core.pc < base + flash.size for base in self._bases):
            self._filled |= value & sum(self.CACHES)
        if self._wanted(value) != bool(self._hooks):  # a slice is short enough without
            flash.unsettled = True
            self.die.core.end_slice()

    def _wanted(self, value: int) -> bool:
        """Whether a cache that counts is on and empty while ACR is *value*."""
        return bool(value & sum(self.CACHES) & self.KEEPS & ~self._filled)

    def settle(self) -> None:
        """Watch flash while a cache that counts is on and empty; no longer."""
        wanted = self._wanted(self.registers.get("ACR", 0))
        if wanted == bool(self._hooks):
            return
        uc, size = self.die.core.uc, self.die.flash.size
        while self._hooks:
            uc.hook_del(self._hooks.pop())
        if wanted:
            self._hooks = [
                uc.hook_add(kind, handler, begin=base, end=base + size - 1)
                for base in self._bases
                for kind, handler in ((unicorn.UC_HOOK_BLOCK, self._on_use), (unicorn.UC_HOOK_MEM_READ, self._on_load))
            ]
        uc.ctl_flush_tb()

    def _on_use(self, *_: Any) -> None:
        self._filled |= self.registers["ACR"] & sum(self.CACHES)
        self.die.flash.unsettled = True

    def _on_load(self, *_: Any) -> None:
        if self.die.core.in_it_block:
            self.die.core.clear_it_state()
        self._on_use()

    def caches_set(self, value: int) -> None:
        """ACR is to become *value*."""
        old = self.registers["ACR"]
        for enable, empty in self.CACHES.items():
            if value & empty and (value & enable or old & enable):
                self.die.forbid(
                    f"FLASH_ACR = {value:#x} empties a cache that is on",
                    f"clear its enable bit first ({self.MANUAL}); it stays as it is",
                )
            elif value & empty:
                self._filled &= ~enable
                self._stale &= ~enable
            if value & ~old & enable & self._stale:
                self.die.forbid(
                    "FLASH_ACR turns a cache on that may hold what was erased",
                    f"reset the cache while it is off ({self.MANUAL}, erase)",
                )
        self._fill(value)

    def flash_erased(self, _address: int, _size: int) -> None:
        """A program, but no erase, reaches what a cache holds as well (RM0090, RM0351: programming and caches)."""
        self._stale |= self._filled & self.KEEPS

    def caches_at_the_end(self) -> None:
        """The controller is being locked."""
        if self.registers["ACR"] & self._stale:
            self.die.forbid(
                "an erase was finished with a cache on that may hold what was erased",
                f"turn the caches off before, reset them after ({self.MANUAL}, erase)",
            )
