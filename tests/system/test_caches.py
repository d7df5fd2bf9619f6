"""An application that has its caches on, as CubeMX sets them up: what flash holds now is what the engine reads, and the
caches are left as they were.  The twin's rules tell (flash/caches.py, flash/icache.py, interrupt/cache_m7.py)."""

from __future__ import annotations

import random

import pytest

from spboot.boards import Board
from spboot.link import ymodem
from spboot.twin.flash import icache
from tests.system.rig import Rig, Workshop, workshop

CACHES = {
    "NUCLEO-F429ZI": ("FLASH", 0, 1 << 9 | 1 << 10),  # FLASH_ACR: ICEN, DCEN
    "DISCO-F769I": ("core", 0xD14, 1 << 16 | 1 << 17),  # CCR: DC, IC; the demo turns them on itself
    "DISCO-H745I": ("core", 0xD14, 1 << 16 | 1 << 17),
    "DISCO-L562E": ("ICACHE", 0, 1),  # ICACHE_CR: EN
}
"""Board -> block, register and bits that turn its caches on."""


ALIKE = ("NUCLEO-F429ZI", "DISCO-F769I")
"""For `make soak`: each of the two others has one half of theirs."""


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.soak) if name in ALIKE else name for name in CACHES],
)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return workshop(Board.load(request.param), "clang", tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize("damaged", [False, True], ids=["good", "damaged"])
def test_an_application_may_have_its_caches_on(shop: Workshop, damaged: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(icache, "EMPTYING", 100_000)  # however long it takes
    update = shop.wrap(shop.demo("1.1.0") + random.Random(1).randbytes(10_000), "1.1.0")
    rig = Rig(shop)
    rig.boot()
    name, register, on = CACHES[shop.board.name]
    block = rig.twin.nvic if name == "core" else rig.twin.blocks[name]
    block.write(register, 4, block.read(register, 4) | on)
    rig.ask_application()
    if not damaged:
        rig.send(update)
        assert b"demo 1.1.0" in rig.listen()
        return
    with pytest.raises(ymodem.LinkError):  # the application goes on, and what it set can be seen
        rig.send(update[:-1] + bytes([update[-1] ^ 1]))
    assert rig.erases(shop.board.slot1) > 0
    assert block.read(register, 4) & on == on
    if name == "ICACHE":
        assert not block.read(4, 4) & 4, "ERRF: something was stored through it"
