"""`spboot map`: the flash and RAM plan of a board, drawn."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import trial
from spboot.boards import Board
from spboot.boards.drawing import svg, text_lines
from spboot.boards.layout import flash_layout, ram_layout
from spboot.cli import files, options


@click.command("map")
@options.board_argument
@click.option("--svg", "svg_file", type=options.PATH, metavar="FILE", help="Write an SVG drawing to FILE instead.")
def command(board_name: str, svg_file: Path | None) -> None:
    """Draw what lies where in flash and RAM of a board.

    \b
    Examples:
      spboot map NUCLEO-L476RG
      spboot map LAMP.toml --svg lamp.svg
    """
    board = Board.load(board_name)
    title = f"{board.name}, {board.chip.name}"
    if svg_file:
        files.check_output(svg_file)
        files.write(svg_file, svg(title, (*flash_layout(board), *ram_layout(board))).encode())
        click.echo(f"{svg_file}: flash and RAM of {board.name}")
        return
    pages = f"{board.slot0.size // board.page_size} pages of {board.page_size:,} bytes"
    if board.slot0.rest is not None:
        pages += f" and {board.slot0.rest.size // board.rest_page_size} of {board.rest_page_size:,}"
    room = trial.room(board)
    trials = f"a trial has room for {room} changed ones" if room or not board.slot0.rest else "there are no trials"
    click.echo(f"{title}; a slot has {pages}, {trials}\n")
    for parts in (flash_layout(board), ram_layout(board)):
        for line in text_lines(parts):
            click.echo(line)
