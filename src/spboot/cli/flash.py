"""`spboot flash`: program a board over its debug probe."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from spboot import programmer
from spboot.boards import Board
from spboot.cli import options
from spboot.programmer import FactoryFile


@click.command("flash")
@click.argument("file", type=options.PATH)
@options.board
@click.option(
    "--with", "name", type=click.Choice(programmer.names()), help="Programmer to use, if not the first that is here."
)
@click.option("--probe", metavar="SERIAL", help="Serial number of the debug probe, where there are several.")
@click.option(
    "--external-loader", "loader", type=options.PATH, metavar="FILE", help="What writes external flash, as X.stldr."
)
@click.option("--dry-run", is_flag=True, help="Print the line that would be run, and run nothing.")
def command(
    file: Path, board_name: str, name: str | None, probe: str | None, loader: Path | None, dry_run: bool
) -> None:
    """Program a board over its debug probe.

    FILE is a factory file of `spboot merge` or a bootloader of `spboot build`, as .hex, .bin or .elf.
    STM32CubeProgrammer, pyOCD, OpenOCD or st-flash programs it, whichever is here and knows the part, and resets
    the board.  A file with bytes for external flash needs STM32CubeProgrammer and its external loader for the board.

    \b
    Examples:
      spboot flash factory.hex --board NUCLEO-L476RG
      spboot flash factory.hex --board NUCLEO-L476RG --with openocd --dry-run
    """
    factory = FactoryFile.load(file, Board.load(board_name))
    found = programmer.choose(factory, name, loader)
    if dry_run:
        click.echo(programmer.shown(found.line(probe)))
        return
    click.echo(f"{file}: {factory.size} bytes for {factory.board.name}, by {found.programmer.title}", err=True)
    try:
        programmer.run(found, probe, on_line=_say if sys.stderr.isatty() else lambda _: None)
    except KeyboardInterrupt:
        click.echo(f"{found.programmer.title} was ended: flash may be half written, so program it again", err=True)
        raise
    click.echo(f"{file}: programmed")


def _say(line: str) -> None:
    click.secho(f"  {line}", dim=True, err=True)
