"""The serial line of a command: its port, when none is typed the only one that is probably a board, and its speed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from spboot.boards import Board
from spboot.cli import completing, options
from spboot.link import ports
from spboot.link.port import BAUD

baud = click.option("--baud", type=click.IntRange(1), metavar="RATE", help="Speed of the line: 115200, or --board's.")
board = click.option(
    "--board",
    "board_name",
    envvar="SPBOOT_BOARD",
    default=lambda: found.board if (found := options.project()) else None,
    metavar="BOARD",
    shell_complete=completing.board,
    help="Board, whose console has the speed of the line.",
)


def named(name: str | None) -> str:
    """*name*, the port of the environment or the project, or the one that is probably the board, which is said.

    Raises LinkError."""
    project = options.project()
    name = name or os.environ.get("SPBOOT_PORT") or (project.port if project else None)
    if name is not None:
        return name
    found = ports.only(ports.listed())
    click.echo(f"port: {found}", err=True)
    return found.name


def speed(rate: int | None, board_name: str | None) -> int:
    """The speed in baud.  Raises BoardError."""
    return rate or (Board.load(board_name).console.baud if board_name else BAUD)


def is_port(text: str) -> bool:
    """Whether *text* names a serial port and no folder or file."""
    return Path(text).is_char_device() or re.fullmatch(r"(\\\\\.\\)?COM\d+", text, re.IGNORECASE) is not None


def path(text: str | None, name: str) -> Path:
    """The path that stands where a port would, as none was typed.  Raises UsageError for nothing, and for a
    port."""
    if text is None or is_port(text):
        raise click.UsageError(f"Missing argument '{name}'.")
    return Path(text)
