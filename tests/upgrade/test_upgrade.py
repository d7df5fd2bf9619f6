"""Every bootloader and application that was ever released, from 1.0.0 on, is updated to those of today, on the twin.

A release is built out of its commit, by its own sources; its `spboot demo` makes keys, bootloader, applications and the
file for the factory.  Devices made of these are in the field: today's spboot has to make files that they take.  `make
soak` runs this; tests/upgrade/test_runner.py shows, on a tag of its own, that it works and that it fails."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.device import Device
from tests.upgrade.releases import NONE_YET, TODAY, Sources, releases, unpacked

pytestmark = pytest.mark.soak

BOARDS = os.environ.get("SPBOOT_UPGRADE_BOARDS", "NUCLEO-L476RG NUCLEO-L073RZ DISCO-H745I").split()
"""Two banks and ECC; a Cortex-M0+ whose flash erases to 0; a Cortex-M7 with large sectors."""
NEXT = "2.0.0"
"""What today's application is installed as, above those of the demo."""
CUT = 20
"""A flash operation in the middle of an update."""
RELEASES = releases() or [pytest.param("", marks=pytest.mark.skip(reason=NONE_YET))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What `spboot demo` of one tree of sources leaves in *folder* for *board*."""

    board: Board
    folder: Path

    @property
    def factory(self) -> Path:
        return self.folder / "factory.hex"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def bootloader(self) -> Path:
        return self.folder / "boot" / f"spboot-{self.board.name}.bin"

    def application(self, version: str = "1.0.0") -> Path:
        return self.folder / f"demo-{version}.elf"


def product(sources: Sources, name: str, folder: Path) -> Product:
    """The product that *sources* make for board *name*."""
    sources.spboot("demo", name, "--output", folder)
    return Product(board=Board.load(name), folder=folder)


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return unpacked(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module", params=BOARDS)
def old(request: pytest.FixtureRequest, release: Sources, tmp_path_factory: pytest.TempPathFactory) -> Product:
    """As it was released."""
    return product(release, request.param, tmp_path_factory.mktemp("old") / "demo")


@pytest.fixture(scope="module")
def new(old: Product, tmp_path_factory: pytest.TempPathFactory) -> Product:
    """As it is made today."""
    return product(TODAY, old.board.name, tmp_path_factory.mktemp("new") / "demo")


@pytest.fixture
def device(old: Product) -> Device:
    """A device as it left production with the release."""
    made = Device(old.board)
    made.program(old.factory)
    made.power_on()
    assert made.wait_for_start() == "1.0.0"
    return made


def image(old: Product, new: Product, folder: Path) -> Path:
    """A full image of today's application, made today with the keys of the release."""
    made = folder / "update.sfb"
    common = ("--board", old.board.name, "--keys", old.keys, "--version", NEXT, "-o", made)
    TODAY.spboot("image", new.application("1.1.0"), *common)
    return made


def test_a_full_image_through_the_released_loader(device: Device, old: Product, new: Product, tmp_path: Path) -> None:
    device.update(image(old, new, tmp_path))
    assert device.version == NEXT


def test_a_patch_through_the_released_application(device: Device, old: Product, new: Product, tmp_path: Path) -> None:
    if old.board.slot1 is None:
        pytest.skip("a single slot takes no patches")
    patch = tmp_path / "update.sfbp"
    change = ("--from", old.application(), "--from-version", "1.0.0", "--to", new.application("1.1.0"))
    TODAY.spboot("patch", *change, "--version", NEXT, "--board", old.board.name, "--keys", old.keys, "-o", patch)
    device.read_until("r resets")
    device.update(patch, through="application")
    assert device.version == NEXT


def test_an_update_whose_power_is_cut(device: Device, old: Product, new: Product, tmp_path: Path) -> None:
    device.cut(f"{device.twin.log.total + CUT}:torn:random=1")
    device.update(image(old, new, tmp_path))
    assert device.version == NEXT


def test_the_released_application_on_todays_bootloader(old: Product, new: Product, tmp_path: Path) -> None:
    """What was linked once runs on, and takes an update through the gates of the bootloader that is there now."""
    factory, update = tmp_path / "factory.hex", tmp_path / "update.sfb"
    common = ("--board", old.board.name, "--keys", new.keys)
    TODAY.spboot("merge", new.bootloader, old.application(), *common, "--version", "1.0.0", "-o", factory)
    TODAY.spboot("image", new.application("1.1.0"), *common, "--version", NEXT, "-o", update)
    device = Device(old.board)
    device.program(factory)
    device.power_on()
    device.read_until("r resets")
    device.update(update, through="application" if old.board.slot1 else "loader")
    assert device.version == NEXT
