"""`spboot dossier`: claims about a release, each bound to a run on its files."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import dossier
from spboot.boards import Board
from spboot.cli import files, options, signing
from spboot.cli.telling import Telling, telling
from spboot.dossier import Claim
from spboot.errors import DeviceError
from spboot.releases import DOSSIER, Release


@click.command("dossier")
@click.argument("place", type=options.PATH, metavar="RELEASE")
@options.keys
@options.board_of_folder
@options.bootloader_if_any
@click.option(
    "--without",
    type=click.Choice(dossier.GROUPS),
    multiple=True,
    metavar="RUNS",
    help=f"Leave out, and claim nothing of: {', '.join(dossier.GROUPS)}.",
)
@click.option(
    "--points",
    type=click.IntRange(1),
    default=dossier.POINTS,
    show_default=True,
    metavar="N",
    help="Power cuts in each sweep.",
)
@click.option("-o", "--output", type=options.PATH, metavar="DIR", help="Where the files go; the release's folder.")
@telling
@signing.if_any
def command(
    place: Path,
    key_folder: Path,
    board_name: str | None,
    bootloader: Path | None,
    without: tuple[str, ...],
    points: int,
    output: Path | None,
    access: signing.Access,
    tell: Telling,
) -> None:
    """Run a release on the twin, and write down what it showed.

    RELEASE is a folder that `spboot postbuild` made.  Its own files are started, updated to, damaged and cut from power
    on an emulated board.  dossier.md and dossier.json get a claim for each run, in words that a conformity file can
    use, by the questions of EN 303 645, EN 18031-1 and EN 304 623, and what was not run.  What a device must refuse is
    made in memory and never written.  Two dossiers of one release are the same.  Exit code 1 when a claim failed.

    \b
    Examples:
      spboot dossier releases/lamp_NUCLEO-L476RG_1.2.0
      spboot dossier releases/lamp_NUCLEO-L476RG_1.2.0 --points 200 -o evidence
      spboot dossier releases/lamp_NUCLEO-L476RG_1.2.0 --without reproducible
    """
    release = Release.load(place)
    folder = output or place
    texts = {suffix: folder / f"{DOSSIER}.{suffix}" for suffix in ("md", "json")}
    for path in texts.values():
        files.check_output(path)
    made = dossier.examine(
        release,
        Board.load(board_name or options.board_called(release.board)),
        access.load(key_folder, need_private=bool(access.signer or access.passphrase_file)),
        bootloader=bootloader,
        without=without,
        points=points,
        tell=lambda claim: tell.say(_line(claim)),
    )
    files.write(texts["md"], made.markdown().encode())
    files.write(texts["json"], made.json().encode())
    tell.facts(
        files=list(texts.values()), claims={each.id: "holds" if each.holds else "failed" for each in made.claims}
    )
    for gap in made.gaps:
        tell.more(gap)
    if made.failed:
        tell.end()
        names = ", ".join(each.id for each in made.failed)
        raise DeviceError(f"{len(made.failed)} of {len(made.claims)} claims failed: {names}; see {texts['md']}")
    tell.say(f"{texts['md']}: {len(made.claims)} claims, each with its run; {len(made.limits)} limitations")


def _line(claim: Claim) -> str:
    counts = "".join(f", {name}: {number:,}" for name, number in claim.counts.items())
    return f"{'holds ' if claim.holds else 'FAILED'} {claim.id}{counts}"
