"""`spboot patch`: make a patch from one release to the next."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import boards, image, keys, release
from spboot.cli import files, options
from spboot.cli.progress import progress
from spboot.errors import BoardError
from spboot.version import Version


@click.command("patch")
@click.option("--from", "old", required=True, type=options.PATH, metavar="OLD", help="Application devices run now.")
@click.option("--from-version", required=True, type=options.VERSION, metavar="U", help="Its version, as 1.2.2.")
@click.option("--to", "new", required=True, type=options.PATH, metavar="NEW", help="Application they shall run.")
@options.version
@options.board
@options.keys
@options.output
def command(
    old: Path, from_version: Version, new: Path, version: Version, board_name: str, key_folder: Path, output: Path
) -> None:
    """Make a patch (.sfbp) from one release to the next.

    Only devices that run OLD take it.  OLD and NEW are applications as .elf, .hex or .bin.

    \b
    Examples:
      spboot patch --from app-1.1.0.elf --from-version 1.1.0 \\
          --to app-1.2.0.elf --version 1.2.0 --board NUCLEO-L476RG --keys keys \\
          -o app-1.2.0.sfbp
    """
    files.check_output(output, old, new)
    board = boards.load(board_name)
    if board.slot1 is None:
        raise BoardError(f"{board.name} has a single slot, which takes no patches: make a full image (spboot image)")
    secrets = keys.load(key_folder, need_private=True)
    before, after = (image.load(path, board) for path in (old, new))
    with progress("comparing") as tick:
        made = release.make_patch(
            release.Base(image=before, version=from_version, address=board.image_address),
            after,
            board=board,
            keys=secrets,
            version=version,
            progress=tick,
        )
    files.write(output, made)
    click.echo(f"{output}: patch {from_version} -> {version}, {len(made)} bytes for {len(after)} of firmware")
