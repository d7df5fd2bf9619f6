"""The journal alone: J1 to J4 of journal.h, under every kind of cut."""

from __future__ import annotations

import pytest

from spboot.formats.spec import spec
from tests.core.conftest import World

FINISHED, STEP = spec()["journal"]["step_finished"], spec()["journal"]["step"]
TEARS = ["torn", "torn-readable"]
NONE, DONE = -1, -2


def committed(world: World, steps: int = 0) -> None:
    world.device.lib.hp_blank()
    world.device.power_on()
    assert world.device.lib.hp_journal_commit() == 0
    assert world.device.lib.hp_journal_open() == 0
    for step in range(1, steps + 1):
        assert world.device.lib.hp_journal_append(STEP + step) == 0


def test_j1_an_appended_step_is_never_forgotten(world: World) -> None:
    committed(world)
    for step in range(1, 120):
        assert world.device.lib.hp_journal_append(STEP + step) == 0
        assert world.device.lib.hp_journal_open() == step
    assert world.device.lib.hp_journal_append(FINISHED) == 0
    assert world.device.lib.hp_journal_open() == DONE


def test_q1_a_page_that_cannot_be_read_is_not_in_the_list(world: World) -> None:
    world.fresh()
    assert world.device.feed(world.image("1.1.0")) == "OK"
    pages = world.device.changed(224)
    assert len(pages) > 2
    for at in range(len(pages)):
        world.device.lib.hp_poison(2 * world.device.slot_size + 8 * at, 8)
        assert pages[at] not in world.device.changed(224)
    assert world.device.changed(224) == []


@pytest.mark.parametrize("cut", ["before", "after", *TEARS])
def test_j2_a_cut_commit_is_none_and_a_cut_append_is_old_or_new(world: World, cut: str) -> None:
    committed(world)
    world.device.count()
    world.device.lib.hp_blank()
    world.device.lib.hp_journal_commit()
    total = world.device.operations
    for at in range(total):
        for seed in range(20):
            world.device.lib.hp_blank()
            world.device.power_on(cut, at, seed)
            world.device.lib.hp_journal_commit()
            whole = cut == "after" and at == total - 1
            assert world.device.lib.hp_journal_open() in ({0} if whole else {NONE, 0} if at == total - 1 else {NONE})
            committed(world, 5)
            world.device.power_on(cut, 0, seed)
            world.device.lib.hp_journal_append(STEP + 6)
            assert world.device.lib.hp_journal_open() in (5, 6)


@pytest.mark.parametrize("cut", TEARS)
def test_j3_after_a_torn_append_the_next_goes_to_fresh_flash(world: World, cut: str) -> None:
    for seed in range(40):
        committed(world, 3)
        misuse = world.device.misuse
        world.device.power_on(cut, 0, seed)
        world.device.lib.hp_journal_append(STEP + 4)
        world.device.power_on()
        assert world.device.lib.hp_journal_open() in (3, 4)
        assert world.device.lib.hp_journal_append(STEP + 4) == 0
        assert world.device.lib.hp_journal_open() == 4
        assert world.device.misuse == misuse


@pytest.mark.parametrize("cut", TEARS)
def test_j4_a_cut_erase_brings_back_an_earlier_step_at_most(world: World, cut: str) -> None:
    seen = set()
    for seed in range(200):
        committed(world, 7)
        world.device.power_on(cut, 0, seed)
        world.device.lib.hp_journal_erase()
        seen.add(world.device.lib.hp_journal_open())
        world.device.power_on()
        assert world.device.lib.hp_journal_erase() == 0
        assert world.device.lib.hp_journal_open() == NONE
    assert seen <= {NONE, *range(8)}


def test_j4_a_full_journal_forgets_steps_but_not_the_end(world: World) -> None:
    committed(world)
    for _ in range(400):
        assert world.device.lib.hp_journal_append(STEP + 9) == 0
    assert world.device.lib.hp_journal_open() == 9
    assert world.device.lib.hp_journal_append(FINISHED) == 0
    assert world.device.lib.hp_journal_open() == NONE
