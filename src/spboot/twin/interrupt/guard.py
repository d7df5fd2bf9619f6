"""Puts to the core what the memory protection unit forbids: no cost while that is off, little while it is on.

Most pages of 1 KB have one answer, which the core keeps in its TLB (U16).  A page through which the edge of a region
goes is watched: each access to it is judged alone (U17).  So is one from the first access on that it denies as a whole,
as only then the address is known that MMFAR shows.

A change shows from the next instruction on, without DSB and ISB.  FAULTMASK lifts the protection at once; what was
accessed meanwhile stays open until the end of the slice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import unicorn
from unicorn.unicorn_py3 import UcError

from spboot.twin.die import Die
from spboot.twin.interrupt.mpu import Access, Mpu

_PAGE: Final = 1024
_RETURNS: Final = 0xF0000000
"""From here on a fetch is no fetch but an exception return."""
_NOWHERE: Final = 0xFFFFFFFF
_ALL_HOOKS: Final = 3
_FLUSH: Final = unicorn.UC_CTL_TLB_FLUSH, unicorn.UC_CTL_IO_WRITE
_KINDS: Final[dict[int, Access]] = {
    unicorn.UC_MEM_READ: "read", unicorn.UC_MEM_READ_PROT: "read", unicorn.UC_MEM_READ_UNMAPPED: "read",
    unicorn.UC_MEM_WRITE: "write", unicorn.UC_MEM_WRITE_PROT: "write", unicorn.UC_MEM_WRITE_UNMAPPED: "write",
    unicorn.UC_MEM_FETCH: "fetch", unicorn.UC_MEM_FETCH_PROT: "fetch", unicorn.UC_MEM_FETCH_UNMAPPED: "fetch",
}  # fmt: skip
_BITS: Final[dict[Access, int]] = {
    "read": unicorn.UC_PROT_READ, "write": unicorn.UC_PROT_WRITE, "fetch": unicorn.UC_PROT_EXEC,
}  # fmt: skip


class Guard:
    """Between the MPU and one core."""

    def __init__(self, die: Die, mpu: Mpu) -> None:
        self._die = die
        self._mpu = mpu
        self.on = False
        self.unsettled = False
        """What it allows has changed since `settle`."""
        self._hooks: list[Any] = []
        self._watched: set[int] = set()
        self._empty: set[int] = set()
        """Pages with nothing in them: the bus answers, unless the access is denied."""
        self._carved: set[int] = set()
        self._translated: set[int] = set()
        """Watched pages of which code was run."""
        self._stored: list[tuple[int, int]] = []
        self._closed: int | None = None
        self._denied: tuple[int, Access] | None = None
        mpu.changed = self._on_change

    def _on_change(self) -> None:
        self.unsettled = True
        self._die.core.end_slice()

    # the answers

    def allows(self, address: int, access: Access, *, privileged: bool) -> bool:
        """Whether the core may do that now."""
        if not self._mpu.on:  # a reset turned it off, and `settle` has not put that to the core
            return True
        if privileged and not self._mpu.in_fault_handlers and self._die.cpu.in_fault_handler:
            self.unsettled = True  # whatever made it so may end unseen
            return True
        return self._mpu.allows(address, access, privileged=privileged)

    def allows_all(self, address: int, size: int, access: Access, *, privileged: bool) -> bool:
        """The same of *size* bytes, by words."""
        places = {*range(address, address + size, 4), address + size - 1}
        return all(self.allows(place, access, privileged=privileged) for place in places)

    def _privileged(self, access: Access) -> bool:
        """Whether the access that is under way is privileged: not in unprivileged code, and not of LDRT or STRT."""
        if not self._die.cpu.privileged:
            return False
        core = self._die.core
        if access == "fetch" or core.halfword(core.pc) & 0xFE80 != 0xF800:
            return True
        return core.halfword(core.pc + 2) & 0xF00 != 0xE00

    def refuses(self, kind: int, address: int, size: int) -> bool:
        """From a hook: whether the access is denied; `caught` then takes the fault."""
        if not self.on or (address >= _RETURNS and _KINDS[kind] == "fetch"):
            return False
        access = _KINDS[kind]
        privileged = self._privileged(access)
        denied = [a for a in (address, address + size - 1) if not self.allows(a, access, privileged=privileged)]
        if denied and address != self._die.core.wall:
            self._denied = denied[0], access
            return True
        return False

    # between slices

    def settle(self) -> None:
        """Put what has changed to the core."""
        self.unsettled = False
        core = self._die.core
        for address, size in self._stored:
            core.forget_code(address, size)
        self._stored.clear()
        if not self.on and not self._mpu.on:
            return
        for page in self._watched:
            core.uc.mem_protect(page, _PAGE, self._usual(page))
        for places in (self._watched, self._empty, self._translated):
            places.clear()
        if self.on != self._mpu.on:
            self._switch()
        if self.on:
            for page in sorted({edge - edge % _PAGE for edge in self._mpu.edges() if edge % _PAGE}):
                self._watch(page)
        self.drop()

    def _switch(self) -> None:
        """The MPU was turned on or off."""
        uc = self._die.core.uc
        self.on = self._mpu.on
        if len(self._hooks) == _ALL_HOOKS:
            uc.ctl_flush_tb()
        while self._hooks:
            uc.hook_del(self._hooks.pop())
        uc.ctl_set_tlb_mode(unicorn.UC_TLB_VIRTUAL if self.on else unicorn.UC_TLB_CPU)
        if self.on:
            kinds = unicorn.UC_HOOK_MEM_READ_PROT | unicorn.UC_HOOK_MEM_FETCH_PROT
            self._hooks = [
                uc.hook_add(unicorn.UC_HOOK_TLB_FILL, self._on_fill),
                uc.hook_add(kinds, self._on_access),
            ]

    def drop(self) -> None:
        """The core is to ask anew, as the regions or the privilege of fault handlers are others."""
        self._die.core.uc.ctl(*_FLUSH)
        for page in self._translated:
            self._die.core.forget_code(page, _PAGE)
        self._translated.clear()

    def _usual(self, page: int) -> int:
        """What unicorn allows of a page without an MPU."""
        if self._die.core.mmio.holds(page):
            return unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE
        return unicorn.UC_PROT_ALL if self._die.rams.holds_any(page) else unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC

    def _watch(self, page: int) -> None:
        """Judge each access to *page* alone from now on."""
        core = self._die.core
        peripheral = core.mmio.holds(page)
        if peripheral and page not in self._carved:
            core.mmio.carve(page, _PAGE)
            self._carved.add(page)
        try:
            core.uc.mem_protect(page, _PAGE, unicorn.UC_PROT_NONE)
        except UcError:
            self._empty.add(page)
            return
        self._watched.add(page)
        if len(self._hooks) < _ALL_HOOKS:  # stays until the MPU is off: it makes the core translate all code anew
            self._hooks.append(
                core.uc.hook_add(unicorn.UC_HOOK_MEM_READ, lambda *_: None, begin=_NOWHERE, end=_NOWHERE)
            )
            core.uc.ctl_flush_tb()
        if not peripheral:
            core.forget_code(page, _PAGE)

    def caught(self) -> bool:
        """Whether a denied access ended the slice.  If so its fault is taken, or the access is made again."""
        if self._closed is not None:
            page, self._closed = self._closed, None
            self._watch(page)
            self.drop()
            return True
        if self._denied is None:
            return False
        (address, access), self._denied = self._denied, None
        core = self._die.core
        if access == "fetch":
            start = self._instruction(address)
            if start != core.pc:
                core.wall = start
                return True
        self._die.cpu.access_denied(address, fetch=access == "fetch")
        return True

    def _instruction(self, address: int) -> int:
        """Where the instruction begins that has *address* in it, in the code that follows the PC."""
        core = self._die.core
        place = core.pc
        while True:
            size = 4 if core.halfword(place) >> 11 in (0x1D, 0x1E, 0x1F) else 2
            if place + size > address:
                return place
            place += size

    # hooks

    def _on_fill(self, _uc: Any, page: int, kind: int, entry: Any, _data: Any) -> bool:
        entry.paddr = page
        access = _KINDS[kind]
        if page in self._watched or page in self._empty or (page >= _RETURNS and access == "fetch"):
            entry.perms = unicorn.UC_PROT_ALL
            return True
        privileged = self._privileged(access)
        allowed = self._bits(page, privileged=privileged)
        entry.perms = allowed
        if not allowed & _BITS[access]:
            self._closed = page
        elif access != "fetch":
            self._leave_it_block()
        return True

    def _leave_it_block(self) -> None:
        """From the hook of an access that is made (U3)."""
        if self._die.core.in_it_block:
            self._die.core.clear_it_state()

    def _bits(self, page: int, *, privileged: bool) -> int:
        granted: Iterable[Access] = (one for one in _BITS if self.allows(page, one, privileged=privileged))
        return sum(_BITS[one] for one in granted)

    def _on_access(self, _uc: Any, kind: int, address: int, size: int, _value: int, _data: Any) -> bool:
        if self.refuses(kind, address, size):
            return False
        if _KINDS[kind] == "fetch":
            self._translated.add(address - address % _PAGE)
        else:
            self._leave_it_block()
        return True

    def stores(self, address: int, data: bytes) -> bool:
        """From the hook of a store that is allowed: whether it is one to a watched page that is no flash, and made.
        Unicorn makes that to a peripheral."""
        core, page = self._die.core, address - address % _PAGE
        if core.mmio.holds(address):
            return True
        if page not in self._watched or not self._die.rams.holds_any(address):
            return False
        core.store(address, data)
        if page in self._translated:
            self._stored.append((address, len(data)))
            self._on_change()
        return True
