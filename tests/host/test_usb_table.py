"""The table `usb` of a board file: what it becomes, what is refused, and that a bootloader knows nothing of it yet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spboot import boards, chips
from spboot.boards import Board
from spboot.builder.headers import chip_header
from spboot.builder.usb import usb_lines
from spboot.chips.usb import Usb, senses_vbus
from spboot.errors import BoardError

GOOD = (Path(boards.__file__).parent / "data" / "NUCLEO-F429ZI.toml").read_text(encoding="utf-8")
ULPI = (Path(boards.__file__).parent / "data" / "DISCO-F769I.toml").read_text(encoding="utf-8")


def load(tmp_path: Path, text: str) -> Board:
    path = tmp_path / "LAMP.toml"
    path.write_text(text, encoding="utf-8")
    return Board.load(str(path))


def test_what_it_says(tmp_path: Path) -> None:
    """As UM1974 has the board, and RM0090 the pins."""
    usb = load(tmp_path, GOOD).usb
    assert usb == Usb(
        core="USB_OTG_FS", lines={"dm": ("PA11", 10), "dp": ("PA12", 10)}, power="PG6", power_high=True,
        overcurrent="PG7", hse_hz=8_000_000, hse_bypass=True,
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
        ('core = "USB_OTG_FS"', 'core = "USB_OTG_HS"', "USB_OTG_HS of STM32F429ZI has no driver, expected USB_OTG_FS"),
        ('core = "USB_OTG_FS"\n', "", "usb.core is missing"),
        ('core = "USB_OTG_FS"', 'core = "USB_OTG_FS"\nulpi = 1', "usb.ulpi: unknown, expected core, dm"),
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


def test_a_phy_beside_the_chip(tmp_path: Path) -> None:
    """As ST's example for the board has its pins, and RM0410 their function; VBUS is that of the PHY."""
    usb = load(tmp_path, ULPI).usb
    assert usb is not None
    assert usb.ulpi
    assert usb.power is None
    assert {key: pin for key, (pin, _) in usb.lines.items()} == {
        "ck": "PA5", "d0": "PA3", "d1": "PB0", "d2": "PB1", "d3": "PB10", "d4": "PB11", "d5": "PB12", "d6": "PB13",
        "d7": "PB5", "stp": "PC0", "nxt": "PH4", "dir": "PI11",
    }  # fmt: skip
    assert {function for _, function in usb.lines.values()} == {10}
    assert usb.pins == {f"usb.ulpi.{key}": pin for key, (pin, _) in usb.lines.items()} | {"usb.overcurrent": "PD4"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('ck = "PA5"', 'ck = "PA6"', "USB_OTG_HS has no ULPI_CK on PA6; it is on PA5"),
        ('dir = "PI11"\n', "", "usb.ulpi.dir is missing"),
        ('dir = "PI11"', 'dir = "PI11"\nd8 = "PI10"', "usb.ulpi.d8: unknown, expected ck, d0"),
        ('dir = "PI11"', "dir = 11", "USB_OTG_HS has no ULPI_DIR on 11; it is on PC2, PI11"),
        ("[usb.ulpi]", "[usb.phy]", "usb.phy: unknown, expected core, ulpi, overcurrent"),
        ('overcurrent = "PD4"', 'power = "PD4"', "usb.power: unknown, expected core, ulpi, overcurrent"),
        ('overcurrent = "PD4"', 'overcurrent = "PA5"', "another pin than usb.ulpi.ck"),
        ('overcurrent = "PD4"', 'hse = "crystal"', "usb.hse: unknown"),
        ('core = "USB_OTG_HS"', 'core = "USB_OTG_FS"', "USB_OTG_FS of STM32F769NI has no driver"),
    ],
)
def test_refused_of_a_phy(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in ULPI
    with pytest.raises(BoardError, match=said) as caught:
        load(tmp_path, ULPI.replace(old, new, 1))
    assert "LAMP.toml" in str(caught.value)


def test_not_a_table() -> None:
    with pytest.raises(BoardError, match=r"usb\.ulpi: 'USB3320', expected a table with ck, d0"):
        Usb.parse({"core": "USB_OTG_HS", "ulpi": "USB3320"}, chips.load("STM32F769NI"))


@pytest.mark.parametrize(
    ("part", "core", "said"),
    [
        ("STM32H745XI", "USB_OTG_HS", "USB_OTG_HS of STM32H745XI has no driver, expected .*USB_OTG_FS of STM32H7"),
        ("STM32F769NI", "USB_OTG_FS", "USB_OTG_FS of STM32F769NI has no driver, expected .*USB_OTG_HS of STM32F7"),
        ("STM32U575ZI", "USB_OTG_FS", "USB_OTG_FS of STM32U575ZI has no driver"),
    ],
)
def test_a_core_without_a_driver(part: str, core: str, said: str) -> None:
    table: dict[str, Any] = {"core": core, "dm": "PA11", "dp": "PA12", "power": "PA5"}
    with pytest.raises(BoardError, match=said):
        Usb.parse(table, chips.load(part))


OLD = ["STM32F401RE", "STM32F405RG", "STM32F411RE", "STM32F429ZI"]
NEW = ["STM32F412ZG", "STM32F446RE", "STM32F469NI", "STM32F769NI", "STM32H745XI", "STM32L476VG", "STM32L4R9AI"]


@pytest.mark.parametrize("part", [*OLD, *NEW])
def test_who_looks_at_vbus(part: str) -> None:
    """NOVBUSSENS is set for the former, VBDEN is 0 for the others (RM0090, RM0368, RM0383; RM0386, RM0390, RM0402)."""
    assert senses_vbus(chips.load(part)) == (part in OLD)


def test_lines_of_a_phy() -> None:
    """A table for the driver, and no statements; its clock is a bit beside that of the core (RM0410, RCC_AHB1ENR)."""
    board = Board.load("DISCO-F769I")
    assert board.usb is not None
    lines = usb_lines(board.chip, board.usb)
    (pins,) = (line for line in lines if "SPB_USB_PINS" in line)
    assert pins.startswith(
        "#define SPB_USB_PINS {0x005a, 0x003a, 0x010a, 0x011a, 0x01aa, 0x01ba, 0x01ca, 0x01da, 0x015a, "
    )
    assert pins.endswith("0x020a, 0x074a, 0x08ba}")
    assert "#define SPB_USB_PHY_ENABLE 0x40000000u" in lines
    assert "#define SPB_USB_PHY_ENABLE_OFF 0x30u" in lines
    assert "#define SPB_USB_NO_SENSING 0u" in lines


def test_a_program_without_a_connector_knows_nothing_of_it() -> None:
    board = Board.load("NUCLEO-F429ZI")
    assert "USB" not in chip_header(replace(board, usb=None)).replace("USB_OTG", "")
    assert "SPB_USB_BASE" in chip_header(board)


def test_the_level_of_the_switch() -> None:
    """Off is what the pin begins with."""
    chip = chips.load("STM32L476VG")
    for active, start in (("high", "false"), ("low", "true")):
        usb = Usb.parse({"core": "USB_OTG_FS", "dm": "PA11", "dp": "PA12", "power": "PC9", "active": active}, chip)
        lines = [line for line in usb_lines(chip, usb) if "POWER_START" in line]
        assert lines == [f"#define SPB_USB_POWER_START() spb_gpio_output(0x48000800u, 9u, {start})"]
