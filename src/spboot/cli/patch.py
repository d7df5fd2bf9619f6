"""`spboot patch`: make a patch from one release to the next."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import release, trial
from spboot.boards import Board
from spboot.cli import options, signing
from spboot.cli.progress import progress
from spboot.cli.telling import Telling, telling
from spboot.device.forecast import forecast, told
from spboot.image import Image
from spboot.version import Version


@click.command("patch")
@click.option("--from", "old", required=True, type=options.PATH, metavar="OLD", help="Application devices run now.")
@click.option("--from-version", required=True, type=options.VERSION, metavar="U", help="Its version, as 1.2.2.")
@click.option("--to", "new", required=True, type=options.PATH, metavar="NEW", help="Application they shall run.")
@options.version
@options.board
@options.keys
@options.output
@telling
@signing.release
def command(
    old: Path,
    from_version: Version,
    new: Path,
    version: Version,
    board_name: str,
    key_folder: Path,
    output: Path,
    access: signing.Access,
    tell: Telling,
) -> None:
    """Make a patch (.sfbp) from one release to the next.

    Only devices that run OLD take it.  OLD and NEW are applications as .elf, .hex or .bin.

    \b
    Examples:
      spboot patch --from app-1.1.0.elf --from-version 1.1.0 \\
          --to app-1.2.0.elf --version 1.2.0 --board NUCLEO-L476RG --keys keys \\
          -o app-1.2.0.sfbp
    """
    access.check(output, key_folder, old, new)
    board = Board.load(board_name)
    if access.signature_in:
        access.complete(output, key_folder, board, version, tell)
        return
    secrets = access.load(key_folder, need_private=True)
    before, after = Image.load(old, board, from_version), Image.load(new, board, version)
    tell.warn((*before.warnings, *after.warnings))
    with progress("comparing") as tick:
        update = release.unsigned_patch(before, after, keys=secrets, progress=tick)
    access.write(output, update, secrets, tell)
    tell.facts(trial=update.artefact.header.manifest.trial)
    cost = forecast(board, before.data, after.data, rests=(before.rest, after.rest))
    tell.say(f"  {trial.told(after.data, board, cost.changed)}")
    if board.external is not None:
        tell.facts(flash_s=cost.flash_s)
        tell.say(f"  {told(cost)}")
