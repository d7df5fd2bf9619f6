"""`spboot update`, `Upgrade` and `Device.upgrade`: a device on the twin, in this process and behind a pseudo-terminal,
comes to the newest release by patch, chain, full image; or is told why not."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.device import Device
from spboot.device.upgrade import Upgrade, Way
from spboot.errors import DeviceError, FormatError, VersionError
from spboot.route import Update, releases
from spboot.version import Version
from tests.host import release_folder
from tests.system.rig import Workshop, workshop
from tests.system.terminal import SPEED, spboot, twin_command

BOARD = "NUCLEO-L476RG"
V1, V2 = Version(1, 0, 0), Version(1, 2, 0)


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """A workshop, and a folder with its releases 1.1.0 and 1.2.0, each with a patch from the one before."""

    shop: Workshop
    folder: Path


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    folder = tmp_path_factory.mktemp("shelf")
    shop = workshop(Board.load(BOARD), "clang", folder)
    for old, new in (("1.0.0", "1.1.0"), ("1.1.0", "1.2.0")):
        patches = {old: shop.patch(old, new)}
        release_folder.write(folder / "releases" / new, new, shop.image(new), patches, board=BOARD)
    return Shelf(shop=shop, folder=folder / "releases")


@contextmanager
def running(shelf: Shelf, version: str | None, app: bytes | None = None) -> Iterator[Device]:
    with Device(shelf.shop.board) as device:
        device.program(shelf.shop.factory(version, app))
        device.power_on()
        yield device


def names(steps: tuple[Update, ...]) -> list[str]:
    return [step.path.name for step in steps]


CHAIN = ["lamp-1.0.0-1.1.0.sfbp", "lamp-1.1.0-1.2.0.sfbp"]
PATCH, FULL = CHAIN[1:], ["lamp-1.2.0.sfb"]


@pytest.mark.parametrize(
    ("through", "old", "files"),
    [
        ("loader", "1.0.0", CHAIN),
        ("application", "1.0.0", CHAIN),
        ("loader", "1.1.0", PATCH),
        ("loader", "1.2.0", []),
        ("application", "1.2.0", []),
    ],
)
def test_the_cheapest_way(shelf: Shelf, through: str, old: str, files: list[str]) -> None:
    """A chain, a patch, and nothing."""
    with running(shelf, old) as device:
        device.wait_for_start()
        device.read_until("r resets")
        reset = "r" if through == "application" else ""
        done = device.upgrade(releases(shelf.folder), through=through, reset=reset)  # type: ignore[arg-type]
        assert names(done.steps) == files
        assert str(done.installed) == old
        if files or through == "application":
            assert device.version == "1.2.0"
        else:
            assert device.wait_for_start() == "1.2.0", "the loader was left by a reset"


def test_a_reset_in_the_middle_of_a_file(shelf: Shelf) -> None:
    """The file is sent again, and what the old version said at its start is not taken for the new one's."""
    with running(shelf, "1.0.0") as device:
        device.wait_for_start()
        device.read_until("r resets")
        found = [each for each in releases(shelf.folder) if str(each.version) == "1.2.0"]
        resets = []

        def reset(done: int, total: int) -> None:
            if 0 < done < total and not resets:
                resets.append(done)
                device.reset()

        way = Way(update=b"u", reset=b"r")
        done = Upgrade(device.port, found, way, has=V1, on_text=device.hear, progress=reset).run()
        assert resets and names(done.steps) == FULL
        assert device.version == "1.2.0"


def test_a_loader_without_firmware_has_no_version(shelf: Shelf) -> None:
    with running(shelf, None) as device:
        done = device.upgrade(releases(shelf.folder))
        assert (done.installed, names(done.steps), device.version) == (None, FULL, "1.2.0")


def test_an_application_that_tells_no_version_gets_the_full_image(shelf: Shelf) -> None:
    """It is not reset, and nobody knows what it is."""
    with running(shelf, "1.1.0") as device:
        device.wait_for_start()
        device.read_until("r resets")
        done = device.upgrade(releases(shelf.folder), through="application")
        assert (done.installed, names(done.steps), device.version) == (None, FULL, "1.2.0")


def test_a_device_that_is_newer_is_left_alone(shelf: Shelf) -> None:
    with running(shelf, "1.3.0") as device:
        device.wait_for_start()
        erases = device.twin.log.erases()
        with pytest.raises(VersionError, match=r"has 1\.3\.0, and takes nothing older: 1\.2\.0 is the newest"):
            device.upgrade(releases(shelf.folder))
        assert device.wait_for_start() == "1.3.0"
        assert device.twin.log.erases() == erases


