"""What `--help` says: every command in its group, whole sentences, 80 columns, examples that can be typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from spboot import cli

WIDTH = 80


def paths(command: click.Command = cli.root, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group, as ("board", "new")."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, name
            yield from paths(found, (*path, name))


ALL = sorted(paths())


def told(path: tuple[str, ...]) -> str:
    """The help of a command on a screen of 80 columns."""
    done = CliRunner().invoke(
        cli.root, [*path, "--help"], prog_name="spboot", terminal_width=WIDTH, max_content_width=WIDTH
    )
    assert done.exit_code == 0, done.output
    return done.output


def examples(text: str) -> list[list[str]]:
    """The words of each command line under "Examples:"."""
    lines = text.split("Examples:\n", 1)[1].split("\n\n", 1)[0].replace("\\\n", " ").splitlines()
    return [shlex.split(line.split(" > ")[0], comments=True) for line in lines]


def named(path: tuple[str, ...]) -> str:
    return " ".join(("spboot", *path))


@pytest.mark.parametrize("path", ALL, ids=named)
def test_nothing_is_cut(path: tuple[str, ...]) -> None:
    usage, *rest = told(path).splitlines()
    assert not [line for line in rest if "..." in line or "…" in line], "a sentence too long for its line"
    assert not [line for line in (usage, *rest) if len(line) > WIDTH], f"wider than {WIDTH} columns"


@pytest.mark.parametrize("path", ALL, ids=named)
def test_examples_can_be_typed(path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of itself at least one, and every one a command with options that there are and all it needs, in a project."""
    (tmp_path / "spboot.toml").write_text('board = "NUCLEO-L476RG"\nkeys = "keys"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPBOOT_VERSION", "1.2.3")
    found = examples(told(path))
    own = [words for words in found if tuple(words[: len(path) + 1]) == ("spboot", *path)]
    assert own, "a help without an example of its command"
    for words in found:
        if words[0] == "spboot":
            parse(words[1:])


def parse(words: list[str]) -> None:
    """Read a command line as click does before it runs the command.  Raises UsageError."""
    command: click.Command = cli.root
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, f"no command {words[0]!r}"
        command, words = found, words[1:]
    command.make_context("spboot", words)


@pytest.mark.parametrize("path", ALL, ids=named)
def test_every_option_says_what_it_does(path: tuple[str, ...]) -> None:
    command: click.Command = cli.root
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    assert not [option.name for option in command.params if isinstance(option, click.Option) and not option.help]


def test_commands_stand_in_groups() -> None:
    """All of them, each once."""
    modules = {path.stem for path in Path(cli.__file__).parent.glob("*.py") if "@click.command(" in path.read_text()}
    modules |= {path.stem for path in Path(cli.__file__).parent.glob("*.py") if "@click.group(" in path.read_text()}
    blocks = told(()).split("\n\n")
    headings = ("Project:", "Keys and bootloader:", "Images and patches:", "Devices:", "Boards and parts:")
    groups = [block.splitlines()[1:] for heading in headings for block in blocks if block.startswith(heading)]
    assert len(groups) == len(headings)
    listed = [line.split()[0].replace("-", "_") for lines in groups for line in lines]
    assert sorted(listed) == sorted(modules - {"__init__"})
