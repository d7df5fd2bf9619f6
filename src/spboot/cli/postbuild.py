"""`spboot postbuild`: everything that a version needs, in one call behind the build of the application."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import releases
from spboot.boards import Board
from spboot.cli import options, signing
from spboot.cli.telling import Telling, telling
from spboot.making import Making, check_release, postbuild
from spboot.project import check_name
from spboot.releases import Item
from spboot.version import Version


@click.command("postbuild")
@click.argument("app", type=options.PATH, metavar="APP")
@options.board
@options.keys
@options.version_of_build
@click.option("--name", envvar="SPBOOT_NAME", metavar="NAME", help="In front of names of files; that of the project.")
@options.bootloader
@options.kept_releases
@click.option("-o", "--output", type=options.PATH, metavar="DIR", help="Where other builds go; that of the project.")
@click.option("--release", is_flag=True, help="Keep it in DIR of --releases: later patches start from it.")
@click.option("--allow-dirty", is_flag=True, help="With --release: take files that differ from the commit.")
@click.option("--last", type=click.IntRange(0), metavar="N", help="Patches from the last N releases; from all.")
@telling
@signing.several
def command(
    app: Path,
    board_name: str,
    key_folder: Path,
    version: Version | None,
    name: str | None,
    bootloader: Path,
    kept: Path,
    output: Path | None,
    release: bool,
    allow_dirty: bool,
    last: int | None,
    access: signing.Access,
    tell: Telling,
) -> None:
    """Make everything that a version needs, behind its build.

    APP is the application as .elf, .hex or .bin.  A folder gets the factory file with bootloader and application, the
    full image, a patch from every release that is kept, and release.json, which lists them.  With --release the folder
    is kept itself; development keys, files that are not committed, and a version that was released are refused then.

    \b
    Examples:
      spboot postbuild build/lamp.elf
      spboot postbuild build/lamp.elf --release
    """
    project = options.project()
    git = options.build_version(version)
    board, keys = Board.load(board_name), access.load(key_folder, need_private=True)
    wanted = Making(
        app=app,
        board=board,
        keys=keys,
        version=git.version,
        name=check_name(name or (project.name if project else app.stem)),
        bootloader=bootloader,
        git=None if version else git.described,
        dirty=git.dirty and not allow_dirty,
    )
    known = releases.all_in(kept, name=wanted.name, board=board.name)
    if release:
        check_release(wanted, known)
    bases = known if last is None else known[-last:] if last else []
    place = kept if release else output or (project.output if project else Path("out"))
    made = postbuild(wanted, place, bases, tell=tell.more, warn=tell.warn)
    tell.facts(folder=made.folder, version=made.version, files=[item.file for item in made.items])
    tell.say(f"{made.folder}: {made.name} {made.version} for {board.name}")
    tell.say(f"  full image {made.image.size:,} bytes{_time(made.image)}")
    for item in made.patches:
        tell.say(f"  patch from {item.base} {item.size:,} bytes{_time(item)}")


def _time(item: Item) -> str:
    """How long an update takes, where that is long."""
    minutes = round((item.seconds or 0) / 60)
    return f", about {minutes} minutes" if minutes > 1 else ""