def test_another_build_of_the_base_gets_the_full_image(shelf: Shelf) -> None:
    """It calls itself 1.1.0, and is not what the patch starts from."""
    with running(shelf, "1.1.0", app=shelf.shop.demo("1.0.0")) as device:
        done = device.upgrade(releases(shelf.folder))
        assert names(done.steps) == FULL
        assert b"refused, code 4: " in device.heard
        assert device.version == "1.2.0"


def test_a_device_that_starts_something_else_is_told_of(shelf: Shelf) -> None:
    """SLOT0 is put back behind the back of the device that said it had taken the update."""
    slot0 = shelf.shop.board.slot0
    with running(shelf, "1.1.0") as device:
        before = device.twin.flash_read(slot0.address, slot0.size)

        def put_back(text: bytes) -> None:
            if b"] on trial\r" in device.heard:
                device.twin.flash_load(slot0.address, before)
                device.twin.reset()
                device.on_text = lambda _: None

        device.on_text = put_back
        with pytest.raises(DeviceError, match=r"1\.2\.0\.sfbp: the device has 1\.1\.0, expected 1\.2\.0: reset it"):
            device.upgrade(releases(shelf.folder))


def test_a_plan_sends_nothing(shelf: Shelf) -> None:
    with running(shelf, "1.0.0") as device:
        device.wait_for_start()
        device.read_until("r resets")
        erases = device.twin.log.erases()
        upgrade = Upgrade(device.port, releases(shelf.folder), Way(update=b"u", reset=b"r"), on_text=device.hear)
        assert names(upgrade.plan().steps) == CHAIN
        assert not upgrade.in_loader
        loader = Upgrade(device.port, releases(shelf.folder), Way(), on_text=device.hear)
        device.reset()
        assert names(loader.plan().steps) == CHAIN
        assert loader.in_loader
        assert device.twin.log.erases() == erases


def test_a_file_that_changed_is_found_before_anything_is_sent(shelf: Shelf, tmp_path: Path) -> None:
    folder = release_folder.write(tmp_path / "r", "1.2.0", shelf.shop.image("1.2.0"), board=BOARD)
    file = folder / "lamp-1.2.0.sfb"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with running(shelf, "1.0.0") as device:
        erases = device.twin.log.erases()
        with pytest.raises(FormatError, match=r"lamp-1\.2\.0\.sfb has another hash than release\.json says"):
            device.upgrade(releases(folder))
        assert device.twin.log.erases() == erases


def test_a_refused_file_is_the_end(shelf: Shelf, tmp_path: Path) -> None:
    """Signed with the keys of somebody else."""
    from spboot import release
    from spboot.keys import Keys

    stranger = Keys.new(tmp_path / "keys", "demo")
    forged = release.full_image(shelf.shop.made(shelf.shop.demo("1.2.0"), "1.2.0"), keys=stranger)
    folder = release_folder.write(tmp_path / "r", "1.2.0", forged, board=BOARD)
    with running(shelf, "1.0.0") as device, pytest.raises(DeviceError, match=r"refused it: .*code 15: wrong signature"):
        device.upgrade(releases(folder))


# the command, at a pseudo-terminal

posix = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


@posix
def test_the_command(shelf: Shelf, tmp_path: Path) -> None:
    factory = tmp_path / "factory.hex"
    shelf.shop.factory("1.0.0").save(factory)
    with twin_command("--image", factory, "--speed", str(SPEED)) as path:
        planned = spboot("update", path, shelf.folder, "--reset", "r", "--dry-run")
        assert planned.returncode == 0, planned.stderr
        assert "1.0.0 -> 1.2.0 by 2 patches: " in planned.stdout
        assert "1.0.0 -> 1.2.0" not in planned.stderr, "it is told once"
        assert "  lamp-1.0.0-1.1.0.sfbp: patch from 1.0.0 to 1.1.0, " in planned.stdout
        done = spboot("update", path, shelf.folder, "--reset", "r")
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("1.0.0 -> 1.2.0 by 2 patches: ") == 1
        assert done.stderr.count("sending lamp-") == 2 and done.stderr.endswith("1.2.0 runs now\n")
        assert "starting 1.2.0" in done.stdout
        again = spboot("update", path, shelf.folder, "--key", "u", "--reset", "r", "--json")
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout) == {
            "installed": "1.2.0", "version": "1.2.0", "bytes": 0, "seconds": 0, "steps": [],
        }  # fmt: skip
        assert "1.2.0 is installed already" in again.stderr
        heard = spboot("monitor", path, "--until", "r resets", "--seconds", "60", stdin="r")
        assert heard.returncode == 0, heard.stderr
        assert "demo 1.2.0 on NUCLEO-L476RG, installed as 1.2.0" in heard.stdout
