"""The strict reader of board files: every complaint names file, key, what was found and what is allowed."""

from __future__ import annotations

import difflib
import itertools
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

from spboot import chips
from spboot.boards import outside
from spboot.boards.clocks import clock_limit
from spboot.boards.labels import NAMES, Labels
from spboot.boards.model import (
    DEBUG_PINS,
    LEAST_KEYS,
    MOST_STARTS,
    VDD_MV,
    Area,
    BoardFacts,
    Console,
    Pin,
    Slot,
    core_supplies,
    journal_size,
)
from spboot.chips import Chip, Memory
from spboot.chips.ethernet import Ethernet
from spboot.chips.external import External
from spboot.chips.silence import Silence
from spboot.chips.usb import Usb
from spboot.errors import BoardError
from spboot.formats.spec import record

_PORTS: Final = tuple("ABCDEFGHIJK")
_MOST_PARTS: Final = 2
_Made = TypeVar("_Made", bound=BoardFacts)
_Hung = TypeVar("_Hung")


class Loader:
    """Turns the text of one file into a board."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fail(self, key: str, found: object, allowed: str) -> BoardError:
        return BoardError(f"{self.path.name}: {key} is {found!r}, expected {allowed}")

    def keys(self, table: dict[str, Any], where: str, need: Iterable[str], may: Iterable[str] = ()) -> None:
        known = {*need, *may}
        for key in sorted(table.keys() - known):
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise BoardError(f"{self.path.name}: unknown key {where}{key}; known: {', '.join(sorted(known))}{hint}")
        for key in need:
            if key not in table:
                raise BoardError(f"{self.path.name}: {where}{key} is missing; `spboot board new` writes a whole file")

    def number(self, table: dict[str, Any], key: str, where: str) -> int:
        value = table[key]
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 32:
            raise self.fail(where + key, value, "a whole number above 0")
        return value

    def text(self, table: dict[str, Any], key: str, where: str, example: str) -> str:
        value = table[key]
        if not isinstance(value, str):
            raise self.fail(where + key, value, f'a text as "{example}"')
        return value

    def table(self, facts: dict[str, Any], key: str) -> dict[str, Any]:
        value = facts[key]
        if not isinstance(value, dict):
            raise self.fail(key, value, "a table")
        return value

    def pin(self, text: object, key: str, chip: Chip, *, active: object = "high") -> Pin:
        port, digits = (text[1:2], text[2:]) if isinstance(text, str) and text[:1] == "P" else ("", "")
        if port not in _PORTS or not digits.isdecimal() or str(int(digits)) != digits or int(digits) > 15:
            raise self.fail(key, text, 'a pin as "PA2"')
        if active not in ("high", "low"):
            raise self.fail(key.replace("pin", "active"), active, '"high" or "low"')
        if text not in chip.pins:
            ports = ", ".join(f"P{p}" for p in _PORTS if any(pin.startswith(f"P{p}") for pin in chip.pins))
            raise self.fail(
                key, text, f"a pin of {chip.name}, which has some of {ports}; see `spboot chip {chip.name}`"
            )
        return Pin(port=port, number=int(digits), active_high=active == "high")

    def switch(self, facts: dict[str, Any], key: str, chip: Chip) -> Pin | None:
        if key not in facts:
            return None
        table = self.table(facts, key)
        self.keys(table, f"{key}.", ("pin", "active"))
        return self.pin(table["pin"], f"{key}.pin", chip, active=table["active"])

    def area(self, table: dict[str, Any], key: str, where: str) -> Area:
        value = table[key]
        if not isinstance(value, dict):
            raise self.fail(where + key, value, "{ address = ..., size = ... }")
        where = f"{where}{key}."
        self.keys(value, where, ("address", "size"))
        return Area(address=self.number(value, "address", where), size=self.number(value, "size", where))

    def slot(self, table: dict[str, Any], key: str, like: Slot | None = None) -> Slot:
        """One area, or two in a list, the second in external flash.  One that is to have the parts of another slot,
        *like*, may be given as a whole."""
        value = table[key]
        given = value if isinstance(value, list) else [value]
        if not 1 <= len(given) <= _MOST_PARTS:
            raise self.fail(f"flash.{key}", value, "one area, or two in a list, the second in external flash")
        first, *more = (
            self.area({name: part}, name, "flash.")
            for name, part in ((f"{key}[{number}]" if number else key, part) for number, part in enumerate(given))
        )
        rest = more[0] if more else None
        if rest is None and like is not None and like.rest is not None and first.size == like.whole:
            rest = Area(address=first.address + like.size, size=like.rest.size)
            first = Area(address=first.address, size=like.size)
        return Slot(address=first.address, size=first.size, rest=rest)

    def hung(self, facts: dict[str, Any], key: str, parse: Callable[[dict[str, Any]], _Hung]) -> _Hung | None:
        """[*key*]: what hangs at the chip, whose own module reads the table by *parse*."""
        if key not in facts:
            return None
        try:
            return parse(self.table(facts, key))
        except BoardError as error:
            raise BoardError(f"{self.path.name}: {error}") from None

    def console(self, facts: dict[str, Any], chip: Chip) -> Console:
        table = self.table(facts, "console")
        self.keys(table, "console.", ("port", "tx", "rx", "baud"))
        port = self.text(table, "port", "console.", "USART2")
        consoles = [name for name in chip.blocks if name.startswith(("USART", "UART", "LPUART"))]
        if port not in consoles:
            raise self.fail("console.port", port, f"one that {chip.name} has: {', '.join(sorted(consoles))}")
        pins = {}
        for key in ("tx", "rx"):
            pins[key] = self.pin(table[key], f"console.{key}", chip)
            allowed = [pin for pin, signal, _ in chip.block(port).pins if signal == key.upper()]
            if pins[key].name not in allowed:
                raise self.fail(f"console.{key}", table[key], f"a pin with {port} {key.upper()}: {', '.join(allowed)}")
        return Console(port=port, tx=pins["tx"], rx=pins["rx"], baud=self.number(table, "baud", "console."))

    def chip(self, facts: dict[str, Any]) -> Chip:
        try:
            return chips.load(self.text(facts, "part", "", "STM32L476RG"))
        except BoardError as error:
            raise BoardError(f"{self.path.name}: part: {error}") from None

    def clock(self, facts: dict[str, Any], chip: Chip) -> int:
        clock_hz, limit = self.number(facts, "clock_hz", ""), clock_limit(chip)
        if clock_hz > limit:
            raise self.fail("clock_hz", clock_hz, f"at most {limit}, what {chip.name} can do")
        return clock_hz

    def supply(self, facts: dict[str, Any]) -> int:
        vdd_mv = self.number(facts, "vdd_mv", "") if "vdd_mv" in facts else VDD_MV
        if not 1650 <= vdd_mv <= 3600:
            raise self.fail("vdd_mv", vdd_mv, "1650 to 3600 millivolts")
        return vdd_mv

    def trial_starts(self, facts: dict[str, Any]) -> int:
        starts = self.number(facts, "trial_starts", "") if "trial_starts" in facts else 1
        if not 0 <= starts <= MOST_STARTS:
            raise self.fail("trial_starts", starts, f"0 (no trial) to {MOST_STARTS} starts without a confirmation")
        return starts

    def core_supply(self, facts: dict[str, Any], chip: Chip) -> str:
        """A part with SMPS and LDO cannot know how it is wired, and takes a wrong answer until its power is cut."""
        known = core_supplies(chip)
        if len(known) == 1 and "core_supply" not in facts:
            return known[0]
        if facts.get("core_supply") not in known:
            raise self.fail(
                "core_supply", facts.get("core_supply"), f"{' or '.join(map(repr, known))}, as the board is wired"
            )
        return str(facts["core_supply"])

    def silence(self, facts: dict[str, Any], chip: Chip) -> Silence:
        """[twin]: silent, a list of peripherals, and ready, bits that read as 1 in registers of them."""
        if "twin" not in facts:
            return Silence()
        table = self.table(facts, "twin")
        self.keys(table, "twin.", (), ("silent", "ready"))
        names, ready = table.get("silent", []), table.get("ready", {})
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self.fail("twin.silent", names, 'a list of peripherals as ["LCD", "I2C1"]')
        if not isinstance(ready, dict):
            raise self.fail("twin.ready", ready, 'bits that read as 1 as { "I2C1.0x18" = 1 }')
        try:
            return Silence.parse(names, ready, chip)
        except BoardError as error:
            raise BoardError(f"{self.path.name}: twin: {error}") from None

    def labels(self, facts: dict[str, Any]) -> Labels:
        """[labels]: texts of one line."""
        if "labels" not in facts:
            return Labels()
        table = self.table(facts, "labels")
        self.keys(table, "labels.", (), NAMES)
        for key in table:
            text = self.text(table, key, "labels.", "B1 user button")
            if not text.strip() or not text.isprintable():
                raise self.fail(f"labels.{key}", text, "a text of one line, or no such key")
        return Labels(**table)

    def board(self, text: str, make: type[_Made]) -> _Made:
        """What *text* says, checked, as a *make*."""
        try:
            facts = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise BoardError(f"{self.path}: not a TOML file: {error}") from None
        self.keys(
            facts,
            "",
            ("part", "clock_hz", "console", "flash", "ram"),
            ("button", "led", "vdd_mv", "core_supply", "trial_starts", "external", "usb", "ethernet", "twin", "labels"),
        )
        chip = self.chip(facts)
        flash, ram = self.table(facts, "flash"), self.table(facts, "ram")
        self.keys(flash, "flash.", ("bootloader", "slot0"), ("slot1", "journal", "keys"))
        self.keys(ram, "ram.", ("reserved",))
        optional = {key: self.area(flash, key, "flash.") for key in ("journal", "keys") if key in flash}
        slot0 = self.slot(flash, "slot0")
        board = make(
            name=self.path.stem,
            chip=chip,
            clock_hz=self.clock(facts, chip),
            vdd_mv=self.supply(facts),
            core_supply=self.core_supply(facts, chip),
            console=self.console(facts, chip),
            button=self.switch(facts, "button", chip),
            led=self.switch(facts, "led", chip),
            bootloader=self.area(flash, "bootloader", "flash."),
            slot0=slot0,
            slot1=self.slot(flash, "slot1", slot0) if "slot1" in flash else None,
            journal=optional.get("journal"),
            keys=optional.get("keys"),
            ram=self.area(ram, "reserved", "ram."),
            trial_starts=self.trial_starts(facts),
            external=self.hung(facts, "external", lambda table: External.parse(table, chip, self.path.parent)),
            usb=self.hung(facts, "usb", lambda table: Usb.parse(table, chip)),
            ethernet=self.hung(facts, "ethernet", lambda table: Ethernet.parse(table, chip)),
            silence=self.silence(facts, chip),
            labels=self.labels(facts),
        )
        self.check_pins(board)
        for key, area in board.areas.items():
            self.check_area(board, key, area)
        checks = (self.check_overlap, self.check_bootloader, self.check_slots, self.check_outside, self.check_journal)
        for check in (*checks, self.check_keys, self.check_ram):
            check(board)
        return board

    def check_pins(self, board: BoardFacts) -> None:
        """No pin has two duties, and none is needed for the debugger."""
        used: dict[str, str] = {}
        for key, pin in board.pins.items():
            if pin.name in used:
                raise self.fail(key, pin.name, f"another pin than {used[pin.name]}")
            if pin.name in DEBUG_PINS:
                raise self.fail(key, pin.name, f"another pin: a debugger needs {DEBUG_PINS[pin.name]}")
            used[pin.name] = key
        for signal, (name, _) in board.external.pins.items() if board.external is not None else ():
            if name in used or name in DEBUG_PINS:
                taken = used.get(name) or DEBUG_PINS[name]
                raise self.fail(f"external.pins.{signal}", name, f"another pin than {taken}")
            used[name] = f"external.pins.{signal}"
        wired = (board.usb.pins if board.usb else {}) | (board.ethernet.pins if board.ethernet else {})
        for key, name in wired.items():
            if name in used or name in DEBUG_PINS:
                raise self.fail(key, name, f"another pin than {used.get(name) or DEBUG_PINS[name]}")
            used[name] = key

    def runs(self, board: BoardFacts, key: str, area: Area) -> list[Memory]:
        """The runs of flash that *area* touches; they must cover it without a gap.

        A second part is in external flash, SLOT1 anywhere, all else in the microcontroller."""
        runs = [] if key.endswith("]") else list(board.chip.flash)
        if board.external is not None and key in outside.AREAS:
            runs.append(outside.usable(board.chip, board.external))
        found = [run for run in runs if run.address < area.end and area.address < run.end]
        covered = sum(min(run.end, area.end) - max(run.address, area.address) for run in found)
        if covered != area.size:
            raise self.fail(f"flash.{key}", str(area), outside.expected(board, key, runs))
        return found

    def check_area(self, board: BoardFacts, key: str, area: Area) -> None:
        """An area is whole erase units; that of slots and journal have one size."""
        runs = self.runs(board, key, area)
        for what, address, run in (("address", area.address, runs[0]), ("end", area.end, runs[-1])):
            if (address - run.address) % run.erase_unit:
                raise self.fail(
                    f"flash.{key}", str(area), f"whole erase units: {what} a multiple of {run.erase_unit:#x} there"
                )
        sizes = sorted({run.erase_unit for run in runs})
        if key != "bootloader" and len(sizes) > 1:
            found = " and ".join(f"{size:#x}" for size in sizes)
            raise self.fail(f"flash.{key}", str(area), f"erase units of one size; there they have {found} bytes")

    def check_overlap(self, board: BoardFacts) -> None:
        for (low_key, low), (high_key, high) in itertools.pairwise(board.areas.items()):
            if low.end > high.address:
                raise BoardError(f"{self.path.name}: flash.{low_key} ends at {low.end:#x}, inside flash.{high_key}")

    def check_bootloader(self, board: BoardFacts) -> None:
        area, start = board.bootloader, board.chip.flash[0].address
        if area.address != start:
            raise self.fail("flash.bootloader.address", hex(area.address), f"{start:#x}, where the chip starts")
        last = board.chip.memory_at(area.end - 1)
        if (area.end - last.address) % last.protect_unit:
            raise self.fail(
                "flash.bootloader.size",
                hex(area.size),
                f"a multiple of {last.protect_unit:#x}: write protection covers that much",
            )

    def check_slots(self, board: BoardFacts) -> None:
        if (board.slot1 is None) != (board.journal is None):
            there, lacks = ("slot1", "journal") if board.journal is None else ("journal", "slot1")
            raise BoardError(
                f"{self.path.name}: flash.{there} is there, flash.{lacks} is missing; "
                "a board has both, or neither and a single slot"
            )
        if board.slot0.address % board.vector_size:
            raise self.fail(
                "flash.slot0.address",
                hex(board.slot0.address),
                f"a multiple of {board.vector_size:#x}, as vector tables",
            )
        for key, unit in (("slot0", board.page_size), ("slot0[1]", board.rest_page_size)):
            if key in board.areas and board.areas[key].size % unit:
                size = hex(board.areas[key].size)
                raise self.fail(f"flash.{key}.size", size, f"a multiple of a page, {unit:#x}")
        if board.slot1 is None:
            if board.slot0.rest is not None:
                raise BoardError(f"{self.path.name}: flash.slot1 is missing; a slot of two parts needs a second one")
            return
        wanted, found = ([part.size for part in slot.parts] for slot in (board.slot0, board.slot1))
        if wanted != found:
            sizes = " and ".join(map(hex, wanted))
            raise self.fail("flash.slot1.size", " and ".join(map(hex, found)), f"{sizes}, as slot0")

    def check_outside(self, board: BoardFacts) -> None:
        try:
            outside.check(board)
        except BoardError as error:
            raise BoardError(f"{self.path.name}: {error}") from None

    def check_journal(self, board: BoardFacts) -> None:
        if board.journal is None:
            return
        pages, first = board.pages, board.slot0.size // board.page_size
        rest = (pages - first, board.rest_page_size)
        need = journal_size(first, board.page_size, board.chip.flash[0].program_unit, rest=rest)
        if board.journal.size < need:
            raise self.fail(
                "flash.journal.size",
                hex(board.journal.size),
                f"{need:#x} or more: the records of {pages} pages of a slot",
            )

    def check_keys(self, board: BoardFacts) -> None:
        """A key whose writing was cut takes a place: one is not enough."""
        if board.keys is not None and board.key_records < LEAST_KEYS:
            need = LEAST_KEYS * record("keys").size
            raise self.fail("flash.keys.size", hex(board.keys.size), f"{need:#x} or more: room for {LEAST_KEYS} keys")

    def check_ram(self, board: BoardFacts) -> None:
        rams = [memory for memory in board.chip.memories if memory.kind == "ram"]
        if not any(ram.address <= board.ram.address and board.ram.end <= ram.end for ram in rams):
            places = ", ".join(f"{ram.name} {Area(address=ram.address, size=ram.size)}" for ram in rams)
            raise self.fail("ram.reserved", str(board.ram), f"a place in RAM of {board.chip.name}: {places}")
        if board.ram.address % 8 or board.ram.size % 8:
            raise self.fail("ram.reserved", str(board.ram), "multiples of 8, as stacks")
