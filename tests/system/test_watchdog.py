"""The independent watchdog as silicon has it: started by its option byte with the period of a reset, half a second,
less than a large sector takes to erase.  Watchdogs with a window.  The console's clock while flash is erased."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from spboot import boards
from spboot.boards import Area, Board, Slot
from spboot.builder.compiler import NAMES
from spboot.twin.blocks.wwdg import Wwdg
from tests.system.feeder import SENTENCES, Feeder, Stage
from tests.system.rig import RUNNING, Rig, Workshop, workshop

REDUCED = ("NUCLEO-L073RZ", "DISCO-F769I", "DISCO-H745I")
"""In `make test`: small pages on the slowest core, large sectors on each core and controller that has them."""
SECTORS = ("NUCLEO-F429ZI", "DISCO-F469I", "DISCO-F769I", "DISCO-H745I")
STAMP = re.compile(rb"\[ *(\d+)\.(\d{3})\]")


def in_one_bank(board: Board) -> Board:
    """Both slots and the journal in the bank that the bootloader is in: three sectors of 128 KB each, or two."""
    first, unit = board.chip.flash[0].address, 0x20000
    large = board.journal is not None and board.journal.size == unit
    journal = Area(address=first + (0x20000 if large else 0x8000), size=board.journal.size if board.journal else 0)
    start, size = (first + 2 * unit, 2 * unit) if large else (first + unit, 3 * unit)
    slots = [Slot(address=start + i * size, size=size) for i in range(2)]
    return dataclasses.replace(board, slot0=slots[0], slot1=slots[1], journal=journal)


def updates(rig: Rig) -> bytes:
    """A full update in the loader and a patch by the application, which feeds; all that was said."""
    shop = rig.shop
    rig.enter_loader()
    assert rig.twin.iwdg.registers["PR"] == (6 if rig.twin.iwdg.running else 0)
    rig.send(shop.image("1.1.0"))
    assert b"demo 1.1.0 on" in rig.listen(RUNNING, seconds=90)
    if rig.board.slot1 is not None:
        rig.ask_application()
        rig.send(shop.patch("1.1.0", "1.2.0"))
        assert b"demo 1.2.0 on" in rig.listen(RUNNING, seconds=90)
    return bytes(rig.uart.output)


def is_kept_content(shop: Workshop) -> None:
    """W1 in the bootloader, W2 in the application's calls: its period is the 512 ms of a reset."""
    rig = Rig(shop)
    rig.twin.enable_hardware_watchdog()
    said = updates(rig)
    assert b"watchdog" not in said
    assert said.count(b"] spboot ") == (2 if shop.board.slot1 is None else 3), "power on and the two updates"
    assert rig.twin.iwdg.running
    assert rig.twin.iwdg.registers["PR"] == 0, "as after a reset, for the application"
    assert rig.twin.flash_controller.refusals == []
    assert rig.twin.faults == []


@pytest.mark.parametrize("name", REDUCED)
def test_a_watchdog_at_its_silicon_default(name: str, tmp_path: Path) -> None:
    is_kept_content(workshop(Board.load(name), "clang", tmp_path))


@pytest.mark.parametrize("name", ["NUCLEO-F429ZI", "DISCO-H745I"])
def test_a_watchdog_while_the_bank_of_the_code_is_erased(name: str, tmp_path: Path) -> None:
    """R1: in the application's calls, too.  K3 where there are caches: the twin refuses code that they may hide."""
    is_kept_content(workshop(in_one_bank(Board.load(name)), "gcc", tmp_path))


def test_systick_of_the_application_is_left_alone(tmp_path: Path) -> None:
    """R2: code in RAM reads its counter and reload value; to read CSR would take COUNTFLAG away."""
    rig = Rig(workshop(in_one_bank(Board.load("NUCLEO-F429ZI")), "clang", tmp_path))
    rig.boot()
    nvic, core, touched = rig.twin.nvic, rig.twin.core, set()
    for offset in (0x010, 0x014, 0x018):
        read, write = nvic._readers.get(offset), nvic._writers[offset]

        def reads(read=read, offset=offset):  # type: ignore[no-untyped-def]
            touched.add(("read", offset, rig.twin.rams.holds(core.pc, 2)))
            return read() if read else nvic.registers["RVR"]

        def writes(value, write=write, offset=offset):  # type: ignore[no-untyped-def]
            touched.add(("write", offset, rig.twin.rams.holds(core.pc, 2)))
            write(value)

        nvic._readers[offset], nvic._writers[offset] = reads, writes
    rig.ask_application()
    rig.send(rig.shop.patch("1.0.0", "1.1.0"))
    rig.listen(b"complete, resetting", seconds=30)
    assert {what[:2] for what in touched if what[2]} == {("read", 0x014), ("read", 0x018)}


