"""Slots of two parts, the second in another memory with other units and pages: updates, every cut and tear, and no more
RAM for large slots.  In a slot that waits in external flash, code is encrypted."""

from __future__ import annotations

import random
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from spboot import release
from spboot.boards import Board
from spboot.formats.spec import record
from spboot.keys import Keys
from spboot.version import Version
from tests.apps import startable
from tests.at_rest import sealed
from tests.core.conftest import World, edited, firmware_like
from tests.core.device import Device, Parts, compile_core
from tests.core.test_trial import NAMES, cases, on_trial
from tests.core.test_trial import updates as trial_updates

K = 1024
SHAPES = {
    "small pages, then two of 64 KB": Parts(
        first=8 * K, page=4 * K, rest=128 * K, rest_page=64 * K, unit=64, erase_unit=64 * K, journal=2 * K
    ),
    "pages of 128 KB, then small ones": Parts(
        first=128 * K, page=128 * K, rest=32 * K, rest_page=4 * K, unit=64, erase_unit=4 * K, journal=2 * K
    ),
    "sealed": Parts(
        first=16 * K, page=4 * K, rest=128 * K, rest_page=4 * K, unit=64, erase_unit=4 * K, journal=2 * K, sealed=1
    ),
    "blocks": Parts(
        first=16 * K, page=4 * K, rest=256 * K, rest_page=4 * K, unit=64, erase_unit=4 * K, journal=2 * K, block=16 * K
    ),
}
"""8-byte units in the first part, units of 64 bytes, the most that there are, in the second."""
LARGE = Parts(
    first=256 * K, page=4 * K, rest=24 * K * K - 256 * K, rest_page=4 * K, unit=8, erase_unit=4 * K, journal=64 * K
)
V = {text: Version.parse(text).pack() for text in ("1.0.0", "1.1.0")}


def with_calls(image: bytes, start: int) -> bytes:
    """*image* with 32 BL at *start*, up to its end: what they call has not moved."""
    out = bytearray(image)
    for n in range(32):
        at = start + 4 * n
        offset = 1000 + 16 * n - (at + 4)
        out[at : at + 4] = struct.pack("<2H", 0xF400 | offset >> 12 & 0x3FF, 0xF800 | offset >> 1 & 0x7FF)
    return bytes(out)


def made(folder: Path, parts: Parts) -> World:
    """NUCLEO-L476RG with slots of *parts*; its images leave some of the first part free, and the second has two leaves
    of the hash."""
    board, secrets = Board.load("NUCLEO-L476RG"), Keys.new(folder / "keys", "demo", development=True)
    size = parts.first - board.vector_size - 1001
    one = startable(board, firmware_like(1, size))
    new = edited(one, 100, size - 400)
    new = new[:3000] + b"more" + new[3000:] + b"tail" * 100
    one, new = with_calls(one, size - 166), with_calls(new, size - 162)
    images = {"1.0.0": one, "1.1.0": new}
    long = firmware_like(2, 70 * K + 3 if parts.rest > 64 * K else 9003)
    rests = {"1.0.0": long, "1.1.0": edited(long, 3, len(long) - 90)[:5000] + b"more" + long[5000:]}
    device = Device(compile_core(board, folder, parts=parts), board, secrets, parts=parts)
    capacity = parts.first - board.vector_size
    return World(device=device, board=board, keys=secrets, images=images, rests=rests, capacity=capacity)


@pytest.fixture(scope="module", params=SHAPES)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    return made(tmp_path_factory.mktemp("parts"), SHAPES[request.param])


def updates(world: World) -> dict[str, bytes]:
    return {"image": world.image("1.1.0"), "patch": world.patch("1.0.0", "1.1.0")}


@pytest.mark.parametrize("kind", ["image", "patch"])
def test_updates_arrive(world: World, kind: str) -> None:
    world.fresh()
    device, image, rest = world.device, world.images["1.1.0"], world.rests["1.1.0"]
    assert device.feed(updates(world)[kind]) == "OK"
    assert device.commit() == "OK"
    device.power_on()
    assert device.install() == "done"
    assert device.installed == V["1.1.0"]
    assert device.read(world.board.vector_size, len(image)) == image
    assert device.read(device.first, len(rest)) == rest
    assert device.misuse == 0


