"""A new key on the host: K1 to K6 of keys.h, O1 to O3 of rotation.h, cut anywhere, and cut again."""

from __future__ import annotations

import hashlib

import pytest

from spboot import release
from spboot.formats.spec import record
from spboot.rotation import Rotation
from spboot.version import Version
from tests.core.conftest import edited
from tests.core.later import resigned
from tests.core.turn import NEW, NEXT, OLD, PINNED, Turn, V, turn

__all__ = ["turn"]


def test_a_new_key_and_nothing_signed_by_the_old_one(turn: Turn) -> None:
    old, new, _ = turn.worlds
    turn.fresh()
    assert turn.takes(turn.file(0, 1)) == "nothing"
    assert (turn.key, turn.device.installed) == (1 | PINNED, V[OLD]), "K3: what runs goes on running"
    for world, kind in ((old, "image"), (old, "patch")):
        update = world.image(NEXT) if kind == "image" else world.patch(OLD, NEXT)
        assert turn.takes(update) == "IMAGE_VERIFY_ALG_FAILURE"
        assert turn.device.installed == V[OLD]
    assert turn.takes(new.patch(OLD, NEW)) == "done"
    assert (turn.key, turn.device.installed) == (1, V[NEW])
    assert turn.takes(old.image(NEXT)) == "IMAGE_VERIFY_ALG_FAILURE"
    assert turn.takes(new.image(NEXT)) == "done"
    assert turn.device.installed == V[NEXT]
    assert turn.device.misuse == 0


def test_replay_changes_nothing(turn: Turn) -> None:
    """Before another key came it says so; afterwards its signature is none any more."""
    turn.fresh()
    first = turn.file(0, 1)
    assert turn.takes(first) == "nothing"
    state = turn.device.save()
    assert turn.takes(first) == "SAME_VERSION"
    assert turn.device.save() == state
    assert turn.takes(turn.file(1, 2)) == "nothing"
    state = turn.device.save()
    assert turn.takes(first) == "IMAGE_VERIFY_ALG_FAILURE"
    assert turn.takes(turn.file(0, 2)) == "SAME_VERSION"
    assert turn.device.save() == state
    assert turn.key == 2 | PINNED


def test_a_key_may_be_left_out(turn: Turn) -> None:
    turn.fresh()
    assert turn.takes(turn.file(0, 2)) == "nothing"
    assert turn.key == 2 | PINNED
    assert turn.takes(turn.worlds[2].image(NEW)) == "done"


def test_o1_the_index_grows(turn: Turn) -> None:
    """A key that comes back with the index of its first time, signed by the one that replaced it."""
    turn.fresh()
    assert turn.takes(turn.file(0, 1)) == "nothing"
    back = bytearray(turn.file(1, 2))
    layout = record("manifest")
    for index, expected in ((0, "IMAGE_VERSION_FAILURE"), (1, "IMAGE_VERSION_FAILURE"), (2, "nothing")):
        values = layout.unpack(bytes(back)) | {"version": index}
        head, wire = layout.pack(**values), bytes(back[layout.size + 64 :])
        signature = turn.worlds[1].keys.sign(hashlib.sha256(head + release.payload.first_hash(wire)).digest())
        assert turn.takes(head + signature + wire) == expected
    assert turn.key == 2 | PINNED


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("product", 7, "INVALID_SECTION_KEY"),
        ("target", 7, "WRONG_BOARD"),
        ("image_size", 511, "UNSUPPORTED"),
        ("payload_size", 511, "UNSUPPORTED"),
        ("signature_count", 2, "UNSUPPORTED"),
        ("kind", 2 | 0x80, "UNSUPPORTED"),
        ("format", 4, "UNSUPPORTED"),
        ("magic", 0, "INVALID_PATCH_IMAGE"),
    ],
)
def test_o1_what_is_asked_of_it(turn: Turn, field: str, value: int, expected: str) -> None:
    turn.fresh()
    state = turn.device.save()
    if field == "magic":
        expected = "UNSUPPORTED"
    assert turn.takes(resigned(turn.file(0, 1), turn.worlds[0].keys, field, value)) == expected
    assert turn.device.save() == state


def test_every_bit_counts(turn: Turn) -> None:
    file = turn.file(0, 1)
    turn.fresh()
    state = turn.device.save()
    turn.device.power_on()
    for at in [*range(0, 140, 7), *range(140, len(file), 61)]:
        changed = bytearray(file)
        changed[at] ^= 1 << at % 8
        assert turn.device.feed(bytes(changed)) != "OK"
        turn.device.power_on()
    assert turn.device.save() == state


def test_it_may_come_in_any_pieces_and_needs_no_commit(turn: Turn) -> None:
    """O3"""
    file = turn.file(0, 1)
    turn.fresh()
    assert turn.device.feed(file, cuts=list(range(1, len(file)))) == "OK"
    assert turn.key == 1 | PINNED
    assert turn.device.commit() == "OK"
    assert turn.device.lib.hp_abort() == 0
    assert turn.boot() == "nothing"
    assert turn.key == 1 | PINNED
    assert turn.device.feed(turn.worlds[0].image(NEW)) == "IMAGE_VERIFY_ALG_FAILURE", "in the same boot, too"


def test_k3_the_old_release_is_no_update(turn: Turn) -> None:
    """It runs, and may not come back: not where something newer runs, nor where it is damaged, nor by a journal."""
    old, new, _ = turn.worlds
    turn.fresh()
    turn.takes(turn.file(0, 1))
    release_file = old.image(OLD)
    turn.device.write(old.board.vector_size + 3000, b"broken")
    assert turn.device.installed == 0
    assert turn.takes(release_file, active=False) == "IMAGE_VERIFY_ALG_FAILURE"
    assert turn.takes(new.image(OLD), active=False) == "done", "the new key repairs it, with any version"
    assert turn.device.installed == V[OLD]
    turn.device.write(0, release.header_for(release_file))
    assert turn.device.installed == V[OLD], "this one header counts for ever, whatever signed it"


