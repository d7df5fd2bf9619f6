"""The shipped bootloader at its edges: images that cannot start, protected flash, replays, faults of its own, and how
long a start takes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.link import ymodem
from spboot.version import Version
from tests import apps, cannot_start
from tests.system.feeder import CODES, SENTENCES, Feeder, Stage
from tests.system.rig import Rig, Workshop, workshop
from tests.system.test_refusals import offer

BOARDS = ("NUCLEO-L073RZ", "NUCLEO-L476RG", "DISCO-L562E", "DISCO-F769I")
"""Cortex-M0+, M4, M33 and M7."""
BUDGETS = tomllib.loads((Path(__file__).resolve().parents[2] / "budgets.toml").read_text())
STARTS = 8
REFUSED = f"refused, code {CODES.index('CANNOT_START')}: {SENTENCES['CANNOT_START']}\r\n".encode()


@pytest.fixture(scope="module", params=BOARDS)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return workshop(Board.load(request.param), "clang", tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def bad(shop: Workshop) -> dict[str, bytes]:
    """Updates to images that cannot start, signed by force."""
    version, name = Version.parse("1.1.0"), shop.board.name
    images = cannot_start.images(shop.board)
    return {kind: apps.forced_image(app, target=name, keys=shop.keys, version=version) for kind, app in images.items()}


@pytest.mark.parametrize("share", [2, pytest.param(1, marks=pytest.mark.soak)])
def test_images_that_cannot_start_are_refused_by_the_api(shop: Workshop, bad: dict[str, bytes], share: int) -> None:
    """Before VERIFIED and before flash is touched; the old one goes on and still starts.  In `make test` each of two
    cores has half of them."""
    feeder = Feeder(shop)
    before = feeder.flash()
    assert len(bad) > 40
    for kind, data in [*bad.items()][BOARDS.index(shop.board.name) % share :: share]:
        assert feeder.init().code == "COMPLETED"
        status = feeder.data(data)
        assert (kind, status.code, status.stage) == (kind, "CANNOT_START", Stage.IDLE)
    assert not len(feeder.twin.log)
    assert feeder.flash() == before
    feeder.assert_old_boots()


def test_a_few_that_cannot_start_are_refused_by_the_loader(shop: Workshop, bad: dict[str, bytes]) -> None:
    """The same engine behind YMODEM: other ones on each core."""
    loader_refuses(shop, dict([*bad.items()][BOARDS.index(shop.board.name) :: 5]))


@pytest.mark.soak
def test_images_that_cannot_start_are_refused_by_the_loader(shop: Workshop, bad: dict[str, bytes]) -> None:
    loader_refuses(shop, bad)


def loader_refuses(shop: Workshop, bad: dict[str, bytes]) -> None:
    rig = Rig(shop)
    rig.enter_loader()
    before = rig.twin.flash_read(rig.twin.flash.address, rig.twin.flash.size)
    for kind, data in bad.items():
        text = offer(rig, data)
        assert REFUSED in text, (kind, text)
        ymodem.wait_for_call(rig.port, 10, on_text=rig.hear)
    assert not len(rig.twin.log)
    assert rig.twin.flash_read(rig.twin.flash.address, rig.twin.flash.size) == before
    rig.twin.reset()
    assert b"demo 1.0.0 on" in rig.listen()


@pytest.mark.parametrize("replays", [50, pytest.param(1000, marks=pytest.mark.soak)])
def test_replays_of_a_beginning(shop: Workshop, replays: int) -> None:
    """Head and chunk 0 of a signed update, again and again: erases are counted, and end."""
    if shop.board.name != "NUCLEO-L476RG":
        pytest.skip("what is counted does not depend on the core")
    feeder = Feeder(shop)
    data = feeder.image()
    feeder.load(data[:700])
    codes = []
    for _ in range(replays):
        feeder.init()
        codes.append(feeder.feed(0, 700).code)
        feeder.simple("Abort")
    assert codes == ["COMPLETED"] * STARTS + ["TOO_MANY_STARTS"] * (replays - STARTS)
    board = shop.board
    assert board.slot1 is not None
    assert board.journal is not None
    assert feeder.rig.erases(board.slot1) == STARTS
    assert feeder.rig.erases(board.journal) == STARTS
    assert feeder.rig.erases(board.slot1) + feeder.rig.erases(board.journal) <= BUDGETS[board.name]["replay_erases"]
    feeder.assert_old_boots()


def test_protected_flash_is_said_and_left_alone(shop: Workshop) -> None:
    """A page in the middle of SLOT0: no update begins, and the banner names the area."""
    if shop.board.name != "NUCLEO-L476RG":
        pytest.skip("areas of each family: test_protection.py")
    feeder = Feeder(shop)
    feeder.twin.flash_controller.options["WRP1AR"] = 0x0040_0040  # page 64 of bank 1
    assert b"SLOT0 is write protected" in feeder.reset()
    feeder.init()
    assert feeder.data(feeder.image()).code == "WRITE_PROTECTED"
    assert not len(feeder.twin.log)
    feeder.assert_old_boots()


def test_a_fault_of_the_bootloader_is_said_and_three_lead_to_the_loader(shop: Workshop) -> None:
    """The core gets to an instruction that is none; left alone then, the device starts and forgets."""
    rig = Rig(shop)
    at = _address(rig, "spb_reset")
    at += rig.twin.flash_read(at, 64).index(b"\x00\xde")  # the udf behind the call of main
    place = f"faults in a row, the last at {at:08x}\r\n".encode()
    rig.power_on()
    for count in (1, 2, 3):
        rig.listen(b"self check good")
        rig.twin.core.pc = at
        assert rig.listen(place).endswith(b"%d %s" % (count, place))
    rig.listen(b"loader: send")
    ymodem.wait_for_call(rig.port, 10, on_text=rig.hear)
    rig.send(shop.image("1.1.0"))
    assert b"fault" not in rig.listen(b"demo 1.1.0 on", 30)


def _address(rig: Rig, name: str) -> int:
    from tests.system.rig import functions

    return functions(rig.shop, counting=False).symbols[name] & ~1


@pytest.mark.parametrize(("name", "size"), [("NUCLEO-L476RG", 200_000), ("NUCLEO-L073RZ", 72_000)])
def test_from_reset_to_application(name: str, size: int, tmp_path: Path) -> None:
    """Virtual time from a reset to the jump, with an application of *size* bytes."""
    made = workshop(Board.load(name), "clang", tmp_path)
    app = made.demo("1.0.0")
    size = min(size, made.board.image_capacity)
    rig = Rig(made, app=app + bytes(range(256)) * ((size - len(app)) // 256))
    rig.power_on()
    rig.listen()
    start = rig.twin.time
    rig.twin.reset()
    rig.listen(b"demo 1.0.0 on", 5)
    took = round(1000 * (rig.twin.time - start))
    print(f"{name}: {took} ms from reset to the first words of an application of {size} bytes")
    assert took <= BUDGETS[name]["start_ms"]
