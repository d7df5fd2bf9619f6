"""The data of flash chips and of boards that have some: what comes with spboot, a file of a user, what is refused."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from spboot import chips
from spboot.chips import nor_flash
from spboot.chips.external import External
from spboot.errors import BoardError

PARTS = {  # chip: RDID, bytes, erase of 4 KB and 64 KB with addresses of three bytes, typical and maximal ms of 4 KB
    "N25Q128A": ("20ba18", 1 << 24, (0x20, 0xD8), (250, 800)),
    "MT25QL512": ("20ba20", 1 << 26, (0x20, 0xD8), (50, 400)),
    "MX25L51245G": ("c2201a", 1 << 26, (0x20, 0xD8), (30, 400)),
    "MX25LM51245G": ("c2853a", 1 << 26, (0x20, 0xD8), (30, 420)),
    "MX25R6435F": ("c22817", 1 << 23, (0x20, 0xD8), (48, 384)),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_chip_is_as_its_data_sheet_says(name: str) -> None:
    identity, size, erases, times = PARTS[name]
    chip = nor_flash.load(name)
    assert (chip.id.hex(), chip.size, chip.page, chip.sector) == (identity, size, 256, 0x1000)
    found = {command.op: command for command in chip.commands if command.does == "erase" and command.shape == "1-1-0"}
    assert {op: found[op].size for op in erases} == dict(zip(erases, (0x1000, 0x10000), strict=True))
    assert found[0x20].us == (times[0] * 1000, times[1] * 1000)
    everywhere = {command.does for command in chip.commands if command.protocol == "spi"}
    needed = {
        "read",
        "program",
        "erase",
        "read-id",
        "get",
        "set",
        "write-enable",
        "suspend",
        "resume",
        "reset",
        "reset-enable",
    }
    assert needed <= everywhere
    fast = next(command for command in chip.commands if (command.op, command.shape) == (0x0B, "1-1-1"))
    registers = {key: register.value for key, register in chip.registers.items()}
    assert (chip.choices[fast.dummy].of(registers) if isinstance(fast.dummy, str) else fast.dummy) == 8


def test_all_of_them_are_listed() -> None:
    assert nor_flash.names() == tuple(sorted(PARTS))


def test_commands_of_two_bytes() -> None:
    """In the octal protocols the second byte is the first one inverted."""
    octal = [command for command in nor_flash.load("MX25LM51245G").commands if command.shape.startswith("8")]
    assert octal
    odd = {0xEE11, 0xEC13, 0x12ED, 0x21DE, 0xDC23}
    assert all(command.op >> 8 ^ command.op & 0xFF == 0xFF for command in octal if command.op not in odd)
    assert all(op >> 8 ^ op & 0xFF == 0xFF for op in odd)


def _table(**changes: Any) -> dict[str, Any]:
    pins = {"CLK": "PE10", "NCS": "PE11", "IO0": "PE12", "IO1": "PE13"}
    return {"controller": "QUADSPI", "chip": "N25Q128A", "pins": pins, **changes}


def test_a_chip_of_a_user(tmp_path: Path) -> None:
    """A copy with another id and size, beside the board's file."""
    text = (nor_flash.FOLDER / "N25Q128A.toml").read_text()
    (tmp_path / "MINE.toml").write_text(
        text.replace("0x18]", "0x17]").replace("size = 0x100_0000\naddress", "size = 0x80_0000\naddress")
    )
    found = External.parse(_table(chip="MINE.toml"), chips.load("STM32L476VG"), tmp_path)
    assert (found.chip.name, found.chip.id.hex(), found.size) == ("MINE", "20ba17", 0x800000)


WRONG = {
    "an unknown key": (_table(speed=3), "external.speed: unknown, expected chip, chips, controller"),
    "no controller": (_table(controller="SPI1"), "external.controller: 'SPI1', expected one as QUADSPI or OCTOSPI1"),
    "one that the part lacks": (_table(controller="OCTOSPI1"), "STM32L476VG has no OCTOSPI1"),
    "no chip": (_table(chip=7), "external.chip: 7, expected one of MT25QL512"),
    "an unknown chip": (_table(chip="W25Q64"), "no flash chip 'W25Q64': expected MT25QL512.*or a file of your own"),
    "no pins": (_table(pins=[]), "external.pins: expected the pin of each signal"),
    "a pin that cannot": (_table(pins={"CLK": "PA0"}), "QUADSPI has no CLK on PA0; it is on"),
    "a signal too few": (_table(pins={"CLK": "PE10"}), "external.pins: no IO0, IO1, NCS; 1 of N25Q128A need them"),
    "two chips on two lines": (_table(chips=2), "no IO2, IO3, IO4, IO5, IO6, IO7; 2 of N25Q128A need them"),
    "three chips": (_table(chips=3), "chips 3 and port 1, expected 1 or 2 of each"),
    "a reset that is no boolean": (_table(reset="nrst"), "external.reset: 'nrst', expected true"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_refused(what: str) -> None:
    table, message = WRONG[what]
    with pytest.raises(BoardError, match=message):
        External.parse(table, chips.load("STM32L476VG"))


def _changed(old: str, new: str) -> dict[str, Any]:
    text = (nor_flash.FOLDER / "N25Q128A.toml").read_text()
    assert old in text
    return tomllib.loads(text.replace(old, new, 1))


FILES = {
    "a key too many": ("size =", "colour = 3\nsize =", "colour"),
    "a key too few": ("size = 0x100_0000\naddress", "address", "size"),
    "does nothing known": ('does = "read-id"', 'does = "dance"', "command 0x9e: does 'dance'"),
    "no shape": ('shapes = ["1-1-1"], address = 3, mhz = 54', 'shapes = ["1-1"], address = 3, mhz = 54', "shape '1-1'"),
    "no choice": ('mhz = "MHZ_QUAD", mode', 'mhz = "FAST", mode', "no choice FAST"),
    "no register": ("EVCR = [0x65]", "XVCR = [0x65]", "no register XVCR"),
    "a size that is no power": ("size = 0x100_0000\naddress", "size = 0x180_0000\naddress", "a power of two"),
    "an id of two bytes": ("id = [0x20, 0xBA, 0x18]", "id = [0x20, 0xBA]", "three bytes of id"),
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_does_not_fit(what: str) -> None:
    old, new, message = FILES[what]
    with pytest.raises(BoardError, match=message):
        nor_flash.parse("N25Q128A", _changed(old, new))


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    (tmp_path / "X.toml").write_text("id = [")
    with pytest.raises(BoardError, match="no TOML"):
        nor_flash.load("X.toml", tmp_path)


def test_ports_of_an_io_manager() -> None:
    """STM32L4R9: the pins are the manager's, by port."""
    pins = {"CLK": "PI6", "NCS": "PG12", "IO0": "PI11", "IO1": "PI10"}
    table = {"controller": "OCTOSPI1", "chip": "MX25LM51245G", "port": 2, "pins": pins}
    assert External.parse(table, chips.load("STM32L4R9AI")).pins["CLK"] == ("PI6", 5)
    with pytest.raises(BoardError, match="OCTOSPIM has no P1_CLK on PI6"):
        External.parse({**table, "port": 1}, chips.load("STM32L4R9AI"))
