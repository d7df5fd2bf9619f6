"""Where the core stops for gdb: breakpoints, watchpoints, steps, faults, BKPT.

A breakpoint is a hook of unicorn at its address alone: code elsewhere runs as if there were none, and without any
nothing is hooked.  The hook ends the slice in front of the instruction; who decides is `look`, which the machine asks
between slices, after it has taken the exceptions that wait.  So where an interrupt comes first, the core stops when its
handler is done, and no stop costs time.  Where a hook cannot end a slice, within an IT block, the IT that opens it is
hooked as well, and the block is executed one instruction at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import unicorn

from spboot.errors import TwinError
from spboot.twin.core import INT_BKPT
from spboot.twin.machine import Twin

SIGINT, SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGPWR = 2, 4, 5, 6, 11, 32
"""As gdb numbers them."""
LIMIT: Final = 256
"""Most breakpoints, and most watchpoints.  Silicon has 4 to 8 of the former and 1 to 4 of the latter."""
WATCHED: Final = 4096
"""Most bytes of a watchpoint."""
_ANY: Final = 1 << 30
_IT_REACH: Final = range(2, 16, 2)
"""How far in front of an instruction of its block an IT can stand: three instructions of 4 bytes, and itself."""
_SVC: Final = 0xDF
_WATCH_HOOKS: Final = {
    "watch": unicorn.UC_HOOK_MEM_WRITE,
    "rwatch": unicorn.UC_HOOK_MEM_READ,
    "awatch": unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE,
}


class Halted(Exception):  # noqa: N818 - an event, not an error
    """The core stopped for the debugger, by *signal*.  *words* say why, where the signal does not; *watched* is the
    kind of a watchpoint and the address that was accessed."""

    def __init__(self, signal: int, words: str = "", watched: tuple[str, int] | None = None) -> None:
        super().__init__(words or f"signal {signal}")
        self.signal = signal
        self.words = words
        self.watched = watched


class Debugger:
    """Stops *twin*; attached from its making until `detach`."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._core = twin.core
        self._breakpoints: set[int] = set()
        self._openers: set[int] = set()
        """Where an IT may stand that opens a block with a breakpoint in it."""
        self._hooks: dict[int, Any] = {}
        self._watches: dict[tuple[str, int, int], Any] = {}
        self._watched: tuple[str, int] | None = None
        self._range: range | None = None
        self._fresh = False
        """Whether nothing was executed since `resume`."""
        self._passes = False
        """Whether the slice is the first since then."""
        self._slice_at = 0
        self._depth = 0
        self._stepped = False
        self._faults = 0
        twin.debugger = self
        twin.cpu.debugged = True

    def detach(self) -> None:
        """Take all breakpoints and watchpoints out of the core."""
        self._breakpoints.clear()
        self._rehook()
        for kind, address, size in list(self._watches):
            self.unwatch(kind, address, size)
        self._core.alone = False
        self._twin.cpu.debugged = False
        self._twin.debugger = None

    # what gdb sets

    def stop_at(self, address: int) -> None:
        """Set a breakpoint.  Raises TwinError when there are too many."""
        if len(self._breakpoints | {address}) > LIMIT:
            raise TwinError(f"there are {LIMIT} breakpoints already: delete some")
        self._breakpoints.add(address)
        self._rehook()

    def pass_by(self, address: int) -> None:
        """Take a breakpoint away, if there is one."""
        self._breakpoints.discard(address)
        self._rehook()

    def watch(self, kind: str, address: int, size: int) -> None:
        """Set a watchpoint of *size* bytes: "watch" stops at stores, "rwatch" at loads, "awatch" at both.  The core
        stops in front of the instruction, with a store in memory already; within an IT block behind it.  Raises
        TwinError: too many, too large, not in RAM."""
        if len(self._watches) >= LIMIT or not 0 < size <= WATCHED or not self._twin.rams.holds(address, size):
            raise TwinError(f"{size} bytes at {address:#010x}: expected up to {WATCHED} bytes of RAM, {LIMIT} times")
        if (kind, address, size) not in self._watches:
            hook = self._watcher(kind)
            end = address + size - 1
            self._watches[kind, address, size] = self._core.uc.hook_add(
                _WATCH_HOOKS[kind], hook, begin=address, end=end
            )
            self._core.uc.ctl_flush_tb()

    def unwatch(self, kind: str, address: int, size: int) -> None:
        """Take a watchpoint away, if there is one."""
        hook = self._watches.pop((kind, address, size), None)
        if hook is not None:
            self._core.uc.hook_del(hook)
            self._core.uc.ctl_flush_tb()

    def resume(self, within: range | None = None) -> None:
        """The next run goes on; *within* is for a step: until the core has left these addresses, of one instruction at
        least.  An interrupt that comes meanwhile is served first, unless its handler meets a breakpoint."""
        self._range = within
        self._watched = None
        self._fresh = True
        self._depth = len(self._twin.cpu.active)
        self._stepped = False
        self._faults = len(self._twin.faults)

    # what the core meets

    def _rehook(self) -> None:
        self._openers = {
            place
            for address in self._breakpoints
            for place in (address - back for back in _IT_REACH)
            if (code := self._core.halfword(place)) & 0xFF00 == 0xBF00 and code & 15
        }
        wanted, uc = self._breakpoints | self._openers, self._core.uc
        for address in self._hooks.keys() - wanted:
            uc.hook_del(self._hooks.pop(address))
        for address in wanted - self._hooks.keys():
            self._hooks[address] = uc.hook_add(unicorn.UC_HOOK_CODE, self._on_fetch, begin=address, end=address)
        uc.ctl_flush_tb()

    def _is_first(self) -> bool:
        """Whether a hook sees the first instruction of the slice, about which `look` has decided."""
        return self._core.executed - self._slice_at == 1

    def _on_fetch(self, _uc: Any, _address: int, _size: int, _data: Any) -> None:
        if not self._is_first():
            self._core.hold()

    def _watcher(self, kind: str) -> Callable[..., None]:
        def on_access(_uc: Any, _kind: int, address: int, _size: int, _value: int, _data: Any) -> None:
            in_it_block = self._core.in_it_block
            if in_it_block:
                self._core.clear_it_state()
            if self._passes and self._is_first():
                return  # where gdb goes on from
            self._watched = kind, address
            if in_it_block:
                self._core.end_slice()
            else:
                self._core.hold()

        return on_access

    def look(self) -> int:
        """Between two slices: raise Halted where the core stops; else the most instructions until the next look."""
        core, cpu = self._core, self._twin.cpu
        if not self._fresh or len(self._twin.faults) != self._faults:
            self._check()
        self._passes, self._fresh = self._fresh, False
        self._slice_at = core.executed
        stepping = self._range is not None and len(cpu.active) <= self._depth
        if stepping and not self._asleep():
            self._stepped = True
        if stepping and core.halfword(core.pc) >> 8 == _SVC and len(cpu.active) == self._depth:
            self._depth += 1  # its handler is the next step
        core.alone = stepping or (bool(self._openers) and (core.pc in self._openers or core.in_it_block))
        return 1 if core.alone else _ANY

    def _check(self) -> None:
        core, twin = self._core, self._twin
        if len(twin.faults) != self._faults:
            self._check_faults()
        if self._watched is not None:
            raise Halted(SIGTRAP, watched=self._watched)
        if core.interrupt == INT_BKPT:
            raise Halted(SIGTRAP, f"BKPT at {twin.where(core.pc)}")
        if self._asleep():
            return
        if core.pc in self._breakpoints:
            raise Halted(SIGTRAP)
        if self._range is None or not self._stepped or len(twin.cpu.active) > self._depth:
            return
        if core.pc not in self._range or len(twin.cpu.active) < self._depth:
            raise Halted(SIGTRAP)

    def _asleep(self) -> bool:
        return self._twin.cpu.sleeping and not self._twin.nvic.candidates

    def _check_faults(self) -> None:
        """Stop at the handler of a new fault."""
        faults = self._twin.faults
        before, self._faults = self._faults, len(faults)
        if len(faults) > before:
            fault = faults[-1]
            signal = SIGILL if fault.kind == "UsageFault" else SIGSEGV
            raise Halted(signal, f"{fault.kind}: {self._twin.where(fault.pc)} accessed {fault.address:#010x}")
