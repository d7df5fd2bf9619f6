"""Faults of flash that a power cut leaves (docs/faults.md), on the shipped binary: marginal cells, weak erases and
single-bit errors.  The device comes back with the old or the new version and takes an update."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.builder.compiler import NAMES
from spboot.twin import Cut
from spboot.twin.memory.oplog import Kind
from tests.system.rig import Workshop, workshop
from tests.system.test_power_cut import SCENARIOS, Sweep

OTHERS = ("NUCLEO-L073RZ", "NUCLEO-F429ZI", "DISCO-H745I", "NUCLEO-H563ZI")
"""Without ECC that reports; sectors; bus errors; flags in other registers."""


def record_kinds(shop: Workshop, kind: str) -> list[Kind]:
    """What the operations of an update are, in their order."""
    sweep = Sweep(shop, kind, set(), tears=0, again=False)
    sweep.run()
    return sweep.kinds


class Faults(Sweep):
    """A sweep with each fault that fits an operation, in place of clean cuts and tears."""

    def __init__(self, shop: Workshop, kind: str, ats: set[int], kinds: list[Kind]) -> None:
        super().__init__(shop, kind, ats, tears=0, again=False)
        self.expected = kinds
        self.rnd = random.Random(f"{kind} faults")

    def choose(self) -> list[Cut]:
        ids = ["marginal={}", "marginal={}:readable"] + (
            ["weak={}"] if self.expected[self.operations] == "erase" else []
        )
        ids += ["single={}"] if self.rig.twin.flash.ecc else []
        return [Cut.parse("0:" + text.format(self.rnd.randrange(1 << 29))) for text in ids]


def sample(kinds: list[Kind], step: int) -> set[int]:
    """First and last, every *step*-th, and each erase that is next to a program of another place."""
    erases = [number for number, kind in enumerate(kinds) if kind == "erase"]
    return {0, 1, len(kinds) - 1, *erases[:2], *erases[-2:], *range(3, len(kinds), step)}


@pytest.mark.parametrize("kind", SCENARIOS)
def test_faults_at_a_sample_of_operations(shop: Workshop, kind: str) -> None:
    kinds = record_kinds(shop, kind)
    sweep = Faults(shop, kind, sample(kinds, 131), kinds)
    sweep.run()
    assert sweep.kinds == kinds
    assert sweep.points >= 3 * len(sweep.ats)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(8))
@pytest.mark.parametrize("kind", SCENARIOS)
def test_faults_at_every_operation(shop: Workshop, kind: str, part: int) -> None:
    kinds = record_kinds(shop, kind)
    sweep = Faults(shop, kind, set(range(part, len(kinds), 8)), kinds)
    sweep.run()
    assert sweep.points >= 3 * len(sweep.ats)


@pytest.mark.soak
@pytest.mark.parametrize("kind", SCENARIOS)
@pytest.mark.parametrize(("name", "compiler"), [(name, NAMES[i % 2]) for i, name in enumerate(OTHERS)])
def test_faults_on_other_families(tmp_path: Path, name: str, compiler: str, kind: str) -> None:
    shop = workshop(Board.load(name), compiler, tmp_path)
    kinds = record_kinds(shop, kind)
    sweep = Faults(shop, kind, sample(kinds, max(1, len(kinds) // 20)), kinds)
    sweep.run()
    assert sweep.points >= 2 * len(sweep.ats)
