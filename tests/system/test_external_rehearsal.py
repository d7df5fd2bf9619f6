"""Boards with external flash, rehearsed: operations of both flashes are cut, torn, and cut again in the recovery.
After each cut and behind it there is no code in plain outside, and what runs is whole, each part of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spboot import boards
from spboot.boards import Board
from spboot.builder.compiler import NAMES
from spboot.rehearsal import SCENARIOS, rehearse
from spboot.rehearsal.bench import Bench, Life
from tests.system.rig import Workshop, workshop
from tests.system.test_boards import POINTS
from tests.system.test_external_boards import installed, nothing_is_plain, quick
from tests.system.test_rehearsal import points_are_real_cuts, subject_of

QUICK = "DISCO-L476G-EXT"
OLD, NEW = "1.0.0", "1.1.0"
PARTS = 6
"""A board is swept in one of so many parts of its operations, spread over the update; boards take them in turn."""


def swept(shop: Workshop, scenario: str, part: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many points of *scenario* there are in *part*; each life behind one is looked at."""
    subject = subject_of(shop)
    whole = {OLD: OLD, NEW: NEW, str(subject.further): NEW}
    live = Bench.live

    def looked(bench: Bench, cells: Any, watched: range, *, hasty: bool = False) -> Life:
        bench.done(cells, [])
        nothing_is_plain(shop, bench.device.twin, OLD, NEW)
        life = live(bench, cells, watched, hasty=hasty)
        nothing_is_plain(shop, bench.device.twin, OLD, NEW)
        if life.outcome in whole:
            installed(shop, bench.device.twin, whole[life.outcome])
        return life

    monkeypatch.setattr(Bench, "live", looked)
    found = rehearse(subject, depth="quick", scenarios=[scenario], part=part)
    assert found.losses == []
    return found.counts["points"]


@pytest.mark.soak
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", boards.external_names())
def test_no_device_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, compiler: str, scenario: str
) -> None:
    shop = workshop(quick(Board.load(name)), compiler, tmp_path)
    which = boards.external_names().index(name) + list(SCENARIOS).index(scenario)
    assert swept(shop, scenario, (which % PARTS + 1, PARTS), monkeypatch) >= POINTS


def test_a_few_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = workshop(quick(Board.load(QUICK)), "clang", tmp_path)
    assert swept(shop, "patch", (7, 24), monkeypatch) >= POINTS


def test_a_point_is_a_real_cut(tmp_path: Path) -> None:
    """In either flash."""
    shop = workshop(quick(Board.load(QUICK)), "clang", tmp_path)
    assert points_are_real_cuts(subject_of(shop), 6) == {0x08000000, 0x90000000}
