"""`spboot drill`: the exercise for a leaked signing key, on twins of every release."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import releases
from spboot.boards import Board
from spboot.cli import files, options, signing
from spboot.cli.telling import Telling, telling
from spboot.drill import STEPS, Outcome, drill
from spboot.errors import DeviceError


@click.command("drill")
@options.board
@options.keys
@options.kept_releases
@click.option("--last", type=click.IntRange(1), metavar="N", help="The last N releases; all.")
@click.option("-o", "--output", type=options.PATH, metavar="FILE", help="Write the report to a .md file.")
@telling
@signing.several
def command(
    board_name: str,
    key_folder: Path,
    kept: Path,
    last: int | None,
    output: Path | None,
    access: signing.Access,
    tell: Telling,
) -> None:
    """Exercise the day on which the signing key leaks.

    Each release is programmed into an emulated board by its own factory file, brought to a new key by the update that a
    device in the field would get, given what the old key signs, and updated by the new key.  The new key is gone
    afterwards; the key folder is read and not written; what the old key signs meanwhile stays in memory.  Exit code 1
    when the devices of a release would not come back.

    \b
    Examples:
      spboot drill
      spboot drill --board LAMP.toml --keys lamp-keys --releases releases \\
          -o drill.md
    """
    if output:
        files.check_output(output)
    board = Board.load(board_name)
    keys = access.load(key_folder, need_private=True)
    found = [each for each in releases.all_in(kept, board=board.name) if each.product == keys.product]
    report = drill(board, keys, found[-last:] if last else found, tell=lambda outcome: tell.say(_line(outcome)))
    if output:
        files.write(output, report.markdown().encode())
        tell.say(f"{output}: the report")
    tell.facts(
        board=board.name, key=keys.fingerprint, report=output,
        releases={str(each.version): each.failed or "good" for each in report.outcomes},
    )  # fmt: skip
    if report.failed:
        tell.end()
        names = ", ".join(str(each.version) for each in report.failed)
        raise DeviceError(f"{len(report.failed)} of {len(report.outcomes)} releases failed: {names}")
    tell.say(f"devices of {len(report.outcomes)} releases of {keys.product} come back from a leaked key")


def _line(outcome: Outcome) -> str:
    if outcome.failed:
        return f"{outcome.version}: FAILED: {STEPS[outcome.failed]}: {outcome.why}"
    return f"{outcome.version}: " + ", ".join(STEPS)
