"""The independent watchdog as silicon has it: started by its option byte with the period of a reset, about half a second, less
than a large sector takes to erase.  And watchdogs with a window."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from spboot import boards
from spboot.boards import Area, Board
from spboot.build.compiler import NAMES
from tests.system.feeder import SENTENCES, Feeder, Stage
from tests.system.rig import RUNNING, Rig, Workshop, workshop

REDUCED = ("NUCLEO-L073RZ", "NUCLEO-F429ZI", "DISCO-F769I", "DISCO-H745I")
"""In `make test`: small pages on the slowest core, large sectors on each core and controller that has them."""
SECTORS = ("NUCLEO-F429ZI", "DISCO-F469I", "DISCO-F769I", "DISCO-H745I")
STAMP = re.compile(rb"\[ *(\d+)\.(\d{3})\]")


def in_one_bank(board: Board) -> Board:
    """Both slots and the journal in the bank that the bootloader is in: three sectors of 128 KB each, or two."""
    first, unit = board.chip.flash[0].address, 0x20000
    large = board.journal is not None and board.journal.size == unit
    journal = Area(address=first + (0x20000 if large else 0x8000), size=board.journal.size if board.journal else 0)
    start, size = (first + 2 * unit, 2 * unit) if large else (first + unit, 3 * unit)
    slots = [Area(address=start + i * size, size=size) for i in range(2)]
    return dataclasses.replace(board, slot0=slots[0], slot1=slots[1], journal=journal)


def updates(rig: Rig) -> bytes:
    """A full update in the loader and a patch by the application, which feeds; all that was said."""
    shop = rig.shop
    rig.enter_loader()
    rig.send(shop.image("1.1.0"))
    assert b"demo 1.1.0 on" in rig.listen(RUNNING, seconds=90)
    if rig.board.slot1 is not None:
        rig.ask_application()
        rig.send(shop.patch("1.1.0", "1.2.0"))
        assert b"demo 1.2.0 on" in rig.listen(RUNNING, seconds=90)
    return bytes(rig.uart.output)


def is_kept_content(shop: Workshop) -> None:
    rig = Rig(shop)
    rig.twin.enable_hardware_watchdog()
    said = updates(rig)
    assert b"watchdog" not in said
    assert said.count(b"reset by") == said.count(b"reset by power on") + said.count(b"reset by software")
    assert rig.twin.iwdg.running
    assert rig.twin.flash_controller.refusals == []


@pytest.mark.parametrize("name", REDUCED)
def test_a_watchdog_at_its_silicon_default(name: str, tmp_path: Path) -> None:
    is_kept_content(workshop(boards.load(name), "clang", tmp_path))


@pytest.mark.soak
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", boards.names())
def test_a_watchdog_at_its_silicon_default_on_every_board(name: str, compiler: str, tmp_path: Path) -> None:
    is_kept_content(workshop(boards.load(name), compiler, tmp_path))
