"""`spboot update`: bring a device to the newest release."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from spboot import boards
from spboot.boards import Board
from spboot.cli import completing, line, options
from spboot.cli.progress import progress
from spboot.cli.transcript import Transcript
from spboot.device.upgrade import Upgrade, Way
from spboot.errors import BoardError
from spboot.link.serial_port import SerialPort
from spboot.releases import Release
from spboot.route import By, Route, Update, releases, route
from spboot.version import Version


@click.command("update")
@click.argument("port_name", metavar="[PORT]", required=False, shell_complete=completing.port)
@click.argument("folder", type=options.PATH, metavar="RELEASE", required=False)
@click.option("--key", default="", metavar="TEXT", help="Through the application, which calls for a file at TEXT.")
@click.option("--reset", default="", metavar="TEXT", help="What the application resets at, if not you do it.")
@click.option("--installed", type=options.VERSION, metavar="V", help="The device's version, when you know it.")
@click.option(
    "--by", type=click.Choice(["seconds", "bytes"]), default="seconds", show_default=True, help="What is cheap."
)
@click.option("--timeout", type=click.FloatRange(0.1), default=60.0, show_default=True, help="Seconds to wait for it.")
@line.baud
@options.board_of_folder
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the route as JSON; what the device says goes to stderr.")
def command(
    port_name: str | None,
    folder: Path | None,
    key: str,
    reset: str,
    installed: Version | None,
    by: By,
    timeout: float,
    baud: int | None,
    board_name: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring a device to the newest release, the cheapest way.

    RELEASE is a folder of `spboot postbuild`, or a folder with several of them; that of the project when not given.
    The device on the serial port PORT is asked for its version, and gets a patch, a chain of patches or the full image.
    By default that goes through the loader: reset the board, or let --reset do it.  With --key it goes through the
    application.

    Ends with 0 when the newest version runs, or did already; with 1 when a file was refused, the device has a newer
    version or could not be reached; with 130 when it was interrupted.  Run it again to go on.

    \b
    Examples:
      spboot update release                      # then reset the board
      spboot update /dev/ttyACM0 releases --key u --reset r
      spboot update releases --installed 1.0.0 --dry-run
    """
    if folder is None:
        port_name, folder = _one_name(port_name)
    found = releases(folder)
    rate = _speed(found[0], baud, board_name)
    if dry_run and installed is not None:
        _finish(route(found, installed, by), as_json, dry_run)
        return
    way = Way(update=key.encode(), reset=reset.encode(), timeout_s=timeout)
    screen = Transcript(whole=True, to=sys.stderr if as_json else sys.stdout)
    with screen, SerialPort(line.named(port_name), rate) as port, progress("sending", of_bytes=True) as tick:
        upgrade = Upgrade(port, found, way, has=installed, by=by, on_text=screen.show, on_news=_announce, progress=tick)
        if not key and not reset:
            click.echo("waiting for the bootloader: reset the board", err=True)
        try:
            done = upgrade.plan() if dry_run else upgrade.run()
        finally:
            if upgrade.in_loader:
                click.echo("the device waits in its loader; it starts its application in a minute", err=True)
    _finish(done, as_json, dry_run)


def _one_name(text: str | None) -> tuple[str | None, Path]:
    """PORT and RELEASE, when only one of them was typed; the folder of the project stands for RELEASE."""
    project = options.project()
    if project and (text is None or line.is_port(text)):
        return text, project.releases
    return None, line.path(text, "RELEASE")


def _speed(release: Release, baud: int | None, board_name: str | None) -> int:
    """The speed of the line: that of the release's board, unless it is told.  Raises BoardError."""
    if board_name is not None and (given := Board.load(board_name).name) != release.board:
        raise BoardError(f"{release.folder} is for {release.board}, not for {given}: omit --board")
    called = options.board_called(release.board)
    known = called if called != release.board or called in boards.all_names() else None
    return line.speed(baud, board_name or known)


def _announce(what: Route | Update) -> None:
    click.echo(f"{'sending ' if isinstance(what, Update) else ''}{what}", err=True)


def _finish(way: Route, as_json: bool, dry_run: bool) -> None:
    """What was done."""
    if as_json:
        click.echo(json.dumps(_facts(way), indent=2))
    elif dry_run:
        click.echo(str(way))
        for step in way.steps:
            click.echo(f"  {step}")
    elif way.steps:
        click.echo(f"{way.version} runs now", err=True)


def _facts(way: Route) -> dict[str, object]:
    return {
        "installed": None if way.installed is None else str(way.installed),
        "version": str(way.version),
        "bytes": way.size,
        "seconds": way.seconds,
        "steps": [
            {
                "file": str(step.path),
                "from": None if step.base is None else str(step.base),
                "version": str(step.version),
                "bytes": step.size,
                "seconds": step.seconds,
            }
            for step in way.steps
        ],
    }