def test_whole_blocks_are_erased_at_once(tmp_path: Path) -> None:
    """All 18 pages of the second part change: 4 blocks of 4 pages, and 2 pages of the last one, which is erased as a
    whole while the update is taken, as nobody knows then what comes."""
    world = made(tmp_path, SHAPES["blocks"])
    for update in updates(world).values():
        world.fresh()
        world.device.write(world.device.slot_size + world.device.first, bytes(len(world.rests["1.1.0"]) + 16 * K))
        world.device.count()
        assert world.device.feed(update) == "OK"
        assert world.device.lib.hp_blocks() == 5
        assert world.device.commit() == "OK"
        world.device.power_on()
        assert world.device.install() == "done"
        assert world.device.lib.hp_blocks() == 4
        assert world.device.read(world.device.first, len(world.rests["1.1.0"])) == world.rests["1.1.0"]
        assert world.device.misuse == 0


@pytest.mark.parametrize("part", ["image", "rest"])
def test_n2_each_part_is_judged(world: World, part: str) -> None:
    """A byte that turns over in either of them, in SLOT1 before the install: it is refused, and OLD stays."""
    device = world.device
    new = world.images if part == "image" else world.rests
    for kind, update in updates(world).items():
        world.fresh()
        assert device.feed(update) == "OK"
        assert device.commit() == "OK"
        start = device.first if part == "rest" else world.board.vector_size
        changed = [page_at for page_at in range(start, start + len(new["1.1.0"]), K) if _in_slot1(world, page_at)]
        at = device.slot_size + changed[-1]
        (byte,) = device.read(at, 1)
        device.write(at, bytes([byte ^ 1]))
        device.power_on()
        assert device.install() == "refused", kind
        assert device.installed == V["1.0.0"], kind


def test_the_base_has_two_parts(world: World) -> None:
    """A patch from an image that differs in its second part alone is for another one; so is one of the first part."""
    for changed in ("images", "rests"):
        others = dict(getattr(world, changed))
        others["1.0.0"] = edited(others["1.0.0"], 4000)
        other = replace(world, **{changed: others}, made={})
        world.fresh()
        assert world.device.feed(other.patch("1.0.0", "1.1.0")) == "INVALID_SOURCE_IMAGE", changed


def test_a_second_part_that_does_not_fit_is_refused_before_flash_is_touched(world: World) -> None:
    device = world.device
    rests = world.rests | {"1.1.0": bytes(device.slot_size - device.first + 1)}
    world.fresh()
    device.count()
    assert device.feed(replace(world, rests=rests, made={}).image("1.1.0")) == "IMAGE_TOO_LARGE"
    assert device.operations == 0


def test_an_update_without_a_second_part_is_for_another_board(world: World) -> None:
    device = world.device
    world.fresh()
    device.count()
    assert device.feed(replace(world, rests={}, made={}).image("1.1.0")) == "UNSUPPORTED"
    assert device.operations == 0


def test_what_is_sealed_is_what_the_format_says(tmp_path: Path) -> None:
    """By another SHA-256, and by what docs/format.md says of secret and counter."""
    parts = SHAPES["sealed"]
    world = made(tmp_path, parts)
    world.fresh()
    assert world.device.feed(world.image("1.1.0")) == "OK"
    size = world.board.vector_size
    waits = world.device.read(parts.slot, size + 3 * K)
    assert sealed(waits, world.keys.cipher_key, size)[size:] == world.images["1.1.0"][: 3 * K]


def _in_slot1(world: World, off: int) -> bool:
    """Whether the page of a byte of the slot is one that the update has there."""
    device = world.device
    shape = next(parts for parts in SHAPES.values() if parts.first == device.first and parts.slot == device.slot_size)
    page = (
        off // shape.page if off < shape.first else shape.first // shape.page + (off - shape.first) // shape.rest_page
    )
    return page in device.changed(page + 1)


