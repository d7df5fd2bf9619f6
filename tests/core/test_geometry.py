"""Core over flash of other shapes: erased to zero, many small units a page, large pages with wide units; power cuts."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from spboot import release
from spboot.boards import Board
from spboot.builder.personal import personal_area
from spboot.formats.spec import spec
from spboot.keys import Keys
from spboot.version import Version
from tests.apps import startable
from tests.core.conftest import World, edited, firmware_like
from tests.core.device import Device, compile_core

SHAPES = ("NUCLEO-L073RZ", "DISCO-H745I", "NUCLEO-G0B1RE")


@pytest.fixture(scope="module", params=SHAPES)
def shaped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder: Path = tmp_path_factory.mktemp(request.param)
    board = Board.load(request.param)
    secrets = Keys.new(folder / "keys", "demo", development=True)
    one = startable(board, firmware_like(1, 3 * board.page_size + 1003 if board.page_size <= 4096 else 9003))
    images = {"1.0.0": one, "1.1.0": edited(one, 100, len(one) // 2, len(one) - 9) + b"tail" * 100}
    device = Device(compile_core(board, folder, sanitize=False), board, secrets)
    assert len(personal_area(secrets)) == spec()["personal"]["size"]
    return World(device=device, board=board, keys=secrets, images=images)


def version(text: str) -> int:
    return Version.parse(text).pack()


def test_updates_arrive(shaped: World) -> None:
    """Image and patch; nothing is programmed that is not erased, and what is not used stays erased."""
    for update in (shaped.image("1.1.0"), shaped.patch("1.0.0", "1.1.0")):
        shaped.fresh()
        device, board = shaped.device, shaped.board
        assert device.feed(update) == "OK"
        assert device.commit() == "OK"
        device.power_on()
        assert device.install() == "done"
        assert device.installed == version("1.1.0")
        assert device.misuse == 0
        image = shaped.images["1.1.0"]
        assert device.read(board.vector_size, len(image)) == image
        erased = board.chip.memory_at(board.slot0.address).erased
        header = len(release.header_for(shaped.image("1.1.0")))
        assert device.read(header, board.vector_size - header) == bytes([erased]) * (board.vector_size - header)


@pytest.mark.parametrize("kind", ["image", "patch"])
def test_i2_j4_cuts_in_update_and_install(shaped: World, kind: str) -> None:
    """J1 to J4 and I2 for this shape: every 7th operation before, after and torn; then a second cut at random."""
    update = shaped.image("1.1.0") if kind == "image" else shaped.patch("1.0.0", "1.1.0")
    device, rnd = shaped.device, random.Random(kind)

    def go() -> None:
        if device.feed(update) == "OK" and device.commit() == "OK":
            device.install()

    shaped.fresh()
    device.count()
    go()
    total = device.operations
    step = max(1, total // 60)
    for cut in ("before", "after", "torn", "torn-readable"):
        for at in range(rnd.randrange(step), total, step):
            shaped.fresh()
            device.power_on(cut, at, seed=at + 1)
            go()
            if at & 1:
                device.power_on(cut, rnd.randrange(40), seed=at)
                device.install()
            device.power_on()
            device.install()
            assert device.installed in (version("1.0.0"), version("1.1.0")), (cut, at)
            if device.installed == version("1.0.0"):
                assert device.feed(update) == "OK"
                assert device.commit() == "OK"
                device.power_on()
                assert device.install() == "done"
            assert device.installed == version("1.1.0"), (cut, at)
            assert device.misuse == 0, (cut, at)
