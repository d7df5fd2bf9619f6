"""spec/update-files.json and devices: what the bootloader takes, what it then has in flash, and what it refuses."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from spboot.boards import Area, Board
from spboot.builder.bootloader import build
from spboot.builder.merge import factory
from spboot.device import Device
from spboot.errors import DeviceError
from spboot.formats.spec import record
from tests.formats.make_vectors import NEW, OLD, ONE_PART, TWO_PARTS
from tests.formats.vectors import KEY, REFUSED, UPDATES, Vector, application, keys

WITH_KEYS = replace(Board.load(ONE_PART), keys=Area(address=0x080F_0800, size=0x1000))
"""The board with an area for keys."""
BOARDS = {ONE_PART: WITH_KEYS, TWO_PARTS: Board.load(TWO_PARTS)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Device]:
    """A device of a board that runs OLD, its loader waiting; one for all tests."""

    @functools.cache
    def of(name: str) -> Device:
        board = BOARDS[name]
        boot = build(board, keys(), tmp_path_factory.mktemp("boot"))
        device = Device(board)
        device.program(factory(boot.bin.read_bytes(), replace(application(name, OLD), board=board), keys()))
        device.power_on()
        device.call("loader")
        return device

    return of


@pytest.fixture
def device(made: Callable[[str], Device], request: pytest.FixtureRequest) -> Iterator[Device]:
    """It, whose flash and clock are as before afterwards."""
    device = made(getattr(request, "param", ONE_PART))
    begun = device.snapshot()
    yield device
    device.restore(begun)


def starts(device: Device, vector: Vector, version: str) -> None:
    """The device starts *version*, and has in flash what *vector* says."""
    device.read_until(f"starting {version}", 60)
    board, image = device.board, vector.new if version == NEW else vector.old
    assert device.twin.flash_read(board.image_address, len(image.data)) == image.data
    if board.slot0.rest is not None:
        assert device.twin.flash_read(board.slot0.rest.address, len(image.rest)) == image.rest
    if version == NEW:
        assert device.twin.flash_read(board.slot0.address, len(vector.header)) == vector.header


@pytest.mark.parametrize(
    ("device", "vector"),
    [pytest.param(each.board, each, id=each.name) for each in UPDATES],
    indirect=["device"],
)
def test_it_takes_each_file(device: Device, vector: Vector) -> None:
    """NEW never confirms itself: where it is on trial, the start after that is one of OLD."""
    device.send(vector.data)
    starts(device, vector, NEW)
    device.reset()
    starts(device, vector, OLD if vector.trial else NEW)


def test_it_takes_a_new_key(device: Device) -> None:
    device.send(KEY.data)
    device.read_until("key 1", 20)
    assert device.board.keys is not None
    found = record("keys").unpack(device.twin.flash_read(device.board.keys.address, record("keys").size))
    assert found["table"] == KEY.data[-len(found["table"]) :] and found["index"] == 1
    with pytest.raises(DeviceError, match="code 15"):
        device.update(UPDATES[0].data)


@pytest.mark.parametrize("reason", REFUSED)
def test_it_takes_nothing_else(device: Device, reason: str) -> None:
    with pytest.raises(DeviceError, match="refused"):
        device.update(REFUSED[reason])
    device.reset()
    starts(device, UPDATES[0], OLD)
