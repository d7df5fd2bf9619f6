"""`spboot zephyr-overlay`: what Zephyr has to know of the bootloader."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import disk
from spboot.boards import Board
from spboot.builder.zephyr import zephyr_overlay
from spboot.cli import files, options
from spboot.cli.telling import Telling, telling


@click.command("zephyr-overlay")
@options.board
@click.option("-o", "--output", type=options.PATH, metavar="FILE", help="Write it to FILE, when it changed.")
@telling
def command(board_name: str, output: Path | None, tell: Telling) -> None:
    """Make a devicetree overlay for Zephyr.

    It moves the image into its slot and makes partitions of the slots.  FILE is in the folder boards/ of the
    application, with the name that Zephyr has for the board; without it the overlay is printed.  Where it is, the
    module of spboot does the rest (docs/integrations.md).

    \b
    Examples:
      spboot zephyr-overlay --board NUCLEO-L476RG
      spboot zephyr-overlay -o boards/nucleo_l476rg.overlay
    """
    board = Board.load(board_name)
    text = zephyr_overlay(board)
    if output is None:
        tell.say(text.rstrip("\n"))
        tell.facts(board=board.name, overlay=text)
        return
    disk.make_folder(output.parent)
    files.check_output(output)
    changed = disk.write_changed(output, text.encode())
    tell.say(f"{output}: overlay of {board.name}{'' if changed else ', nothing changed'}")
    tell.facts(board=board.name, file=output, changed=changed)
