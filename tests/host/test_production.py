"""`spboot build --production`: what is refused, said and asked before there is a bootloader that locks a chip."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import spboot
from spboot.boards import Board, names
from spboot.builder import bootloader, drivers
from spboot.builder.production import LEVELS, NAMES, check, for_ever, phrase
from spboot.errors import BuildError
from spboot.formats.spec import data_path
from spboot.keys import Keys

from .test_cli import Run, run  # noqa: F401

BOARD = "NUCLEO-L476RG"


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys.new(tmp_path / "lamp-keys", "lamp")


def test_levels_are_those_of_the_firmware() -> None:
    """firmware/driver/options.h: level 1 is any byte but those of the others, and 0x55 of level 0.5."""
    text = (data_path("firmware") / "driver" / "options.h").read_text()
    assert re.findall(r"level == 2 \? (\w+) : (\w+)", text) == [("0xCCu", "0xBBu")]
    assert LEVELS == {"wrp": 0, "rdp1": 1, "rdp2": 2}
    assert tuple(LEVELS) == NAMES


def test_every_flash_that_has_a_driver_has_one_for_its_option_bytes() -> None:
    table = drivers.drivers()
    assert table.production.keys() == {ip for ip in table.ip if ip.startswith("flash_")}


@pytest.mark.parametrize("name", names())
def test_no_other_bootloader_has_these_files(name: str) -> None:
    """What writes option bytes is in production builds alone."""
    board = Board.load(name)
    plain, ours = bootloader.sources(board), bootloader.sources(board, "wrp")
    only = {file for room in ours for file in ours[room]} - {file for room in plain for file in plain[room]}
    assert "boot/production.c" in only
    assert len(only) == 2
    assert all("options_" in file for file in only - {"boot/production.c"})


@pytest.mark.parametrize("name", names())
def test_levels_of_a_board(keys: Keys, name: str) -> None:
    board = Board.load(name)
    assert check(board, keys, "wrp") == "wrp"
    if board.chip.family == "STM32H5":
        for level in ("rdp1", "rdp2"):
            with pytest.raises(BuildError, match="no read protection level but PRODUCT_STATE, some"):
                check(board, keys, level, phrase(board, keys))
    else:
        assert check(board, keys, "rdp1") == "rdp1"


def test_development_keys_are_refused(tmp_path: Path) -> None:
    board, keys = Board.load(BOARD), Keys.new(tmp_path / "keys", "lamp", development=True)
    for name in NAMES:
        with pytest.raises(BuildError, match=rf"production {name} with development keys.*spboot keys new"):
            spboot.build(board, keys, tmp_path / "boot", production=name, confirmation=phrase(board, keys))
    assert not (tmp_path / "boot").exists()


@pytest.mark.parametrize("given", [None, "", "y", "yes", "lamp", BOARD, f"lamp {BOARD} ", f"other {BOARD}"])
def test_level_2_is_confirmed_by_product_and_board(keys: Keys, tmp_path: Path, given: str | None) -> None:
    board = Board.load(BOARD)
    with pytest.raises(BuildError, match=r"rdp2 was not confirmed.*expected 'lamp NUCLEO-L476RG'.*Level 2 is for ever"):
        spboot.build(board, keys, tmp_path / "boot", production="rdp2", confirmation=given)
    assert not (tmp_path / "boot").exists()
    assert check(board, keys, "rdp2", f"lamp {BOARD}") == "rdp2"


def test_other_names(keys: Keys) -> None:
    with pytest.raises(BuildError, match="production 'rdp3': expected wrp, rdp1 or rdp2"):
        check(Board.load(BOARD), keys, "rdp3")


def test_the_command_says_what_is_for_ever(run: Run, keys: Keys) -> None:  # noqa: F811
    """And refuses where nobody can type, before a compiler runs."""
    code, _, err = run("build", BOARD, "--keys", "lamp-keys", "-o", "boot", "--production", "rdp2")
    assert code == 1
    assert for_ever("rdp2") in err
    assert f"--yes-for-ever 'lamp {BOARD}'" in err
    code, _, err = run(
        "build", BOARD, "--keys", "lamp-keys", "-o", "boot", "--production", "rdp2", "--yes-for-ever", "yes"
    )
    assert code == 1
    assert "'yes' was given, expected 'lamp NUCLEO-L476RG'" in err
    code, _, err = run("build", BOARD, "--keys", "lamp-keys", "-o", "boot", "--dry-run")
    assert code == 2
    assert "--dry-run shows what --production does" in err
    assert not Path("boot").exists()


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal")
@pytest.mark.parametrize("typed", [f"lamp {BOARD}", "y"])
def test_it_is_typed_on_the_terminal(keys: Keys, tmp_path: Path, typed: str) -> None:
    """A `y` is not enough.  Who types it gets a bootloader, made here with no compiler that would run."""
    import pty

    near, far = pty.openpty()
    program = (
        "from spboot.builder import bootloader as b\n"
        "from spboot.errors import BuildError\n"
        "def toolchain(*_): raise BuildError('it was confirmed')\n"
        "b.toolchain = toolchain\n"
        "from spboot.cli import main; main()"
    )
    arguments = ["build", BOARD, "--keys", "lamp-keys", "-o", "boot", "--production", "rdp2"]
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdin=far, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=tmp_path,
    ) as process:  # fmt: skip
        os.write(near, f"{typed}\n".encode())
        _, err = process.communicate(timeout=60)
    os.close(near)
    os.close(far)
    assert process.returncode == 1
    assert for_ever("rdp2") in err.decode()
    assert f"Type lamp {BOARD} to build it" in err.decode()
    assert ("it was confirmed" if typed != "y" else "rdp2 was not confirmed: 'y' was given") in err.decode()


def test_the_sentence_of_the_page() -> None:
    """docs/production.md says of level 2 what the command says."""
    page = " ".join((Path(__file__).parents[2] / "docs" / "production.md").read_text(encoding="utf-8").split())
    words = for_ever("rdp2").split(": ", 1)[1]
    assert words.rstrip(".").replace(" or with keys that are lost", ", or with keys that are lost,") in page


def test_help_has_it(run: Run) -> None:  # noqa: F811
    code, out, _ = run("build", "--help")
    assert code == 0
    assert "--production [wrp|rdp1|rdp2]" in out
    assert "--production rdp1 --dry-run" in out
