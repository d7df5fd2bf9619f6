"""Stores that have not reached RAM when a reset comes, and are lost by it.  `hold` asks for that: each store then costs
a call, which no run pays otherwise.

RAM with an ECC has words of 64 or 32 bits.  A store of a whole word goes there at once; one of a part of a word waits
in a buffer of that RAM for the next part of another word (RM0433 and RM0399, embedded SRAM, error code correction; ST's
FAQ "SRAM/Backup SRAM content is not preserved after reset" has the rules).  So a reset loses one word of each RAM.

What the data cache of a Cortex-M7 has to write is lost as well.  Silicon may have written some of it; here it is all
lost until its line, or every set and way, was cleaned."""

from __future__ import annotations

import ctypes
from typing import Any, Final

import unicorn

from spboot.errors import TwinError
from spboot.twin.die import Die
from spboot.twin.interrupt.cache_m7 import NvicM7

_LINE: Final = 32


class HeldStores:
    """Those of one part.  *words* of its family has RAM -> the bytes of a word of its ECC."""

    def __init__(self, die: Die, nvic: object) -> None:
        self._die = die
        self._caches = nvic if isinstance(nvic, NvicM7) else None
        words = die.chip.of_family.ram_words
        self._rams = [(ram.address, ram.end, words[ram.name]) for ram in die.chip.ram if ram.name in words]
        self._hooks: list[Any] = []
        self._parts: dict[int, tuple[int, bytes]] = {}
        """RAM -> the word of which a part was stored last, and what it held before."""
        self._lines: dict[int, bytes] = {}
        """Lines that the data cache has to write -> what RAM holds there."""

    def hold(self) -> None:
        """From now on a reset loses them.  Raises TwinError where no manual says that the part does so."""
        if not self._rams:
            raise TwinError(f"{self._die.chip.name}: no RAM that loses a store at a reset; leave that fault out")
        uc = self._die.core.uc
        if not self._hooks:
            self._hooks = [
                uc.hook_add(unicorn.UC_HOOK_MEM_WRITE, self._on_store, (start, word), begin=start, end=end - 1)
                for start, end, word in self._rams
            ]
            uc.ctl_flush_tb()
        if self._caches is not None:
            self._caches.held = self

    def _on_store(self, _uc: Any, _kind: int, address: int, size: int, _value: int, ram: tuple[int, int]) -> None:
        if self._die.core.in_it_block:
            self._die.core.clear_it_state()
        base, unit = ram
        if self._caches is not None and self._caches.keeps(address):
            line = address & -_LINE
            if line not in self._lines:
                self._lines[line] = self._content(line, _LINE)
            return
        word = address & -unit
        waiting = self._parts.get(base, (None,))[0]
        if size >= unit and address == word:
            if waiting == word:
                del self._parts[base]
        elif waiting != word:
            self._parts[base] = word, self._content(word, unit)

    def _content(self, address: int, size: int) -> bytes:
        base, ram = next((b, r) for b, r in self._die.rams.buffers.items() if b <= address < b + len(r))
        return ctypes.string_at(ctypes.addressof(ram) + address - base, size)

    def cleaned(self, line: int | None = None) -> None:
        """The data cache wrote *line*, or all that it had to."""
        if line is None:
            self._lines.clear()
            return
        if self._lines.pop(line & -_LINE, None) is None:
            return
        for base, (word, _) in list(self._parts.items()):
            if word & -_LINE == line & -_LINE:
                del self._parts[base]

    def lose(self, *, power: bool) -> None:
        """A reset; with *power*, RAM is garbage anyway."""
        if not power:
            for address, content in (*self._lines.items(), *self._parts.values()):
                self._die.rams.put(address, content)
        self._lines.clear()
        self._parts.clear()

    def save(self) -> Any:
        return dict(self._parts), dict(self._lines)

    def load(self, state: Any) -> None:
        parts, lines = state
        self._parts, self._lines = dict(parts), dict(lines)
