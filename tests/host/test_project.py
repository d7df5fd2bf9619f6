"""The project file, and what commands take from it, from the environment and from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from spboot import cli
from spboot.errors import ProjectError
from spboot.keys import Keys
from spboot.project import Project

from .conftest import OLD_APP, TARGET
from .test_gitversion import Repository


def spboot(*words: object) -> Result:
    return CliRunner().invoke(cli.root, [*map(str, words)], prog_name="spboot")


def done(*words: object) -> Result:
    result = spboot(*words)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository of an application, and here."""
    repository = Repository(tmp_path / "lamp")
    repository.tag("v1.1.0")
    (repository.folder / "app.bin").write_bytes(OLD_APP)
    monkeypatch.chdir(repository.folder)
    return repository.folder


def test_init_makes_a_project_and_development_keys(folder: Path) -> None:
    done("init", "--board", TARGET)
    project = Project.load("spboot.toml")
    assert (project.board, project.name, project.keys) == (TARGET, "lamp", Path("keys"))
    assert (project.bootloader, project.releases, project.output) == (Path("boot"), Path("releases"), Path("out"))
    keys = Keys.load(folder / "keys", need_private=True)
    assert keys.product == "lamp" and keys.development


def test_a_long_name_makes_a_short_product(folder: Path) -> None:
    done("init", "--board", TARGET, "--name", "controller+of-the-lamp")
    assert Keys.load("keys").product == "controller-of-th"


def test_init_takes_keys_that_are_there(folder: Path) -> None:
    Keys.new(folder.parent / "safe", "shade")
    done("init", "--board", TARGET, "--keys", "../safe", "--name", "shade")
    project = Project.find()
    assert project is not None and Keys.load(project.keys).product == "shade"


def test_init_for_production(folder: Path) -> None:
    facts = json.loads(done("init", "--board", TARGET, "--production", "--json").output)
    assert facts["new_keys"] is True and facts["name"] == "lamp"
    assert not Keys.load("keys").development


def test_init_asks_on_a_terminal(folder: Path) -> None:
    """A real one."""
    import pty  # Linux and macOS alone have it

    leader, follower = pty.openpty()
    program = "from spboot.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "init"], stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as child:
        os.write(leader, b"NUCLEO-L476RG\nlamp2\n\n")
        output = child.communicate(timeout=60)[0].decode()
    os.close(leader)
    os.close(follower)
    assert child.returncode == 0, output
    assert "Boards that come with spboot: B-L072Z-LRWAN1, " in output
    project = Project.load("spboot.toml")
    assert (project.board, project.name, project.keys) == (TARGET, "lamp2", Path("keys"))


def test_init_never_overwrites(folder: Path) -> None:
    done("init", "--board", TARGET)
    before = (folder / "spboot.toml").read_bytes()
    result = spboot("init", "--board", TARGET)
    assert isinstance(result.exception, ProjectError) and "exists already" in str(result.exception)
    assert (folder / "spboot.toml").read_bytes() == before


def test_init_without_a_terminal_needs_a_board(folder: Path) -> None:
    result = spboot("init")
    assert result.exit_code == 2 and "no board: give --board, or set SPBOOT_BOARD" in result.output
    assert sorted(path.name for path in folder.iterdir()) == [".git", "app.bin", "main.c"]


def test_init_with_a_board_of_ones_own(folder: Path) -> None:
    done("board", "new", "LAMP", "--mcu", "STM32L476RG", "-o", "LAMP.toml")
    done("init", "--board", "LAMP.toml")
    assert Project.load("spboot.toml").board == "LAMP.toml"
    assert done("map").output.startswith("LAMP, STM32L476RG")


