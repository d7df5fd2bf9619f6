"""Accesses that no memory takes by itself: where nothing is, and stores to what is read-only, flash above all."""

from __future__ import annotations

from typing import Any

import unicorn

from spboot.errors import TwinError
from spboot.twin.bus import Bus
from spboot.twin.die import Die
from spboot.twin.errors import PowerCut
from spboot.twin.interrupt.guard import Guard


class Stray:
    """Their hooks.  The MPU is asked first."""

    def __init__(self, die: Die, bus: Bus, guard: Guard) -> None:
        self._die = die
        self._bus = bus
        self._guard = guard
        self.address = 0
        """Of the last access to where nothing is."""
        kinds = unicorn.UC_HOOK_MEM_READ_UNMAPPED | unicorn.UC_HOOK_MEM_WRITE_UNMAPPED
        die.core.uc.hook_add(kinds | unicorn.UC_HOOK_MEM_FETCH_UNMAPPED, self._on_unmapped)
        die.core.uc.hook_add(unicorn.UC_HOOK_MEM_WRITE_PROT, self._on_store)

    def _on_unmapped(self, _uc: Any, kind: int, address: int, size: int, _value: int, _data: Any) -> bool:
        self.address = address
        if self._guard.refuses(kind, address, size):
            return False
        die = self._die
        if (seen := die.windows.at(address)) is not None:
            if die.core.in_it_block:
                die.core.clear_it_state()
            return kind != unicorn.UC_MEM_WRITE_UNMAPPED and seen.open(address, size)
        if window := die.chip.window_at(address):
            die.refuse_later(
                f"access to {address:#010x}, memory behind {window}",
                "the twin has no memory there: name it in the board",
            )
        return False

    def _on_store(self, _uc: Any, kind: int, address: int, size: int, value: int, _data: Any) -> bool:
        die, guard = self._die, self._guard
        value &= (1 << 8 * size) - 1
        if guard.refuses(kind, address, size):
            return False
        if die.core.in_it_block:
            die.core.clear_it_state()
        if guard.on and guard.stores(address, value.to_bytes(size, "little")):
            return True
        try:
            self._bus.busy()
            self._bus.accesses += 1
            if (seen := die.windows.at(address)) is not None:
                seen.store(address)
            if not die.flash.holds(address) and not die.flash_controller.takes(address):
                die.refuse(f"store to read-only {address:#010x}", "do not write system memory")
            die.flash_controller.store(address, size, value)
        except (TwinError, PowerCut) as error:
            die.stop(error)
        return True
