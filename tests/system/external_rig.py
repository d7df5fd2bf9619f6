"""The driver of external flash on the boards that have some, linked with a small firmware that calls it for a test."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from spboot.boards import Board
from spboot.builder import headers
from spboot.builder.bootloader import NEEDED, boot_version, include_folders
from spboot.builder.compiler import toolchain
from spboot.builder.drivers import drivers
from spboot.builder.program import Unit, compile_units
from spboot.builder.texts import Texts, status_sentences
from spboot.formats import elf
from spboot.formats.spec import data_path, spec
from spboot.twin import Twin
from spboot.twin.nor.chip import NorChip
from tests.twin.external import BOARDS, OCTAL

FITTED: Final = {**BOARDS, **OCTAL}
NAMES: Final = {
    "F469": "DISCO-F469I", "F769": "DISCO-F769I", "H745": "DISCO-H745I", "L476": "DISCO-L476G", "L496": "DISCO-L496G",
    "L4R9": "DISCO-L4R9I", "L4S5": "B-L4S5I-IOT01A", "L562": "DISCO-L562E",
}  # fmt: skip
WINDOW: Final = 0x90000000
START, STOP, ERASE, PROGRAM, READ, WRITABLE, LOAD, ID, MAPPED, POKE, PEEK, TICK, LEAVE, BLOCK = range(14)
"""Calls, as external.c numbers them."""
OK, FLASH_ERROR, ERASE_FAILED, PROGRAM_FAILED = (
    [name for name, _ in spec()["status"]["codes"]].index(name) if name else 0
    for name in ("", "FLASH_ERROR", "SECTION_ERASE_FAILURE", "SECTION_WRITE_FAILURE")
)
_BOX, _DATA = 0, 0x40
_LAYOUT: Final = """
ENTRY(vectors)
SECTIONS {
  . = %#x;
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) }
  . = %#x;
  .box (NOLOAD) : { KEEP(*(.box)) }
  . = %#x;
  .data_of_test (NOLOAD) : { KEEP(*(.data_of_test)) }
  .bss (NOLOAD) : { *(.bss*) *(COMMON) }
  stack_end = %#x;
  /DISCARD/ : { *(.ARM.*) *(.comment) *(.note*) }
}
"""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was linked: the image, its sentences by number."""

    image: bytes
    sentences: list[str]


def files(board: Board, controller: str) -> list[str]:
    """The driver files, in the order of a bootloader; without those of internal flash."""
    table, chip = drivers(), board.chip
    named = [*table.always, *table.core.get(chip.core, ())]
    for block in (name for name in NEEDED if name != "FLASH"):
        named += table.ip[chip.block(block).ip]
    named += table.external_files(chip.core, chip.block(controller).ip)
    return [f"driver/{name}" for name in named if name != "protection.c"]


@functools.cache
def make(name: str, compiler: str, change: tuple[str, str, str] | None = None, share: str = "calls") -> Made:
    """The firmware for the board *name*, which shares like that; *change*: in a file of the driver words for others."""
    fitted = FITTED[name]
    board = replace(Board.load(NAMES[name]), external=fitted.external(share=share))
    tools = toolchain(compiler, board.chip.core)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        headers.write(work / "generated", board, boot_version())
        config = work / "generated/core/spb_config.h"  # no slot of these boards is outside
        config.write_text(
            config.read_text().replace("#define SPB_BLOCK 0u", f"#define SPB_BLOCK {board.external.block}u")
        )
        includes = tuple(include_folders("driver", (work / "generated").resolve()))
        units = [Unit(source=f, name=Path(f).stem, includes=includes) for f in files(board, fitted.controller)]
        units.append(Unit(source=str(Path(__file__).with_name("external.c")), name="test", includes=includes))
        if change is not None:
            units = [changed_unit(unit, change, work) for unit in units]
        texts = Texts(status_sentences())
        objects = compile_units(tools, units, texts, work)
        ram = board.ram.address
        (work / "f.ld").write_text(_LAYOUT % (0x08000000, ram + _BOX, ram + _DATA, ram + 0x1400))
        tools.link_files(objects, "f.ld", "f.elf", work)
        (segment,) = elf.read("f.elf", (work / "f.elf").read_bytes()).segments
    return Made(image=segment.data, sentences=texts.sentences)


