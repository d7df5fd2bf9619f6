"""`spboot reproduce`: a bootloader or a release is made again and compared."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import releases, reproduce
from spboot.boards import Board
from spboot.cli import options, signing
from spboot.cli.sbom import board_in
from spboot.cli.telling import Telling, telling
from spboot.errors import BuildError
from spboot.releases import Release


@click.command("reproduce")
@click.argument("place", type=options.PATH, metavar="FOLDER")
@options.keys
@options.board_of_folder
@options.bootloader_if_any
@telling
@signing.reading
def command(
    place: Path,
    key_folder: Path,
    board_name: str | None,
    bootloader: Path | None,
    access: signing.Access,
    tell: Telling,
) -> None:
    """Make a bootloader or release again; compare every byte.

    FOLDER is what `spboot build` or `spboot postbuild` made.  A bootloader is built from scratch, by the compiler of
    its record.  A release is made from its application, from the releases beside it that its patches start from, and
    from its bootloader; the signing key is not needed, as the signatures of the release are checked and taken.  Exit
    code 1, with what differs, when a byte does.

    \b
    Examples:
      spboot reproduce boot
      spboot reproduce releases/lamp_NUCLEO-L476RG_1.2.0
    """
    keys = access.load(key_folder)
    if (place / releases.FILE).is_file():
        release = Release.load(place)
        board = Board.load(board_name or options.board_called(release.board))
        if bootloader is None:
            raise click.UsageError("no bootloader: give --bootloader or make a project file with `spboot init`")
        made = reproduce.of_release(release, board, keys, bootloader)
    else:
        board = Board.load(board_name or options.board_called(board_in(place)))
        made = reproduce.of_bootloader(place, board, keys)
    tell.facts(
        same=made.same,
        files=len(made.files),
        different=[each.name for each in made.different],
        reasons=list(made.reasons),
    )
    for each in made.files:
        tell.more(str(each))
    if made.same:
        tell.say(f"{place}: all {len(made.files)} files are the same, byte for byte")
        return
    tell.end()
    lines = [f"{place}: made again it is not the same", *map(str, made.different), *made.reasons]
    raise BuildError("\n  ".join(lines))
