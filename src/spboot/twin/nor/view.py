"""What the core sees of external flash in memory-mapped mode: its blocks become memory when they are first read.

Where each read has to be looked at, because of marginal bits or by the owner's word, a page of 1 KB is there for one
instruction.  Outside of that mode nothing is mapped, so that an access is a bus fault at its instruction."""

from __future__ import annotations

import ctypes
from typing import Final, Protocol

from spboot.errors import TwinError
from spboot.twin.die import Die
from spboot.twin.nor.cells import BLOCK
from spboot.twin.nor.package import Package

_PAGE: Final = 0x400
_BLANK: Final = (ctypes.c_ubyte * BLOCK)(*([0xFF] * BLOCK))
"""All erased blocks."""
_GARBAGE: Final = 0xA5


class Owner(Protocol):
    """The controller."""

    name: str

    def admits(self, address: int, size: int) -> bool:
        """Whether the read is answered; False is a bus error.  Raises TwinError for what hangs or reads wrong."""

    def careful(self, page: int) -> bool:
        """Whether each read of the KB at *page* has to be asked about."""

    def reads_wrong(self) -> bool:
        """Whether the read that comes is answered with other bytes than those that are there."""

    def refuse_store(self, address: int) -> None:
        """A store there: raises TwinError."""


class View:
    """The window *span* of *owner* on *package*."""

    def __init__(self, die: Die, owner: Owner, package: Package, span: range) -> None:
        self._die = die
        self._owner = owner
        self._package = package
        self.span = span
        self._shown: set[int] = set()
        self._key = f"{owner.name}.view"
        die.timeline.on(self._key, self._on_close)
        die.windows.add(self)
        package.cells.on_change = lambda _address, _size: self.close()

    # the core

    def open(self, address: int, size: int) -> bool:
        """From a hook.  What goes wrong ends the run after the instruction."""
        try:
            if not self._owner.admits(address, size):
                return False
            self._package.stale.read(address)
            base = address - address % BLOCK
            pages = range(base, base + BLOCK, _PAGE)
            if self._package.cells.unsteady_in(base, BLOCK) or any(map(self._owner.careful, pages)):
                self._open_pages(address, size)
            elif self._owner.reads_wrong():
                self._open_once(address - address % _PAGE, bytes([_GARBAGE]) * _PAGE)
            else:
                self._show(base, self._package.cells.blocks.get(base - self.span.start, _BLANK))
        except TwinError as error:
            self._die.stop(error)
            return False
        return True

    def _open_pages(self, address: int, size: int) -> None:
        """The KB that an access meets, for good where it may be."""
        page = address - address % _PAGE
        cells = self._package.cells
        if self._owner.reads_wrong():
            self._open_once(page, bytes([_GARBAGE]) * _PAGE)
        elif cells.unsteady_in(page, _PAGE) or self._owner.careful(page):
            found = bytearray(cells.get(page, _PAGE))
            found[address - page : address - page + size] = cells.sense(address, min(size, page + _PAGE - address))
            self._open_once(page, bytes(found))
        else:
            self._show(page, (ctypes.c_ubyte * _PAGE)(*cells.get(page, _PAGE)))

    def _open_once(self, page: int, content: bytes) -> None:
        """For the instruction that runs."""
        self._show(page, (ctypes.c_ubyte * _PAGE)(*content))
        self.close()

    def _show(self, base: int, buffer: ctypes.Array[ctypes.c_ubyte]) -> None:
        self._die.core.shown.show(base, buffer)
        self._shown.add(base)

    def close(self) -> None:
        """The core sees nothing any more, after the instruction that runs."""
        if not self._shown:
            return
        if self._die.core.running:
            self._die.timeline.at(self._key, self._die.timeline.now)
            self._die.core.end_slice()
        else:
            self._hide()

    def _on_close(self, _when: int) -> None:
        self._hide()

    def _hide(self) -> None:
        while self._shown:
            self._die.core.shown.hide(self._shown.pop())

    # others

    def read(self, address: int, size: int) -> int | None:
        """What another master than the core reads."""
        if not self._owner.admits(address, size):
            return None
        return int.from_bytes(self._package.cells.sense(address, size), "little")

    def store(self, address: int) -> None:
        """The window is read-only here."""
        self._owner.refuse_store(address)
