"""Boards: those that come with spboot load, and the loader says what is wrong with any other."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from spboot import boards
from spboot.boards import Board
from spboot.boards.model import SPARE_STEPS, Area, journal_size
from spboot.builder.headers import config_header
from spboot.builder.linkinclude import link_include
from spboot.errors import BoardError
from spboot.formats.spec import data_path
from spboot.version import Version
from tests.families import ALL

K = 1024

LEAST_SLOT = {board: size for facts in ALL.values() for board, size in facts.least_slot.items()}
"""KB that each slot of a board has at least; applications of that size exist."""

GOOD = (Path(boards.__file__).parent / "data" / "NUCLEO-F429ZI.toml").read_text(encoding="utf-8")


def test_all_boards_are_here() -> None:
    assert boards.names() == sorted(LEAST_SLOT)


@pytest.mark.parametrize("name", LEAST_SLOT)
def test_boards_load(name: str) -> None:
    board = Board.load(name)
    assert board.name == name
    assert board.slot0.size >= LEAST_SLOT[name] * K
    assert board.bootloader.size >= 24 * K
    assert board.ram.size == 5376
    if board.slot1 is None:
        assert name == "NUCLEO-L412KB"
        return
    banks = {run.bank for run in board.chip.flash}
    assert board.journal is not None
    if len(banks) > 1:
        assert {board.chip.memory_at(a.address).bank for a in (board.slot1, board.journal)} == {2}


def test_the_first_board_keeps_its_plan() -> None:
    """Devices in the field cannot follow another (docs/decisions/0007)."""
    board = Board.load("NUCLEO-L476RG")
    found = {key: (area.address, area.size) for key, area in board.areas.items()}
    assert found == {
        "bootloader": (0x0800_0000, 0x6000),
        "slot0": (0x0800_8000, 0x7_0000),
        "slot1": (0x0808_0000, 0x7_0000),
        "journal": (0x080F_0000, 0x800),
    }


def test_who_needs_vddio2() -> None:
    assert [name for name in boards.names() if Board.load(name).needs_vddio2] == ["DISCO-L562E", "NUCLEO-L496ZG"]


def test_reserved_ram_is_where_applications_begin() -> None:
    address = {name: Board.load(name).ram.address for name in boards.names()}
    assert address.pop("DISCO-H745I") == 0x2400_0000
    assert address.pop("DISCO-F769I") == 0x2002_0000
    assert set(address.values()) == {0x2000_0000}


@pytest.mark.parametrize(
    ("name", "top"),
    [
        ("NUCLEO-L476RG", 0x2001_8000),  # SRAM2 is at 0x10000000
        ("NUCLEO-L452RE", 0x2002_8000),  # SRAM2 goes on where SRAM1 ends, 160 KB in all
        ("NUCLEO-L496ZG", 0x2005_0000),
        ("NUCLEO-WL55JC", 0x2001_0000),
        ("DISCO-F769I", 0x2008_0000),
        ("DISCO-H745I", 0x2408_0000),
    ],
)
def test_ram_goes_on_over_adjacent_memories(name: str, top: int) -> None:
    assert Board.load(name).ram_top == top
    assert f"RAM_TOP = {top:#010x};" in link_include(Board.load(name))


@pytest.mark.parametrize(
    ("name", "ranges"),
    [
        ("NUCLEO-L073RZ", "{{0x20001504u, 0x20005000u}}"),
        ("NUCLEO-L476RG", "{{0x10000004u, 0x10008000u}, {0x20001504u, 0x20018000u}}"),  # SRAM2 is at 0x10000000
        ("NUCLEO-L496ZG", "{{0x10000004u, 0x10010000u}, {0x20001504u, 0x20050000u}}"),  # and behind SRAM1, too
        ("NUCLEO-WL55JC", "{{0x20001504u, 0x20010000u}}"),  # SRAM1 and SRAM2 are one
        ("DISCO-F769I", "{{0x20000004u, 0x20020000u}, {0x20021504u, 0x20080000u}}"),  # reserved RAM between two parts
        (
            "DISCO-H745I",
            "{{0x4u, 0x10000u}, {0x20000004u, 0x20020000u}, {0x24001504u, 0x24080000u}, {0x30000004u, 0x30048000u}, "
            "{0x38000004u, 0x38010000u}}",
        ),
    ],
)
def test_where_a_stack_may_begin(name: str, ranges: str) -> None:
    """Every RAM of the memory map without (start, end] of the reserved one, adjacent memories in one."""
    assert f"#define SPB_RAM_RANGES {ranges}\n" in config_header(Board.load(name), Version(1, 0, 0))


def test_a_stack_is_not_in_the_reserved_ram_at_its_second_address() -> None:
    board = Board.load("NUCLEO-L496ZG")  # SRAM2 is at 0x20040000 and at 0x10000000
    moved = dataclasses.replace(board, ram=Area(address=0x2004_2000, size=0x1500))
    found = [(area.address, area.end) for area in moved.stacks]
    assert found == [
        (0x1000_0000, 0x1000_2000),
        (0x1000_3500, 0x1001_0000),
        (0x2000_0000, 0x2004_2000),
        (0x2004_3500, 0x2005_0000),
    ]


def test_journal_size_is_what_the_firmware_asserts() -> None:
    """224 pages of 2 KB of NUCLEO-L476RG, a mark, a step each 16 pages; 7 pages of 128 KB with a step each."""
    assert journal_size(224, 2048, 8) == (224 + 1 + 14 + 16) * 8
    assert journal_size(7, 131072, 32) == (7 + 1 + 7 + 16) * 32
    text = (data_path("firmware") / "core" / "journal.h").read_text(encoding="utf-8")
    spare = re.search(r"define SPB_JOURNAL_SPARE (\d+)u", text)
    assert spare and int(spare[1]) == SPARE_STEPS


def load(text: str) -> boards.Board:
    return Board.parse(Path("lamp.toml"), text)


def test_the_supply_is_optional() -> None:
    assert load(GOOD).vdd_mv == 3300
    assert load("vdd_mv = 1800\n" + GOOD).vdd_mv == 1800


def test_a_slot_alone_needs_no_journal() -> None:
    board = load(re.sub(r"(slot1|journal) = .*\n", "", GOOD))
    assert (board.slot1, board.journal) == (None, None)
    assert board.image_capacity == 896 * K - 0x200
    assert list(board.areas) == ["bootloader", "slot0"]


MISTAKES = [
    ('part = "STM32F429ZI"', 'part = "STM32F429ZX"', "part: unknown part 'STM32F429ZX'; did you mean STM32F429Z"),
    ('part = "STM32F429ZI"', "part = 429", "part is 429, expected a text"),
    ('part = "STM32F429ZI"', "", "part is missing"),
    ("clock_hz = 168_000_000", "clock_hz = 200_000_000", "clock_hz is 200000000, expected at most 180000000"),
    ("clock_hz = 168_000_000", "clock_hz = true", "clock_hz is True, expected a whole number above 0"),
    ("clock_hz = 168_000_000", "clock_hz = 1\nvdd_mv = 5000", "vdd_mv is 5000, expected 1650 to 3600 millivolts"),
    ("clock_hz = 168_000_000", "clock_hz = 1\ncolour = 3", "unknown key colour; known: button, clock_hz, console"),
    ('port = "USART3"', 'port = "USART9"', "console.port is 'USART9', expected one that STM32F429ZI has: UART4"),
    ('port = "USART3"', 'port = ["USART3"]', "console.port is ['USART3'], expected a text"),
    ('tx = "PD8"', 'tx = "PD9"', "console.tx is 'PD9', expected a pin with USART3 TX: PB10, PC10, PD8"),
    ('tx = "PD8"', 'tx = "PD08"', "console.tx is 'PD08', expected a pin as \"PA2\""),
    ('tx = "PD8"', 'tx = "PD²"', "console.tx is 'PD²', expected a pin as \"PA2\""),
    ("baud = 115_200", "baud = 0", "console.baud is 0, expected a whole number above 0"),
    ('pin = "PC13"', 'pin = "PI2"', "button.pin is 'PI2', expected a pin of STM32F429ZI, which has some of PA, PB, PC"),
    ('pin = "PC13"', 'pin = "PA14"', "button.pin is 'PA14', expected another pin: a debugger needs SWCLK"),
    ('pin = "PC13"', 'pin = "PD8"', "button.pin is 'PD8', expected another pin than console.tx"),
    ('pin = "PB0"', 'pin = "PC13"', "led.pin is 'PC13', expected another pin than button.pin"),
    ('active = "high"', "active = 1", 'button.active is 1, expected "high" or "low"'),
    ("[led]", "[lamp]", "unknown key lamp"),
    ("[ram]\n", "[ram]\nsize = 1\n", "unknown key ram.size; known: reserved"),
    (
        "bootloader = { address = 0x0800_0000, size = 0x8000 }",
        "bootloader = 1",
        "flash.bootloader is 1, expected { address",
    ),
    (
        "bootloader = { address = 0x0800_0000",
        "bootloader = { address = 0x0800_4000",
        "is '0x8004000', expected 0x8000000",
    ),
    (
        "size = 0x8000 }",
        "size = 0x6000 }",
        "flash.bootloader is '0x08000000+0x6000', expected whole erase units: end a multiple",
    ),
    ("size = 0x8000 }", "size = 0x40000 }", "flash.bootloader ends at 0x8040000, inside flash.slot0"),
    (
        "slot0 = { address = 0x0802_0000, size = 0xe0000",
        "slot0 = { address = 0x0800_8000, size = 0x18000",
        "erase units of one size; there they have 0x4000 and 0x10000 bytes",
    ),
    ("slot0 = { address = 0x0802_0000", "slot0 = { address = 0x0803_0000", "address a multiple of 0x20000 there"),
    (
        "slot0 = { address = 0x0802_0000",
        "slot0 = { address = 0x0902_0000",
        "a place in the flash of STM32F429ZI: 0x08000000+",
    ),
    (
        "slot0 = { address = 0x0802_0000, size = 0xe0000",
        "slot0 = { address = 0x0802_0000, size = 0xc0000",
        "flash.slot1.size is '0xe0000', expected 0xc0000, as slot0",
    ),
    (
        "slot0 = { address = 0x0802_0000, size = 0xe0000",
        "slot0 = { address = 0x0802_0000, size = 0",
        "flash.slot0.size is 0, expected a whole number above 0",
    ),
    (
        "slot1 = { address = 0x0812_0000",
        "slot2 = { address = 0x0812_0000",
        "unknown key flash.slot2; known: bootloader, journal",
    ),
    (
        "slot1 = { address = 0x0812_0000, size = 0xe0000 }\n",
        "",
        "flash.journal is there, flash.slot1 is missing; a board has both",
    ),
    ("journal = { address = 0x0810_0000, size = 0x4000 }\n", "", "flash.slot1 is there, flash.journal is missing"),
    (
        "journal = { address = 0x0810_0000",
        "journal = { address = 0x0812_0000",
        "erase units: end a multiple of 0x20000 there",
    ),
    (
        "reserved = { address = 0x2000_0000",
        "reserved = { address = 0x2003_0000",
        "ram.reserved is '0x20030000+0x1500', expected a place in RAM",
    ),
    ("reserved = { address = 0x2000_0000", "reserved = { address = 0x2000_0004", "expected multiples of 8"),
    (
        "reserved = { address = 0x2000_0000",
        "reserved = { address = 0x0800_0000",
        "a place in RAM of STM32F429ZI: CCMRAM",
    ),
    (
        "reserved = { address = 0x2000_0000, size = 5376",
        "reserved = { address = 0x2000_0000, size = 0x40000",
        "a place in RAM",
    ),
    ("size = 5376 }", "size = 5376, bank = 1 }", "unknown key ram.reserved.bank; known: address, size"),
]
"""What is replaced in a good file, by what, and what the message says."""


@pytest.mark.parametrize(("before", "after", "said"), MISTAKES)
def test_mistakes(before: str, after: str, said: str) -> None:
    """Each message names the file and says what was found and what is allowed."""
    assert before in GOOD
    with pytest.raises(BoardError) as error:
        load(GOOD.replace(before, after, 1))
    assert str(error.value).startswith("lamp.toml: ")
    assert said in str(error.value)


def test_units_of_write_protection() -> None:
    """A protection bit of STM32L0 covers 4 KB (RM0377 3.3.1): half of one would freeze SLOT0's first pages."""
    text = (Path(boards.__file__).parent / "data" / "NUCLEO-L073RZ.toml").read_text(encoding="utf-8")
    with pytest.raises(BoardError, match="size is '0x5800', expected a multiple of 0x1000: write protection"):
        load(text.replace("size = 0x6000", "size = 0x5800"))


