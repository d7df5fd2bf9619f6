"""The engine at its edges, on the host: images that cannot start, replays, protected flash, a commit that flash did not
take, an install without its mark."""

from __future__ import annotations

import re
import struct

import pytest

from spboot import release
from spboot.formats.spec import data_path, spec
from spboot.version import Version
from tests import apps
from tests.core.conftest import World
from tests.core.device import CUTS
from tests.core.test_engine import V, committed, update
from tests.delta.writer import Writer

CHUNK = spec()["chunk"]["data_size"] + spec()["chunk"]["hash_size"]
BEGINNING = spec()["manifest"]["size"] + spec()["signature"]["size"] + CHUNK
STARTS = int(re.findall(r"SPB_ENGINE_STARTS (\d+)", (data_path("firmware") / "core" / "engine.h").read_text())[0])


def vectors(stack: int, entry: int) -> bytes:
    return struct.pack("<II", stack & 0xFFFFFFFF, entry & 0xFFFFFFFF)


def unstartable(world: World) -> dict[str, bytes]:
    """Vectors that no image of the board can have."""
    board = world.board
    ram, good = board.ram_top, board.image_address + 8 | 1
    end = board.image_address + len(world.images["1.1.0"])
    return {
        "erased": b"\xff" * 8,
        "zeros": bytes(8),
        "text": b"version ",
        "stack not aligned": vectors(ram - 2, good),
        "stack above RAM": vectors(ram + 4, good),
        "stack in flash": vectors(board.image_address, good),
        "stack in the reserved RAM": vectors(board.ram.end, good),
        "stack where RAM begins": vectors(board.ram.address, good),
        "stack all ones": vectors(-1, good),
        "reset even": vectors(ram, good - 1),
        "reset at the vectors": vectors(ram, board.image_address + 5),
        "reset before the image": vectors(ram, board.slot0.address + 1),
        "reset at the start of flash": vectors(ram, 0x0800_0101),
        "reset behind the image": vectors(ram, end | 1),
        "reset in RAM": vectors(ram, ram - 0xFF),
    }


@pytest.mark.parametrize("kind", ["image", "patch"])
def test_e1_what_cannot_start_touches_no_flash(world: World, kind: str) -> None:
    for name, bad in unstartable(world).items():
        new = bad + world.images["1.1.0"][8:]
        options = {"target": world.board.name, "capacity": world.board.image_capacity, "keys": world.keys}
        base = release.Base(image=world.images["1.0.0"], version=Version.parse("1.0.0"))
        version = Version.parse("1.1.0")
        data = (
            apps.forced_image(new, version=version, **options)  # type: ignore[arg-type]
            if kind == "image"
            else apps.forced_patch(base, new, version=version, **options)  # type: ignore[arg-type]
        )
        world.fresh()
        world.device.count()
        before = world.device.save()
        assert (name, world.device.feed(data)) == (name, "CANNOT_START")
        assert (world.device.operations, world.device.save() == before) == (0, True), name
        assert world.device.installed == V["1.0.0"]
    good = [vectors(world.board.ram_top, world.board.image_address + off | 1) for off in (8, 9400)]
    good += [vectors(world.board.ram.end + 4, world.board.image_address + 8 | 1)]
    for head in good:
        world.fresh()
        update(world, make(world, head + world.images["1.1.0"][8:]))


def make(world: World, new: bytes) -> bytes:
    return apps.forced_image(
        new, version=Version.parse("1.1.0"), target=world.board.name, capacity=1 << 20, keys=world.keys
    )


def test_e6_a_beginning_sent_again_and_again_wears_nothing_out(world: World) -> None:
    """Head and chunk 0: what is signed can be replayed by anybody."""
    data = world.image("1.1.0")
    world.fresh()
    world.device.count()
    seen = []
    for _ in range(1000):
        seen.append(world.device.feed(data[:BEGINNING]))
        world.device.lib.hp_abort()
    assert seen == ["OK"] * STARTS + ["TOO_MANY_STARTS"] * (1000 - STARTS)
    assert [world.device.erases(area) for area in ("slot1", "slot0", "journal")] == [STARTS, 0, STARTS]
    world.device.power_on()
    update(world, data)


