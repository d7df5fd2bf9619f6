"""`spboot sbom`: what a bootloader or a release is made of, as CycloneDX."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import releases, sbom
from spboot.boards import Board
from spboot.builder.build_record import SUFFIX
from spboot.cli import files, options
from spboot.cli.telling import Telling, telling
from spboot.errors import BuildError
from spboot.releases import Release


@click.command("sbom")
@click.argument("place", type=options.PATH, metavar="FOLDER")
@options.board_of_folder
@options.bootloader_if_any
@click.option("--merge", type=options.PATH, multiple=True, metavar="FILE", help="CycloneDX JSON of your components.")
@click.option("--vex", "vex_file", type=options.PATH, metavar="FILE", help="TOML with statements about weaknesses.")
@click.option("-o", "--output", type=options.PATH, metavar="FILE", help="File to write, else it is printed.")
@telling
def command(
    place: Path,
    board_name: str | None,
    bootloader: Path | None,
    merge: tuple[Path, ...],
    vex_file: Path | None,
    output: Path | None,
    tell: Telling,
) -> None:
    """List what a bootloader or release is made of (CycloneDX).

    FOLDER is what `spboot build` or `spboot postbuild` made.  Of a bootloader: every source and header with hash and
    licence, generated files, compiler, and whatever else its link map shows.  Of a release: its application, its files,
    and its bootloader, in full when the bootloader's folder is known.  The same FOLDER gives the same document; a time
    is in it when SOURCE_DATE_EPOCH is set.

    \b
    Examples:
      spboot sbom boot -o bootloader.cdx.json
      spboot sbom releases/lamp_NUCLEO-L476RG_1.2.0 --merge rtos.cdx.json \\
          --vex vex.toml -o lamp.cdx.json
    """
    if output is not None:
        files.check_output(output, *merge, *([vex_file] if vex_file else []))
    if (place / releases.FILE).is_file():
        made = sbom.of_release(Release.load(place), bootloader, merge=merge, vex_file=vex_file)
    elif merge:
        raise click.UsageError("--merge is for a release: the bootloader has no components of yours")
    else:
        board = Board.load(board_name).name if board_name else board_in(place)
        made = sbom.of_bootloader(place, board, vex_file=vex_file)
    text = sbom.text(made)
    if output is None:
        click.echo(text, nl=False)
        return
    files.write(output, text.encode())
    tell.facts(file=output, components=len(made["components"]), serial=made["serialNumber"])
    tell.say(f"{output}: {len(made['components'])} components")


def board_in(place: Path) -> str:
    """The board whose bootloader is in the folder *place*, if it has only one."""
    found = sorted(path.name for path in place.glob(f"spboot-*.{SUFFIX}"))
    if len(found) != 1:
        what = "no release and no bootloader" if not found else f"{len(found)} bootloaders"
        hint = "make one with `spboot build` or `spboot postbuild`" if not found else "choose with --board"
        raise BuildError(f"{place}: there is {what} in it: {hint}")
    return found[0].removeprefix("spboot-").removesuffix(f".{SUFFIX}")