def test_a_journal_holds_a_record_for_each_page() -> None:
    text = (Path(boards.__file__).parent / "data" / "NUCLEO-L073RZ.toml").read_text(encoding="utf-8")
    with pytest.raises(BoardError, match="size is '0x80', expected 0x120 or more: the records of 36 pages"):
        load(text.replace("size = 0x200 }", "size = 0x80 }"))


def test_vector_tables_and_pages_are_aligned() -> None:
    text = (Path(boards.__file__).parent / "data" / "NUCLEO-L073RZ.toml").read_text(encoding="utf-8")
    with pytest.raises(BoardError, match=r"slot0.address is '0x8006080', expected a multiple of 0x200"):
        load(text.replace("0x0800_6000, size = 0x12000", "0x0800_6080, size = 0x11800"))
    with pytest.raises(BoardError, match=r"slot0.size is '0x11c00', expected a multiple of a page, 0x800"):
        load(text.replace("size = 0x12000", "size = 0x11c00"))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="unknown board 'LAMP'; known: B-L072Z-LRWAN1, "):
        Board.load("LAMP")
    with pytest.raises(BoardError, match="No such file"):
        Board.load(str(tmp_path / "none.toml"))
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    with pytest.raises(BoardError, match="not a TOML file"):
        Board.load(str(tmp_path / "bad.toml"))
    with pytest.raises(BoardError, match="not a TOML file"):
        load("part = ")
