"""A core that fetches or loads from a bank of flash that works stands still until it is done (RM0351 3.3.8).

Code in that bank does so at once.  Code elsewhere, in RAM, may return to it too early, or be interrupted by a handler
that stands there: then it is caught at its first fetch or load."""

from __future__ import annotations

from typing import Any, Final

import unicorn

from spboot.twin.core import Core
from spboot.twin.memory.cells import FlashArray
from spboot.twin.timeline import PS_PER_MS, Timeline

_LONG_PS: Final = 10 * PS_PER_MS
"""Shorter operations are not watched from RAM: to watch means to translate all code anew."""


class Stalls:
    """Banks at work, and the hooks on those that code in RAM waits for."""

    def __init__(self, core: Core, timeline: Timeline, flash: FlashArray) -> None:
        self._core = core
        self._timeline = timeline
        self._flash = flash
        self.until: dict[int, int] = {}
        """Bank -> when it is done."""
        self._hooks: dict[int, list[Any]] = {}

    def begin(self, address: int, until: int) -> None:
        """The bank of *address* works until then."""
        flash, core = self._flash, self._core
        bank, pc, rest = flash.bank(flash.offset(address)), core.pc, until - self._timeline.now
        if not flash.holds(pc):
            if rest >= _LONG_PS:
                self.until[bank] = until
                core.end_slice()
        elif flash.bank(flash.offset(pc)) == bank and rest > 0:
            self._timeline.skip(rest)

    def settle(self) -> None:
        """Between slices: watch what works, and no longer."""
        now = self._timeline.now
        self.until = {bank: until for bank, until in self.until.items() if until > now}
        if self.until.keys() == self._hooks.keys():
            return
        uc = self._core.uc
        for bank in set(self._hooks) - set(self.until):
            for hook in self._hooks.pop(bank):
                uc.hook_del(hook)
        for bank in set(self.until) - set(self._hooks):
            self._hooks[bank] = [
                uc.hook_add(kind, handler, bank, begin=start, end=start + self._flash.bank_size - 1)
                for start in self._starts(bank)
                for kind, handler in ((unicorn.UC_HOOK_CODE, self._on_fetch), (unicorn.UC_HOOK_MEM_READ, self._on_read))
            ]
        uc.ctl_flush_tb()

    def _starts(self, bank: int) -> list[int]:
        flash = self._flash
        bases = [flash.address] if flash.alias is None else [flash.address, flash.alias]
        return [base + bank * flash.bank_step for base in bases]

    def _stand_still(self, bank: int) -> bool:
        rest = self.until.get(bank, 0) - self._timeline.now
        if rest > 0:
            self._timeline.skip(rest)
        return rest > 0

    def _on_fetch(self, _uc: Any, _address: int, _size: int, bank: int) -> None:
        if self._stand_still(bank):
            self._core.take_back()  # what fell due meanwhile comes first

    def _on_read(self, _uc: Any, _kind: int, _address: int, _size: int, _value: int, bank: int) -> None:
        if self._core.in_it_block:
            self._core.clear_it_state()
        self._stand_still(bank)

    def save(self) -> dict[int, int]:
        return dict(self.until)

    def load(self, state: dict[int, int]) -> None:
        self.until = dict(state)
        self.settle()