@pytest.mark.parametrize("area", ["slot0", "slot0's last page", "slot1", "journal"])
def test_e1_flash_that_is_protected_is_not_begun(world: World, area: str) -> None:
    size = world.device.slot_size
    off = {"slot0": 0, "slot0's last page": size - 1, "slot1": size + 5000, "journal": 2 * size}[area]
    world.fresh()
    world.device.lib.hp_protect(off)
    try:
        world.device.count()
        assert world.device.feed(world.image("1.1.0")) == "WRITE_PROTECTED"
        assert world.device.operations == 0
        world.device.lib.hp_protect(-1)
        committed(world, world.image("1.1.0"))
        world.device.lib.hp_protect(off)
        world.device.count()
        assert world.device.install() == "failed"
        assert world.device.operations == 0
        world.device.lib.hp_protect(-1)
        assert world.device.install() == "done"
    finally:
        world.device.lib.hp_protect(-1)
    assert world.device.installed == V["1.1.0"]


def test_a_commit_that_flash_did_not_take_is_gone_or_counts(world: World) -> None:
    """Every operation of the commit reports an error, with its bits right, half right, or not there."""
    for cut in ("before", "after", "torn", "torn-readable"):
        for erase_fails in (False, True):
            world.fresh()
            assert world.device.feed(world.image("1.1.0")) == "OK"
            world.device.lib.hp_fail(0, CUTS[cut], int(erase_fails))
            said = world.device.commit()
            world.device.lib.hp_fail(0, 0, 0)
            journal = world.device.lib.hp_journal_open()
            world.device.power_on()
            done = world.device.install()
            assert said == "OK" if erase_fails else said == "INSTALL_ERROR"
            assert done == "nothing" or said == "OK", (cut, journal)


def test_j6_an_install_that_began_goes_on_without_its_mark(world: World) -> None:
    """The mark, behind an entry of 8 bytes a page, reads as something else once pages of SLOT0 are new."""
    world.fresh()
    assert world.device.feed(world.image("1.1.0")) == "OK"
    pages = len(world.device.changed(224))
    committed(world, world.image("1.1.0"))
    world.device.count()
    assert world.device.install() == "done"
    total = world.device.operations
    for at in range(1, total, 7):
        committed(world, world.image("1.1.0"))
        mark = 2 * world.device.slot_size + 8 * pages
        assert world.device.read(mark, 4) == b"COMM"
        world.device.power_on("before", at)
        assert world.device.install() == "failed"
        world.device.write(mark, bytes(8))
        world.device.power_on()
        assert world.device.install() == "done", at
        assert world.device.installed == V["1.1.0"]


def test_i5_a_page_of_the_list_that_is_not_read_once_is_not_left_out(world: World) -> None:
    """Each entry, at each of the moments that it is read: an install that says it is done has done all of it."""
    world.fresh()
    assert world.device.feed(world.image("1.1.0")) == "OK"
    pages, seen = len(world.device.changed(224)), set()
    try:
        for entry in range(pages):
            for reads in range(40):
                committed(world, world.image("1.1.0"))
                world.device.lib.hp_weak(2 * world.device.slot_size + 8 * entry, reads)
                done = world.device.install()
                seen.add(done)
                assert done != "done" or world.device.installed == V["1.1.0"], (entry, reads)
                world.device.lib.hp_weak(-1, 0)
                world.device.power_on()
                world.device.install()
                assert world.device.installed in (V["1.0.0"], V["1.1.0"]), (entry, reads)
                assert done != "failed" or world.device.installed == V["1.1.0"], (entry, reads)
    finally:
        world.device.lib.hp_weak(-1, 0)
    assert seen == {"nothing", "refused", "failed", "done"}


def test_e1_a_copy_inside_the_vectors(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of which nothing is in flash yet; no encoder of ours makes one."""
    body = world.images["1.1.0"]
    image = b"\x00\x20\x00\x20" + body[4:600]
    writer = Writer(new_len=len(image)).literals(image[:2]).copy_new(2).predicted(2).end().literals(image[4:])
    monkeypatch.setattr(release.delta, "encode", lambda *_, **_rests: writer.stream())
    update = apps.forced_image(image, target=world.board.name, keys=world.keys, version=Version.parse("1.1.0"))
    world.device.lib.hp_blank()
    world.device.power_on()
    assert world.device.feed(update, active=False) == "OK"
    assert world.device.commit() == "OK"
    world.device.power_on()
    assert world.device.install() == "done"
    assert world.device.read(world.board.vector_size, len(image)) == image
