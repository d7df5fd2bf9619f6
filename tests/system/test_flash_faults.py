"""Faults of flash that a power cut leaves (docs/faults.md), on the shipped binary: marginal cells, weak erases and
single-bit errors.  The device comes back with the old or the new version and takes an update."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.builder.compiler import NAMES
from spboot.link.ymodem import RefusedError
from spboot.twin import Cut
from spboot.twin.memory.oplog import Kind
from tests.system.rig import Rig, Workshop, workshop
from tests.system.test_power_cut import SCENARIOS, Scenario, Sweep

OTHERS = ("NUCLEO-L073RZ", "NUCLEO-F429ZI", "DISCO-H745I", "NUCLEO-H563ZI")
"""Without ECC that reports; sectors; bus errors; flags in other registers."""


def large(shop: Workshop) -> Scenario:
    """A full image of several pages, all of which change."""
    padded = shop.demo("1.1.0") + random.Random(2).randbytes(3 * 2048)
    return Scenario(old="1.0.0", new="1.1.0", begin=Rig.enter_loader, update=shop.wrap(padded, "1.1.0"))


class Faults(Sweep):
    """A sweep with each fault that fits an operation, or *only* one, *seeds* of them, in place of cuts and tears."""

    def __init__(
        self, shop: Workshop, kind: str, ats: set[int], kinds: list[Kind], *, seeds: int = 1, only: str = ""
    ) -> None:
        super().__init__(shop, kind, ats, tears=0, again=False)
        self.expected = kinds
        self.seeds, self.only = seeds, only
        self.rnd = random.Random(f"{kind} faults")

    def choose(self) -> list[Cut]:
        faults = ["marginal={}", "marginal={}:readable"]
        faults += ["weak={}"] if self.expected[self.operations] == "erase" else []
        faults += ["single={}"] if self.rig.twin.flash.ecc else []
        chosen = [fault for fault in faults if self.only in fault] * self.seeds
        return [Cut.parse("0:" + fault.format(self.rnd.randrange(1 << 29))) for fault in chosen]


def record_kinds(shop: Workshop, kind: str, scenario: Scenario | None = None) -> list[Kind]:
    """What the operations of an update are, in their order."""
    sweep = Sweep(shop, kind, set(), tears=0, again=False)
    sweep.scenario = scenario or sweep.scenario
    sweep.run()
    return sweep.kinds


def sample(kinds: list[Kind], step: int) -> set[int]:
    """First and last, every *step*-th, and the first and last two erases."""
    erases = [number for number, kind in enumerate(kinds) if kind == "erase"]
    return {0, 1, len(kinds) - 1, *erases[:2], *erases[-2:], *range(3, len(kinds), step)}


@pytest.mark.parametrize("kind", [pytest.param("image", marks=pytest.mark.soak), "patch"])
def test_faults_at_a_sample_of_operations(shop: Workshop, kind: str) -> None:
    kinds = record_kinds(shop, kind)
    sweep = Faults(shop, kind, sample(kinds, 1201), kinds)
    sweep.run()
    assert sweep.kinds == kinds
    assert sweep.points >= 3 * len(sweep.ats)


def test_weak_erases_of_several_pages(shop: Workshop) -> None:
    """Every survivor takes an update: a page that only reads as erased is no place for it."""
    scenario = large(shop)
    kinds = record_kinds(shop, "image", scenario)
    erases = [number for number, kind in enumerate(kinds) if kind == "erase"]
    assert len(erases) >= 2 * 4
    sweep = Faults(shop, "image", set(erases[::6]), kinds, only="weak")
    sweep.scenario, sweep.update_every = scenario, 1
    sweep.run()
    assert sweep.kinds == kinds
    assert sweep.points == len(sweep.ats)


@pytest.mark.soak
def test_many_seeds_at_every_erase(shop: Workshop) -> None:
    """Of each fault, and every survivor takes an update."""
    scenario = large(shop)
    kinds = record_kinds(shop, "image", scenario)
    sweep = Faults(shop, "image", {n for n, kind in enumerate(kinds) if kind == "erase"}, kinds, seeds=12)
    sweep.scenario, sweep.update_every = scenario, 1
    sweep.run()
    assert sweep.points >= 36 * 8


def test_an_update_with_the_longest_times(shop: Workshop) -> None:
    rig = Rig(shop)
    rig.fault("maximal")
    rig.enter_loader()
    rig.send(shop.image("1.1.0"))
    assert b"demo 1.1.0" in rig.listen()
    assert rig.twin.flash_controller.refusals == []


@pytest.mark.parametrize("fails", ["", ":fails"])
def test_a_worn_page_of_slot1_or_of_the_journal_costs_the_update_only(shop: Workshop, fails: str) -> None:
    """Refused, or, where the bits that stay do no harm, installed; never without a version that runs."""
    journal, slot1 = shop.board.journal, shop.board.slot1
    assert journal is not None and slot1 is not None
    for area in (slot1, journal):
        rig = Rig(shop)
        rig.fault(f"worn:{area.address:#010x}=0{fails}")
        rig.enter_loader()
        with contextlib.suppress(RefusedError):
            rig.send(shop.image("1.1.0"))
            rig.listen()
        assert b"demo 1." in rig.boot()


def test_a_worn_page_of_slot0_is_said(shop: Workshop) -> None:
    """Where the install cannot succeed, the loader is open and says why."""
    rig = Rig(shop)
    rig.fault(f"worn:{shop.board.slot0.address:#010x}=0")
    rig.enter_loader()
    rig.send(shop.image("1.1.0"))
    assert b"install failed, a reset tries again" in rig.listen(b"loader: send a .sfb file")


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
