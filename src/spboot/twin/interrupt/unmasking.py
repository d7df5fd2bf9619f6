"""Instructions that may let a waiting exception in: CPSIE, and MSR to PRIMASK, BASEPRI or FAULTMASK (ARMv7-M B5.2).

An exception that waits is taken right behind the instruction that unmasks it, however soon another one masks again;
silicon takes it behind an ISB that follows at the latest (ARMv7-M B1.5.4, ARMv6-M B1.5.4).  The core therefore stops
behind each of these while an exception waits.  In flash they are known by their encoding, whenever flash changes; what
looks like one and is data is never run.  Code in RAM changes unseen: there the core stops at each block."""

from __future__ import annotations

import re
from typing import Any, Final

from spboot.twin.die import Die
from spboot.twin.interrupt.nvic import Nvic

_UNMASKING: Final = re.compile(rb"[\x61-\x63]\xb6|[\x80-\x8e]\xf3[\x10-\x13]\x88", re.DOTALL)
"""CPSIE i, f or both; MSR from any register to a mask: little-endian halfwords (ARMv7-M A5.2.5, A5.3.4)."""
_REACH: Final = 2
"""Bytes of such an instruction that may stand before or behind what changed."""


class Unmasking:
    """Stops the core behind them while an exception waits."""

    def __init__(self, die: Die, nvic: Nvic) -> None:
        self._flash = die.flash
        self._cells = memoryview(die.flash.cells)
        self._nvic = nvic
        self._core = die.core
        self._hooks: dict[int, Any] = {}
        """Address behind such an instruction -> the hook there."""
        die.core.code_changed = self._look
        for address, ram in die.rams.buffers.items():
            self._core.on_block(address, len(ram), self._on_block)
        for second, first in die.chip.mirrors.items():
            addresses = {memory.name: memory.address for memory in die.chip.memories}
            self._core.on_block(addresses[second], len(die.rams.buffers[addresses[first]]), self._on_block)

    def _look(self, address: int, size: int) -> None:
        """Find them in what changed."""
        flash = self._flash
        if not flash.holds(address):
            return
        offset = flash.offset(address)
        start = max(offset - _REACH, 0)
        base = address - offset
        code = bytes(self._cells[start : offset + size + _REACH])
        low, high = base + start, base + start + len(code)
        found = {low + match.end() for match in _UNMASKING.finditer(code) if match.start() % 2 == 0}
        for gone in [at for at in self._known(low + 1, high + 1) if at not in found]:
            self._core.off_block(self._hooks.pop(gone))
        for new in found.difference(self._hooks):
            self._hooks[new] = self._core.on_block(new, 1, self._on_block)

    def _known(self, low: int, high: int) -> list[int]:
        """Those at *low* <= address < *high*.  Most changes are of a few bytes, which are looked up then."""
        if high - low < len(self._hooks):
            return [at for at in range(low, high) if at in self._hooks]
        return [at for at in self._hooks if low <= at < high]

    def _on_block(self) -> None:
        if self._nvic.urgent:
            self._core.end_before()
