"""The cells of internal flash: what they hold, words that do not fit their ECC, and who watches them."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import unicorn

from spboot.chips import Memory
from spboot.errors import TwinError
from spboot.twin.core import Core
from spboot.twin.memory.ageing import Ageing, Worn
from spboot.twin.memory.change import Change
from spboot.twin.memory.frail import FrailCells
from spboot.twin.memory.oplog import Cut, Kind, OperationLog


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

    def __init__(
        self, core: Core, log: OperationLog, alias: int | None, runs: Sequence[Memory], *, seed: int = 0
    ) -> None:
        self._core = core
        self._log = log
        self.watchers: list[Watcher] = []
        self.on_bad_load: Callable[[int], None] = lambda _word: None
        """Called with the word when a load meets one that fails its ECC, or"""
        self.on_corrected: Callable[[int], None] = lambda _word: None
        """one that it corrects;"""
        self.on_failure: Callable[[int], None] = lambda _address: None
        """with the address of an operation that changed nothing, as the page is worn;"""
        self.on_bad_fetch: Callable[[int], None] = lambda _word: None
        """with the word when an instruction is fetched from one that fails its ECC, or has marginal bits."""
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
        self.frail = FrailCells(self.unit, self.erased, seed)
        self.ageing = Ageing()
        self._dirty: list[tuple[int, int]] = []
        self.unsettled = False
        """Something has changed that `settle` tells the core."""
        self._hooks: dict[int, list[Any]] = {}
        self.alias = alias
        self._spans = [(base + start, base + end) for base in self.bases for start, end in self._pieces()]
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
        return any(start <= address < end for start, end in self._spans)

    def get(self, address: int, size: int) -> bytes:
        """What the cells hold.  Raises TwinError outside of flash."""
        start = self._span(address, size)
        return ctypes.string_at(ctypes.addressof(self.cells) + start, size)

    def put(self, address: int, data: bytes) -> None:
        """Change the cells without an operation; the words then fit their ECC.  Raises TwinError outside of flash."""
        self._span(address, len(data))
        for low, high in self._gaps:
            inside = data[max(low - address, 0) : max(high - address, 0)]
            if inside.strip(bytes([self.erased])):
                raise TwinError(
                    f"{len(data)} bytes at {address:#010x}: there is no flash from {low:#010x} to {high:#010x}"
                )
        units = range(address - address % self.unit, address + len(data), self.unit)
        self.poisoned -= set(units)
        self.frail.heal(units)
        self.store(address, data)

    def store(self, address: int, data: bytes) -> None:
        """Change the cells and nothing of what is known of them."""
        start = address - self.address
        ctypes.memmove(ctypes.addressof(self.cells) + start, data, len(data))
        self._dirty.append((start, len(data)))
        self.unsettled = True

    def _span(self, address: int, size: int) -> int:
        start = address - self.address
        if not 0 <= start <= self.size or size > self.size - start:
            end = self.address + self.size
            raise TwinError(f"{size} bytes at {address:#010x} are outside of flash, {self.address:#010x}..{end:#010x}")
        return start

    def arm(self, cut: Cut) -> None:
        """Let *cut* fire at its operation, counted from now.  Raises TwinError where the part cannot have its fault."""
        if cut.fault == "single" and not self.ecc:
            raise TwinError(f"cut {cut}: no ECC of this part reports an error, so there is no single one to correct")
        self._log.arm(cut)

    def ask(self, fault: Worn | None) -> None:
        """Ask for a fault of the run, as `ageing.parse` reads it.  Raises TwinError for a page that is not there."""
        if fault is None:
            self.ageing.slow = True
            return
        for run in self.runs:
            if run.address <= fault.page < run.end:
                page = run.erase_unit_at(fault.page)
                self.ageing.wear(fault, page.start, page.stop)
                return
        raise TwinError(f"fault {fault}: no flash at {fault.page:#010x}, which begins at {self.address:#010x}")

    def sense(self, address: int, size: int) -> bytes:
        """What the controller reads before it changes something: marginal bits are what they are this time."""
        for unit in range(address - address % self.unit, address + size, self.unit):
            if unit in self.frail.marginal:
                self._draw(unit)
        return self.get(address, size)

    def rested(self, address: int, size: int) -> bytes:
        """What the cells hold, but for marginal bits, which are as after an erase."""
        held = bytearray(self.get(address, size))
        for unit in range(address - address % self.unit, address + size, self.unit):
            if unit in self.frail.marginal:
                whole = self.frail.rested(unit, int.from_bytes(self.get(unit, self.unit), "little"))
                low, high = max(address, unit), min(address + size, unit + self.unit)
                held[low - address : high - address] = whole.to_bytes(self.unit, "little")[low - unit : high - unit]
        return bytes(held)

    def blank(self, address: int) -> bool:
        """Whether the controller takes the unit at *address* for an erased one."""
        if address in self.poisoned or not self.frail.passes(address):
            return False
        return self.sense(address, self.unit) == bytes([self.erased]) * self.unit

    def _draw(self, unit: int) -> str:
        """A read of a unit of `frail`: what its cells hold from now on, and how it came out."""
        held = self.get(unit, self.unit)
        value, outcome = self.frail.read(unit, int.from_bytes(held, "little"))
        ctypes.memmove(
            ctypes.addressof(self.cells) + unit - self.address, value.to_bytes(self.unit, "little"), self.unit
        )
        return outcome

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
        worn = self.ageing.meets(address, address + len(new))
        if kind == "erase":
            self.ageing.erased(address, address + len(new))
        self._log.perform(kind, Change(self, kind, worn), address, new)
        if worn is not None and worn.fails:
            self.on_failure(address)

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
        pages = {word - word % self.page for word in self.poisoned | self.frail.noticed}
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
            frail = word in self.frail.marginal or word in self.frail.corrected
            outcome = "failed" if word in self.poisoned else self._draw(word) if frail else "right"
            if outcome == "failed":
                self.on_bad_load(word)
                return
            if outcome == "corrected":
                self.on_corrected(word)
        if self._core.in_it_block:
            self._core.clear_it_state()

    def _on_fetch(self, _uc: Any, address: int, _size: int, _data: Any) -> None:
        word = self.offset(address) + self.address
        word -= word % self.unit
        if word in self.poisoned or word in self.frail.marginal:
            self.on_bad_fetch(word)
        elif word in self.frail.corrected:
            self.on_corrected(word)

    def save(self) -> Any:
        return bytes(self.cells), frozenset(self.poisoned), self.frail.save(), self.ageing.save()

    def load(self, state: Any) -> None:
        cells, poisoned, frail, ageing = state
        changed = range(0, self.size, self.page) if bytes(self.cells) != cells else ()
        for start in changed:
            part = cells[start : start + self.page]
            if ctypes.string_at(ctypes.addressof(self.cells) + start, self.page) != part:
                self.store(self.address + start, part)
        self.poisoned = set(poisoned)
        self.frail.load(frail)
        self.ageing.load(ageing)
        self.settle()
