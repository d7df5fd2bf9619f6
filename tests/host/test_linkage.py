"""What a build needs, in front of it: which files, when they change, which bootloader; and where the sdk is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from spboot import cli, examples
from spboot.boards import Board
from spboot.builder.linkinclude import check_name, include_name
from spboot.errors import BuildError
from spboot.gitversion import GitVersion
from spboot.keys import Keys
from spboot.linkage import FILES, prebuild
from spboot.version import Version
from tests import apps

SPBOOT = Path(sys.executable).with_name("spboot")
BOARD = Board.load("NUCLEO-L476RG")
ONE, TWO = (GitVersion.given(Version(1, minor, 0)) for minor in (0, 1))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.new(tmp_path_factory.mktemp("prebuild") / "keys", "demo")


@pytest.fixture
def boot(tmp_path: Path, keys: Keys) -> Path:
    """A folder with a bootloader alone, as from a machine that has the keys."""
    folder = tmp_path / "boot"
    folder.mkdir()
    (folder / f"spboot-{BOARD.name}.bin").write_bytes(apps.bootloader(BOARD, keys))
    return folder


def test_only_what_changed_is_written(tmp_path: Path, keys: Keys, boot: Path) -> None:
    out = tmp_path / "a" / "b"
    done = prebuild(BOARD, keys, out, place=boot, version=ONE)
    assert done.changed == FILES and not done.made
    times = {name: (out / name).stat().st_mtime_ns for name in FILES}
    assert prebuild(BOARD, keys, out, place=boot, version=ONE).changed == ()
    assert prebuild(BOARD, keys, out, place=boot, version=TWO).changed == ("spboot_version.h",)
    (boot / f"spboot-{BOARD.name}.bin").write_bytes(apps.bootloader(BOARD, keys) + b"\0")
    assert prebuild(BOARD, keys, out, place=boot, version=TWO).changed == ("bootloader.txt",)
    same = set(FILES) - {"spboot_version.h", "bootloader.txt"}
    assert all((out / name).stat().st_mtime_ns == times[name] for name in same)
    assert {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()} == set(FILES)


def test_names_do_not_depend_on_the_board(tmp_path: Path, keys: Keys, boot: Path) -> None:
    prebuild(BOARD, keys, tmp_path / "out", place=boot / f"spboot-{BOARD.name}.bin", version=ONE)
    for name in FILES:
        if name.endswith(".ld"):
            text = (tmp_path / "out" / name).read_text()
            assert f"spboot-{BOARD.name}" not in text
    assert 'SPBOOT_VERSION "1.0.0"' in (tmp_path / "out" / "spboot_version.h").read_text()


def test_what_came_with_the_bootloader_is_used(tmp_path: Path, keys: Keys, boot: Path) -> None:
    (boot / include_name(BOARD)).write_text(f"/* older, {check_name(BOARD)} */\n")
    (boot / "include" / "spboot").mkdir(parents=True)
    (boot / "include" / "spboot" / "spboot.h").write_text("/* older */\n")
    prebuild(BOARD, keys, tmp_path / "out", place=boot, version=ONE)
    assert (tmp_path / "out" / "spboot.ld").read_text() == "/* older, spboot-check.ld */\n"
    assert (tmp_path / "out" / "spboot" / "spboot.h").read_text() == "/* older */\n"


def test_a_bootloader_that_is_not_ours_is_refused(tmp_path: Path, keys: Keys, boot: Path) -> None:
    """Before anything is written."""
    others, file = Keys.new(tmp_path / "others", "demo"), boot / f"spboot-{BOARD.name}.bin"
    for board, use, place, words in (
        (BOARD, others, boot, "holds other keys"),
        (BOARD, keys, tmp_path / "nowhere.hex", "there is no such file, expected a bootloader or the folder"),
        (Board.load("NUCLEO-L496ZG"), keys, file, "NUCLEO-L496ZG"),
    ):
        with pytest.raises(BuildError, match=words) as failed:
            prebuild(board, use, tmp_path / "out", place=place, version=ONE)
        assert str(place) in str(failed.value)
    assert not (tmp_path / "out").exists()


def test_the_command(tmp_path: Path, boot: Path) -> None:
    out, own = tmp_path / "out", tmp_path / "keys"
    (boot / f"spboot-{BOARD.name}.bin").write_bytes(apps.bootloader(BOARD, Keys.new(own, "demo")))
    words = ["prebuild", str(out), "--board", BOARD.name, "--keys", str(own), "--bootloader", str(boot)]
    done = CliRunner().invoke(cli.root, [*words, "--version", "1.2.3", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert (told["version"], told["made"], told["changed"]) == ("1.2.3", False, list(FILES))
    done = CliRunner().invoke(cli.root, [*words], env={"SPBOOT_VERSION": "1.2.4"})
    assert "1.2.4 for NUCLEO-L476RG, spboot_version.h changed" in done.output


def test_cmake_dir_has_what_is_said_of_it() -> None:
    done = CliRunner().invoke(cli.root, ["cmake-dir", "--json"])
    told = json.loads(done.output)
    folder = Path(told["folder"])
    assert all((folder / told[name]).is_file() for name in ("cmake", "make", "platformio", "zephyr"))
    assert CliRunner().invoke(cli.root, ["cmake-dir"]).output == f"{folder.as_posix()}\n"


def test_examples_are_whole(tmp_path: Path) -> None:
    """Each file that an example's build names is there, and nothing of ours above it."""
    listed = CliRunner().invoke(cli.root, ["example", "--json"])
    for name in json.loads(listed.output)["examples"]:
        place = tmp_path / name
        done = CliRunner().invoke(cli.root, ["example", name, str(place)])
        assert done.exit_code == 0, done.output
        application = {"src/ymodem.c", "src/ymodem.h"} if examples.find(name).parts else set()
        assert {"README.md", ".gitignore", *application} <= {
            path.relative_to(place).as_posix() for path in place.rglob("*")
        }
        for path in place.rglob("*"):
            if path.is_file():
                text = path.read_text(encoding="utf-8")
                assert "../template" not in text and "../cubemx-project" not in text, path


def test_an_example_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "app.ld").write_text("mine")
    done = subprocess.run([SPBOOT, "example", "cmake", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 1 and "app.ld is there, and no file is replaced" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["app.ld"] and (tmp_path / "app.ld").read_text() == "mine"
