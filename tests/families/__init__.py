"""What manuals say of each family, for tests that go over all families: FAMILY.toml, one for each in chips/families.

A new family is a new file here; the tests take it up by themselves.  Numbers are typed from the manual, not from the
chip facts, or a wrong fact would be its own proof."""

from __future__ import annotations

import fnmatch
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

Table = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One file."""

    name: str
    manual: str
    part: str
    """The part that stands for it on the twin."""
    board: str
    """A board with two slots."""
    count: int
    """How many parts there are."""
    header: dict[str, str]
    """Pattern of part names -> the header in tests/twin that tiny firmware of them includes."""
    program_unit: int
    other_units: dict[str, int] = field(default_factory=dict)
    """Pattern of part names -> their program unit."""
    erased: int = 0xFF
    fpu: bool = False
    """Whether tiny firmware uses it."""
    stack: int = 0x2000_8000
    main_ram: tuple[int, ...] = (0x2000_0000,)
    """Where the RAM begins that a plan may reserve: it is not tightly coupled."""
    power_clock: str = ""
    """The RCC register whose bit 28 clocks PWR; "" where PWR has its clock always."""
    power_bit: int = 28
    shipped: dict[str, list[list[float]]]
    least_slot: dict[str, int]
    new: dict[str, str]
    standby: Table
    rtc: Table
    """How the RTC gets its clocks, its version, its vector and its line of EXTI, -1 for none."""
    stop: Table
    """The registers of the system clock, and from what it runs after Stop."""
    exti: Table
    """Addresses of EXTI's registers, how PB5 gets on its line, and the identity of the part in DBGMCU."""
    read_protection: str = ""
    """The option register whose lowest byte is the read protection level of its board."""
    part_waits: bool = False
    """A unit of which a part is stored keeps the controller busy."""
    areas: tuple[str, ...] = ()
    """Boards whose flash is protected by areas of pages,"""
    sectors: Table = field(default_factory=dict)
    """or how a bit protects a sector: the registers of the banks, the lowest bit, the value that protects, and with
    *in_bank* how many sectors of bank 1 the numbers of bank 2 follow."""
    unfit: tuple[Table, ...] = ()
    """Option bits that change how the flash is laid out, and what the bootloader then says."""
    write_protection: tuple[Table, ...] = ()
    warned: tuple[Table, ...] = ()
    """Options that the bootloader names and goes on with, "" where it says nothing, and its read protection level."""
    reset_values: dict[str, list[Any]] = field(default_factory=dict)
    pages: tuple[Table, ...] = ()
    protected: tuple[Table, ...] = ()
    misuse: Table
    dma: Table
    """How USART2 gets its clock and pins, and DMA: what serves it."""
    timer: Table
    """The timer that is an RTOS's time base: its registers, clock enable, interrupt, and the clock that it counts."""
    drivers: dict[str, Table] = field(default_factory=dict)
    """Driver file -> its own numbers, by kind: meanings, resets, other, body (tests/host/test_driver_numbers.py)."""
    models: dict[str, Table] = field(default_factory=dict)
    """Model -> its constants and numbers (tests/host/test_register_numbers.py)."""

    def header_of(self, part: str) -> str:
        """The header for *part*: the first pattern that fits."""
        return next(name for pattern, name in self.header.items() if fnmatch.fnmatchcase(part, pattern))

    def unit_of(self, part: str) -> int:
        """How many bytes of *part* are programmed at once."""
        found = (unit for pattern, unit in self.other_units.items() if fnmatch.fnmatchcase(part, pattern))
        return next(found, self.program_unit)


def _load(path: Path) -> Facts:
    return Facts(name=path.stem, **tomllib.loads(path.read_text(encoding="utf-8")))


ALL: Final = {
    path.stem: _load(path) for path in sorted(Path(__file__).parent.glob("*.toml"), key=lambda path: path.stem)
}
"""Family, as "STM32L4" -> its facts."""
BOARDS: Final = tuple(facts.board for facts in ALL.values())
"""A board of each family that has two slots."""


def rows(name: str) -> list[Table]:
    """The rows of table *name* of all families."""
    return [row for facts in ALL.values() for row in getattr(facts, name)]
