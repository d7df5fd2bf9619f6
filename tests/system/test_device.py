"""`Device`: a board that runs, as a user's test has it, on the twin and at a serial port alike."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from spboot import boards
from spboot.boards import Board
from spboot.device import Device
from spboot.device.cost import Metered
from spboot.errors import DeviceError, LinkError, TwinError
from spboot.twin import Cut, PowerCut
from tests.system import test_send
from tests.system.rig import Workshop, workshop
from tests.system.terminal import SPEED, twin_command

BOARD = "NUCLEO-L476RG"
posix = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


@dataclass(frozen=True, kw_only=True)
class Release:
    """What a user has of his product: a file for the factory, and two updates."""

    shop: Workshop
    factory: Path
    image: Path
    patch: Path


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = tmp_path_factory.mktemp("release")
    shop = workshop(Board.load(BOARD), "clang", folder)
    made = Release(shop=shop, factory=folder / "factory.hex", image=folder / "1.1.0.sfb", patch=folder / "1.2.0.sfbp")
    shop.factory("1.0.0").save(made.factory)
    made.image.write_bytes(shop.image("1.1.0"))
    made.patch.write_bytes(shop.patch("1.1.0", "1.2.0"))
    return made


@pytest.fixture
def twin(release: Release) -> Iterator[Device]:
    with Device(release.shop.board) as device:
        device.program(release.factory)
        device.power_on()
        yield device


@pytest.fixture(params=["twin", "serial"])
def device(request: pytest.FixtureRequest, release: Release) -> Iterator[Device]:
    """The twin here, or one in another process: the pty of that stands for the wire to a board."""
    if request.param == "twin":
        yield request.getfixturevalue("twin")
        return
    if sys.platform == "win32":
        pytest.skip("no pseudo-terminals")
    with (
        twin_command("--image", release.factory, "--speed", str(SPEED)) as path,
        Device(release.shop.board, port=path) as wired,
    ):
        yield wired


def test_what_a_user_tests(device: Device, release: Release) -> None:
    device.update(release.image, through="loader", key="r")
    assert device.version == "1.1.0"
    device.update(release.patch, through="application")
    assert device.version == "1.2.0"
    device.type("s")
    assert b"patch: stage" in device.read_until("code ")
    with pytest.raises(DeviceError, match="older than installed"):
        device.update(release.image, through="application")
    assert device.version == "1.2.0", "it runs on"


# the twin


def test_power_that_fails_in_an_update_comes_back(release: Release) -> None:
    for cut in ("0", "3:torn", "9:torn:prefix=5", "12:torn:suffix=3", "20:torn:random=7", "40:after"):
        with Device(release.shop.board) as device:
            device.program(release.shop.factory("1.1.0"))
            device.power_on()
            device.cut(cut)
            device.update(release.patch, through="application")
            assert device.version == "1.2.0", cut
            assert device.heard.count(b"reset by power on\r") == 2, cut


def test_a_cut_that_is_the_tests_own_is_raised(twin: Device, release: Release) -> None:
    twin.twin.arm(Cut(at=0))
    with pytest.raises(PowerCut):
        twin.update(release.image)
    twin.power_on()
    assert twin.wait_for_start() == "1.0.0"


def test_button_and_led(twin: Device) -> None:
    assert twin.version is None, "nothing was heard of a start"
    twin.hold()
    twin.power_on()
    twin.read_until("loader: send")
    assert twin.version is None
    twin.release()
    twin.reset()
    assert twin.wait_for_start() == twin.version == "1.0.0"
    looks = [(twin.wait(0.1), twin.lit)[1] for _ in range(8)]
    assert set(looks) == {True, False}, "the demo blinks"
    before = twin.port.now()
    twin.press(0.5)
    assert 0.5 <= twin.port.now() - before < 0.51
    button = twin.board.button
    assert button is not None and twin.twin.pins.get(button.name) != button.active_high


def test_each_reader_begins_behind_the_last(twin: Device) -> None:
    assert twin.read_until(b"SLOT0").endswith(b"SLOT0")
    assert twin.read_until("SLOT1").startswith(b" 0800")
    with pytest.raises(DeviceError, match=r"(?s)did not say .spboot. within 2 s, but: .*r resets"):
        twin.read_until("spboot", 2)
    said: list[bytes] = []
    twin.on_text = said.append
    twin.type("s")
    assert twin.wait(0.5) == b"".join(said)
    assert b"patch: stage idle" in b"".join(said)


def test_a_device_comes_back_to_what_it_was(twin: Device, release: Release) -> None:
    """Also with another version in its flash, and with a cut that still waits."""
    twin.power_on()
    twin.call("loader")
    called = twin.snapshot()
    for _ in range(2):
        twin.update(release.image)
        assert twin.version == "1.1.0"
        twin.cut(100_000)
        twin.restore(called)
        assert twin.version is None and not twin.heard
    twin.send(release.image)
    assert twin.wait_for_start() == "1.1.0"


def test_an_update_that_is_none_is_the_devices_to_refuse(twin: Device, release: Release) -> None:
    damaged = bytearray(release.image.read_bytes())
    damaged[200] ^= 1
    with pytest.raises(DeviceError, match=r"update.bin: the device refused it: refused, code \d+: "):
        twin.update(bytes(damaged))
    with pytest.raises(DeviceError, match="the device refused it"):
        twin.update(b"no update at all" * 20)


def test_a_device_that_starts_something_else_is_told_of(twin: Device, release: Release) -> None:
    """SLOT0 is put back behind the back of the device that said it had taken the update."""
    slot0 = release.shop.board.slot0
    before = twin.twin.flash_read(slot0.address, slot0.size)

    def put_back(text: bytes) -> None:
        if b"installed" in twin.heard[-20:] and b"starting" not in text:
            twin.twin.flash_load(slot0.address, before)
            twin.twin.reset()
            twin.on_text = lambda _: None

    twin.on_text = put_back
    with pytest.raises(DeviceError, match=r"1.1.0.sfb: the device started 1.0.0, expected 1.1.0"):
        twin.update(release.image)


def test_a_board_without_button_or_led(tmp_path: Path) -> None:
    text = (Path(boards.__file__).parent / "data" / f"{BOARD}.toml").read_text(encoding="utf-8")
    start, end = text.index("[button]"), text.index("# SLOT1 and the journal")
    bare = text[:start] + text[end:]
    board = Board.parse(tmp_path / "BARE.toml", bare)
    assert board.button is None and board.led is None
    device = Device(board)
    for act in (device.hold, device.press):
        with pytest.raises(DeviceError, match="BARE has no button: `load` on the console"):
            act()
    with pytest.raises(DeviceError, match="BARE has no LED"):
        assert device.lit
    with pytest.raises(TwinError, match="has no power"):
        device.read_until("anything")


def test_a_metered_port_looks_while_nothing_is_said(twin: Device) -> None:
    twin.wait_for_start()
    twin.read_until("r resets")
    twin.wait(0.1)
    looks: list[float] = []
    port = Metered(twin.port, lambda: looks.append(twin.port.now()))
    began = port.now()
    assert port.read(1, 1.0) == b""
    assert port.now() - began == pytest.approx(1.0, abs=0.001)
    assert len(looks) >= 50
    port.write(b"s")
    read = port.read(100, 1.0)
    assert read and port.moved == 1 + len(read), "both ways"


# at a port, with a device of a few lines behind it


@posix
def test_a_device_that_takes_its_time_to_restart(release: Release) -> None:
    """What it started before the update is not what it started after it."""
    wire = test_send.Device()

    def acts() -> None:
        wire.say(b"[    0.100] starting 1.0.0\r\n")
        wire.get(1)
        wire.receive()
        wire.say(test_send.TAKEN)
        time.sleep(4)
        wire.say(test_send.BANNER + b"[    0.100] starting 1.1.0\r\n")

    thread = threading.Thread(target=acts)
    with Device(release.shop.board, port=wire.path) as device:
        thread.start()
        device.update(release.image, through="application")
        assert device.version == "1.1.0"
    thread.join()


# what no wire can do

REFUSED = {
    "power_on": "pull its plug",
    "reset": "press its reset button, or type what its application resets by",
    "hold": "press it yourself",
    "release": "let go of it yourself",
    "press": "press it yourself",
    "lit": "look at it yourself",
    "twin": "ask it over its console",
    "program": "the board's programmer, with the file that `spboot merge` makes",
    "cut": "pull its plug",
    "snapshot": "program it again",
    "restore": "program it again",
}
ARGUMENTS = {"program": ("factory.hex",), "cut": (3,), "restore": (None,)}


@posix
def test_what_silicon_cannot_do_is_refused_in_words() -> None:
    master, slave = os.openpty()
    with Device(Board.load(BOARD), port=os.ttyname(slave)) as device:
        for name, instead in REFUSED.items():
            with pytest.raises(DeviceError) as refusal:
                found = getattr(device, name)
                found(*ARGUMENTS.get(name, ()))
            assert str(refusal.value).startswith(f"{BOARD} at {os.ttyname(slave)}: no serial port can ")
            assert instead in str(refusal.value) and "without a port the device is a twin" in str(refusal.value)
        os.write(master, b"hello")
        assert device.read_until("hello") == b"hello"
        with pytest.raises(DeviceError, match=r"did not say b?.more. within 0.1 s, but: nothing"):
            device.read_until("more", 0.1)
    os.close(slave)
    os.close(master)
    with pytest.raises(LinkError, match="there is no such port"):
        Device(Board.load(BOARD), port="/dev/ttyNONE")
