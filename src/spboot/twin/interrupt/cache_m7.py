"""System control space of a Cortex-M7: the caches (PM0253 4.8, DDI0403 B2.2.7), kept as rules, not as contents.

The twin executes as if there were no cache.  It refuses what would make a difference on silicon: a cache turned on that
was not emptied, one turned off with data that is not written, and flash that was erased while the data cache may hold
what stood there.  What the MPU keeps out of the caches has no part in that."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final, Protocol

from spboot.twin.die import Die
from spboot.twin.interrupt.nvic import Nvic
from spboot.twin.memory.cells import Watcher

_DC, _IC = 1 << 16, 1 << 17
_LINE: Final = 32
_WAYS: Final = 4
_KB: Final = {0x449: 4, 0x452: 8}
"""Device id -> KB of each cache, where it is not 16: STM32F74x and F72x (DS10916, DS11853)."""
_SET_WAY: Final = 0xC0003FE0
_REGISTERS: Final = {
    "CLIDR": 0xD78, "CTR": 0xD7C, "CCSIDR": 0xD80, "CSSELR": 0xD84, "ICIALLU": 0xF50, "ICIMVAU": 0xF58,
    "DCIMVAC": 0xF5C, "DCISW": 0xF60, "DCCMVAU": 0xF64, "DCCMVAC": 0xF68, "DCCSW": 0xF6C,
    "DCCIMVAC": 0xF70, "DCCISW": 0xF74,
}  # fmt: skip


class Writes(Protocol):
    """Who wants to know what a data cache wrote."""

    def cleaned(self, line: int | None = None) -> None: ...


class NvicM7(Nvic, Watcher):
    """The system control space with caches."""

    RESET: ClassVar[dict[str, int]] = {**Nvic.RESET, "CCR": 0x40200, "CLIDR": 0x09000003, "CTR": 0x8303C003}
    STATE: ClassVar[tuple[str, ...]] = (
        *Nvic.STATE,
        "_emptied",
        "_cleaned",
        "_code_emptied",
        "_filled",
        "_stale",
        "_missed",
        "_written",
        "_published",
        "unwritten",
    )
    READ_ONLY = frozenset({*Nvic.READ_ONLY, "CLIDR", "CTR", "CCSIDR"})
    DECLARES: ClassVar[frozenset[str]] = Nvic.DECLARES | _REGISTERS.keys()

    def __init__(self, die: Die) -> None:
        super().__init__(die)
        die.flash.watchers.append(self)
        for name, offset in _REGISTERS.items():
            self._declare(name, offset, {})
        self.masks["CCR"] |= _DC | _IC | 1 << 18
        self._dropped: list[Callable[[int | None], None]] = []
        self.held: Writes | None = None
        """Who wants to know what the data cache has to write."""
        self._sets = _KB.get(die.chip.device_id, 16) * 1024 // _LINE // _WAYS

    def reset(self) -> None:
        super().reset()
        self._emptied: set[int] = set()
        self._cleaned: set[int] = set()
        self._code_emptied = False
        self._filled = False
        self._stale: set[int] = set()
        self._missed: set[int] = set()
        self._written: set[int] = set()
        self._published: set[int] = set()
        self.unwritten = False
        """The data cache was turned off, and what it had to write is not written."""

    @property
    def caches_data(self) -> bool:
        return bool(self.registers["CCR"] & _DC)

    def on_drop(self, dropped: Callable[[int | None], None]) -> None:
        self._dropped.append(dropped)

    def read_CCSIDR(self) -> int:
        return 0xF0000000 | (self._sets - 1) << 13 | (_WAYS - 1) << 3 | 1

    def write_CCR(self, value: int) -> None:
        old = self.registers["CCR"]
        if value & ~old & _DC:
            if len(self._emptied) < self._sets * _WAYS:
                self.die.refuse(
                    "the data cache was turned on with contents that nobody emptied",
                    "write every set and way to DCISW first (PM0253 4.8)",
                )
            self._filled = True
            self._emptied.clear()
        if value & ~old & _IC and not self._code_emptied:
            self.die.refuse("the instruction cache was turned on, not emptied", "write ICIALLU first (PM0253 4.8)")
        if old & ~value & _DC:
            self.unwritten = True
            self._cleaned.clear()
        self.registers["CCR"] = value & self.masks["CCR"]

    def keeps(self, address: int) -> bool:
        """Whether a store to *address* in RAM stays in the data cache."""
        return bool(self.registers["CCR"] & _DC) and self.mpu.caching(address, "back") == "back"

    def _wrote(self, line: int | None = None) -> None:
        if self.held is not None:
            self.held.cleaned(line)

    def write_ICIALLU(self, _value: int) -> None:
        self._code_emptied = True
        self._published |= self._written
        self._written.clear()

    def write_DCCMVAU(self, value: int) -> None:
        self._written.add(value & -_LINE)
        self._wrote(value)

    def _pass(self, lines: set[int], value: int) -> bool:
        """Whether every set and way was seen now."""
        lines.add(value & _SET_WAY)
        return len(lines) >= self._sets * _WAYS

    def write_DCISW(self, value: int) -> None:
        if self.registers["CCR"] & _DC or self.unwritten:
            self.die.refuse("DCISW drops what the data cache has to write", "use DCCISW")
        if self._pass(self._emptied, value):
            self._filled = False
            self._forget_all()

    def _forget_all(self) -> None:
        self._stale.clear()
        self._missed.clear()
        for dropped in self._dropped:
            dropped(None)

    def _forget(self, address: int) -> None:
        self._stale.discard(address & -_LINE)
        self._missed.discard(address & -_LINE)
        for dropped in self._dropped:
            dropped(address & -_LINE)

    def write_DCCISW(self, value: int) -> None:
        if self._pass(self._cleaned, value):
            self._wrote()
            if not self.registers["CCR"] & _DC:
                self.unwritten = self._filled = False
                self._forget_all()

    def write_DCCSW(self, value: int) -> None:
        if self._pass(self._cleaned, value):
            self._wrote()
            if not self.registers["CCR"] & _DC:
                self.unwritten = False

    def write_DCIMVAC(self, value: int) -> None:
        if self.die.rams.holds(value & -_LINE, _LINE):
            self.die.doubt(
                f"DCIMVAC {value:#010x} drops what RAM has to get",
                "do so where DMA filled a buffer and the core stored nothing; use DCCIMVAC elsewhere",
            )
        self._forget(value)

    def write_DCCIMVAC(self, value: int) -> None:
        self._forget(value)
        self._wrote(value)

    def write_DCCMVAC(self, value: int) -> None:
        self._wrote(value)

    def write_VTOR(self, value: int) -> None:
        if self.unwritten:
            self.die.refuse(
                "vectors were moved while the data cache is off and holds unwritten data",
                "write every set and way to DCCISW",
            )
        super().write_VTOR(value)

    # flash

    def before_flash_operation(self) -> None:
        """Refuse to go on with what may be stale, data or the code that does it."""
        line = self.die.core.pc & -_LINE
        hidden = self.die.rams.holds(line, _LINE) and self.mpu.caching(line, "back") != "none"
        if self.registers["CCR"] & (_DC | _IC) and hidden and line not in self._published:
            self.die.refuse(
                "code in RAM runs that the caches may hide",
                "write its lines to DCCMVAU, then ICIALLU, before it runs (PM0253 4.8)",
            )
        self._published.clear()
        if self._stale:
            self.die.refuse(
                f"{min(self._stale):#010x} was erased, and the data cache may still hold what stood there",
                "write its lines to DCIMVAC after the erase",
            )

    def before_flash_unlock(self) -> None:
        """Arm erratum 1259864 (ES0392 2.1.1): a line may miss what was stored through it."""
        if self._missed:
            self.die.refuse(
                f"{min(self._missed):#010x} was programmed, and the data cache may still hold what stood there",
                "write its lines to DCIMVAC after the program",
            )

    def flash_programmed(self, address: int, size: int) -> None:
        """Lines of what was programmed may be in the data cache."""
        caching = self.mpu.caching(address, "through")
        if caching == "back" and self.registers["CCR"] & _DC:
            self.die.refuse(
                f"flash at {address:#010x} was programmed, and a region of the MPU makes it write-back",
                "make flash write-through or not cacheable: what is stored stays in the data cache",
            )
        if self._filled and caching != "none":
            self._missed |= set(range(address & -_LINE, address + size, _LINE))

    def flash_erased(self, address: int, size: int) -> None:
        """Lines of an erased sector may be in the data cache."""
        if self._filled and self.mpu.caching(address, "through") != "none":
            self._stale |= set(range(address, address + size, _LINE))