def test_commands_need_no_arguments(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder below as well: keys and board by the project file, version by git."""
    done("init", "--board", TARGET)
    (folder / "src").mkdir()
    monkeypatch.chdir(folder / "src")
    facts = json.loads(done("image", "../app.bin", "-o", "app.sfb", "--json").output)
    assert (facts["version"], facts["kind"], facts["file"]) == ("1.1.0", "image", "app.sfb")
    assert facts["bytes"] == Path("app.sfb").stat().st_size
    assert "1.1.0" in done("inspect", "app.sfb").output
    assert done("version").output == "1.1.0\n"


def test_the_command_line_comes_first_then_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done("init", "--board", TARGET)
    assert TARGET in done("map").output
    monkeypatch.setenv("SPBOOT_BOARD", "DISCO-F769I")
    assert "DISCO-F769I" in done("map").output
    assert "NUCLEO-L073RZ" in done("map", "NUCLEO-L073RZ").output
    monkeypatch.setenv("SPBOOT_VERSION", "7.8.9")
    monkeypatch.setenv("SPBOOT_BOARD", TARGET)
    assert "image 7.8.9" in done("image", "app.bin", "-o", "app.sfb").output
    assert "image 1.0.9" in done("image", "app.bin", "-o", "app.sfb", "--version", "1.0.9").output


def test_a_project_by_name(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done("init", "--board", TARGET)
    monkeypatch.chdir(tmp_path)
    assert TARGET in done("--project", folder / "spboot.toml", "map").output
    monkeypatch.setenv("SPBOOT_PROJECT", str(folder / "spboot.toml"))
    assert TARGET in done("map").output
    assert done("version").output == "1.1.0\n"


def test_without_a_project_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for words, what in (
        (["map"], "no board: give BOARD, set SPBOOT_BOARD, or make a project file with `spboot init`"),
        (["build", TARGET], "no key folder: give --keys, set SPBOOT_KEYS, or make a project file"),
        (["build", TARGET, "--keys", "k"], "no folder for the files: give --output or make a project file"),
    ):
        result = spboot(*words)
        assert result.exit_code == 2 and what in " ".join(result.output.split()), result.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("board = 1", "board is 1, expected text between quotes"),
        ('board = ""\nkeys = "k"', "board is '', expected text"),
        ('keys = "k"', 'board is missing, expected a line board = "..."'),
        ('board = "X"', "keys is missing"),
        ('board = "X"\nkeys = "k"\nkyes = "k"', "unknown key 'kyes'; did you mean keys?"),
        ('board = "X"\nkeys = "k"\nzzz = "k"', "unknown key 'zzz'; expected board, keys, name"),
        ('board = "X"\nkeys = "k"\nname = "a/b"', "name is 'a/b', expected 1 .. 64 characters"),
        ("board = ", "not a TOML file"),
    ],
)
def test_mistakes_in_the_file(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "spboot.toml").write_text(text)
    with pytest.raises(ProjectError) as error:
        Project.load(tmp_path / "spboot.toml")
    assert words in str(error.value) and "spboot.toml" in str(error.value)


def test_paths_of_windows(folder: Path) -> None:
    """A backslash would be an escape in the file."""
    done("init", "--board", TARGET, "--keys", "secret\\keys")
    assert Project.load("spboot.toml").keys == Path("secret/keys")


def test_quiet_verbose_and_json(folder: Path) -> None:
    done("init", "--board", TARGET)
    assert done("version", "-q").output == ""
    assert "commits since the tag: 0" in done("version", "-v").output
    assert json.loads(done("version", "--json").output)["git"] == "v1.1.0"
    assert done("image", "app.bin", "-o", "app.sfb", "--quiet").output == ""


FACTS = {
    "keys new k": "fingerprint",
    "keys show keys": "product",
    "image app.bin -o app.sfb": "bytes",
    "verify app.sfb --keys keys": "startable",
    "inspect app.sfb --keys keys": "verdict",
    "delta encode app.bin main.c -o x.spbd": "bytes",
    "board new MINE --mcu STM32L476RG": "choices",
    "version": "git",
    "boards": "NUCLEO-L476RG",
    "boards NUCLEO-L476RG": "part",
    "chip STM32L476RG": "name",
    "chips STM32L476RG": "STM32L476RG",
    "ports": "",
}
"""Commands that have facts to tell, in this order, and a word of them."""


def test_facts_are_json(folder: Path) -> None:
    done("init", "--board", TARGET)
    for words, fact in FACTS.items():
        said = done(*words.split(), "--json").output
        json.loads(said)
        assert fact in said, words


def test_quiet_commands_say_nothing(folder: Path) -> None:
    done("init", "--board", TARGET, "-q")
    for words in (
        "keys new k",
        "image app.bin -o app.sfb",
        "verify app.sfb --keys keys",
        "board new M --mcu STM32L476RG",
    ):
        assert done(*words.split(), "--quiet").output == "", words
