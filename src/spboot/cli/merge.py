"""`spboot merge`: bootloader and application in one file for production."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import boards, image, keys
from spboot.build import elf, merge
from spboot.cli import files, options
from spboot.errors import BuildError
from spboot.version import Version


@click.command("merge")
@click.argument("bootloader", type=options.PATH, metavar="BOOTLOADER")
@click.argument("app", type=options.PATH, metavar="APP")
@options.board
@options.keys
@options.version
@options.output
def command(bootloader: Path, app: Path, board_name: str, key_folder: Path, version: Version, output: Path) -> None:
    """Merge BOOTLOADER (.bin or .elf of `spboot build`) and APP into one .hex or .bin to program at the factory."""
    files.check_output(output, app)
    files.check_output(output, bootloader)
    if output.suffix not in (".hex", ".bin"):
        raise BuildError(f"{output}: cannot write {output.suffix!r}, expected a name that ends in .hex or .bin")
    board = boards.load(board_name)
    boot = files.read(bootloader)
    if boot[:4] == b"\x7fELF":
        boot = elf.flash_bytes(boot, board.bootloader.address)
    data = image.load(app, board)
    parts = merge.areas(board, boot, data, keys.load(key_folder, need_private=True), version)
    files.write(output, merge.as_hex(parts) if output.suffix == ".hex" else merge.as_bin(parts), secret=True)
    click.echo(f"{output}: bootloader and {app.name} {version}")
