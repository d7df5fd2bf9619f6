"""What flash does while a key is written, on the host: K1, K2 and K6 of keys.h, cut anywhere, and cut again."""

from __future__ import annotations

import pytest

from spboot.formats.spec import record, spec
from tests.core.device import CUTS
from tests.core.turn import NEW, OLD, PINNED, RECORD, Turn, V, turn

__all__ = ["turn"]
CUT_KINDS = [name for name in CUTS if name != "none"]


@pytest.mark.parametrize("kind", CUT_KINDS)
def test_k1_cuts(turn: Turn, kind: str) -> None:
    """Each operation, and each again in the second attempt; at the end the new key is there and updates the device."""
    device, new = turn.device, turn.worlds[1]
    file, update = turn.file(0, 1), new.patch(OLD, NEW)
    turn.fresh()
    state = device.save()
    device.count()
    assert device.feed(file) == "OK"
    operations = device.operations
    assert operations == RECORD // 8
    seen = set()
    for at in range(operations):
        device.restore(state)
        device.power_on(kind, at, seed=at + 1)
        assert device.feed(file) != "OK"
        device.power_on()
        assert device.install() == "nothing"
        assert device.installed == V[OLD]
        assert turn.key in (0, 1 | PINNED)
        seen.add(turn.key)
        if at % 8 == 7 and turn.key == 0:
            device.power_on(kind, (at * 5) % operations, seed=at)
            device.feed(file)
            device.power_on()
        expected = "OK" if turn.key == 0 else "SAME_VERSION"
        assert device.feed(file) == expected
        device.power_on()
        assert turn.key == 1 | PINNED
        if at % 16 == 0:
            assert turn.takes(update) == "done"
            assert turn.device.installed == V[NEW]
    assert seen == {0, 1 | PINNED}
    assert device.misuse == 0


def test_k1_a_weak_end_is_mended(turn: Turn) -> None:
    """The first hash was cut short of its strength: it can be read for a while, and then no more."""
    device = turn.device
    keys = 2 * device.slot_size + turn.worlds[0].board.journal.size  # type: ignore[union-attr]
    again = record("keys").field("again").offset
    turn.fresh()
    device.power_on("before", again // 8)
    assert device.feed(turn.file(0, 1)) != "OK"
    assert device.read(keys + again, 32) == b"\xff" * 32
    device.count()
    assert (turn.key, device.operations) == (1 | PINNED, 4), "the next start writes it"
    device.lib.hp_poison(keys + again - 32, 32)
    device.power_on()
    assert turn.key == 1 | PINNED
    assert device.misuse == 0


def test_k6_a_full_area_takes_no_key_and_keeps_the_one_it_has(turn: Turn) -> None:
    device = turn.device
    turn.fresh()
    places = turn.worlds[0].board.key_records
    for _ in range(places):
        device.power_on("before", 3)
        assert device.feed(turn.file(0, 1)) != "OK"
    device.power_on()
    assert device.feed(turn.file(0, 1)) == "IMAGE_TOO_LARGE"
    assert turn.key == 0
    assert turn.takes(turn.worlds[0].image(NEW)) == "done"


def test_a_record_of_another_first_key_is_none(turn: Turn) -> None:
    """A bootloader of other keys is programmed, and the area for keys was not erased."""
    device = turn.device
    turn.fresh()
    turn.takes(turn.file(0, 1))
    device.lib.hp_personal()[spec()["personal"]["size"] - 1] ^= 1
    device.power_on()
    assert turn.key == 0
    device.lib.hp_personal()[spec()["personal"]["size"] - 1] ^= 1
    device.power_on()
    assert turn.key == 1 | PINNED


def test_flash_that_fails_costs_one_place(turn: Turn) -> None:
    """In the same boot: what was begun is not written over."""
    turn.fresh()
    turn.device.lib.hp_fail(20, CUTS["torn"], 0)
    assert turn.device.feed(turn.file(0, 1)) == "SECTION_WRITE_FAILURE"
    turn.device.lib.hp_fail(0, CUTS["none"], 0)
    assert turn.device.feed(turn.file(0, 1)) == "OK"
    assert (turn.key, turn.device.misuse) == (1 | PINNED, 0)
    turn.device.power_on()
    assert turn.key == 1 | PINNED


def test_protected_flash_is_said_and_costs_no_place(turn: Turn) -> None:
    turn.fresh()
    state = turn.device.save()
    keys = 2 * turn.device.slot_size + turn.worlds[0].board.journal.size  # type: ignore[union-attr]
    turn.device.lib.hp_protect(keys + 100)
    try:
        assert turn.takes(turn.file(0, 1)) == "WRITE_PROTECTED"
    finally:
        turn.device.lib.hp_protect(0xFFFFFFFF)
    assert turn.device.save() == state


def test_what_reads_wrong_behind_its_writing_is_no_key(turn: Turn) -> None:
    keys = 2 * turn.device.slot_size + turn.worlds[0].board.journal.size  # type: ignore[union-attr]
    for at in (0, 511, 512, 603, 604, 607):
        turn.fresh()
        turn.device.lib.hp_stuck(keys + at)
        assert turn.device.feed(turn.file(0, 1)) == "FLASH_ERROR"
        turn.device.lib.hp_stuck(0xFFFFFFFF)
        assert turn.key == 0
        turn.device.power_on()
        assert turn.key == 0
        assert turn.takes(turn.file(0, 1)) == "nothing"
        assert turn.key == 1 | PINNED


def test_one_of_two_hashes_is_enough(turn: Turn) -> None:
    """What does not read back is said; the key is there all the same at the next start."""
    keys = 2 * turn.device.slot_size + turn.worlds[0].board.journal.size  # type: ignore[union-attr]
    for at, said in ((608, "FLASH_ERROR"), (639, "FLASH_ERROR"), (640, "OK"), (671, "OK")):
        turn.fresh()
        turn.device.lib.hp_stuck(keys + at)
        assert turn.device.feed(turn.file(0, 1)) == said
        turn.device.lib.hp_stuck(0xFFFFFFFF)
        turn.device.power_on()
        assert turn.key == 1 | PINNED
        assert turn.takes(turn.file(0, 1)) == "SAME_VERSION"


def test_k2_a_record_that_got_lost_gives_way_to_the_one_before(turn: Turn) -> None:
    turn.fresh()
    turn.takes(turn.file(0, 1))
    turn.takes(turn.file(1, 2))
    keys = 2 * turn.device.slot_size + turn.worlds[0].board.journal.size  # type: ignore[union-attr]
    turn.device.lib.hp_poison(keys + RECORD + 64, 1)
    turn.device.power_on()
    assert turn.key == 1 | PINNED
    assert turn.takes(turn.file(1, 2)) == "nothing"
    assert turn.key == 2 | PINNED
