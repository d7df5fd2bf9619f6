"""Rehearsals: what they find, that they find it where it is, and that their points are real cuts."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from spboot.boards import Board
from spboot.cli import root
from spboot.errors import TwinError
from spboot.rehearsal import SCENARIOS, Rehearsal, Result, Subject, rehearse, replay
from spboot.rehearsal.bench import bench_for, digest
from spboot.rehearsal.cuts import DEPTHS, tears
from spboot.rehearsal.picture import svg
from spboot.rehearsal.replay import interrupted
from spboot.rehearsal.scenario import track
from tests.edits import Edit, built_of
from tests.planted import PLANTED
from tests.system.rig import Workshop, workshop

QUICK: Final = "NUCLEO-L476RG"
BOARDS: Final = (
    QUICK,
    "NUCLEO-L073RZ",
    "NUCLEO-G0B1RE",
    "NUCLEO-F429ZI",
    "DISCO-L562E",
    "DISCO-H745I",
    "NUCLEO-L412KB",
)
INSTALL: Final = "core/install.c"
BUGS: Final[dict[str, tuple[str, int, Edit]]] = {
    "install stops one page early": (
        "patch",
        0,
        (INSTALL, "while (rank < stop && status", "while (rank + 1 < stop && status"),
    ),
    "an install that ends before its pages": (
        "patch",
        0,
        (
            INSTALL,
            "        if (install_pages(j, &verdict, left.count, work) != SPB_OK) return SPB_INSTALL_FAILED;",
            "        if (spb_journal_append(j, SPB_JOURNAL_STEP_FINISHED) != SPB_OK) return SPB_INSTALL_FAILED;\n"
            "        if (install_pages(j, &verdict, left.count, work) != SPB_OK) return SPB_INSTALL_FAILED;",
        ),
    ),
    "a cut download taken for a whole one": (
        "patch",
        0,
        ("core/journal.c", "    return spb_area_erase(&spb_journal, 0, SPB_JOURNAL_SIZE);", "    return SPB_OK;"),
    ),
    "an image that is installed without a look": (
        "again",
        1,
        ("core/slot.c", "places;\n}", "places * 0 + 0;\n}"),
    ),
    "OLD kept but for its end": ("revert", 1, (INSTALL, "rank, SPB_SLOT_SIZE, 1)", "rank, end - 512, 1)")),
    "a start of a trial not counted": (
        "revert",
        1,
        (INSTALL, "SPB_JOURNAL_STEP_TRIED + 1 + tried", "SPB_JOURNAL_STEP_TRIED"),
    ),
    "recorded before it is replaced": ("patch", 0, PLANTED["install"]["recorded before it is replaced"]),
    "replaced without being kept": ("revert", 1, PLANTED["install"]["replaced without being kept"]),
    "recorded before it is kept": ("revert", 1, PLANTED["install"]["recorded before it is kept"]),
    "a start too many": ("revert", 1, PLANTED["install"]["a start too many"]),
    "a page that does not come back": ("revert", 1, PLANTED["install"]["a page that does not come back"]),
    "OLD looked for where it was": ("revert", 1, PLANTED["install"]["OLD looked for where it was"]),
    "kept where another page is": ("revert", 1, PLANTED["journal"]["kept where another page is"]),
    "a confirmation that is not written": ("image", 1, PLANTED["journal"]["a confirmation that is not written"]),
}
"""Bugs in the shipped bootloader -> the scenario that finds each, the starts of a trial, and the edit."""
SAMPLE: Final = ("a page that does not come back",)
PIECES, SHARES = 24, 4


def subject_of(shop: Workshop, pad: int = 0, **more: object) -> Subject:
    """Two demos, with *pad* bytes behind them that differ."""
    old, new = (
        shop.made(shop.demo(version) + random.Random(version).randbytes(pad), version) for version in ("1.0.0", "1.1.0")
    )
    return Subject.made(shop.board, shop.keys, shop.boot, old, new, key="u", **more)


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return subject_of(workshop(Board.load(QUICK), "clang", tmp_path_factory.mktemp("rehearsal")))


@pytest.fixture(scope="module")
def found(subject: Subject) -> Rehearsal:
    """Each fourth piece, the last one too; `make soak` has them all, of every board."""
    return rehearse(subject, depth="quick", scenarios=["patch"], part=(SHARES, SHARES))


def step(result: Result) -> int:
    """Operations of a piece."""
    return -(-result.operations // PIECES)


def test_no_device_is_lost(found: Rehearsal) -> None:
    (result,) = found.results
    counts = result.counts
    assert found.losses == [] and counts["losses"] == 0
    assert counts["points"] == 3 * len(result.rows), "before, after, and torn in one way"
    assert min(counts[name] for name in ("seconds", "checked", "updates", "watchdogs")) > 0
    assert len(result.rows) > 100 and abs(len(result.rows) - result.operations / SHARES) < 2 * step(result)
    for at in range(0, len(result.rows), step(result)):
        before, after = ([row[kind] for row in result.rows[at : at + step(result)]] for kind in (0, 1))
        assert before[1:] == after[:-1]
    assert {row[0] for row in result.rows} == {"o", "n"}
    assert (result.rows[0][0], before[-1], after[-1]) == ("o", "o", "n"), "the last operation confirms"


def test_the_picture_has_a_cell_for_each(found: Rehearsal) -> None:
    drawn = svg(found)
    assert drawn.startswith("<svg") and "0 devices lost" in drawn
    assert drawn.count("#8ab17d") > 3 and drawn.count("#2a9d8f") > 3 and drawn.count("#c8553d") == 1, "the legend's"


def points_are_real_cuts(subject: Subject, count: int) -> set[int]:
    """What the operations before it and its tear leave is what a run that is cut there leaves, to the bit, of *count*
    points.  Returns where the flashes begin that they were of."""
    bench, chance = bench_for(subject), random.Random(1)
    played, flashes = track(bench, "patch"), set()
    for number in chance.sample(range(len(played.operations)), count):
        flash = bench.device.twin.cells(played.operations[number].address)
        cut = chance.choice(list(tears(number, played.operations[number], DEPTHS["all"], ecc=flash.ecc)))
        before = bench.done(bench.factory, played.operations[:number])
        torn = bench.torn(before, played.operations[number], cut)
        interrupted(bench, "patch", cut)
        assert digest(bench.held()) == digest(torn), cut
        flashes.add(flash.address)
    return flashes


def test_a_point_is_a_real_cut(subject: Subject) -> None:
    points_are_real_cuts(subject, 6)


def test_who_does_the_work_changes_nothing(subject: Subject, found: Rehearsal) -> None:
    """Pieces are made before anybody takes one: shares that others do give the same."""
    with ThreadPoolExecutor(1) as executor:  # one thread has one bench
        share = rehearse(subject, depth="quick", scenarios=["patch"], part=(8, 12), executor=executor)
    rows, size = found.results[0].rows, step(found.results[0])
    assert share.losses == []
    mine = [rows[piece // SHARES * size :][:size] for piece in (7, 19)]
    assert share.results[0].rows == [row for piece in mine for row in piece]


@pytest.mark.parametrize("bug", [pytest.param(b, marks=() if b in SAMPLE else pytest.mark.soak) for b in BUGS])
def test_a_planted_bug_is_found_and_its_id_repeats_it(bug: str, tmp_path: Path) -> None:
    scenario, starts, edit = BUGS[bug]
    with built_of(tmp_path, [edit]):
        broken = subject_of(workshop(replace(Board.load(QUICK), trial_starts=starts), "clang", tmp_path), pad=3000)
    found = rehearse(broken, depth="quick", scenarios=[scenario], until_lost=True)
    assert found.losses
    lost = found.losses[0]
    print(lost.id, lost.words)
    said: list[bytes] = []
    outcome = replay(broken, lost.id, said.append)
    assert b"spboot" in b"".join(said)
    allowed = {str(broken.old), "" if SCENARIOS[scenario].hasty else str(broken.new)}
    assert outcome not in allowed or "behind it" in lost.words or "next start" in lost.words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("patch/x", "cut is 'x'"),
        ("lunch/40", "scenarios are image"),
        ("patch/999999", "is behind them"),
        ("patch/0+9", "has no operation 9"),
    ],
)
def test_an_id_that_there_is_not(subject: Subject, name: str, words: str) -> None:
    with pytest.raises(TwinError, match=words):
        replay(subject, name, lambda _: None)


@pytest.mark.soak
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", BOARDS)
def test_boards(name: str, scenario: str, tmp_path: Path) -> None:
    subject = subject_of(workshop(Board.load(name), "gcc" if BOARDS.index(name) % 2 else "clang", tmp_path), pad=3000)
    words = SCENARIOS[scenario].lacks(subject)
    if words:
        pytest.skip(words)
    assert rehearse(subject, depth="quick", scenarios=[scenario]).losses == []


def test_the_command(tmp_path: Path) -> None:
    """Two applications of a user, one scenario cut to its shortest, as JSON, with a picture."""
    shop = workshop(Board.load("NUCLEO-L412KB"), "clang", tmp_path / "shop")
    for version in ("1.0.0", "1.1.0"):
        (tmp_path / f"{version}.bin").write_bytes(shop.demo(version))
    keys, boot, picture = shop.boot.bin.parent.parent / "keys", shop.boot.bin, tmp_path / "sweep.svg"
    arguments = ["--board", shop.board.name, "--keys", str(keys), "--bootloader", str(boot), "--jobs", "1"]
    arguments += ["--from", str(tmp_path / "1.0.0.bin"), "--to", str(tmp_path / "1.1.0.bin"), "--scenario", "image"]
    arguments += ["--part", "3/12"]
    done = CliRunner().invoke(root, ["rehearse", *arguments, "--svg", str(picture), "--json"])
    assert done.exit_code == 0, done.output
    facts = json.loads(done.output)
    assert facts["losses"] == {} and facts["scenarios"]["image"]["points"] > 25
    assert picture.read_text().count("#e9c46a") > 1, "cells of the loader, beside that of the legend"
    once = CliRunner().invoke(root, ["rehearse", *arguments, "--only", "image/40:torn:random=7"])
    assert once.exit_code == 0 and "image/40:torn:random=7: loader" in once.output


@pytest.mark.soak
def test_the_fixture(tmp_path: Path) -> None:
    """The test of docs/rehearsal.md, in a folder with two versions of an application."""
    shop = workshop(Board.load("NUCLEO-L412KB"), "clang", tmp_path / "shop")
    for version in ("1.0.0", "1.1.0"):
        (tmp_path / f"{version}.bin").write_bytes(shop.demo(version))
    (tmp_path / "pytest.ini").write_text(f"[pytest]\nspboot_board = {shop.board.name}\n")
    (tmp_path / "test_it.py").write_text(
        "import spboot\n\n\ndef test_it(spboot_rehearse, spboot_board):\n"
        "    old, new = (spboot.Image.load(f'{v}.bin', spboot_board, v) for v in ('1.0.0', '1.1.0'))\n"
        "    assert spboot_rehearse(old, new, scenarios=['image']).counts['points'] > 50\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--spboot-part", "3/6", "test_it.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout


def test_dask_gives_the_same(subject: Subject, found: Rehearsal) -> None:
    """Two workers of a cluster on this machine; docs/rehearsal.md."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        other = rehearse(subject, depth="quick", scenarios=["patch"], executor=client.get_executor())
    assert (other.results[0].counts, other.results[0].rows) == (found.results[0].counts, found.results[0].rows)
