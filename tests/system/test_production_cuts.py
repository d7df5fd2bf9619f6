"""Power cuts beside and within the one operation that makes a chip of a bootloader for production: of each family."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from spboot.errors import TwinError
from spboot.twin import Cut, PowerCut
from tests.system.production import CHIPS, SETS, SOAK, Shops, boards, controller, guarded, protected, shops_in, start
from tests.system.rig import Rig


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Shops:
    return shops_in(tmp_path_factory.mktemp("production"))


def cuts(name: str) -> Iterator[Cut]:
    for at in range(CHIPS[name].operations):
        yield Cut(at=at, when="before")
        yield Cut(at=at, when="after")


def cut_boot(rig: Rig, cut: Cut) -> None:
    """A boot that ends in *cut*, or does without the operation that it waits for."""
    rig.twin.arm(cut)
    try:
        start(rig)
    except PowerCut:
        return
    rig.twin.log.cut = None


@pytest.mark.parametrize("name", boards("NUCLEO-L476RG"))
def test_a_cut_beside_an_operation_and_another_in_the_recovery(shops: Shops, name: str) -> None:
    pairs = itertools.product(cuts(name), [None, *cuts(name)])
    for first, second in pairs if name != "NUCLEO-L073RZ" else itertools.islice(pairs, 0, None, 2):
        rig = Rig(shops(name))
        cut_boot(rig, first)
        if second is not None:
            cut_boot(rig, second)
        start(rig)
        protected(rig, name)
        assert start(rig).count(SETS) == 0


TEARS = [("prefix", 0), ("prefix", 1), ("suffix", 1), ("miss", 0), ("random", 1), ("random", 2), ("random", 3)]


@pytest.mark.parametrize("name", boards("NUCLEO-L476RG", "DISCO-F769I"))
def test_a_cut_within_an_operation(shops: Shops, name: str) -> None:
    """Where the manual has the chip keep what was, or lets it run, it ends protected; otherwise the chip is locked,
    which is never open: docs/production.md has the table."""
    ends = []
    for at, pattern in itertools.product(range(CHIPS[name].operations), TEARS):
        rig = Rig(shops(name))
        rig.twin.arm(Cut(at=at, when="torn", pattern=pattern))
        with pytest.raises(PowerCut):
            start(rig)
        lost = list(controller(rig).lost)
        try:
            start(rig)
        except (TwinError, AssertionError):
            assert CHIPS[name].torn == "locked", (at, pattern)
            assert lost, (at, pattern)
            ends.append("locked")
            continue
        ends.append("protected")
        if lost:  # what the user had there is gone with them
            assert controller(rig).level == 1, (at, pattern)
            assert guarded(rig, rig.board.bootloader.end - 1), (at, pattern)
            assert not guarded(rig, rig.board.slot0.address), (at, pattern)
        else:
            protected(rig, name)
        assert SETS not in start(rig)
    assert ends.count("protected") >= (len(ends) if CHIPS[name].torn != "locked" else 1)


@pytest.mark.parametrize("name", ["NUCLEO-L476RG", pytest.param("NUCLEO-L073RZ", marks=SOAK)])
def test_a_lost_word_is_put_right(shops: Shops, name: str) -> None:
    """RM0351 3.4.2: OPTR alone is lost: ones, BFB2 among them, which lays the flash out otherwise; and level 1.  RM0367
    3.8.2: WRPROT is lost, all sectors are protected, which would keep updates out."""
    rig = Rig(shops(name))
    rig.twin.arm(Cut(at=0, when="torn", pattern=("miss", 0)))
    with pytest.raises(PowerCut):
        start(rig)
    assert controller(rig).lost
    said = start(rig)
    assert SETS in said
    assert controller(rig).lost == []
    assert not guarded(rig, rig.board.slot0.address)
    rig.update(rig.shop.patch("1.0.0", "1.1.0"))
    assert rig.version == "1.1.0"
