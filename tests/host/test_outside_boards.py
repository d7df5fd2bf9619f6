"""Boards with external flash: their files against their schematics, plans, what a file may not say, drawings."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from spboot import boards, chips, cli
from spboot.boards import Board
from spboot.boards.drawing import svg, text_lines
from spboot.boards.layout import flash_layout
from spboot.boards.model import Slot, journal_size
from spboot.boards.outside_plan import plan_outside
from spboot.builder.zephyr import zephyr_overlay
from spboot.chips import nor_flash
from spboot.chips.external import External
from spboot.errors import BoardError

from . import outside

WIRED = {  # UM1932, UM2033, UM2488, UM2271, UM1879, UM2160, UM2708, UM2617: controller, chips, address, SIGNAL=PIN.AF
    "DISCO-F469I-EXT": "QUADSPI N25Q128A CLK=PF10.9 NCS=PB6.10 IO0=PF8.10 IO1=PF9.10 IO2=PF7.9 IO3=PF6.9",
    "DISCO-F769I-EXT": "QUADSPI MX25L51245G CLK=PB2.9 NCS=PB6.10 IO0=PC9.9 IO1=PC10.9 IO2=PE2.9 IO3=PD13.9",
    "DISCO-H745I-EXT": "QUADSPI MT25QL512 CLK=PF10.9 NCS=PG6.10 IO0=PD11.9 IO1=PF9.10 IO2=PF7.9 IO3=PF6.9 "
    "IO4=PH2.9 IO5=PH3.9 IO6=PG9.9 IO7=PG14.9",
    "DISCO-L4R9I-EXT": "OCTOSPI1 MX25LM51245G CLK=PI6.5 NCS=PG12.5 IO0=PI11.5 IO1=PI10.5 IO2=PI9.5 IO3=PH8.5 "
    "IO4=PH9.5 IO5=PH10.5 IO6=PG9.5 IO7=PG10.5 DQS=PG15.5",
    "DISCO-L476G-EXT": "QUADSPI N25Q128A CLK=PE10.10 NCS=PE11.10 IO0=PE12.10 IO1=PE13.10 IO2=PE14.10 IO3=PE15.10",
    "DISCO-L496G-EXT": "QUADSPI MX25R6435F CLK=PA3.10 NCS=PB11.10 IO0=PB1.10 IO1=PB0.10 IO2=PA7.10 IO3=PA6.10",
    "B-L4S5I-IOT01A-EXT": "OCTOSPI1 MX25R6435F CLK=PE10.10 NCS=PE11.10 IO0=PE12.10 IO1=PE13.10 IO2=PE14.10 IO3=PE15.10",
    "DISCO-L562E-EXT": "OCTOSPI1 MX25LM51245G CLK=PA3.10 NCS=PA2.10 IO0=PB1.10 IO1=PB0.10 IO2=PA7.10 IO3=PA6.10 "
    "IO4=PC1.10 IO5=PC2.10 IO6=PC3.10 IO7=PC0.3 DQS=PB2.10",
}


def test_all_files_are_here() -> None:
    assert sorted(outside.FILES) == sorted(WIRED) == sorted((*outside.TWO_PARTS, *outside.ONE_PART))


@pytest.mark.parametrize("name", WIRED)
def test_a_board_is_wired_as_its_manual_says(name: str) -> None:
    found = outside.board(name).external
    assert found is not None
    controller, chip, *pins = WIRED[name].split()
    assert (found.controller, found.chip.name, found.address) == (controller, chip, 0x90000000)
    assert [f"{signal}={pin}.{function}" for signal, (pin, function) in found.pins.items()] == pins
    assert (found.count, found.port) == (2 if "H745" in name else 1, 2 if "L4R9" in name else 1)


@pytest.mark.parametrize("name", WIRED)
def test_a_board_is_its_inner_twin_with_other_slots(name: str) -> None:
    """All but the name, which updates have: a device of one plan must refuse those for the other."""
    board, inner = outside.board(name), Board.load(name.removesuffix("-EXT"))
    for key in ("chip", "clock_hz", "core_supply", "console", "button", "led", "ram", "labels"):
        assert getattr(board, key) == getattr(inner, key), key
    assert board.bootloader == inner.bootloader or inner.usb is not None, "USB needs more room"
    assert name not in boards.names() and inner.external is None


@pytest.mark.parametrize("name", WIRED)
def test_the_plan_of_a_board_is_that_of_board_new(name: str) -> None:
    board = outside.board(name)
    assert board.external is not None
    rest = board.slot0.rest.size if board.slot0.rest else 0
    found = plan_outside(board.chip, board.external, rest=rest)
    same = (board.bootloader, board.slot0, board.slot1, board.journal, board.ram)
    assert (found.bootloader, found.slot0, found.slot1, found.journal, found.ram) == same
    text = " ".join(outside.FILES[name].read_text(encoding="utf-8").replace("\n#", "").split())
    assert all(f"{reason[0].upper()}{reason[1:]}." in text for reason in found.reasons)


@pytest.mark.parametrize("name", WIRED)
def test_slots_begin_at_blocks_of_64_kb(name: str) -> None:
    board = outside.board(name)
    assert board.slot1 is not None and board.sealed
    assert (board.slot0.rest is not None) == (name in outside.TWO_PARTS)
    assert board.slot1.whole == board.slot0.whole
    for part in board.slot1.parts:
        assert part.address % 0x10000 == 0
    assert board.journal is not None
    need = journal_size(board.pages, board.rest_page_size, board.chip.flash[0].program_unit)
    assert need <= board.journal.size
    first, page = board.page_at(board.slot0.size // board.page_size - 1)
    assert first + page == board.slot0.size
    if board.slot0.rest is not None:
        assert board.page_at(board.pages - 1)[0] + board.rest_page_size == board.slot0.whole
        assert board.slot0.address_at(board.slot0.size + 5) == 0x90000005


def test_a_second_core_gets_the_start_of_bank_2() -> None:
    found = outside.board("DISCO-H745I-EXT")
    assert found.journal is not None and found.journal.address == 0x08100000 and found.slot0.end == 0x08100000


MISTAKES = {
    "parts of other sizes": (
        "DISCO-F469I-EXT",
        [("0x9086_0000, size = 0x780000", "0x9086_0000, size = 0x77f000")],
        "flash.slot1.size is '0xe0000 and 0x77f000', expected 0xe0000 and 0x780000, as slot0",
    ),
    "one part in SLOT1": (
        "DISCO-F469I-EXT",
        [("slot1 = [{ address = 0x9078_0000, size = 0xe0000 }, { address = 0x9086_0000, size = 0x780000 }]",
          "slot1 = { address = 0x9078_0000, size = 0xe0000 }")],
        "flash.slot1.size is '0xe0000', expected 0xe0000 and 0x780000",
    ),
    "no external flash": (
        "DISCO-F469I-EXT",
        [('[external]\ncontroller = "QUADSPI"\nchip = "N25Q128A"\n\n[external.pins]\nCLK = "PF10"\nNCS = "PB6"\n'
          'IO0 = "PF8"\nIO1 = "PF9"\nIO2 = "PF7"\nIO3 = "PF6"\n', "")],
        "flash.slot0[1] is '0x90000000+0x780000', expected one area: a second part is in external flash, and without "
        "[external] there is none",
    ),
    "SLOT0 outside": (
        "DISCO-L476G-EXT",
        [("slot0 = { address = 0x0800_6000,", "slot0 = { address = 0x9020_0000,")],
        "in external flash are SLOT1 and second parts alone",
    ),
    "journal outside": (
        "DISCO-L476G-EXT", [("0x080f_f000", "0x9020_0000")], "in external flash are SLOT1 and second parts alone",
    ),
    "bootloader outside": (
        "DISCO-L476G-EXT", [("0x0800_0000", "0x9020_0000")], "in external flash are SLOT1 and second parts alone",
    ),
    "second part inside": (
        "DISCO-F469I-EXT",
        [("{ address = 0x9000_0000, size = 0x780000 }]", "{ address = 0x0812_0000, size = 0xe0000 }]")],
        "flash.slot0[1] is '0x08120000+0xe0000', expected a place in external flash, as a second part",
    ),
    "SLOT1 nowhere": (
        "DISCO-L476G-EXT", [("0x9000_0000", "0x9100_0000")], "or in external flash: 0x08000000+0x80000, 0x08080000",
    ),
    "behind the chip": (
        "DISCO-F469I-EXT",
        [("0x9086_0000, size = 0x780000", "0x9089_0000, size = 0x780000")],
        "expected a place in external flash, as a second part: 0x90000000+0x1000000",
    ),
    "the end of the chip on a Cortex-M7": (
        "DISCO-F769I-EXT",
        [("0x919c_0000, size = 0x1800000", "0x9280_0000, size = 0x1800000")],
        "second part: 0x90000000+0x3fff000",
    ),
    "half an erase unit": (
        "DISCO-H745I-EXT",
        [("{ address = 0x918e_0000,", "{ address = 0x918e_1000,")],
        "expected whole erase units: address a multiple of 0x2000 there",
    ),
    "keys": (
        "DISCO-F469I-EXT",
        [("[ram]", "keys = { address = 0x0810_4000, size = 0x4000 }\n\n[ram]")],
        "flash.keys is there, and slots have two parts",
    ),
    "no SLOT1": (
        "DISCO-F469I-EXT",
        [("slot1 = [", "# ["), ("journal = {", "# {")],
        "flash.slot1 is missing; a slot of two parts needs a second one",
    ),
    "a journal that is too small": (
        "DISCO-L4R9I-EXT", [("size = 0xa000", "size = 0x9000")], "the records of 4592 pages of a slot",
    ),
    "overlap": (
        "DISCO-F469I-EXT", [("0x9078_0000", "0x9070_0000")], "flash.slot0[1] ends at 0x90780000, inside flash.slot1",
    ),
    "three parts": (
        "DISCO-F469I-EXT",
        [("size = 0x780000 }]\nslot1", "size = 0x1000 }, { address = 0x9000_1000, size = 0x1000 }]\nslot1")],
        "one area, or two in a list, the second in external flash",
    ),
    "a pin of the console": (
        "DISCO-L496G-EXT", [('CLK = "PA3"', 'CLK = "PB10"'), ('tx = "PA2"\nrx = "PD6"', 'tx = "PA2"\nrx = "PA3"'),
                            ('NCS = "PB11"', 'NCS = "PA2"')], "external.pins.NCS is 'PA2', expected another pin",
    ),
    "a signal that there is not": (
        "DISCO-L476G-EXT", [('IO3 = "PE15"', 'IO9 = "PE15"')], "external.pins.IO9: unknown, expected CLK, NCS, IO0",
    ),
    "a pin without the function": (
        "DISCO-L476G-EXT", [('CLK = "PE10"', 'CLK = "PE9"')], "QUADSPI has no CLK on PE9; it is on PB10, PE10",
    ),
    "a chip that nobody knows": ("DISCO-L476G-EXT", [("N25Q128A\"", "N25Q\"")], "no flash chip 'N25Q': expected MT25"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_what_a_board_file_may_not_say(name: str) -> None:
    base, changes, words = MISTAKES[name]
    with pytest.raises(BoardError) as refused:
        outside.changed(base, *changes)
    assert words in str(refused.value) and str(refused.value).startswith(f"{base}.toml: ")


def test_pages_of_second_parts_are_no_larger_than_what_is_hashed(tmp_path: Path) -> None:
    text = (nor_flash.FOLDER / "N25Q128A.toml").read_text()
    (tmp_path / "COARSE.toml").write_text(f"sector = 0x2_0000\n{text}")
    path = tmp_path / "PANEL.toml"
    path.write_text(outside.FILES["DISCO-F469I-EXT"].read_text().replace('"N25Q128A"', '"COARSE.toml"'))
    with pytest.raises(BoardError, match=r"pages of the second parts have 0x20000 bytes, expected 0x10000"):
        Board.load(path)


def test_a_plan_that_does_not_fit() -> None:
    board = outside.board("DISCO-F469I-EXT")
    assert board.external is not None
    with pytest.raises(BoardError, match=r"16,384 KB of external flash: no two slots with 8,192 KB of it each"):
        plan_outside(board.chip, board.external, rest=8 << 20)


def test_a_small_chip_makes_small_slots() -> None:
    part = chips.load("STM32H563ZI")
    pins = {"CLK": "PB2", "NCS": "PB6", "IO0": "PB1", "IO1": "PD12", "IO2": "PE2", "IO3": "PD13"}
    found = External.parse({"controller": "OCTOSPI1", "chip": "MX25R6435F", "pins": pins}, part)
    made = plan_outside(part, found, rest=7 << 19)
    assert isinstance(made.slot0, Slot) and made.slot0.size == 1 << 20


# commands


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.root, list(words))
    return done.exit_code, done.output


def test_board_new_with_external_flash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its two forms; what is chosen is told; a chip of one's own; and the file says the same when it is read again."""
    monkeypatch.chdir(tmp_path)
    pins = "CLK=PF10,NCS=PB6,IO0=PF8,IO1=PF9,IO2=PF7,IO3=PF6"
    words = ["board", "new", "PANEL", "--mcu", "STM32F469NI", "--external", "QUADSPI:N25Q128A"]
    code, said = run(*words, "--external-pins", pins, "--external-slot0", "4M")
    assert code == 0 and "4,096 KB in external flash, 1024 pages of 4 KB" in said and "not encrypted" in said, said
    panel = Board.load("PANEL.toml")
    assert panel.slot0.rest is not None and panel.slot0.rest.size == 4 << 20
    (tmp_path / "MINE.toml").write_text((nor_flash.FOLDER / "N25Q128A.toml").read_text())
    code, said = run("board", "new", "LAMP", "--mcu", "STM32L476RG", "--external", "QUADSPI:MINE.toml")
    assert code == 0 and "CLK PB10, NCS PB11, IO0 PB1" in said and "two slots of 996 KB" in said, said
    lamp = Board.load("LAMP.toml")
    assert lamp.external is not None and lamp.external.chip.name == "MINE" and lamp.slot0.rest is None


