"""Boards that a user makes: `spboot board new` for parts that are on no board of ours, and what becomes of them.

`make test` takes the parts of REDUCED through their updates on the twin, makes a board of every supported part, and
builds those whose drivers no board of ours has.  `make soak` takes all of NEW with both compilers, and builds every
bootloader that differs from the others."""

from __future__ import annotations

import dataclasses
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spboot import boards, chips
from spboot.boards import Board
from spboot.boards.draft import Wish, consoles, draft
from spboot.boards.model import core_supplies
from spboot.builder import bootloader, headers
from spboot.builder.compiler import NAMES
from spboot.builder.demo import build_demo
from spboot.builder.support import missing
from spboot.chips import Chip
from spboot.keys import Keys
from spboot.twin import Twin
from spboot.twin.host import images
from spboot.version import Version
from tests.families import ALL
from tests.system.rig import workshop
from tests.system.test_boards import LIMITS, updates_arrive

NEW = {part: words for facts in ALL.values() for part, words in facts.new.items()}
"""Part -> what a user says about the board.  All but STM32F401RC have two slots."""
REDUCED = ("STM32G031K8", "STM32G474CB", "STM32H743ZG")
ROOT = Path(__file__).resolve().parents[2]


def spboot(folder: Path, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command, run in *folder*."""
    code = "from spboot.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def new_board(part: str, folder: Path) -> Board:
    """What the command makes of *part* in the folder of a user."""
    name = f"NEW-{part}"
    code, said, error = spboot(folder, "board", "new", name, "--mcu", part, *shlex.split(NEW[part]))
    assert (code, error) == (0, "")
    assert said.startswith(f"{name}.toml: {name} with {part}\n")
    code, drawn, _ = spboot(folder, "map", f"{name}.toml")
    assert code == 0
    assert "SLOT0" in drawn
    return Board.load(str(folder / f"{name}.toml"))


def takes_updates(part: str, compiler: str, folder: Path) -> None:
    """From the command to the last update; a new board's bootloader is as small as that of ours."""
    shop = workshop(new_board(part, folder), compiler, folder)
    assert shop.boot.size <= LIMITS[shop.board.chip.core][0]
    updates_arrive(shop)


def test_no_part_of_a_board_of_ours_and_every_family() -> None:
    assert not NEW.keys() & {Board.load(name).chip.name for name in boards.names()}
    assert {chips.load(part).family for part in NEW} == set(ALL)


@pytest.mark.parametrize("part", [*REDUCED[:2], pytest.param(REDUCED[2], marks=pytest.mark.soak)])
def test_a_new_board_takes_updates(part: str, tmp_path: Path) -> None:
    takes_updates(part, "clang", tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("part", NEW)
def test_every_new_board_takes_updates(part: str, compiler: str, tmp_path: Path) -> None:
    takes_updates(part, compiler, tmp_path)


def steps() -> list[str]:
    """The commands of docs/porting.md, "A new board in ten minutes", but for those that wait for a person."""
    page = (ROOT / "docs" / "porting.md").read_text(encoding="utf-8")
    section = page[page.index("## A new board in ten minutes") : page.index("### 6. On the board")]
    lines = re.findall(r"^ {4}spboot (.+)$", section, re.MULTILINE)
    return [line for line in lines if "--pty" not in line]


def test_the_page_about_a_new_board_can_be_followed(tmp_path: Path) -> None:
    """docs/porting.md, line by line, in an empty folder; the application is the demo."""
    done = []
    for line in steps():
        if line.startswith("merge "):
            elf = build_demo(Board.load(str(tmp_path / "LAMP.toml")), Version(1, 0, 0), tmp_path)
            elf.rename(tmp_path / "app-1.0.0.elf")
        code, _, error = spboot(tmp_path, *shlex.split(line))
        assert code == 0, f"spboot {line}: {error}"
        done.append(line.split()[0])
    assert done == ["chips", "chip", "board", "map", "keys", "build", "merge"]
    twin = Twin("STM32L475VG")
    images.load(twin, tmp_path / "factory.hex")
    twin.uart("USART1").baud = 115_200
    twin.power_on()
    assert twin.run(until=b"demo 1.0.0 on LAMP", seconds=10)


@pytest.mark.soak
def test_the_rehearsal_of_the_page(tmp_path: Path) -> None:
    """`spboot demo LAMP.toml`, with two slots and with one."""
    for name, part in (("LAMP", "STM32L475VG"), ("SINGLE", "STM32F401RC")):
        assert spboot(tmp_path, "board", "new", name, "--mcu", part)[0] == 0
        code, said, error = spboot(tmp_path, "demo", f"{name}.toml", "--output", f"out-{name}")
        assert code == 0, error
        assert "The application announced 1.2.0" in said


REFUSED = {
    "STM32L031K6": "32 KB of flash in units of 128 bytes leave no slot of 12 KB beside a bootloader of 24 KB",
    "STM32L010F4": "SRAM has 2048 bytes, expected 8192 or more: 5376 are reserved",
    "STM32H750VB": "128 KB of flash in units of 128 KB leave no slot of 12 KB beside a bootloader of 128 KB",
    "STM32F410RB": "there is no driver for RCC (rcc_f410)",
    "STM32H7B3ZI": "there is no driver for FLASH (flash_h7ab), RCC (rcc_h7ab), PWR (pwr_h7rm0455)",
    "STM32L475VGT6": "did you mean STM32L475VG?",
    "STM32H745ZI": "feeds its core by LDO or by SMPS, and with a wrong choice it stops until its power is cut",
    "STM32L051C8 --keep-free 30K": "leave no slot of 12 KB beside a bootloader of 24 KB, as 30 KB are kept free; keep",
}
"""What is refused, and what the command says on one line."""


@pytest.mark.parametrize("wish", REFUSED)
def test_what_is_refused(wish: str, tmp_path: Path) -> None:
    code, said, error = spboot(tmp_path, "board", "new", "LAMP", "--mcu", *shlex.split(wish))
    assert (code, said) == (1, "")
    assert REFUSED[wish] in error
    assert error.startswith("error: ") and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_part_with_large_sectors_gets_a_single_slot(tmp_path: Path) -> None:
    """It is said, and why."""
    _, said, _ = spboot(tmp_path, "board", "new", "LAMP", "--mcu", "STM32F401RC")
    assert "a single slot: " in said
    assert "a cut during an update leaves a device that waits for a full image" in said


def supported() -> Iterator[tuple[Chip, str | None]]:
    """Every part that `spboot chip` says has a bootloader, with a choice of supply where one has to be made."""
    for name in chips.names():
        chip = chips.load(name)
        if missing(chip) is None:
            choices = core_supplies(chip)
            yield chip, choices[-1] if len(choices) > 1 else None


def drafted(chip: Chip, supply: str | None, console: tuple[str, str, str] | None = None) -> Board:
    wish = Wish(core_supply=supply, console=console)
    return draft(Path("NEW.toml"), chip, wish, bootloader.driven()).board


def drivers(board: Board) -> str:
    return " ".join(bootloader.sources(board)["driver"])


def what_differs(board: Board) -> tuple[str, ...]:
    """All that a bootloader is made from: two boards with one answer have one bootloader."""
    config = headers.config_header(board, bootloader.boot_version())
    return board.chip.core, drivers(board), config, headers.chip_header(board)


def first_of_each_port(chip: Chip) -> list[tuple[str, str, str]]:
    """One console of each UART version that has a driver; none is on a pin of the debugger."""
    found = {}
    for port, tx, rx in consoles(chip):
        if chip.block(port).ip in bootloader.driven() and not {"PA13", "PA14"} & {tx, rx}:
            found.setdefault(chip.block(port).ip, (port, tx, rx))
    return list(found.values())


def test_every_supported_part_has_a_board_and_a_twin() -> None:
    """Where `spboot chip` says yes there is a plan, a console, a clock, a driver for each block, and a twin."""
    count = 0
    for chip, supply in supported():
        board = drafted(chip, supply)
        assert what_differs(board)
        assert board.slot0.size >= 12 * 1024
        Twin(chip.name, core_supply=board.core_supply).uart(board.console.port)
        count += 1
    assert count >= 674


def test_no_console_of_a_supported_part_is_a_crash() -> None:
    """Each port that a user can name is planned; the pins of one port are in one clock register."""
    for chip, supply in supported():
        for console in first_of_each_port(chip):
            assert what_differs(drafted(chip, supply, console))


def builds(board: Board, compiler: str, folder: Path) -> None:
    secrets = Keys.load(folder / "keys") if (folder / "keys").exists() else Keys.new(folder / "keys", "demo")
    made = bootloader.build(board, secrets, folder / "boot", compiler=compiler)
    assert made.size <= LIMITS[board.chip.core][0], board.chip.name


def test_drivers_that_no_board_of_ours_has_are_built(tmp_path: Path) -> None:
    """One part of each choice of files; the tests of our boards build the others."""
    ours = {drivers(Board.load(name)) for name in boards.names()}
    others: dict[str, Board] = {}
    for chip, supply in supported():
        board = drafted(chip, supply)
        if drivers(board) not in ours:
            others.setdefault(drivers(board), board)
    assert others
    for board in others.values():
        builds(board, "clang", tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("family", ALL)
def test_every_bootloader_is_built(family: str, compiler: str, tmp_path: Path) -> None:
    """Of all parts, with each version of UART they have."""
    found: dict[tuple[str, ...], Board] = {}
    for chip, supply in supported():
        if chip.family == family:
            for console in first_of_each_port(chip):
                board = drafted(chip, supply, console)
                found.setdefault(what_differs(board), board)
    assert found
    for board in found.values():
        builds(dataclasses.replace(board, name=board.chip.name), compiler, tmp_path)