@pytest.mark.soak
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", boards.names())
def test_a_watchdog_at_its_silicon_default_on_every_board(name: str, compiler: str, tmp_path: Path) -> None:
    is_kept_content(workshop(Board.load(name), compiler, tmp_path))


@pytest.mark.soak
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", SECTORS)
def test_a_watchdog_while_the_bank_of_the_code_is_erased_on_all(name: str, compiler: str, tmp_path: Path) -> None:
    is_kept_content(workshop(in_one_bank(Board.load(name)), compiler, tmp_path))


def stamp(said: bytes, words: bytes) -> float:
    """The time stamp of the line that begins with *words*."""
    line = next(line for line in said.split(b"\r\n") if words in line)
    found = STAMP.search(line)
    assert found, line
    return int(found[1]) + int(found[2]) / 1000


@pytest.mark.parametrize("name", ["NUCLEO-F429ZI", "DISCO-H745I"])
def test_the_console_knows_how_long_an_erase_took(name: str, tmp_path: Path) -> None:
    """N1: the bank of the code is erased, one second or two: right within a hundredth."""
    rig = Rig(workshop(in_one_bank(Board.load(name)), "clang", tmp_path))
    rig.enter_loader()
    rig.send(rig.shop.image("1.1.0"))
    said = rig.listen(b"installed 1 of 1", seconds=60)
    slot0, slot1 = ([op for op in rig.twin.log if slot.address <= op.address < slot.end]
                    for slot in (rig.board.slot0, rig.board.slot1))  # fmt: skip
    kept = [op for op in slot1 if op.kind == "erase"][-1]
    assert slot0[0].kind == "erase" and kept.time < slot0[0].time
    assert slot0[-1].time - slot0[0].time > 0.9
    passed = slot0[-1].time - kept.time
    assert stamp(said, b"installed 1 of 1") - stamp(said, b"installing, ") == pytest.approx(passed, rel=0.01)


def running(feeder: Feeder, *, reload: int = 0xFFF, window: int = 0xFFF) -> None:
    """The application starts the independent watchdog."""
    iwdg = feeder.twin.iwdg
    for key in (0xCCCC, 0x5555):
        iwdg.write_KR(key)
    iwdg.write_RLR(reload)
    if window != 0xFFF:
        iwdg.write_WINR(window)


@pytest.mark.parametrize(("reload", "window"), [(0xFFF, 0xFFE), (0xFFF, 0), (0x400, 0x3FF)])
def test_an_independent_watchdog_with_a_window_is_refused(feeder: Feeder, reload: int, window: int) -> None:
    """An early reload would reset the device (RM0351 37.3.2)."""
    feeder.write(feeder.feeding, bytes(4))
    running(feeder, reload=reload, window=window)
    status = feeder.init(total=100)
    assert (status.error, status.code, status.stage) == (1, "WATCHDOG_WINDOW", Stage.IDLE)
    assert SENTENCES[status.code] == "a watchdog has a window: open it"
    assert not list(feeder.twin.log)


@pytest.mark.parametrize(("reload", "window"), [(0xFFF, 0xFFF), (0x800, 0x800), (0x800, 0xA00)])
def test_an_independent_watchdog_without_a_window_is_not(feeder: Feeder, reload: int, window: int) -> None:
    running(feeder, reload=reload, window=window)
    assert not feeder.init(total=len(feeder.image())).error
    assert feeder.data(feeder.image()).stage == Stage.VERIFIED
    assert feeder.twin.iwdg.running
    assert (feeder.twin.iwdg.registers["PR"], feeder.twin.iwdg.registers["RLR"]) == (0, reload), "W2"


def test_a_window_watchdog_that_runs_is_refused(feeder: Feeder) -> None:
    rcc, wwdg = feeder.twin.rcc, feeder.twin.blocks["WWDG"]
    assert isinstance(wwdg, Wwdg)
    rcc.registers["APB1ENR1"] |= rcc.mask("APB1ENR1", "WWDGEN")
    rcc.update_gates()
    assert not feeder.init(total=100).error, "its clock alone does no harm"
    feeder.simple("Abort")
    wwdg.write_CFR(0x7F | 3 << 7)
    wwdg.write_CR(0xFF)
    assert feeder.init(total=100).code == "WATCHDOG_WINDOW"


def test_a_watchdog_of_stm32f4_has_no_window(tmp_path: Path) -> None:
    feeder = Feeder(workshop(Board.load("NUCLEO-F429ZI"), "clang", tmp_path))
    running(feeder)
    assert not feeder.init(total=100).error
