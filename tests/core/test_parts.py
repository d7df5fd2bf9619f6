"""Slots of two parts, the second in another memory with other units and pages: updates, every cut and tear, and no more
RAM for large slots."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.keys import Keys
from spboot.version import Version
from tests.apps import startable
from tests.core.conftest import World, edited, firmware_like
from tests.core.device import Device, Parts, compile_core

K = 1024
SHAPES = {
    "small pages, then one of 128 KB": Parts(
        first=8 * K, page=4 * K, rest=128 * K, rest_page=128 * K, unit=256, erase_unit=64 * K, journal=2 * K
    ),
    "pages of 128 KB, then small ones": Parts(
        first=128 * K, page=128 * K, rest=32 * K, rest_page=4 * K, unit=256, erase_unit=4 * K, journal=2 * K
    ),
}
"""8-byte units in the first part, 256-byte units in the second."""
LARGE = Parts(
    first=256 * K, page=4 * K, rest=24 * K * K - 256 * K, rest_page=4 * K, unit=8, erase_unit=4 * K, journal=64 * K
)
V = {text: Version.parse(text).pack() for text in ("1.0.0", "1.1.0")}


def with_calls(image: bytes, start: int) -> bytes:
    """*image* with 32 BL at *start*: one is half in one part and half in the other.  What they call has not moved."""
    out = bytearray(image)
    for n in range(32):
        at = start + 4 * n
        offset = 1000 + 16 * n - (at + 4)
        out[at : at + 4] = struct.pack("<2H", 0xF400 | offset >> 12 & 0x3FF, 0xF800 | offset >> 1 & 0x7FF)
    return bytes(out)


def made(folder: Path, parts: Parts) -> World:
    """NUCLEO-L476RG with slots of *parts*; its images begin in the first part and end in the second."""
    board, secrets = Board.load("NUCLEO-L476RG"), Keys.new(folder / "keys", "demo", development=True)
    size, border = parts.first + 5003, parts.first - board.vector_size
    one = startable(board, firmware_like(1, size))
    new = edited(one, 100, size - 400)
    new = new[:3000] + b"more" + new[3000:] + b"tail" * 100
    one, new = with_calls(one, border - 66), with_calls(new, border - 62)
    images = {"1.0.0": one, "1.1.0": new}
    device = Device(compile_core(board, folder, parts=parts), board, secrets, slot_size=parts.slot)
    return World(device=device, board=board, keys=secrets, images=images, capacity=parts.slot - board.vector_size)


@pytest.fixture(scope="module", params=SHAPES)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    return made(tmp_path_factory.mktemp("parts"), SHAPES[request.param])


def updates(world: World) -> dict[str, bytes]:
    return {"image": world.image("1.1.0"), "patch": world.patch("1.0.0", "1.1.0")}


@pytest.mark.parametrize("kind", ["image", "patch"])
def test_updates_arrive(world: World, kind: str) -> None:
    world.fresh()
    device, image = world.device, world.images["1.1.0"]
    assert device.feed(updates(world)[kind]) == "OK"
    assert device.commit() == "OK"
    device.power_on()
    assert device.install() == "done"
    assert device.installed == V["1.1.0"]
    assert device.read(world.board.vector_size, len(image)) == image
    assert device.misuse == 0


def test_f1_no_call_goes_over_the_border_of_two_parts(world: World) -> None:
    """Up to it and from it on bytes can be asked for, not on both sides at once."""
    border = next(parts.first for parts in SHAPES.values() if parts.slot == world.device.slot_size)
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
    _sweep(world, kind, 40)


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["image", "patch"])
def test_every_cut(world: World, kind: str) -> None:
    _sweep(world, kind, None)


def test_24_mb_in_pages_of_4_kb_need_no_more_ram(tmp_path: Path) -> None:
    """As much as the board's own 224 pages: a bitmap would be 28 bytes for these, and 768 for 6,144."""
    usual = compile_core(Board.load("NUCLEO-L476RG"), tmp_path / "usual")
    large = made(tmp_path, LARGE)
    assert large.device.lib.hp_engine_size() <= Device(usual, large.board, large.keys).lib.hp_engine_size()
    test_updates_arrive(large, "image")
