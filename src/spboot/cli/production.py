"""`spboot build --production`: what is said and asked before it is built, and what it would do to a chip."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spboot.boards import Board
from spboot.builder import bootloader
from spboot.builder.production import NAMES, for_ever, phrase
from spboot.cli import tables
from spboot.cli.telling import Telling
from spboot.errors import BuildError
from spboot.keys import Keys

if TYPE_CHECKING:
    from spboot.device.protection import Protection


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--production, --yes-for-ever and --dry-run."""
    for decorate in (
        click.option("--dry-run", is_flag=True, help="With --production: try it on the twin, write no file."),
        click.option(
            "--yes-for-ever",
            metavar="TEXT",
            help="Confirms rdp2 where there is no terminal: TEXT is product and board, as 'lamp NUCLEO-L476RG'.",
        ),
        click.option(
            "--production",
            "level",
            type=click.Choice(NAMES),
            help="Protect the chip at the first boot: write protection of the bootloader (wrp), with read protection "
            "level 1 (rdp1) or 2 (rdp2, which is for ever).",
        ),
    ):
        command = decorate(command)
    return command


def confirmation(board: Board, keys: Keys, production: str | None, given: str | None, tell: Telling) -> str | None:
    """What `build` asks for, of *given* or of the terminal; what cannot be undone is said first.

    Raises BuildError where there is nobody to type it."""
    if production is None or keys.development:
        return None
    known = next(name for name in NAMES if name == production)
    if known != "rdp2":
        tell.say(for_ever(known))
        return given
    click.echo(for_ever(known), err=True)  # whoever asked for silence hears this, too
    if given is not None:
        return given
    if sys.stdin is None or not sys.stdin.isatty():
        raise BuildError(
            f"production rdp2 has to be confirmed, and there is no terminal: give"
            f" --yes-for-ever '{phrase(board, keys)}'"
        )
    return str(click.prompt(f"Type {phrase(board, keys)} to build it", err=True))


def dry_run(board: Board, keys: Keys, tell: Telling, **how: Any) -> None:
    """Build into a folder that is gone afterwards, and show what the bootloader makes of a new chip."""
    from spboot.device.protection import protection  # to build needs no emulator

    with tempfile.TemporaryDirectory() as folder:
        made = bootloader.build(board, keys, Path(folder), **how)
        tried = protection(board, made)
    tell.facts(
        board=board.name, production=how["production"], level=list(tried.level), started=tried.started,
        operations=tried.operations, busy_ms=round(1000 * tried.busy), stays_open=list(tried.stays_open),
        changes=[
            {"register": each.register, "field": each.field, "before": each.before, "after": each.after}
            for each in tried.changes
        ],
    )  # fmt: skip
    if not tell.as_json:
        _show(tried, tell)


def _show(tried: Protection, tell: Telling) -> None:
    rows = [
        (each.register, each.field, f"{each.before:#x}", f"{each.after:#x}" if each.changed else "the same")
        for each in tried.changes
    ]
    tables.show(
        f"{tried.board.chip.name}, option bytes at the first boot", ("register", "field", "before>", "after>"), rows
    )
    before, after = tried.level
    tell.say(
        f"read protection level {before}, then {after}; programmed {tried.operations} times, {1000 * tried.busy:.0f} ms"
    )
    tell.say("the supply has to hold meanwhile: docs/production.md says what a cut makes of this chip")
    for sentence in tried.stays_open:
        tell.say(f"open: {sentence}")
    if not tried.started:
        tell.say(f"the bootloader stops: {tried.said.strip().splitlines()[-1]}", "red")
    tell.say("no file was written")