def changed_unit(unit: Unit, change: tuple[str, str, str], work: Path) -> Unit:
    """*unit*, or where it is the file that is to change, one of a changed copy."""
    name, old, new = change
    if Path(unit.source).name != name:
        return unit
    text = (data_path("firmware") / unit.source).read_text()
    assert old in text, old
    copy = work / f"changed_{name}"
    copy.write_text(text.replace(old, new))
    return replace(unit, source=str(copy))


class Bench:
    """A board with the firmware above, powered, before any call."""

    def __init__(
        self,
        name: str,
        compiler: str = "clang",
        change: tuple[str, str, str] | None = None,
        share: str = "calls",
        **table: Any,
    ) -> None:
        """*table*: changes to its table `external`, of the twin alone."""
        self.name, self.fitted = name, FITTED[name]
        self.board = Board.load(NAMES[name])
        self.made = make(name, compiler, change, share)
        self.twin = Twin(
            self.board.chip.name, core_supply=self.board.core_supply, vdd_mv=self.board.vdd_mv,
            external=[self.fitted.external(**table)],
        )  # fmt: skip
        self.twin.flash_load(0x08000000, self.made.image)
        self.twin.power_on()
        (self.package,) = self.twin.external.values()
        self.ram = self.board.ram.address
        self._ready = False

    @property
    def chips(self) -> list[NorChip]:
        """All of them."""
        return self.package.chips

    @property
    def unit(self) -> int:
        """Bytes that are erased at once."""
        return self.fitted.external().chip.sector * self.fitted.count

    def word(self, index: int) -> int:
        """One of the box: call, off, len, result, fault, alive, ticks, seen."""
        return int.from_bytes(self.twin.ram_read(self.ram + 4 * index, 4), "little")

    def until(self, met: Callable[[], bool], seconds: float = 20) -> None:
        """Run until *met*, or the firmware is in a fault."""
        assert self.twin.run(until=lambda: met() or self.word(4) != 0, seconds=seconds), "no end"
        assert self.word(4) == 0, self.twin.faults

    def ask(self, what: int, off: int = 0, size: int = 0) -> None:
        """Let the firmware begin a call."""
        if not self._ready:
            self.twin.run(seconds=0.001)
            self._ready = True
        for index, value in ((1, off), (2, size), (0, what + 1)):
            self.twin.rams.put(self.ram + 4 * index, value.to_bytes(4, "little"))

    def answer(self) -> int:
        """What it returns."""
        self.until(lambda: self.word(0) == 0)
        return self.word(3)

    def call(self, what: int, off: int = 0, size: int = 0) -> int:
        """What a call of the driver returns."""
        self.ask(what, off, size)
        return self.answer()

    def reset(self) -> None:
        """By the reset pin, which no chip hears."""
        self.twin.reset("pin")
        self._ready = False

    def start(self) -> str:
        """Start it: what it says."""
        number = self.call(START)
        return self.made.sentences[number] if number else ""

    def program(self, off: int, data: bytes) -> int:
        self.twin.rams.put(self.ram + _DATA, data)
        return self.call(PROGRAM, off, len(data))

    def read(self, off: int, size: int) -> bytes:
        """By read(), out of the window."""
        assert self.call(READ, off, size) == 1
        return self.data(size)

    def load(self, off: int, size: int) -> bytes:
        """By loads of bytes from map()."""
        self.call(LOAD, off, size)
        return self.data(size)

    def data(self, size: int) -> bytes:
        return self.twin.ram_read(self.ram + _DATA, size)

    def poke(self, address: int, value: int) -> None:
        """A store to a register, as an application does it."""
        self.call(POKE, address, value)

    def cells(self, off: int, size: int) -> bytes:
        """What the chips hold."""
        return self.package.cells.get(WINDOW + off, size)