@pytest.mark.parametrize("field", ["version", "image_size", "salt", "chunk_hash"])
def test_k3_no_other_header_of_the_old_key_starts(turn: Turn, field: str) -> None:
    """An image that the old key signed later, put into SLOT0 by whoever can write flash."""
    old = turn.worlds[0]
    turn.fresh()
    turn.takes(turn.file(0, 1))
    other = old.image(NEXT)
    header = bytearray(release.header_for(other))
    turn.device.write(0, bytes(header))
    turn.device.write(old.board.vector_size, old.images[NEXT])
    turn.device.power_on()
    assert turn.device.installed == 0
    layout = record("header" if field == "chunk_hash" else "manifest")
    header = bytearray(release.header_for(old.image(OLD)))
    header[layout.field(field).offset] ^= 1
    turn.device.write(0, bytes(header))
    turn.device.write(old.board.vector_size, old.images[OLD])
    turn.device.power_on()
    assert turn.device.installed == 0


def test_versions_of_the_old_key_are_no_floor(turn: Turn) -> None:
    """Whoever had the old key may have installed the highest version there is: the new key comes back from it."""
    old, new, _ = turn.worlds
    top = "255.65535.255"
    old.images[top] = new.images[top] = edited(old.images[OLD], 300)
    turn.fresh()
    assert turn.takes(old.image(top)) == "done"
    assert turn.takes(old.image(NEW)) == "IMAGE_VERSION_FAILURE"
    assert turn.takes(turn.file(0, 1)) == "nothing"
    assert turn.device.installed == Version.parse(top).pack()
    assert turn.takes(new.image(NEW)) == "done"
    assert turn.device.installed == V[NEW]
    assert turn.takes(old.image(top)) == "IMAGE_VERIFY_ALG_FAILURE"
    assert turn.takes(new.image(OLD)) == "IMAGE_VERSION_FAILURE", "those of the new key are"
    assert turn.takes(new.image(NEW)) == "SAME_VERSION"


def test_i1_a_journal_of_the_old_key_is_dropped(turn: Turn) -> None:
    """Committed by whoever can write flash, after the key came."""
    old = turn.worlds[0]
    turn.fresh()
    assert turn.device.feed(old.image(NEXT)) == "OK"
    assert turn.device.commit() == "OK"
    staged = turn.device.read(turn.device.slot_size, turn.device.slot_size + old.board.journal.size)  # type: ignore[union-attr]
    turn.fresh()
    assert turn.takes(turn.file(0, 1)) == "nothing"
    turn.device.write(turn.device.slot_size, staged)
    assert turn.boot() == "refused"
    assert turn.device.installed == V[OLD]


def test_i1_the_pinned_image_does_not_come_back_by_a_journal(turn: Turn) -> None:
    """Though its version is above that of the new key."""
    old, new, _ = turn.worlds
    top = "255.65535.255"
    old.images[top] = edited(old.images[OLD], 300)
    journal = old.board.journal
    assert journal is not None
    turn.fresh()
    assert turn.device.feed(old.image(top), active=False) == "OK", "all of its pages"
    assert turn.device.commit() == "OK"
    staged = turn.device.read(turn.device.slot_size, turn.device.slot_size + journal.size)
    assert turn.boot() == "done"
    assert turn.takes(turn.file(0, 1)) == "nothing"
    assert turn.takes(new.image(NEW)) == "done"
    turn.device.write(turn.device.slot_size, staged)
    assert turn.boot() == "refused"
    assert turn.device.installed == V[NEW]


def test_o2_no_key_while_an_update_is_under_way(turn: Turn) -> None:
    old = turn.worlds[0]
    turn.fresh()
    assert turn.device.feed(old.image(NEW, trial=True)) == "OK"
    assert turn.device.commit() == "OK"
    turn.device.power_on()
    assert turn.device.feed(turn.file(0, 1)) == "NOT_CONFIRMED", "committed"
    assert turn.boot() == "trial"
    turn.device.power_on()
    assert turn.device.feed(turn.file(0, 1)) == "NOT_CONFIRMED", "on trial"
    turn.device.power_on()
    assert turn.device.lib.hp_trial_confirm() == 0
    assert turn.takes(turn.file(0, 1)) == "nothing"
    assert (turn.key, turn.device.installed) == (1 | PINNED, V[NEW])


def test_an_update_of_the_new_key_on_trial_goes_back_to_the_old_image(turn: Turn) -> None:
    new = turn.worlds[1]
    turn.fresh()
    assert turn.takes(turn.file(0, 1)) == "nothing"
    assert turn.takes(new.patch(OLD, NEW, trial=True)) == "trial"
    assert turn.boot() == "reverted"
    assert (turn.key, turn.device.installed) == (1 | PINNED, V[OLD])
    assert turn.takes(new.patch(OLD, NEW)) == "done"


def test_without_an_image_nothing_is_pinned(turn: Turn) -> None:
    turn.fresh()
    turn.device.write(2500, b"broken")
    assert turn.takes(turn.file(0, 1), active=False) == "nothing"
    assert turn.key == 1
    turn.device.write(0, b"\xff" * turn.device.slot_size)
    turn.device.power_on()
    assert turn.device.lib.hp_trusted() == 0, "erased flash is no header that counts"


def test_the_file_says_what_it_brings(turn: Turn) -> None:
    found = Rotation.parse(turn.file(0, 2))
    assert (found.index, found.fingerprint) == (2, turn.worlds[2].keys.fingerprint)
