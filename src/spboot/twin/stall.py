"""A core that fetches or loads from a bank of flash that works stands still until it is done (RM0351 3.3.8).

Code in that bank does so at once.  Code elsewhere, in RAM, may return to it too early, or be interrupted by a handler
that stands there: then it is caught at its first fetch or load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import unicorn

from spboot.twin.timeline import PS_PER_MS

if TYPE_CHECKING:
    from spboot.twin.machine import Twin

_LONG_PS: Final = 10 * PS_PER_MS
"""Shorter operations are not watched from RAM: to watch means to translate all code anew."""


class Stalls:
    """Banks at work, and the hooks on those that code in RAM waits for."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self.until: dict[int, int] = {}
        """Bank -> when it is done."""
        self._hooks: dict[int, list[Any]] = {}

    def begin(self, address: int, until: int) -> None:
        """The bank of *address* works until then."""
        flash, core = self.twin.flash, self.twin.core
        bank, pc, rest = flash.bank(flash.offset(address)), core.pc, until - self.twin.timeline.now
        if not flash.holds(pc):
            if rest >= _LONG_PS:
                self.until[bank] = until
                core.end_slice()
        elif flash.bank(flash.offset(pc)) == bank and rest > 0:
            self.twin.timeline.skip(rest)

    def settle(self) -> None:
        """Between slices: watch what works, and no longer."""
        now = self.twin.timeline.now
        self.until = {bank: until for bank, until in self.until.items() if until > now}
        if self.until.keys() == self._hooks.keys():
            return
        uc = self.twin.core.uc
        for bank in set(self._hooks) - set(self.until):
            for hook in self._hooks.pop(bank):
                uc.hook_del(hook)
        for bank in set(self.until) - set(self._hooks):
            self._hooks[bank] = [
                uc.hook_add(kind, handler, bank, begin=start, end=start + self.twin.flash.bank_size - 1)
                for start in self._starts(bank)
                for kind, handler in ((unicorn.UC_HOOK_CODE, self._on_fetch), (unicorn.UC_HOOK_MEM_READ, self._on_read))
            ]
        uc.ctl_flush_tb()

    def _starts(self, bank: int) -> list[int]:
        flash = self.twin.flash
        bases = [flash.address] if flash.alias is None else [flash.address, flash.alias]
        return [base + bank * flash.bank_step for base in bases]

    def _stand_still(self, bank: int) -> bool:
        rest = self.until.get(bank, 0) - self.twin.timeline.now
        if rest > 0:
            self.twin.timeline.skip(rest)
        return rest > 0

    def _on_fetch(self, _uc: Any, _address: int, _size: int, bank: int) -> None:
        if self._stand_still(bank):
            self.twin.core.take_back()  # what fell due meanwhile comes first

    def _on_read(self, _uc: Any, _kind: int, _address: int, _size: int, _value: int, bank: int) -> None:
        if self.twin.core.in_it_block:
            self.twin.core.clear_it_state()
        self._stand_still(bank)
