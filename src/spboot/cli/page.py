"""`spboot page`: the releases of a product as an HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import page, releases
from spboot.boards import Board
from spboot.cli import files, options
from spboot.cli.telling import Telling, telling
from spboot.errors import BuildError


@click.command("page")
@click.argument(
    "folder",
    type=options.PATH,
    metavar="[RELEASES]",
    envvar="SPBOOT_RELEASES",
    required=False,
    default=options.answer("folder of releases", "RELEASES", lambda found: found.releases, variable="SPBOOT_RELEASES"),
)
@options.board_of_folder
@click.option("--name", envvar="SPBOOT_NAME", metavar="NAME", help="Of the product, where there are several.")
@click.option("-o", "--output", type=options.PATH, metavar="FILE", help="File to write; releases.html in RELEASES.")
@telling
def command(folder: Path, board_name: str | None, name: str | None, output: Path | None, tell: Telling) -> None:
    """Show releases as one HTML page.

    RELEASES is where `spboot postbuild --release` keeps them, that of the project if it is not given.  The page has
    sizes of images and patches over the versions, how much of the slot each fills, and all files with their hashes.  It
    is one file that loads nothing from elsewhere.

    \b
    Examples:
      spboot page
      spboot page releases -o releases.html
    """
    output = output or folder / "releases.html"
    files.check_output(output)
    board = Board.load(board_name) if board_name else None
    found = releases.all_in(folder, name=name, board=board.name if board else None)
    kinds = {(each.name, each.board) for each in found}
    if len(kinds) > 1:
        known = ", ".join(sorted(f"{one} for {two}" for one, two in kinds))
        raise BuildError(f"{folder}: there are releases of {known}: choose with --name and --board")
    if not found:
        raise BuildError(f"{folder}: there is no release: keep one with `spboot postbuild --release`")
    board = board or Board.load(options.board_called(found[0].board))
    files.write(output, page.html(found, board, output.parent).encode())
    tell.facts(file=output, versions=[str(each.version) for each in found])
    tell.say(f"{output}: {len(found)} release{'s' if len(found) > 1 else ''}, the newest is {found[-1].version}")
