"""`spboot init`: the project file, and keys to begin with."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import click

from spboot import disk
from spboot.boards import Board, names
from spboot.cli import options
from spboot.cli.telling import Telling, telling
from spboot.errors import BoardError, ProjectError
from spboot.keys import Keys
from spboot.project import FILE, Project, check_name, text


@click.command("init")
@click.argument("folder", type=options.PATH, metavar="[DIR]", default=".")
@click.option("--board", "board_name", envvar="SPBOOT_BOARD", metavar="BOARD", help="Board name or .toml file.")
@click.option("--name", metavar="NAME", help="In front of the names of files; DIR's own name.")
@click.option("--keys", "key_folder", metavar="KEYS", help="Key folder, seen from DIR.  [default: keys]")
@click.option("--product", metavar="PRODUCT", help="Product name of new keys; the first 16 of NAME.")
@click.option("--production", is_flag=True, help="New keys are no development keys.")
@telling
def command(
    folder: Path,
    board_name: str | None,
    name: str | None,
    key_folder: str | None,
    product: str | None,
    production: bool,
    tell: Telling,
) -> None:
    """Make a project file, so that commands need no arguments.

    DIR, the folder of the application's repository, gets spboot.toml.  Where KEYS is no key folder yet, it is made,
    with development keys: bootloaders that have them say so at every start.  What is not given is asked for on a
    terminal.

    \b
    Examples:
      spboot init --board NUCLEO-L476RG
      spboot init lamp --board LAMP.toml --keys ../lamp-keys --production
    """
    if (folder / FILE).exists():
        raise ProjectError(f"{folder / FILE} exists already: edit it, or remove it first")
    if not folder.is_dir():
        raise ProjectError(f"{folder}: there is no such folder: give that of the application")
    asking = sys.stdin is not None and sys.stdin.isatty() and not tell.as_json
    board_name = board_name or (_ask_board() if asking else None)
    if board_name is None:
        raise click.UsageError("no board: give --board, or set SPBOOT_BOARD")
    board_name = _board(board_name, folder)
    name = check_name(name or _ask("Name in front of files", folder.absolute().name, asking))
    key_folder = key_folder or _ask("Key folder", "keys", asking)
    made = _make_keys(folder / key_folder, product or _product(name), production)
    disk.write(folder / FILE, text(board=board_name, keys=key_folder, name=name).encode())
    project = Project.load(folder / FILE)
    tell.say(f"{project.file}: {name} on {project.board}")
    if made:
        kind = "keys" if production else "development keys"
        tell.say(f"{project.keys}: {kind} for product {made.product}; keep them out of git, and a copy of them safe")
    tell.say("next: `spboot build`, then `spboot postbuild APP.elf` behind each build of the application")
    tell.facts(file=project.file, board=project.board, name=name, keys=project.keys, new_keys=bool(made))


def _ask_board() -> str:
    click.echo(f"Boards that come with spboot: {', '.join(names())}")
    return str(click.prompt("Board, or the .toml file of your own"))


def _ask(what: str, default: str, asking: bool) -> str:
    return str(click.prompt(what, default=default)) if asking else default


def _board(given: str, folder: Path) -> str:
    """The board as the project file names it: an own one as seen from *folder*.  Raises BoardError."""
    if not given.endswith(".toml"):
        return Board.load(given).name
    file = Path(given) if Path(given).exists() else folder / given
    Board.load(str(file))
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        raise BoardError(f"{file} is on another drive than {folder}: put the board file into the repository") from None


def _product(name: str) -> str:
    """*name*, as much as a product name can be of it."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)[:16]


def _make_keys(folder: Path, product: str, production: bool) -> Keys | None:
    """New keys, where there are none."""
    if folder.exists():
        Keys.load(folder)
        return None
    return Keys.new(folder, product, development=not production)
