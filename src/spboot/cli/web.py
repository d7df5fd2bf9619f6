"""`spboot web`: a page that updates devices from a browser."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import click

from spboot.boards import Board
from spboot.cli import files, line, options
from spboot.cli.interruption import told_to_stop
from spboot.cli.telling import Telling, telling
from spboot.errors import SpbootError
from spboot.keys import Keys
from spboot.web import facts, page
from spboot.web.facts import Purpose
from spboot.web.server import Server

_FILE: Final = "index.html"
_PORT: Final = 8476
_LOOK_S: Final = 0.1


def _port(text: str) -> int:
    """A port of localhost."""
    if not text.isdecimal() or int(text) > 0xFFFF:
        raise click.BadParameter(f"{text!r} is no port, expected 0 .. 65535: 0 takes one that is free")
    return int(text)


@click.command("web")
@click.option("-o", "--output", type=options.PATH, metavar="FOLDER", help=f"Folder to write {_FILE} to; web.")
@click.option(
    "--serve",
    is_flag=False,
    flag_value=str(_PORT),
    type=_port,
    metavar="[PORT]",
    help=f"Show the page at localhost until Ctrl-C, at PORT or {_PORT}; write it with --output alone.",
)
@line.board
@click.option(
    "--keys",
    "key_folder",
    type=options.PATH,
    default=lambda: found.keys if (found := options.project()) and found.keys.is_dir() else None,
    metavar="DIR",
    help="Key folder, which names the product; nothing else of it is in the page.",
)
@click.option("--name", metavar="NAME", help="Of the product, in the title; that of the project.")
@click.option("--key", default="", metavar="TEXT", help="What its application is asked by for an update.")
@click.option(
    "--vendor",
    "vendors",
    multiple=True,
    metavar="VID[:PID]",
    help="Offer ports of this USB vendor alone, as 0403; those of the ST-LINK, if the board has its console there.",
)
@telling
def command(
    output: Path | None,
    serve: int | None,
    board_name: str | None,
    key_folder: Path | None,
    name: str | None,
    key: str,
    vendors: tuple[str, ...],
    tell: Telling,
) -> None:
    """Make a page that updates devices from a browser.

    The page is one HTML file: it talks to a device by WebSerial, shows its console, says what an update file is, and
    refuses the wrong one before it is sent.  It loads nothing and connects to nothing; a browser with WebSerial, as
    Chrome or Edge, opens it from a disk, by https or from localhost.

    In a project, or with --board and --keys, it is made for this board and product, else for any.

    \b
    Examples:
      spboot web
      spboot web --serve
      spboot web -o site --board NUCLEO-L476RG --key u --vendor 0483
    """
    project = options.project()
    purpose = Purpose(
        board=Board.load(board_name) if board_name else None,
        product=Keys.load(key_folder, public=True).product if key_folder else None,
        name=name or (project.name if project else ""),
        key=key,
        vendors=tuple(facts.vendor(text) for text in vendors),
    )
    html = page.html(purpose)
    if output is not None or serve is None:
        _write(output or Path("web"), html, purpose, tell)
    if serve is not None:
        _show(html, serve, tell)


def _write(folder: Path, html: str, purpose: Purpose, tell: Telling) -> None:
    if folder.exists() and not folder.is_dir():
        raise SpbootError(f"{folder} is a file, expected a folder to write {_FILE} to")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpbootError(f"{folder}: cannot be made: {error.strerror}") from None
    path = folder / _FILE
    files.check_output(path)
    files.write(path, html.encode())
    board = purpose.board.name if purpose.board else None
    tell.facts(file=path, board=board, product=purpose.product)
    whom = f"{purpose.product or 'any product'} on {board or 'any board'}"
    tell.say(f"{path}: for {whom}; open it in a browser with WebSerial, or put it on a server with https")


def _show(html: str, port: int, tell: Telling) -> None:
    """Until Ctrl-C or SIGTERM.  Raises LinkError."""
    with told_to_stop() as stop, Server(html, port) as server:
        tell.say(f"{server.address}  Ctrl-C ends it")
        thread = threading.Thread(target=server.serve_forever, args=(_LOOK_S,), daemon=True)
        thread.start()
        while not stop():
            thread.join(_LOOK_S)
        server.shutdown()
