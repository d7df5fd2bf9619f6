"""`spboot prebuild`: what the build of an application needs, in front of it."""

from __future__ import annotations

from pathlib import Path

import click

from spboot.boards import Board
from spboot.builder.compiler import NAMES
from spboot.cli import options
from spboot.cli.telling import Telling, telling
from spboot.keys import Keys
from spboot.linkage import prebuild
from spboot.version import Version


@click.command("prebuild")
@click.argument("folder", type=options.PATH, metavar="DIR")
@options.board
@options.keys
@options.version_of_build
@options.bootloader
@click.option("--compiler", type=click.Choice(NAMES), default="clang", show_default=True, help="Of the bootloader.")
@telling
def command(
    folder: Path,
    board_name: str,
    key_folder: Path,
    version: Version | None,
    bootloader: Path,
    compiler: str,
    tell: Telling,
) -> None:
    """Write what the build of an application needs.

    DIR, for the search paths of compiler and linker, gets spboot.ld, spboot-check.ld, spboot-memory.ld, spboot/spboot.h
    and spboot_version.h.  What did not change is not written.  The bootloader is built when there is none.

    \b
    Examples:
      spboot prebuild build/spboot
      spboot prebuild build/spboot --version 1.2.3
    """
    git = options.build_version(version)
    board, keys = Board.load(board_name), Keys.load(key_folder)
    done = prebuild(board, keys, folder, place=bootloader, version=git, compiler=compiler)
    if done.made:
        tell.say(f"{done.bootloader}: the bootloader of {board.name}, built now")
    tell.say(f"{done.folder}: {git.name} for {board.name}, {', '.join(done.changed) or 'nothing'} changed")
    tell.facts(
        folder=done.folder, board=board.name, version=git.version, git=git.described, bootloader=done.bootloader,
        made=done.made, changed=done.changed,
    )  # fmt: skip
