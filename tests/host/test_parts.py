"""The commands about parts and boards: chips, chip, boards, map, board."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from spboot import boards, chips
from spboot.boards import Board
from spboot.boards.drawing import svg, text_lines
from spboot.boards.layout import Part, flash_layout, ram_layout, size_text
from spboot.builder import bootloader
from spboot.builder.drivers import Drivers
from spboot.builder.support import missing
from spboot.errors import BuildError
from tests.families import ALL

from .test_cli import Run, run

__all__ = ["run"]

GOLDEN = Path(__file__).parent / "map-NUCLEO-F429ZI.txt"


def test_missing_agrees_with_the_build() -> None:
    """Where nothing is missing, a bootloader has all its sources; where something is, it has not."""
    for name in boards.names():
        board = Board.load(name)
        if missing(board.chip) is None and board.chip.block(board.console.port).ip in bootloader.driven():
            assert bootloader.sources(board)["driver"]
        else:
            with pytest.raises(BuildError, match="there is no driver for"):
                bootloader.sources(board)
    assert missing(Board.load("NUCLEO-L476RG").chip) is None


def test_a_part_that_is_too_small() -> None:
    assert missing(chips.load("STM32H750VB")) == (
        "128 KB of flash in units of 128 KB leave no slot of 12 KB beside a bootloader of 128 KB"
    )


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    few = Drivers(
        always=[], core={}, external={}, usb={}, write_size={}, production={},
        ip={"iwdg_v2": ["iwdg_v2.c"], "gpio_v2_l478": []},
    )  # fmt: skip
    monkeypatch.setattr(bootloader, "drivers", lambda: few)
    lacks = missing(chips.load("STM32L476RG")) or ""
    assert lacks.startswith("there is no driver for FLASH (flash_l4), RCC (rcc_l4), ")
    assert lacks.endswith("any UART (lpuart_v3, usart_v3)") and "iwdg" not in lacks


def test_chips(run: Run) -> None:
    code, out, err = run("chips", "l476r")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines() if line.startswith("STM32")] == [
        "STM32L476RC",
        "STM32L476RE",
        "STM32L476RG",
    ]
    assert "STM32L476RG  cm4   1024 KB      2  2 KB             8 bytes  128 KB  yes" in out
    assert "3 parts, 3 with a bootloader" in out


def test_chips_as_json(run: Run) -> None:
    _, out, _ = run("chips", "STM32H7[35]0VB", "--json")
    found = {facts["part"]: facts for facts in json.loads(out)}
    assert set(found) == {"STM32H730VB", "STM32H750VB"}
    assert found["STM32H750VB"]["erase_units"] == [0x20000]
    assert "leave no slot" in found["STM32H750VB"]["missing"]
    _, out, _ = run("chips", "STM32H750*", "--supported", "--json")
    assert json.loads(out) == []


def test_no_such_chips(run: Run) -> None:
    code, _, err = run("chips", "AVR")
    assert (code, err) == (
        1,
        f"error: no part fits 'AVR'; try less of the name, as L476; `spboot chips` lists all, of {', '.join(ALL)}\n",
    )


def test_chip(run: Run) -> None:
    code, out, err = run("chip", "stm32l4r9ai")
    assert (code, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "STM32L4R9AI: STM32L4R9/S9, core cm4, device id 0x470" in lines
    assert "BANK_2 0x08100000 1024 KB 4 KB 8 bytes 4 KB 0xff" in lines
    assert "flash with other option bytes (not supported)" in lines
    assert "BANK_1 0x08000000 2048 KB 8 KB 8 bytes 8 KB 0xff" in lines
    assert any(line.startswith("USART3 usart_v4 ") and "PB10/7" in line for line in lines)
    assert any(line.startswith("FLASH flash_l4 yes") for line in lines)
    assert "two slots of 1000 KB: 250 pages of 4 KB" in lines


def test_chip_that_is_too_small(run: Run) -> None:
    _, out, _ = run("chip", "STM32L011K4")
    assert "bootloader: no: SRAM has 2048 bytes, expected 8192 or more: 5376 are reserved" in out
    _, out, _ = run("chip", "STM32L011K4", "--json")
    facts = json.loads(out)
    assert facts["missing"].startswith("SRAM has 2048 bytes")
    assert facts["memories"][0]["erased"] == 0
    assert facts["consoles"][0]["port"] == "LPUART1"


def test_boards(run: Run) -> None:
    code, out, err = run("boards")
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()[1:] if line.strip()]
    assert [row[0] for row in rows] == boards.all_names()
    assert ["NUCLEO-L476RG", "STM32L476RG", "USART2", "PA2/PA3", "447.5", "KB", "two", "yes"] in rows
    _, out, _ = run("boards", "--json")
    assert [facts["board"] for facts in json.loads(out)] == boards.all_names()


def test_one_board(run: Run) -> None:
    _, out, _ = run("boards", "NUCLEO-L412KB")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "slot0 0x08006000, 104 KB" in lines and not any(line.startswith("slot1") for line in lines)
    assert "button none" in lines and "LED PB3, active high" in lines
    _, out, _ = run("boards", "NUCLEO-L412KB", "--json")
    assert json.loads(out)["image_address"] == 0x0800_6200
    assert run("boards", "LAMP")[0] == 1


def test_map(run: Run) -> None:
    """The golden file is `spboot map NUCLEO-F429ZI`."""
    code, out, err = run("map", "NUCLEO-F429ZI")
    assert (code, err) == (0, "")
    assert out == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", boards.names())
def test_maps_hold_every_byte_once(name: str) -> None:
    """The parts are the memories of the chip, their spans touch, and the areas of the board are among them."""
    board = Board.load(name)
    flash, ram = flash_layout(board), ram_layout(board)
    for parts, memories in ((flash, board.chip.flash), (ram, board.chip.ram)):
        assert sum(part.size for part in parts) == sum(memory.size for memory in memories)
        for part in parts:
            for low, high in zip(part.spans, part.spans[1:], strict=False):
                assert low.area.end == high.area.address
    named = [span for part in (*flash, *ram) for span in part.spans if span.name]
    assert sum(span.area.size for span in named) == sum(a.size for a in board.areas.values()) + board.ram.size
    assert ram[0].spans[0].name == "reserved"
    assert max(map(len, text_lines((*flash, *ram)))) <= 100


def test_map_as_svg(run: Run) -> None:
    assert run("map", "DISCO-F769I", "--svg", "plan.svg")[0] == 0
    root = ElementTree.fromstring(Path("plan.svg").read_text(encoding="utf-8"))
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"bootloader", "SLOT0", "SLOT1", "journal", "reserved", "0x08040000", "0x20020000"} <= set(texts)
    boxes = [node for node in root.iter("{http://www.w3.org/2000/svg}rect") if node.get("stroke")]
    board = Board.load("DISCO-F769I")
    assert len(boxes) == sum(len(part.spans) for part in (*flash_layout(board), *ram_layout(board)))


def test_svg_has_no_markup_from_names() -> None:
    assert "<b>" not in svg("<b>&", (flash_layout(Board.load("NUCLEO-L476RG"))[0],))


def test_sizes() -> None:
    assert [size_text(n) for n in (100, 1024, 1536, 5376, 2 << 20)] == [
        "100 bytes",
        "1 KB",
        "1.5 KB",
        "5.25 KB",
        "2048 KB",
    ]
    assert Part(title="", spans=()).size == 0


def test_new_board(run: Run) -> None:
    code, out, err = run(
        *("board", "new", "LAMP", "--mcu", "stm32l475vg", "--button", "pc13:LOW", "--led", "PA5:high"),
        *("--console", "USART1:PB6:PB7", "--clock", "48", "--vdd", "3000", "--keep-free", "16K"),
    )
    assert (code, err) == (0, "")
    board = Board.load("LAMP.toml")
    assert (board.chip.name, board.clock_hz, board.vdd_mv) == ("STM32L475VG", 48_000_000, 3000)
    assert board.console.port == "USART1" and board.led and board.button and not board.button.active_high
    assert max(area.end for area in board.areas.values()) <= 0x0810_0000 - 16 * 1024
    assert "two slots of 4" in out and "next: spboot map LAMP.toml; spboot build LAMP.toml" in out
    assert run("map", "LAMP.toml")[0] == 0
    text = Path("LAMP.toml").read_bytes()
    code, _, err = run("board", "new", "LAMP", "--mcu", "STM32L475VG")
    assert (code, err) == (1, "error: LAMP.toml exists; remove it first, or choose another name or folder (-o)\n")
    assert Path("LAMP.toml").read_bytes() == text


def test_new_board_elsewhere(run: Run) -> None:
    Path("mine").mkdir()
    assert run("board", "new", "LAMP", "--mcu", "STM32L476RG", "--single-slot", "-o", "mine/LAMP.toml")[0] == 0
    assert Board.load("mine/LAMP.toml").slot1 is None
    assert not Path("LAMP.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("LAMP", "--mcu", "STM32L475VX"), "unknown part 'STM32L475VX'; did you mean STM32L475V"),
        (("LAMP", "--mcu", "STM32H750VB"), "no bootloader for STM32H750VB: 128 KB of flash"),
        (("la mp", "--mcu", "STM32L475VG"), "board name 'la mp': expected up to 32 letters"),
        (("NUCLEO-L476RG", "--mcu", "STM32L476RG"), "comes with spboot; choose another name"),
        (("LAMP", "--mcu", "STM32L475VG", "-o", "other.toml"), "the file of board LAMP is called LAMP.toml"),
        (("LAMP", "--mcu", "STM32L475VG", "-o", "no/LAMP.toml"), "there is no folder"),
        (("LAMP", "--mcu", "STM32L475VG", "--console", "USART2:PA2"), "is not PORT:TX:RX, as USART2:PA2:PA3"),
        (("LAMP", "--mcu", "STM32L475VG", "--console", "USART2:PA3:PA2"), "console.tx is 'PA3', expected a pin with"),
        (("LAMP", "--mcu", "STM32L475VG", "--console", "USART7:PA2:PA3"), "console.port is 'USART7', expected one"),
        (("LAMP", "--mcu", "STM32L475VG", "--button", "PC13"), "is not PIN:LEVEL"),
        (("LAMP", "--mcu", "STM32L475VG", "--led", "PK3:high"), "led.pin is 'PK3', expected a pin of STM32L475VG"),
        (("LAMP", "--mcu", "STM32L475VG", "--clock", "90"), "clock_hz is 90000000, expected at most 80000000"),
        (("LAMP", "--mcu", "STM32L475VG", "--keep-free", "1G"), "'1G' is not a number of bytes"),
        (("LAMP", "--mcu", "STM32L475VG", "--keep-free", "1000K"), "leave no slot"),
    ],
)
def test_new_boards_that_cannot_be(run: Run, arguments: tuple[str, ...], said: str) -> None:
    before = sorted(Path().iterdir())
    code, _, err = run("board", "new", *arguments)
    assert code in (1, 2) and said in " ".join(err.split())
    assert sorted(Path().iterdir()) == before
