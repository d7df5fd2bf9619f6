"""The USB host of the firmware on boards with a connector, linked with a small firmware that calls it for a test."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
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
from spboot.twin import Twin
from spboot.twin.usb.quirks import Quirks
from spboot.twin.usb.stick import Stick
from tests.system.external_rig import Made, changed_unit

NAMES: Final = {
    "F429": "NUCLEO-F429ZI", "F469": "DISCO-F469I", "L496": "NUCLEO-L496ZG", "H745": "DISCO-H745I",
    "F769": "DISCO-F769I", "L476": "DISCO-L476G",
}  # fmt: skip
OPEN, CLOSE, SECTORS, READ, POKE, LEAVE = range(6)
"""Calls, as usb_reader.c numbers them."""
SECTOR: Final = 512
MOST: Final = 8
"""Sectors of one call."""
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
  .bootram (NOLOAD) : { *(.bootram) }
  stack_end = %#x;
  /DISCARD/ : { *(.ARM.*) *(.comment) *(.note*) }
}
"""


def files(board: Board) -> list[str]:
    """Files of driver and disk, in the order of a bootloader; without those of flash."""
    table, chip = drivers(), board.chip
    named = [*table.always, *table.core.get(chip.core, ())]
    for block in (name for name in NEEDED if name != "FLASH"):
        named += table.ip[chip.block(block).ip]
    named += table.usb_files(chip.block("RCC").ip)
    return [*(f"driver/{name}" for name in named if name != "protection.c"), "usb/storage.c", "usb/usb.c"]


@functools.cache
def make(name: str, compiler: str, change: tuple[str, str, str] | None = None) -> Made:
    """The firmware for the board *name*; *change*: in a file words for others."""
    board = Board.load(NAMES[name])
    tools = toolchain(compiler, board.chip.core)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        headers.write(work / "generated", board, boot_version())
        of = {room: tuple(include_folders(room, (work / "generated").resolve())) for room in ("driver", "usb")}
        units = [Unit(source=f, name=Path(f).stem, includes=of[f.partition("/")[0]]) for f in files(board)]
        both = (*of["driver"], *of["usb"])
        units.append(Unit(source=str(Path(__file__).with_name("usb_reader.c")), name="test", includes=both))
        if change is not None:
            units = [changed_unit(unit, change, work) for unit in units]
        texts = Texts(status_sentences())
        objects = compile_units(tools, units, texts, work)
        ram = board.ram.address
        (work / "f.ld").write_text(_LAYOUT % (0x08000000, ram + _BOX, ram + _DATA, ram + 0x2000))
        tools.link_files(objects, "f.ld", "f.elf", work)
        (segment,) = elf.read("f.elf", (work / "f.elf").read_bytes()).segments
    return Made(image=segment.data, sentences=texts.sentences)


class Bench:
    """A board with the firmware above, powered, before any call."""

    def __init__(
        self, name: str, compiler: str = "clang", change: tuple[str, str, str] | None = None, **facts: Any
    ) -> None:
        """*facts*: what the twin's board has other than its file says."""
        self.name = name
        self.board = Board.load(NAMES[name])
        self.made = make(name, compiler, change)
        facts = {"core_supply": self.board.core_supply, **facts}
        self.twin = Twin(self.board.chip.name, usb=self.board.usb, **facts)
        self.twin.flash_load(0x08000000, self.made.image)
        self.twin.power_on(ram_fill=0)
        self.ram = self.board.ram.address
        self._ready = False

    def word(self, index: int) -> int:
        """One of the box: call, first, count, result, fault, alive."""
        return int.from_bytes(self.twin.ram_read(self.ram + 4 * index, 4), "little")

    def until(self, met: Callable[[], bool], seconds: float = 60) -> None:
        """Run until *met*, or the firmware is in a fault."""
        assert self.twin.run(until=lambda: met() or self.word(4) != 0, seconds=seconds), "no end"
        assert self.word(4) == 0, self.twin.faults

    def ask(self, what: int, first: int = 0, count: int = 0) -> None:
        """Let the firmware begin a call."""
        if not self._ready:
            self.twin.run(seconds=0.01)
            self._ready = True
        for index, value in ((1, first), (2, count), (0, what + 1)):
            self.twin.rams.put(self.ram + 4 * index, value.to_bytes(4, "little"))

    def answer(self) -> int:
        """What it returns."""
        self.until(lambda: self.word(0) == 0)
        return self.word(3)

    def call(self, what: int, first: int = 0, count: int = 0) -> int:
        """What a call returns."""
        self.ask(what, first, count)
        return self.answer()

    def plug(self, image: bytes, **how: Any) -> Stick:
        """A stick with *image*; of *how* what `Stick` does not know is a quirk."""
        mine = {key: how.pop(key) for key in list(how) if key in Stick.__dataclass_fields__}
        stick = Stick(image, quirks=Quirks(**how), **mine)
        self.twin.plug(stick)
        return stick

    def open(self, wait_ms: int = 1000) -> str:
        """What it says; "" where the disk is there."""
        number = self.call(OPEN, wait_ms)
        return self.made.sentences[number] if number else ""

    def read(self, first: int, count: int) -> bytes:
        """Sectors, as many as could be read."""
        done = self.call(READ, first, count)
        return self.twin.ram_read(self.ram + _DATA, done * SECTOR)

    def reset(self) -> None:
        """By the reset pin."""
        self.twin.reset("pin")
        self._ready = False