REFUSED = {
    "several pins": (("--mcu", "STM32L552CC", "--external", "OCTOSPI1:MX25R6435F"), "for NCS (PA4 or PB11): name"),
    "no controller": (("--mcu", "STM32L073RZ", "--external", "QUADSPI:N25Q128A"), "STM32L073RZ has no QUADSPI"),
    "no chip": (("--mcu", "STM32L476RG", "--external", "QUADSPI:N25"), "no flash chip 'N25'"),
    "no form": (("--mcu", "STM32L476RG", "--external", "QUADSPI"), "'QUADSPI' is not CONTROLLER:CHIP"),
    "pins alone": (("--mcu", "STM32L476RG", "--external-pins", "CLK=PB10"), "are of the flash that --external names"),
    "pins without form": (
        ("--mcu", "STM32L476RG", "--external", "QUADSPI:N25Q128A", "--external-pins", "CLK:PB10"), "not SIGNAL=PIN",
    ),
    "one slot": (
        ("--mcu", "STM32L476RG", "--external", "QUADSPI:N25Q128A", "--single-slot"), "a single slot has no SLOT1",
    ),
    "keys with two parts": (
        ("--mcu", "STM32L476RG", "--external", "QUADSPI:N25Q128A", "--external-slot0", "2M", "--keys"),
        "flash.keys is there, and slots have two parts",
    ),
    "too much": (
        ("--mcu", "STM32L476RG", "--external", "QUADSPI:N25Q128A", "--external-slot0", "9M"), "no two slots with 9,216",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_board_new_refuses(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words, why = REFUSED[name]
    code, said = 0, ""
    try:
        done = CliRunner().invoke(cli.root, ["board", "new", "LAMP", *words], catch_exceptions=False)
        code, said = done.exit_code, " ".join(done.output.split())
    except BoardError as error:
        code, said = 1, str(error)
    assert code and why in said, said
    assert not list(tmp_path.iterdir())


def test_maps_show_external_flash() -> None:
    board = outside.board("DISCO-H745I-EXT")
    parts = flash_layout(board)
    assert [part.outside for part in parts] == [False, False, True]
    assert sum(span.area.size for span in parts[2].spans) == 128 << 20
    lines = list(text_lines(parts))
    assert any("external flash, 2 x MT25QL512 at QUADSPI, erase units of 8 KB" in line for line in lines)
    assert len(lines) < 110 and any("assets, not encrypted" in line for line in lines)
    drawing = svg("title", parts)
    assert "MT25QL512" in drawing and int(drawing.split('height="')[1].split('"')[0]) < 3000
    code, said = run("map", str(outside.FILES["DISCO-L476G-EXT"]))
    assert code == 0 and said.count("SLOT0") == 2 and "goes on" in said and "encrypted" in said


def test_a_board_and_the_chips_are_listed() -> None:
    code, said = run("boards", str(outside.FILES["DISCO-L4R9I-EXT"]))
    assert code == 0 and "MX25LM51245G at OCTOSPI1, port 2" in said and "DQS PG15" in said
    code, said = run("boards", str(outside.FILES["DISCO-L4R9I-EXT"]), "--json")
    assert code == 0 and '"rest_page_size": 4096' in said and '"chip": "MX25LM51245G"' in said
    code, said = run("chip", "STM32F469NI")
    assert code == 0 and "QUADSPI     0x90000000  CLK" in said and "PF10/9" in said
    code, said = run("chip", "STM32L4R9AI", "--json")
    assert code == 0 and '"OCTOSPI1, port 2"' in said
    code, said = run("chips", "--external")
    assert code == 0 and "20 BA 18" in said and "250 ms, 800 ms" in said
    code, said = run("chips", "--external", "N25*", "--json")
    assert code == 0 and '"size": 16777216' in said and "MX25" not in said


@pytest.mark.parametrize("name", ["DISCO-L476G-EXT", "DISCO-F469I-EXT"])
def test_a_devicetree_has_internal_flash_alone(name: str) -> None:
    text = zephyr_overlay(outside.board(name))
    assert "slot1_partition" not in text.split("*/")[-1] and "journal_partition" in text and "90000000" not in text
