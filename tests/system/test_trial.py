"""Trial, confirmation and going back on the twin: the shipped bootloader, an application that calls what it is told."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.builder import merge
from spboot.builder.compiler import NAMES
from spboot.device import Device
from spboot.version import Version
from tests.apps import startable
from tests.system.feeder import CODES, COMMAND, SUCCESS, Feeder, feeder_app
from tests.system.rig import workshop
from tests.system.test_robustness import poison

STATES = ("NONE", "PENDING", "TRIAL", "INSTALLED", "REVERTED")
BOARDS = (
    "NUCLEO-L476RG",
    "NUCLEO-L073RZ",
    "NUCLEO-G0B1RE",
    "NUCLEO-F429ZI",
    "DISCO-L562E",
    "DISCO-H745I",
    "NUCLEO-H563ZI",
)
"""Of each kind of flash."""
SOON = ("NUCLEO-L476RG", "NUCLEO-L073RZ", "NUCLEO-F429ZI", "DISCO-H745I")
"""Of those the ones that differ most: pages, sectors, and flash that is written like an EEPROM."""
V = {text: Version.parse(text).pack() for text in ("1.0.0", "1.1.0")}


@pytest.fixture
def feeder(request: pytest.FixtureRequest, tmp_path: Path) -> Feeder:
    name: str = request.param
    return Feeder(workshop(Board.load(name), NAMES[BOARDS.index(name) % 2], tmp_path))


def known(feeder: Feeder) -> tuple[str, str, int]:
    """What SE_APP_GetUpdateInfo says: state, why, version."""
    result, status, out = feeder.query("GetUpdateInfo", 0xEE)
    assert (result, status) == (SUCCESS, 0)
    state, why, version = struct.unpack("<3I", out[:12])
    return STATES[state], CODES[why], version


def confirm(feeder: Feeder) -> None:
    assert feeder.call("SE_APP_ConfirmActiveFw", feeder.scratch) == SUCCESS
    assert feeder.twin.ram_read(feeder.scratch, 4) == bytes(4)


def send(feeder: Feeder, update: bytes) -> None:
    assert not feeder.init(delay=COMMAND).error
    assert feeder.data(update).completed
    assert feeder.simple("InstallAtNextReset").completed


@pytest.mark.parametrize(
    "feeder",
    [name if name in SOON else pytest.param(name, marks=pytest.mark.soak) for name in BOARDS],
    indirect=True,
)
@pytest.mark.parametrize("kind", [pytest.param("image", marks=pytest.mark.soak), "patch"])
def test_an_update_that_is_not_confirmed_goes_back(feeder: Feeder, kind: str) -> None:
    update = feeder.image() if kind == "image" else feeder.patch()
    assert known(feeder) == ("NONE", "NONE", 0)
    send(feeder, update)
    assert known(feeder) == ("PENDING", "NONE", V["1.1.0"])
    said = feeder.reset()
    assert b"on trial" in said and b"feeder 1.1.0 ready" in said
    assert known(feeder) == ("TRIAL", "NONE", V["1.1.0"])
    assert feeder.init(delay=COMMAND).code == "NOT_CONFIRMED"
    said = feeder.reset()
    assert b"reverted" in said
    feeder.assert_old_boots()
    assert known(feeder) == ("REVERTED", "NOT_CONFIRMED", V["1.1.0"])
    send(feeder, update)
    assert b"feeder 1.1.0 ready" in feeder.reset()
    confirm(feeder)
    for _ in range(2):
        assert known(feeder) == ("INSTALLED", "NONE", V["1.1.0"])
        said = feeder.reset()
        assert b"feeder 1.1.0 ready" in said and b"on trial" not in said


@pytest.mark.parametrize("feeder", ["NUCLEO-L476RG", "NUCLEO-F429ZI"], indirect=True)
def test_an_update_that_waits_is_not_confirmed_by_the_one_before(feeder: Feeder) -> None:
    """Flash that refuses to be programmed twice, and flash that takes it."""
    send(feeder, feeder.image())
    confirm(feeder)
    assert known(feeder) == ("PENDING", "NONE", V["1.1.0"])
    said = feeder.reset()
    assert b"on trial" in said and b"feeder 1.1.0 ready" in said
    assert known(feeder) == ("TRIAL", "NONE", V["1.1.0"])
    assert b"reverted" in feeder.reset()
    confirm(feeder)
    feeder.reset()
    assert known(feeder) == ("REVERTED", "NOT_CONFIRMED", V["1.1.0"])


@pytest.mark.parametrize("feeder", BOARDS[:1], indirect=True)
def test_what_ended_a_download_is_known(feeder: Feeder) -> None:
    damaged = bytearray(feeder.image())
    damaged[-20] ^= 1
    feeder.init(delay=COMMAND)
    assert feeder.data(bytes(damaged)).code == "INVALID_PATCH_TAG"
    for _ in range(2):
        assert known(feeder) == ("NONE", "INVALID_PATCH_TAG", 0)
        feeder.assert_old_boots()


@pytest.mark.parametrize("feeder", BOARDS[:1], indirect=True)
def test_an_image_on_trial_that_is_spoilt_goes_back(feeder: Feeder) -> None:
    """A byte of SLOT0 changes before the update was ever confirmed: no loader, no person."""
    send(feeder, feeder.image())
    assert b"feeder 1.1.0 ready" in feeder.reset()
    address = feeder.shop.board.image_address + 3000
    feeder.twin.flash_load(address, bytes(8))
    assert b"reverted" in feeder.reset()
    feeder.assert_old_boots()


ECC = [name for name in BOARDS if name != "NUCLEO-F429ZI" and Board.load(name).chip.family != "STM32L0"]
"""Boards whose flash has an ECC; where it fails, an NMI or a bus error of the application would follow."""


@pytest.mark.parametrize(
    ("when", "feeder"),
    [
        pytest.param(when, name, marks=pytest.mark.soak if (number + ECC.index(name)) % 2 else ())
        for number, when in enumerate(("before", "on trial"))
        for name in ECC
    ],
    indirect=["feeder"],
)
def test_j5_the_application_reads_no_torn_flash(feeder: Feeder, when: str) -> None:
    """Each record of the journal and the start of SLOT1 fail their ECC; the application asks, confirms and updates."""
    if when == "on trial":
        send(feeder, feeder.image())
        assert b"feeder 1.1.0 ready" in feeder.reset()
    board = feeder.shop.board
    assert board.journal is not None and board.slot1 is not None
    for start, size in ((board.journal.address, board.journal.size), (board.slot1.address, board.page_size)):
        for address in range(start, start + min(size, 2048), board.chip.memory_at(start).program_unit):
            poison(feeder.rig, address)
    assert known(feeder)[0] == ("NONE" if when == "before" else "TRIAL")
    feeder.reset()
    assert known(feeder)[0] == "NONE"
    confirm(feeder)
    send(feeder, feeder.image("1.2.0"))
    assert b"feeder 1.2.0 ready" in feeder.reset()


RESETS_ITSELF = bytes.fromhex("01480249 0160fee7 0ced00e0 0400fa05")
"""ldr r0, =AIRCR; ldr r1, =0x05FA0004; str r1, [r0]; b . ; both words"""


@pytest.mark.parametrize("name", ["NUCLEO-L476RG", "NUCLEO-G0B1RE"])
def test_a_crash_loop_that_is_not_on_trial_leaves_the_loader(name: str, tmp_path: Path) -> None:
    """An application that resets at once and was installed for good: each start listens, and a good image mends it."""
    shop = workshop(Board.load(name), NAMES[0], tmp_path)
    board, good = shop.board, feeder_app(shop, "1.1.0")
    crashing = shop.made(startable(board, bytes(8) + RESETS_ITSELF), "1.0.0")
    with Device(board) as device:
        device.program(merge.factory(shop.boot.bin.read_bytes(), crashing, shop.keys))
        device.power_on()
        device.wait(1.0)
        assert device.heard.count(b"starting 1.0.0") > 3
        device.update(shop.wrap(good, "1.1.0"), through="loader")
        device.wait(2.0)
        assert b"feeder 1.1.0 ready" in device.heard
