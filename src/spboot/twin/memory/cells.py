"""The cells of internal flash: what they hold, words that do not fit their ECC, and who watches them."""

from __future__ import annotations

import ctypes
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import unicorn

from spboot.chips import Memory
from spboot.errors import TwinError
from spboot.twin.core import Core
from spboot.twin.memory.oplog import Cut, Kind, OperationLog, tear


class Watcher:
    """Base of what has to know about changes of flash: caches."""

    def before_flash_unlock(self) -> None:
        """The controller is about to be unlocked; a cache that may be stale refuses it."""

    def before_flash_operation(self) -> None:
        """An erase or a program is about to begin; the same."""

    def flash_erased(self, address: int, size: int) -> None:
        """These bytes are erased by the operation that begins."""

    def flash_programmed(self, address: int, size: int) -> None:
        """These bytes are programmed by it."""

    def settle(self) -> None:
        """Between slices, after a change: hooks may be set and taken away."""


class FlashArray:
    """All internal flash, one range, also seen at the boot alias.  The controller decides what is allowed.

    *page* is the smallest erase unit, *unit* what is programmed at once and shares an ECC; without ECC no unit is ever
    poisoned.  *bank_size* is that of the first bank, *bank_step* what lies from its start to that of the second: more,
    where there is nothing between them, as on STM32H743 with 1 MB (RM0433 4.3.4).  *size* counts that, too.  *alias* is
    where the core sees it as well, None if nowhere."""

    def __init__(self, core: Core, log: OperationLog, alias: int | None, runs: Sequence[Memory]) -> None:
        self._core = core
        self._log = log
        self.watchers: list[Watcher] = []
        self.on_bad_load: Callable[[int], None] = lambda _word: None
        """Called with the word when a load meets one that fails its ECC;"""
        self.on_bad_fetch: Callable[[int], None] = lambda _word: None
        """the same for an instruction."""
        self.runs = runs
        self.address = address = runs[0].address
        self.size = size = runs[-1].end - address
        self.bank_size = sum(run.size for run in runs if run.bank == runs[0].bank)
        self.banks = len({run.bank for run in runs})
        self.page = min(run.erase_unit for run in runs)
        self.unit = runs[0].program_unit
        self.erased = runs[0].erased
        self.capacity = sum(run.size for run in runs)
        self.bank_step = next((run.address - address for run in runs if run.bank != runs[0].bank), size)
        self._gaps = [(low.end, high.address) for low, high in itertools.pairwise(runs) if low.end < high.address]
        self.cells = (ctypes.c_ubyte * size)()
        ctypes.memset(self.cells, self.erased, size)
        self.ecc = True
        self.poisoned: set[int] = set()
        self._dirty: list[tuple[int, int]] = []
        self.unsettled = False
        """Something has changed that `settle` tells the core."""
        self._hooks: dict[int, list[Any]] = {}
        self.alias = alias
        for base in self.bases:
            for start, end in self._pieces():
                part = (ctypes.c_ubyte * (end - start)).from_buffer(self.cells, start)
                core.map_buffer(base + start, part, writable=False)

    @property
    def bases(self) -> list[int]:
        """Where the core sees it."""
        return [self.address] if self.alias is None else [self.address, self.alias]

    def _pieces(self) -> Iterator[tuple[int, int]]:
        """Offsets of the ranges between gaps, start and end."""
        edges = [0, *(edge - self.address for gap in self._gaps for edge in gap), self.size]
        return zip(edges[::2], edges[1::2], strict=True)

    def offset(self, address: int) -> int:
        """Offset of a bus address, the alias included."""
        return address - (self.address if address >= self.address else self.alias or 0)

    def bank(self, offset: int) -> int:
        """The bank, from 0, that an offset is in; banks have one size."""
        return offset // self.bank_step

    def holds(self, address: int) -> bool:
        """Whether *address* is flash, the alias included."""
        return any(base + start <= address < base + end for base in self.bases for start, end in self._pieces())

    def get(self, address: int, size: int) -> bytes:
        """What the cells hold.  Raises TwinError outside of flash."""
        start = self._span(address, size)
        return ctypes.string_at(ctypes.addressof(self.cells) + start, size)

    def put(self, address: int, data: bytes) -> None:
        """Change the cells without an operation; the words then fit their ECC.  Raises TwinError outside of flash."""
        start = self._span(address, len(data))
        for low, high in self._gaps:
            inside = data[max(low - address, 0) : max(high - address, 0)]
            if inside.strip(bytes([self.erased])):
                raise TwinError(
                    f"{len(data)} bytes at {address:#010x}: there is no flash from {low:#010x} to {high:#010x}"
                )
        self.poisoned -= set(range(address - address % self.unit, address + len(data), self.unit))
        self._store(start, data)

    def _span(self, address: int, size: int) -> int:
        start = address - self.address
        if not 0 <= start <= self.size or size > self.size - start:
            end = self.address + self.size
            raise TwinError(f"{size} bytes at {address:#010x} are outside of flash, {self.address:#010x}..{end:#010x}")
        return start

    def _store(self, start: int, data: bytes) -> None:
        ctypes.memmove(ctypes.addressof(self.cells) + start, data, len(data))
        self._dirty.append((start, len(data)))
        self.unsettled = True

    def unlock(self) -> None:
        """The controller is being unlocked."""
        for watcher in self.watchers:
            watcher.before_flash_unlock()

    def erase(self, address: int, size: int | None = None) -> None:
        """Erase the page at *address*, or the *size* bytes of its sector.  Raises PowerCut."""
        self._operate("erase", address, bytes([self.erased]) * (self.page if size is None else size))

    def program(self, address: int, data: bytes) -> None:
        """Program one unit; that it may be is the caller's knowledge.  Raises PowerCut."""
        self._operate("program", address, data)

    def _operate(self, kind: Kind, address: int, new: bytes) -> None:
        for watcher in self.watchers:
            watcher.before_flash_operation()
            if kind == "erase":
                watcher.flash_erased(address, len(new))
            else:
                watcher.flash_programmed(address, len(new))
        self._log.perform(kind, self, address, new)

    def tear(self, address: int, new: bytes, cut: Cut) -> None:
        """Do as much of an operation as *cut* says; with ECC some of its units do not fit theirs."""
        old = self.get(address, len(new))
        mixed = tear(old, new, cut.pattern)
        units = range(0, len(new), self.unit)
        poison = cut.poison and self.ecc
        bad = set(units) if poison else set()
        if poison and len(units) > 1:
            chance = random.Random(cut.pattern[1])
            parts = {u: slice(u, u + self.unit) for u in units}
            changed = [u for u, part in parts.items() if mixed[part] not in (old[part], new[part])]
            bad = {u for u in changed or units if chance.random() < 0.75} or {units[0]}
        self.put(address, mixed)
        self.poisoned |= {address + unit for unit in bad}

    def renew_translations(self) -> None:
        """Tell the core which code changed.  Between slices only."""
        for start, size in self._dirty:
            self._core.forget_code(self.address + start, size)
            if self.alias is not None:
                self._core.forget_code(self.alias + start, size)
        self._dirty.clear()

    def settle(self) -> None:
        """Tell the core of all that changed.  Between slices only."""
        self.unsettled = False
        self.renew_translations()
        self.watch_poison()
        for watcher in self.watchers:
            watcher.settle()

    def watch_poison(self) -> None:
        """Hook the pages that hold poisoned words, unhook the others.  Between slices only."""
        pages = {word - word % self.page for word in self.poisoned}
        if pages == self._hooks.keys():
            return
        uc = self._core.uc
        for page in set(self._hooks) - pages:
            for hook in self._hooks.pop(page):
                uc.hook_del(hook)
        for page in pages - set(self._hooks):
            self._hooks[page] = [
                uc.hook_add(kind, handler, begin=base, end=base + self.page - 1)
                for base in (page - self.address + start for start in self.bases)
                for kind, handler in (
                    (unicorn.UC_HOOK_MEM_READ, self._on_read),
                    (unicorn.UC_HOOK_CODE, self._on_fetch),
                )
            ]
        uc.ctl_flush_tb()

    def _on_read(self, _uc: Any, _kind: int, address: int, size: int, _value: int, _data: Any) -> None:
        first = self.offset(address) + self.address
        for word in range(first - first % self.unit, first + size, self.unit):
            if word in self.poisoned:
                self.on_bad_load(word)
                return
        if self._core.in_it_block:
            self._core.clear_it_state()

    def _on_fetch(self, _uc: Any, address: int, _size: int, _data: Any) -> None:
        word = self.offset(address) + self.address
        if word - word % self.unit in self.poisoned:
            self.on_bad_fetch(word)

    def save(self) -> Any:
        return bytes(self.cells), frozenset(self.poisoned)

    def load(self, state: Any) -> None:
        cells, poisoned = state
        changed = range(0, self.size, self.page) if bytes(self.cells) != cells else ()
        for start in changed:
            part = cells[start : start + self.page]
            if ctypes.string_at(ctypes.addressof(self.cells) + start, self.page) != part:
                self._store(start, part)
        self.poisoned = set(poisoned)
        self.settle()
