"""`spboot image`: make a full image release."""

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


@click.command("image")
@click.argument("app", type=options.PATH, metavar="APP")
@options.board
@options.keys
@options.version
@options.output
@telling
@signing.release
def command(
    app: Path,
    board_name: str,
    key_folder: Path,
    version: Version,
    output: Path,
    access: signing.Access,
    tell: Telling,
) -> None:
    """Make a full image (.sfb), which every device takes.

    APP is the application as .elf, .hex or .bin.  It is compressed, encrypted and signed.

    \b
    Examples:
      spboot image app.elf --board NUCLEO-L476RG --keys keys --version 1.1.0 \\
          -o app-1.1.0.sfb
      spboot image app.elf --board NUCLEO-L476RG --keys keys --version 1.1.0 \\
          -o app-1.1.0.sfb --signer "pkcs11:token=lamp;object=signing"
    """
    access.check(output, key_folder, app)
    board = Board.load(board_name)
    if access.signature_in:
        access.complete(output, key_folder, board, version, tell)
        return
    secrets = access.load(key_folder, need_private=True)
    image = Image.load(app, board, version)
    tell.warn(image.warnings)
    with progress("packing") as tick:
        update = release.unsigned_image(image, keys=secrets, progress=tick)
    access.write(output, update, secrets, tell)
    tell.facts(trial=update.artefact.header.manifest.trial)
    tell.say(f"  {trial.told(image.data, board)}")
    if board.external is not None and board.slot1 is not None:
        cost = forecast(board, b"", image.data, rests=(b"", image.rest))
        tell.facts(flash_s=cost.flash_s)
        tell.say(f"  {told(cost)}, where no page stays as it is")
