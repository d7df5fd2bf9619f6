"""`spboot image`: make a full image release."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import release
from spboot.boards import Board
from spboot.cli import files, options
from spboot.cli.progress import progress
from spboot.cli.telling import Telling, telling
from spboot.image import Image
from spboot.keys import Keys
from spboot.version import Version


@click.command("image")
@click.argument("app", type=options.PATH, metavar="APP")
@options.board
@options.keys
@options.version
@options.output
@telling
def command(app: Path, board_name: str, key_folder: Path, version: Version, output: Path, tell: Telling) -> None:
    """Make a full image (.sfb), which every device takes.

    APP is the application as .elf, .hex or .bin.  It is compressed, encrypted and signed.

    \b
    Examples:
      spboot image app.elf --board NUCLEO-L476RG --keys keys --version 1.1.0 \\
          -o app-1.1.0.sfb
    """
    files.check_output(output, app)
    board = Board.load(board_name)
    secrets = Keys.load(key_folder, need_private=True)
    image = Image.load(app, board, version)
    with progress("packing") as tick:
        made = release.full_image(image, keys=secrets, progress=tick)
    files.write(output, made)
    tell.facts(file=output, kind="image", version=version, bytes=len(made), image_bytes=len(image.data))
    tell.say(f"{output}: image {version}, {len(made)} bytes for {len(image.data)} of firmware")