def test_n1_code_in_external_flash_cannot_be_read(tmp_path: Path) -> None:
    """A canary of the code is nowhere in SLOT1 in plain, what is for external flash is; without sealing the code is."""
    found = {}
    for hidden in (0, 1):
        parts = replace(SHAPES["sealed"], sealed=hidden)
        world = made(tmp_path / str(hidden), parts)
        for update in updates(world).values():
            world.fresh()
            assert world.device.feed(update) == "OK"
            slot1 = world.device.read(parts.slot, parts.slot)
            assert world.rests["1.1.0"][4990:5010] in slot1
            found[hidden] = world.images["1.1.0"][2990:3010] in slot1
            assert release.header_for(world.image("1.1.0"))[:3] == slot1[:3], "the header is plain"
    assert found == {0: True, 1: False}


def test_f1_no_call_goes_over_the_border_of_two_parts(world: World) -> None:
    """Up to it and from it on bytes can be asked for, not on both sides at once."""
    border = world.device.first
    granted = world.device.lib.hp_area
    assert granted(border - 8, 8) == 7
    assert granted(border, 64) & 3 == 3
    for off, length in ((border - 8, 16), (border - 4, 8), (0, world.device.slot_size)):
        assert granted(off, length) & 3 == 0, (off, length)
    assert granted(border - 8, 16) == 0


def test_without_a_valid_image_every_page_comes(world: World) -> None:
    world.fresh()
    world.device.lib.hp_poison(0, world.device.slot_size)
    assert world.device.feed(world.image("1.1.0"), active=False) == "OK"
    assert world.device.commit() == "OK"
    world.device.power_on()
    assert world.device.install() == "done"
    assert world.device.installed == V["1.1.0"]
    assert world.device.misuse == 0


