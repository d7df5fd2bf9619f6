"""`spboot stick`: what a device would take from a USB stick."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import stick
from spboot.boards import Board
from spboot.choice import Installed
from spboot.cli import options
from spboot.cli.telling import Telling, telling
from spboot.image import Image
from spboot.keys import Keys
from spboot.stick import Look
from spboot.version import Version


@click.command("stick")
@click.argument("folder", type=options.PATH)
@click.option("--version", type=options.VERSION, metavar="V", required=True, help="The device's version, as 1.2.3.")
@click.option(
    "--from", "old", type=options.PATH, metavar="OLD", help="Its application: tells patches of another one of V apart."
)
@click.option("--broken", is_flag=True, help="Its image is not whole: V may come again, and no patch.")
@options.board
@options.keys
@telling
def command(
    folder: Path,
    version: Version,
    old: Path | None,
    broken: bool,
    board_name: str,
    key_folder: Path,
    tell: Telling,
) -> None:
    """Say what a device would take from a USB stick.

    FOLDER is the stick, or what is to be on it: its update files (.sfb, .sfbp), not those in folders.  Each gets the
    verdict that the device prints, for the version that it has and then for each that it gets.  Without --from a patch
    from V counts as one for this device.

    \b
    Examples:
      spboot stick /media/STICK --version 1.0.0 --keys keys --board NUCLEO-F429ZI
      spboot stick release --version 1.0.0 --from app-1.0.0.elf
    """
    board, keys = Board.load(board_name), Keys.load(key_folder, public=True)
    installed = Installed(version=version, whole=not broken)
    if old is not None:
        installed = Installed.of(Image.load(old, board, version), whole=not broken)
    looks = stick.chain(folder, board, keys, installed)
    for look in looks:
        _tell_look(look, tell)
    tell.facts(folder=folder, board=board.name, looks=[_facts(look) for look in looks])


def _tell_look(look: Look, tell: Telling) -> None:
    tell.say(f"{look.installed.version}{'' if look.installed.whole else ', not whole'}:")
    for file in look.files:
        tell.say(f"  {file}")
    if look.taken is None:
        tell.say("  takes nothing")
    elif look.failure:
        tell.say(f"  takes {look.taken.path.name}, which fails: {look.failure}", "red")
    else:
        tell.say(f"  takes {look.taken.path.name}, version {look.taken.version}", "green")


def _facts(look: Look) -> dict[str, object]:
    files = [
        {
            "file": str(file.path),
            "version": _text(file.version),
            "from": _text(file.base),
            "bytes": file.size,
            "verdict": file.verdict,
        }
        for file in look.files
    ]
    taken = None if look.taken is None else str(look.taken.path)
    return {"installed": str(look.installed.version), "files": files, "taken": taken, "failure": look.failure or None}


def _text(version: Version | None) -> str | None:
    return None if version is None else str(version)
