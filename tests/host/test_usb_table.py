"""The table `usb` of a board file: what it becomes, what is refused, and that a bootloader knows nothing of it yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spboot import boards, chips
from spboot.boards import Board
from spboot.builder.headers import chip_header
from spboot.builder.usb import usb_lines
from spboot.chips.usb import Usb
from spboot.errors import BoardError

GOOD = (Path(boards.__file__).parent / "data" / "NUCLEO-F429ZI.toml").read_text(encoding="utf-8")


def load(tmp_path: Path, text: str) -> Board:
    path = tmp_path / "LAMP.toml"
    path.write_text(text, encoding="utf-8")
    return Board.load(str(path))


def test_what_it_says(tmp_path: Path) -> None:
    """As UM1974 has the board, and RM0090 the pins."""
    usb = load(tmp_path, GOOD).usb
    assert usb == Usb(
        core="USB_OTG_FS", dm=("PA11", 10), dp=("PA12", 10), power="PG6", power_high=True, overcurrent="PG7",
        hse_hz=8_000_000, hse_bypass=True,
    )  # fmt: skip
    assert usb is not None
    assert set(usb.pins.values()) == {"PA11", "PA12", "PG6", "PG7"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('dm = "PA11"', 'dm = "PB11"', "USB_OTG_FS has no DM on PB11; it is on PA11"),
        ('dp = "PA12"\n', "", "usb.dp is missing"),
        ('power = "PG6"', 'power = "PQ6"', "usb.power: 'PQ6', expected a pin of STM32F429ZI"),
        ('power = "PG6"', 'power = "PD8"', "usb.power is 'PD8', expected another pin than console.tx"),
        ('overcurrent = "PG7"', 'overcurrent = "PA13"', "another pin than SWDIO"),
        ('overcurrent = "PG7"', 'overcurrent = "PG6"', "another pin than usb.power"),
        ('core = "USB_OTG_FS"', 'core = "USB"', "usb.core: 'USB', expected one as USB_OTG_FS"),
        ('core = "USB_OTG_FS"', 'core = "USB_OTG_HS"', "has no DM on PA11|has no driver"),
        ('hse = "bypass"', 'hse = "HSI"', "usb.hse: 'HSI' of 8000000 Hz"),
        ('hse = "bypass"\n', "", "usb.hse: None of 8000000 Hz"),
        ('core = "USB_OTG_FS"', 'core = "USB_OTG_FS"\nspeed = "full"', "usb.speed: unknown, expected core, dm"),
        ('active = "high"\novercurrent', 'active = "up"\novercurrent', "usb.active: 'up', expected 'high' or 'low'"),
    ],
)
def test_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(BoardError, match=said) as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert "LAMP.toml" in str(caught.value)


def test_a_part_without_a_driver() -> None:
    table: dict[str, Any] = {"core": "USB_OTG_FS", "dm": "PA11", "dp": "PA12", "power": "PA5"}
    with pytest.raises(BoardError, match="USB_OTG_FS of STM32H745XI has no driver"):
        Usb.parse(table, chips.load("STM32H745XI"))


def test_a_bootloader_knows_nothing_of_it() -> None:
    board = Board.load("NUCLEO-F429ZI")
    assert "USB" not in chip_header(board).replace("USB_OTG", "")
    assert "SPB_USB_BASE" in chip_header(board, usb=True)


def test_the_level_of_the_switch() -> None:
    """Off is what the pin begins with."""
    chip = chips.load("STM32L476VG")
    for active, start in (("high", "false"), ("low", "true")):
        usb = Usb.parse({"core": "USB_OTG_FS", "dm": "PA11", "dp": "PA12", "power": "PC9", "active": active}, chip)
        lines = [line for line in usb_lines(chip, usb) if "POWER_START" in line]
        assert lines == [f"#define SPB_USB_POWER_START() spb_gpio_output(0x48000800u, 9u, {start})"]
