"""`spboot merge`: bootloader and application in one file for production."""

from __future__ import annotations

from pathlib import Path

import click

from spboot.boards import Board
from spboot.builder.merge import merge
from spboot.builder.personal import target_of
from spboot.cli import options, signing
from spboot.cli.telling import Telling, telling
from spboot.errors import BuildError
from spboot.formats import program
from spboot.image import Image
from spboot.version import Version


@click.command("merge")
@click.argument("bootloader", type=options.PATH, metavar="BOOTLOADER")
@click.argument("app", type=options.PATH, metavar="APP")
@options.board
@options.keys
@options.version
@options.output
@telling
@signing.factory
def command(
    bootloader: Path,
    app: Path,
    board_name: str,
    key_folder: Path,
    version: Version,
    output: Path,
    access: signing.Access,
    tell: Telling,
) -> None:
    """Put bootloader and application in one factory file.

    BOOTLOADER is the .bin, .hex or .elf of `spboot build`, APP the first application that devices run.  FILE is for the
    programmer in production, as .hex or .bin; as .elf it is for a debugger, too, with the names of those of the two
    that are given as .elf.  What APP has for external flash is in it, at its addresses, so that there is no .bin then.
    It is signed as `spboot image` signs APP: --signature-in takes that very signature.

    \b
    Examples:
      spboot merge boot/spboot-NUCLEO-L476RG.bin app.elf --version 1.0.0 \\
          --board NUCLEO-L476RG --keys keys -o factory.hex
    """
    access.check(output, key_folder, app, bootloader)
    program.check_writable(output)
    board = Board.load(board_name)
    secrets = access.load(key_folder, need_private=True)
    start = board.bootloader.address
    first, second = (program.load(path, start) for path in (bootloader, app))
    if target_of(first.run_at(start)) is None and target_of(second.run_at(start)) is not None:
        raise BuildError(f"{app} is the bootloader, and {bootloader} is none: swap the two, BOOTLOADER comes first")
    image = Image.load(app, board, version)
    tell.warn(image.warnings)
    merge(bootloader, image, keys=secrets).save(output)
    tell.facts(file=output, version=version, key=secrets.fingerprint)
    tell.say(f"{output}: bootloader and {app.name} {version}, key {secrets.fingerprint}")
