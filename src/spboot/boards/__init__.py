"""Boards as data: one TOML each, ours under data/, a user's anywhere.  The loader is strict."""

from __future__ import annotations

import itertools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spboot import chips
from spboot.chips import Chip
from spboot.errors import BoardError

_DATA = Path(__file__).resolve().parent / "data"
_VECTOR_SIZE = {"cm0p": 0x200, "cm4": 0x200, "cm33": 0x200, "cm7": 0x400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A range of memory: bus address and size in bytes."""

    address: int
    size: int

    @property
    def end(self) -> int:
        """First address after the area."""
        return self.address + self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A pin, as "PC13", and the level at which it is active."""

    port: str
    number: int
    active_high: bool

    @property
    def name(self) -> str:
        """The pin's name, as "PC13"."""
        return f"P{self.port}{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The UART that people and YMODEM use."""

    port: str
    tx: Pin
    rx: Pin
    baud: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One board: its part and how we use it."""

    name: str
    chip: Chip
    clock_hz: int
    console: Console
    button: Pin | None
    led: Pin | None
    bootloader: Area
    slot0: Area
    slot1: Area
    journal: Area
    ram: Area

    @property
    def vector_size(self) -> int:
        """Bytes the installed header takes before an image: the alignment of its vector table."""
        return _VECTOR_SIZE[self.chip.core]

    @property
    def image_address(self) -> int:
        """Where an application is linked."""
        return self.slot0.address + self.vector_size

    @property
    def image_capacity(self) -> int:
        """Bytes of the largest image both slots can hold."""
        return min(self.slot0.size, self.slot1.size) - self.vector_size


def names() -> list[str]:
    """Every board that comes with spboot, sorted."""
    return sorted(path.stem for path in _DATA.glob("*.toml"))


def load(name: str) -> Board:
    """A board by name, as "NUCLEO-L476RG", or from a user's file when *name* ends in .toml.

    Raises BoardError: unknown board, or the file, key, what was found and what is allowed."""
    path = Path(name) if name.endswith(".toml") else _DATA / f"{name}.toml"
    if not name.endswith(".toml") and name not in names():
        raise BoardError(f"unknown board {name!r}; known: {', '.join(names())}; or give the path of a .toml file")
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BoardError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BoardError(f"{path}: not a TOML file: {error}") from None
    return _Loader(path).board(facts)


class _Loader:
    """Turns the tables of one file into a Board; every complaint names file and key."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fail(self, key: str, found: object, allowed: str) -> BoardError:
        return BoardError(f"{self.path.name}: {key} is {found!r}, expected {allowed}")

    def keys(self, table: dict[str, Any], where: str, need: set[str], may: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        for key in need - table.keys():
            raise BoardError(f"{self.path.name}: {where}{key} is missing")
        for key in table.keys() - need - may:
            raise BoardError(f"{self.path.name}: unknown key {where}{key}; known: {', '.join(sorted(need | may))}")

    def number(self, table: dict[str, Any], key: str, where: str) -> int:
        value = table[key]
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 32:
            raise self.fail(where + key, value, "a whole number above 0")
        return value

    def table(self, facts: dict[str, Any], key: str) -> dict[str, Any]:
        value = facts[key]
        if not isinstance(value, dict):
            raise self.fail(key, value, "a table")
        return value

    def pin(self, text: object, key: str, *, active: object = "high") -> Pin:
        port, digits = (text[1:2], text[2:]) if isinstance(text, str) and text[:1] == "P" else ("", "")
        if port not in tuple("ABCDEFGHIJK") or not digits.isdigit() or int(digits) > 15:
            raise self.fail(key, text, 'a pin as "PA2"')
        if active not in ("high", "low"):
            raise self.fail(key.replace("pin", "active"), active, '"high" or "low"')
        return Pin(port=port, number=int(digits), active_high=active == "high")

    def switch(self, facts: dict[str, Any], key: str) -> Pin | None:
        if key not in facts:
            return None
        table = self.table(facts, key)
        self.keys(table, f"{key}.", {"pin", "active"})
        return self.pin(table["pin"], f"{key}.pin", active=table["active"])

    def area(self, table: dict[str, Any], key: str, where: str) -> Area:
        value = table[key]
        if not isinstance(value, dict):
            raise self.fail(where + key, value, "{ address = ..., size = ... }")
        self.keys(value, f"{where}{key}.", {"address", "size"})
        return Area(
            address=self.number(value, "address", f"{where}{key}."), size=self.number(value, "size", f"{where}{key}.")
        )

    def console(self, facts: dict[str, Any], chip: Chip) -> Console:
        table = self.table(facts, "console")
        self.keys(table, "console.", {"port", "tx", "rx", "baud"})
        tx, rx = self.pin(table["tx"], "console.tx"), self.pin(table["rx"], "console.rx")
        block = chip.block(table["port"])
        block.alternate(tx.name, "TX")
        block.alternate(rx.name, "RX")
        return Console(port=table["port"], tx=tx, rx=rx, baud=self.number(table, "baud", "console."))

    def board(self, facts: dict[str, Any]) -> Board:
        self.keys(facts, "", {"part", "clock_hz", "console", "flash", "ram"}, {"button", "led"})
        chip = chips.load(facts["part"])
        flash, ram = self.table(facts, "flash"), self.table(facts, "ram")
        self.keys(flash, "flash.", {"bootloader", "slot0", "slot1", "journal"})
        self.keys(ram, "ram.", {"reserved"})
        board = Board(
            name=self.path.stem,
            chip=chip,
            clock_hz=self.number(facts, "clock_hz", ""),
            console=self.console(facts, chip),
            button=self.switch(facts, "button"),
            led=self.switch(facts, "led"),
            bootloader=self.area(flash, "bootloader", "flash."),
            slot0=self.area(flash, "slot0", "flash."),
            slot1=self.area(flash, "slot1", "flash."),
            journal=self.area(flash, "journal", "flash."),
            ram=self.area(ram, "reserved", "ram."),
        )
        self.check_plan(board)
        return board

    def check_plan(self, board: Board) -> None:
        """Areas lie in flash on erase units, do not overlap, and their sizes fit each other."""
        areas = {k: getattr(board, k) for k in ("bootloader", "slot0", "slot1", "journal")}
        for key, area in areas.items():
            unit = board.chip.memory_at(area.address).erase_unit
            last = board.chip.memory_at(area.end - 1)
            if not unit or not last.erase_unit:
                raise self.fail(
                    f"flash.{key}", f"{area.address:#x}+{area.size:#x}", f"a place in flash of {board.chip.name}"
                )
            if area.address % unit or area.size % unit:
                raise self.fail(f"flash.{key}", f"{area.address:#x}+{area.size:#x}", f"multiples of {unit:#x}")
        ordered = sorted(areas.items(), key=lambda item: item[1].address)
        for (low_key, low), (high_key, high) in itertools.pairwise(ordered):
            if low.end > high.address:
                raise BoardError(f"{self.path.name}: flash.{low_key} ends at {low.end:#x}, inside flash.{high_key}")
        if board.slot0.size != board.slot1.size:
            raise self.fail("flash.slot1.size", hex(board.slot1.size), f"{board.slot0.size:#x}, as slot0")
        if board.journal.size != board.chip.memory_at(board.journal.address).erase_unit:
            raise self.fail("flash.journal.size", board.journal.size, "one erase unit")
        start = next(m.address for m in board.chip.memories if m.kind == "flash")
        if board.bootloader.address != start:
            raise self.fail(
                "flash.bootloader.address", hex(board.bootloader.address), f"{start:#x}, where the chip starts"
            )
        ram = board.chip.memory_at(board.ram.address)
        if ram.kind != "ram" or board.ram.end > ram.address + ram.size:
            raise self.fail(
                "ram.reserved", f"{board.ram.address:#x}+{board.ram.size:#x}", f"a place in RAM of {board.chip.name}"
            )