def _sweep(world: World, kind: str, most: int | None) -> None:
    """Cut at every operation of update and install, or at *most* of them; half of the installs then are cut again."""
    update, device, rnd = updates(world)[kind], world.device, random.Random(kind)

    def go() -> None:
        if device.feed(update) == "OK" and device.commit() == "OK":
            device.install()

    world.fresh()
    start = device.save()
    device.count()
    go()
    total = device.operations
    step = -(-total // most) if most else 1
    for cut in ("before", "after", "torn", "torn-readable"):
        for at in range(rnd.randrange(step), total, step):
            device.restore(start)
            device.power_on(cut, at, seed=at + 1)
            go()
            if at & 1:
                device.power_on(cut, rnd.randrange(total // 2), seed=at)
                device.install()
            device.power_on()
            device.install()
            assert device.installed in V.values(), (cut, at)
            assert device.misuse == 0, (cut, at)
            if device.installed == V["1.0.0"] and at % 5 == 0:
                assert device.feed(update) == "OK"
                assert device.commit() == "OK"
                device.power_on()
                assert device.install() == "done"
                assert device.installed == V["1.1.0"], (cut, at)


@pytest.mark.parametrize("kind", ["image", "patch"])
def test_a_sample_of_cuts(world: World, kind: str) -> None:
    _sweep(world, kind, 16)


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["image", "patch"])
def test_every_cut(world: World, kind: str) -> None:
    _sweep(world, kind, None)


TRIED = {
    "sealed": Parts(
        first=64 * K, page=4 * K, rest=256 * K, rest_page=4 * K, unit=64, erase_unit=4 * K, journal=2 * K, sealed=1
    ),
    "large pages first": Parts(
        first=96 * K, page=32 * K, rest=128 * K, rest_page=4 * K, unit=64, erase_unit=4 * K, journal=2 * K
    ),
    "small second part": Parts(
        first=128 * K, page=4 * K, rest=64 * K, rest_page=4 * K, unit=64, erase_unit=4 * K, journal=2 * K
    ),
    "blocks": Parts(
        first=72 * K, page=4 * K, rest=256 * K, rest_page=4 * K, unit=64, erase_unit=4 * K, journal=2 * K, block=16 * K
    ),
}
"""Slots with room for trials: batches of 1 and 4, of 1 and 2, of 2 and 1 pages, and of 1 and 4."""

SAME = (9, 38)
"""Pages of the second part that do not change where blocks are erased: runs that begin and end within a block."""


@pytest.fixture(scope="module", params=TRIED)
def tried(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Images whose versions differ in several pages of each part, more than a batch of them, and leave one free."""
    parts: Parts = TRIED[request.param]
    folder = tmp_path_factory.mktemp("tried")
    board, secrets = Board.load("NUCLEO-L476RG"), Keys.new(folder / "keys", "demo", development=True)
    one = startable(board, firmware_like(1, parts.first - board.vector_size - 1001))
    long = firmware_like(2, parts.rest - 20003)
    pages = parts.first // parts.page
    places = range(100, len(one) - parts.page, parts.page)[: pages - max(1, pages // 14)]
    images = {"1.0.0": one, "1.1.0": edited(one, *places), "1.2.0": edited(one, 5000)}
    places = range(9, len(long), parts.rest_page if parts.block else 9 * K)
    rests = {
        "1.0.0": long,
        "1.1.0": edited(long, *(at for at in places if at // (4 * K) not in SAME)),
        "1.2.0": edited(long, 7000),
    }
    device = Device(compile_core(board, folder, parts=parts), board, secrets, parts=parts)
    capacity = parts.first - board.vector_size
    return World(device=device, board=board, keys=secrets, images=images, rests=rests, capacity=capacity)


@pytest.mark.parametrize("kind", ["image", "patch"])
def test_a_trial_over_two_parts(tried: World, kind: str) -> None:
    device = tried.device
    on_trial(tried, trial_updates(tried)[kind])
    assert device.read(device.first, len(tried.rests["1.1.0"])) == tried.rests["1.1.0"]
    device.power_on()
    assert device.install() == "reverted"
    for start, old in ((tried.board.vector_size, tried.images["1.0.0"]), (device.first, tried.rests["1.0.0"])):
        assert device.read(start, len(old)) == old
    assert device.misuse == 0


def test_code_that_is_kept_cannot_be_read_either(tried: World) -> None:
    """On trial SLOT1 has OLD's pages."""
    on_trial(tried, trial_updates(tried)["patch"])
    slot1 = tried.device.read(tried.device.slot_size, tried.device.slot_size)
    sealed = next(parts for parts in TRIED.values() if parts.first == tried.device.first).sealed
    assert (tried.images["1.0.0"][150:250] in slot1) is not bool(sealed)
    assert tried.rests["1.0.0"][20:120] in slot1


@pytest.mark.parametrize("name", NAMES)
def test_cuts_of_a_trial(tried: World, name: str) -> None:
    cases(tried, trial_updates(tried)["image" if "update" in name else "patch"])[name].sweep(12, seed=3)


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_every_cut_of_a_trial(tried: World, name: str) -> None:
    for kind, update in trial_updates(tried).items():
        case = cases(tried, update)[name]
        case.sweep(case.total, seed=len(kind))


def test_no_trial_where_one_part_has_no_page_to_spare(tried: World) -> None:
    """All pages of the first part change, few of the second."""
    device = tried.device
    page = next(parts.page for parts in TRIED.values() if parts.first == device.first)
    new = edited(tried.images["1.0.0"], *range(100, len(tried.images["1.0.0"]), page))
    full = replace(tried, images=tried.images | {"1.1.0": new}, made={})
    update = full.image("1.1.0", trial=True)
    full.fresh()
    assert device.feed(update) == "OK"
    assert device.commit() == "OK"
    device.power_on()
    assert device.install() == "done"
    assert device.installed == V["1.1.0"]


def test_24_mb_in_pages_of_4_kb_need_no_more_ram(tmp_path: Path) -> None:
    """As much as the board's own 224 pages, but for what a manifest says of a second part, and where the decoder finds
    it: a bitmap would be 28 bytes for these, and 768 for 6,144."""
    usual = compile_core(Board.load("NUCLEO-L476RG"), tmp_path / "usual")
    large = made(tmp_path, LARGE)
    more = record("extension").size + 16
    assert large.device.lib.hp_engine_size() <= Device(usual, large.board, large.keys).lib.hp_engine_size() + more
    test_updates_arrive(large, "image")
