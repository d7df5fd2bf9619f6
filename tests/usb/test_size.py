"""What USB adds to a bootloader: driver, clock, storage, volumes, directories, choice and sentences."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from spboot import boards
from spboot.boards import Board
from spboot.builder import bootloader
from spboot.builder.compiler import NAMES
from spboot.keys import Keys

ROOT = Path(__file__).resolve().parents[2]
BUDGETS = tomllib.loads((ROOT / "budgets.toml").read_text(encoding="utf-8"))["usb"]
PAGE = ROOT / "docs/usb-drive.md"
FEW = "NUCLEO-F429ZI"
ALL = [name for name in boards.names() if Board.load(name).usb is not None]


def test_every_board_has_a_budget() -> None:
    assert set(ALL) == BUDGETS.keys() - {"ram"}


@pytest.mark.both_compilers
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name == FEW else pytest.mark.soak) for name in ALL])
def test_size(name: str, compiler: str, tmp_path: Path) -> None:
    board, keys = Board.load(name), Keys.new(tmp_path / "keys", "lamp", development=True)
    without = bootloader.build(replace(board, usb=None), keys, tmp_path / "without", compiler=compiler)
    made = bootloader.build(board, keys, tmp_path / "with", compiler=compiler)
    added = made.size - without.size
    print(f"{name}, {compiler}: {made.size} bytes, {added} of them for USB")
    assert 4_000 < added <= BUDGETS[name]
    row = next(line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {name} |"))
    assert row.split("|")[-2].strip().split(", ")[NAMES.index(compiler)] == f"{added:,}", "as the page says"
    with made.elf.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        ours = [symbol for symbol in table.iter_symbols() if symbol["st_value"] >= board.ram.end]
    boot_ram = sum(symbol["st_size"] for symbol in ours if symbol["st_value"] >> 28 == board.ram.end >> 28)
    assert 0 < boot_ram <= BUDGETS["ram"], "above the reserved RAM, until the application starts"


@pytest.mark.soak
def test_beside_external_flash(tmp_path: Path) -> None:
    """Both fit where there is room for 32 KB; the page has the figures of the compiler that needs more."""
    keys, sizes = Keys.new(tmp_path / "keys", "lamp", development=True), []
    for name in ("DISCO-F469I", "DISCO-F769I", "DISCO-H745I"):
        board = replace(Board.load(f"{name}-EXT"), usb=Board.load(name).usb)
        made = [bootloader.build(board, keys, tmp_path / (name + each), compiler=each) for each in NAMES]
        sizes.append(f"{max(each.size for each in made):,}")
    assert f"({', '.join(sizes[:2])} and {sizes[2]} bytes of bootloader" in PAGE.read_text(encoding="utf-8")
