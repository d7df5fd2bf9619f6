"""A board with a single slot: full images replace the installed one, nothing else is taken, a cut leaves a loader."""

from __future__ import annotations

import itertools

import pytest

from spboot import release
from spboot.boards import Board
from spboot.builder.compiler import NAMES
from spboot.errors import LinkError
from spboot.formats.spec import spec
from spboot.twin import Cut, PowerCut
from spboot.version import Version
from tests import apps
from tests.system.rig import Rig, Workshop, workshop

SENTENCES: dict[str, str] = dict(spec()["status"]["codes"])
POINTS = 40


@pytest.fixture(scope="module", params=NAMES)
def single(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    folder = tmp_path_factory.mktemp(f"single-{request.param}")
    return workshop(Board.load("NUCLEO-L412KB"), request.param, folder)


def patch_between(shop: Workshop, old: bytes, new: bytes) -> bytes:
    base, board = release.Base(image=old, version=Version.parse("1.0.0")), shop.board
    return apps.forced_patch(base, new, target=board.name, keys=shop.keys, version=Version.parse("1.1.0"))


def test_banner_and_loader_speak_of_one_slot(single: Workshop) -> None:
    rig = Rig(single)
    assert b"no SLOT1" in rig.boot()
    rig.enter_loader()
    assert b"send a .sfb file by YMODEM" in rig.heard


def test_an_image_replaces_the_installed_one_in_place(single: Workshop) -> None:
    rig = Rig(single)
    rig.enter_loader()
    rig.send(single.image("1.1.0"))
    assert b"demo 1.1.0" in rig.listen()
    pages = -(-(single.board.vector_size + len(single.demo("1.1.0"))) // single.board.page_size)
    assert rig.erases(single.board.slot0) == pages == rig.twin.log.erases()


def test_a_patch_is_refused_and_nothing_touched(single: Workshop) -> None:
    rig = Rig(single)
    rig.enter_loader()
    with pytest.raises(LinkError):
        rig.send(patch_between(single, single.demo("1.0.0"), single.demo("1.1.0")))
    rig.twin.run(until=b"this device:", seconds=5)
    assert SENTENCES["SINGLE_SLOT"].encode() in bytes(rig.uart.output)
    assert not list(rig.twin.log)
    assert b"demo 1.0.0" in rig.listen(seconds=90), "the loader gives up, SLOT0 is as it was"


def test_the_application_cannot_begin_an_update(single: Workshop) -> None:
    """SE_PATCH_Init of the demo: refused with its own code."""
    rig = Rig(single)
    rig.boot()
    rig.ask_application()
    with pytest.raises(LinkError):
        rig.send(single.image("1.1.0"))
    rig.twin.run(until=b"not done", seconds=5)
    number = list(SENTENCES).index("SINGLE_SLOT")
    said = f"patch: stage idle, 0 of 0 bytes, code {number}: {SENTENCES['SINGLE_SLOT']}"
    assert said.encode() in bytes(rig.uart.output)
    assert not list(rig.twin.log)


def test_an_older_image_is_refused(single: Workshop) -> None:
    rig = Rig(single)
    rig.enter_loader()
    with pytest.raises(LinkError):
        rig.send(single.image("0.9.0"))
    assert not list(rig.twin.log)


def test_a_transfer_that_ends_early_leaves_the_loader(single: Workshop) -> None:
    """SLOT0 was judged good before the session; what the session began to overwrite is never started (G1)."""
    rig = Rig(single)
    rig.enter_loader()
    data = bytearray(single.image("1.1.0"))
    data[-1] ^= 1
    with pytest.raises(LinkError):
        rig.send(bytes(data))
    assert rig.erases(single.board.slot0) > 0
    assert not rig.twin.run(until=b"starting", seconds=70)
    assert bytes(rig.uart.output).count(b"loader: send") >= 2  # asked again
    rig.listen(b"C")
    rig.send(single.image("1.1.0"))
    assert b"demo 1.1.0" in rig.listen()


def cut_and_repair(shop: Workshop, cut: Cut) -> str:
    """Cut an update from 1.0.0 to 1.1.0; the device says why it waits, or runs; then it takes 1.1.0."""
    rig = Rig(shop)
    rig.enter_loader()
    rig.twin.arm(cut)
    with pytest.raises(PowerCut):
        rig.send(shop.image("1.1.0"))
        rig.listen()
    rig.twin.ecc_nmi = ("at", "after")[cut.at & 1]
    rig.enter_loader()
    text = rig.heard.decode(errors="replace")
    waits = "no valid firmware in SLOT0" in text
    if "self check good" in text and waits:
        rig.send(shop.image("1.1.0"))
        assert b"demo 1.1.0" in rig.listen()
        return "not whole" if "is not whole" in text else "gone"
    text = rig.listen(seconds=90).decode(errors="replace")
    assert "demo 1.0.0" in text or "demo 1.1.0" in text
    return "runs"


def operations(shop: Workshop) -> int:
    rig = Rig(shop)
    rig.enter_loader()
    rig.send(shop.image("1.1.0"))
    rig.listen()
    return len(rig.twin.log)


def sweep(shop: Workshop, points: int) -> set[str]:
    total = operations(shop)
    kinds = itertools.cycle(["before", "after", "torn"])
    ats = sorted({total * i // points for i in range(points)} | {total - 1})
    return {cut_and_repair(shop, Cut(at=at, when=next(kinds), pattern=("random", at))) for at in ats}  # type: ignore[arg-type]


def test_a_cut_leaves_a_device_that_says_why_and_takes_the_image_again(single: Workshop) -> None:
    assert sweep(single, 5) >= {"not whole"}


@pytest.mark.soak
def test_cuts_at_40_points(single: Workshop) -> None:
    assert sweep(single, POINTS) >= {"not whole"}
