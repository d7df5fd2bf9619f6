"""`spboot build`: make the bootloader of a board."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from spboot.boards import Board
from spboot.builder import bootloader
from spboot.builder.compiler import NAMES
from spboot.cli import files, options, production, signing
from spboot.cli.telling import Telling, telling
from spboot.secret import Secret


@click.command("build")
@options.board_argument
@options.keys
@click.option(
    "-o",
    "--output",
    type=options.PATH,
    default=options.answer("folder for the files", "--output", lambda found: found.bootloader),
    metavar="DIR",
    help="Folder for the files; that of the project.",
)
@click.option("--compiler", type=click.Choice(NAMES), default="clang", show_default=True, help="Compiler to use.")
@click.option(
    "--user-data", type=options.PATH, metavar="FILE", help="File of at most 128 bytes for SE_APP_GetSecureUserData."
)
@production.options
@telling
@signing.reading
def command(
    board_name: str,
    key_folder: Path,
    output: Path,
    compiler: str,
    user_data: Path | None,
    level: str | None,
    yes_for_ever: str | None,
    dry_run: bool,
    access: signing.Access,
    tell: Telling,
) -> None:
    """Build the bootloader of a board, with your keys in it.

    DIR gets the bootloader as .elf, .bin and .hex, its map, a record of what it was built from, and what an application
    needs: linker include and header.  BOARD is the name of a board that comes with spboot, or the .toml file of your
    own.  In a project (`spboot init`) it needs no arguments.

    \b
    Examples:
      spboot build NUCLEO-L476RG --keys keys -o boot
      spboot build LAMP.toml --keys lamp-keys -o lamp-boot --compiler gcc
      spboot build LAMP.toml --keys lamp-keys -o boot --production rdp1 --dry-run
    """
    board = Board.load(board_name)
    secrets = access.load(key_folder)
    data = Secret(files.read(user_data)) if user_data else b""
    if dry_run and level is None:
        raise click.UsageError("--dry-run shows what --production does: give both")
    confirmed = production.confirmation(board, secrets, level, yes_for_ever, tell)
    how: dict[str, Any] = {"compiler": compiler, "user_data": data, "production": level, "confirmation": confirmed}
    if dry_run:
        production.dry_run(board, secrets, tell, **how)
        return
    made = bootloader.build(board, secrets, output, **how)
    tell.warn(made.warnings)
    tell.facts(
        board=board.name, product=secrets.product, development=secrets.development, key=made.fingerprint,
        production=level, bytes=made.size, room=board.bootloader.size, elf=made.elf, bin=made.bin, hex=made.hex,
        linker_include=made.linker_include, linker_check=made.linker_check, include=made.header.parent.parent,
    )  # fmt: skip
    tell.say(f"{made.hex}: {made.size} bytes of {board.bootloader.size}, key {made.fingerprint}")
    tell.say(
        f"{made.linker_include}: include it in the application's linker script, {made.linker_check.name} at its end"
    )
    if level is not None:
        tell.say("it programs option bytes at its first boot: docs/production.md, before the first device")
    if secrets.development:
        tell.say("note: these are development keys, and the bootloader says so at every start; do not ship it")
