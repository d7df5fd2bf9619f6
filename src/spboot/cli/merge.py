"""`spboot merge`: bootloader and application in one file for production."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import boards, image, keys
from spboot.boards import Board
from spboot.build import elf, merge
from spboot.build.personal import check_made_for, target_of
from spboot.cli import files, options
from spboot.errors import BuildError
from spboot.secret import Secret
from spboot.version import Version


@click.command("merge")
@click.argument("bootloader", type=options.PATH, metavar="BOOTLOADER")
@click.argument("app", type=options.PATH, metavar="APP")
@options.board
@options.keys
@options.version
@options.output
def command(bootloader: Path, app: Path, board_name: str, key_folder: Path, version: Version, output: Path) -> None:
    """Merge BOOTLOADER (.bin, .hex or .elf of `spboot build`) and APP into one .hex or .bin for the factory."""
    files.check_output(output, app)
    files.check_output(output, bootloader)
    if output.suffix not in (".hex", ".bin"):
        raise BuildError(f"{output}: cannot write {output.suffix!r}, expected a name that ends in .hex or .bin")
    board = boards.load(board_name)
    secrets = keys.load(key_folder, need_private=True)
    boot = _bootloader(bootloader, board)
    if target_of(boot) is None and target_of(_bootloader(app, board)) is not None:
        raise BuildError(f"{app} is the bootloader, and {bootloader} is none: swap the two, BOOTLOADER comes first")
    with files.named(bootloader):
        check_made_for(boot, board, secrets)
    data = image.load(app, board)
    parts = merge.areas(board, boot, data, secrets, version)
    files.write(output, merge.as_hex(parts) if output.suffix == ".hex" else merge.as_bin(parts), secret=True)
    click.echo(f"{output}: bootloader and {app.name} {version}")


def _bootloader(path: Path, board: Board) -> bytes:
    """What *path* puts into flash from its start on; by its content, as a .bin may be called anything."""
    data = Secret(files.read(path))
    with files.named(path):
        if data[:4] == b"\x7fELF":
            return Secret(elf.flash_bytes(data, board.bootloader.address))
        if path.suffix.lower() == ".hex" or data[:1] == b":":
            return Secret(elf.hex_bytes(data, board.bootloader.address))
    return data
