"""`spboot rehearse`: an update on the twin, cut at each of its flash operations."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

from spboot import releases
from spboot.boards import Board
from spboot.builder.bootloader import needed
from spboot.chips.silence import Silence
from spboot.cli import files, options, tables
from spboot.cli.progress import progress
from spboot.cli.telling import Telling, telling
from spboot.errors import TwinError, VersionError
from spboot.image import Image
from spboot.keys import Keys
from spboot.rehearsal import DEPTHS, SCENARIOS, Rehearsal, Subject, part_of, rehearse, replay
from spboot.rehearsal.picture import headline, svg
from spboot.version import Version

_COLUMNS = ("scenario", "operations>", "cuts>", "second>", "watchdog>", "updates>", "lost>")
_DEPTH_HELP = "How much is tried; a scenario takes " + ", ".join(
    f"{depth.about} ({name})" for name, depth in DEPTHS.items()
)


def _part(text: str) -> tuple[int, int]:
    """A share, as 1/8."""
    try:
        return part_of(text)
    except TwinError as error:
        raise click.BadParameter(str(error)) from None


@click.command("rehearse")
@click.option("--from", "old", type=options.PATH, metavar="OLD", help="Application that devices run.")
@click.option("--to", "new", type=options.PATH, metavar="NEW", help="Application of the update.")
@options.board
@click.option("--keys", "key_folder", type=options.PATH, metavar="DIR", help="Key folder, with --from; the project's.")
@click.option("--bootloader", type=options.PATH, metavar="PATH", help="Its file or folder, with --from; the project's.")
@click.option("--key", default="", metavar="KEY", help="What the application calls for an update at, as u.")
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    type=click.Choice(list(SCENARIOS)),
    help="Again for more; all that are possible when none is named.",
)
@click.option("--depth", type=click.Choice(list(DEPTHS)), default="quick", show_default=True, help=_DEPTH_HELP)
@click.option(
    "--settle", default=0.5, show_default=True, metavar="S", help="Seconds an application has to confirm itself."
)
@click.option("--silent", multiple=True, metavar="NAME", help="Keep a peripheral silent, as for `spboot twin`.")
@click.option("--part", type=_part, default="1/1", metavar="K/N", help="The K-th of N shares, for N machines.")
@click.option("--only", metavar="ID", help="Repeat one point with a real cut, and show what the device says.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, metavar="N", help="Processes; one a core.")
@click.option("--svg", "svg_file", type=options.PATH, metavar="FILE", help="Write a picture, a cell a cut.")
@telling
def command(
    old: Path | None,
    new: Path | None,
    board_name: str,
    key_folder: Path | None,
    bootloader: Path | None,
    key: str,
    scenarios: tuple[str, ...],
    depth: str,
    settle: float,
    silent: tuple[str, ...],
    part: tuple[int, int],
    only: str | None,
    jobs: int,
    svg_file: Path | None,
    tell: Telling,
) -> None:
    """Rehearse an update on the emulated chip, cut everywhere.

    The bootloader that ships and your application run on the twin.  Each operation is cut: before, after, torn in many
    ways; the recovery is cut again; a watchdog strikes.  Each time the device must run the old version or the new one,
    and take the next update.  In a project it is about its last two releases; otherwise name two applications.

    \b
    Examples:
      spboot rehearse
      spboot rehearse --board NUCLEO-L476RG --keys keys --bootloader boot \\
          --from app-1.0.0.elf --to app-1.1.0.elf --key u --svg sweep.svg
      spboot rehearse --depth each --scenario patch
      spboot rehearse --only patch/40:torn:random=7
    """
    if svg_file:
        files.check_output(svg_file, *filter(None, (old, new)))
    board = Board.load(board_name)
    more = {"key": key, "settle": settle, "silence": Silence.parse(silent, {}, board.chip)}
    subject = _subject(board, old, new, key_folder, bootloader, more)
    tell.say(f"{board.name}: {subject.old} to {subject.new}")
    if only is not None:
        _once(subject, only, tell)
        return
    with ExitStack() as stack:
        tick = stack.enter_context(progress("rehearsing"))
        executor = stack.enter_context(_pool(jobs)) if jobs > 1 else None
        found = rehearse(subject, depth=depth, scenarios=scenarios, part=part, executor=executor, progress=tick)
    if svg_file:
        files.write(svg_file, svg(found).encode())
    _show(found, tell)
    if found.counts["losses"]:
        raise click.exceptions.Exit(1)


def _once(subject: Subject, name: str, tell: Telling) -> None:
    """One point, with what the device says."""
    said: list[bytes] = []
    outcome = replay(subject, name, said.append)
    tell.say(b"".join(said).decode(errors="replace").replace("\r", ""))
    tell.say(f"{name}: {outcome}")
    tell.facts(id=name, outcome=outcome)


def _leave_interrupts() -> None:
    """An interruption is for the process that asked for the work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _pool(jobs: int) -> Iterator[Executor]:
    """Processes that begin anew, so that it is the same on all systems; an interruption ends them at once."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_leave_interrupts)
    try:
        yield pool
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _subject(
    board: Board, old: Path | None, new: Path | None, keys: Path | None, bootloader: Path | None, more: dict[str, Any]
) -> Subject:
    project = options.project()
    if old is None and new is None:
        if project is None:
            raise click.UsageError("nothing to rehearse: give --from and --to, or make a project with `spboot init`")
        known = releases.all_in(project.releases, name=project.name, board=board.name)
        if len(known) < 2:
            raise VersionError(
                f"{project.releases} has {len(known)} releases of {project.name} for {board.name}, expected two: "
                "give --from and --to"
            )
        return Subject.released(board, known[-2], known[-1], **more)
    if old is None or new is None:
        raise click.UsageError("--from names the old application, --to the new one: give both")
    keys, bootloader = (
        keys or (project.keys if project else None),
        bootloader or (project.bootloader if project else None),
    )
    if keys is None or bootloader is None:
        raise click.UsageError("with --from: give --keys and --bootloader, or make a project with `spboot init`")
    images = (Image.load(path, board, Version(1, number, 0)) for number, path in enumerate((old, new)))
    return Subject.made(board, Keys.load(keys, need_private=True), needed(bootloader, board), *images, **more)


def _show(found: Rehearsal, tell: Telling) -> None:
    rows = []
    for each in found.results:
        numbers = (each.counts[name] for name in ("points", "seconds", "watchdogs", "updates", "losses"))
        rows.append((each.scenario, f"{each.operations:,}", *(f"{number:,}" for number in numbers)))
    if not tell.as_json:
        tables.show("", _COLUMNS, rows)
    for each in found.results:
        tell.more(f"{each.scenario}: {SCENARIOS[each.scenario].about}")
    for name, words in found.left_out:
        tell.say(f"{name}: left out, {words}")
    for loss in found.losses:
        tell.say(f"lost: {loss.id}: {loss.words}", "red")
    tell.say(headline(found), "red" if found.counts["losses"] else "green")
    tell.facts(
        board=found.subject.board.name,
        old=str(found.subject.old),
        new=str(found.subject.new),
        depth=found.depth,
        scenarios={each.scenario: {"operations": each.operations, **each.counts} for each in found.results},
        left_out=dict(found.left_out),
        losses={loss.id: loss.words for loss in found.losses},
    )
