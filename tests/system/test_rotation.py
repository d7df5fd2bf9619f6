"""A new key on the twin: the bootloader of a board with an area for keys, its demo, and what an old key signs."""

from __future__ import annotations

import dataclasses
import functools
import random
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from spboot import release
from spboot.boards import Area, Board, Slot
from spboot.builder.compiler import NAMES
from spboot.errors import DeviceError
from spboot.keys import Keys
from spboot.rotation import rotation
from spboot.twin import PowerCut
from tests.system.rig import Rig, Workshop, functions, workshop
from tests.system.test_power_cut import cuts

BUDGETS = tomllib.loads((Path(__file__).resolve().parents[2] / "budgets.toml").read_text())["with_keys"]
AREAS = {
    "NUCLEO-L476RG": (0x080F_0800, 0x1000),
    "NUCLEO-L073RZ": (0x0802_A200, 0xF00),
    "NUCLEO-G0B1RE": (0x0807_A800, 0x1000),
    "NUCLEO-F429ZI": (0x0800_8000, 0x4000),
    "DISCO-L562E": (0x0807_A800, 0x1000),
    "DISCO-H745I": (0x080E_0000, 0x2_0000),
    "NUCLEO-H563ZI": (0x081F_A000, 0x2000),
}
"""Of each kind of flash.  Where nothing is free the slots give up an erase unit each."""


@functools.cache
def board_with_keys(name: str) -> Board:
    board, (address, size) = Board.load(name), AREAS[name]
    keys = Area(address=address, size=size)
    assert board.slot1 is not None
    if board.slot0.end > address >= board.slot0.address:
        slots = [Slot(address=slot.address, size=address - board.slot0.address) for slot in (board.slot0, board.slot1)]
        board = dataclasses.replace(board, slot0=slots[0], slot1=slots[1])
    return dataclasses.replace(board, keys=keys)


@dataclass(kw_only=True)
class Turn:
    """A board, the key that its devices have, and the one that comes."""

    shop: Workshop
    new: Keys

    @property
    def file(self) -> bytes:
        return rotation(self.shop.keys, self.new, self.shop.board)

    def image(self, version: str, keys: Keys) -> bytes:
        return release.full_image(self.shop.made(self.shop.demo(version), version), keys=keys)

    def patch(self, old: str, new: str, keys: Keys) -> bytes:
        images = [self.shop.made(self.shop.demo(version), version) for version in (old, new)]
        return release.patch(images[0], images[1], keys=keys)


@pytest.fixture(scope="module")
def turn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Turn:
    name: str = request.param
    folder: Path = tmp_path_factory.mktemp("rotation")
    shop = workshop(board_with_keys(name), NAMES[list(AREAS).index(name) % 2], folder)
    return Turn(shop=shop, new=shop.keys.successor(folder / "keys-2"))


QUICK = ("NUCLEO-L476RG", "NUCLEO-L073RZ")
BOARDS = [name if name in QUICK else pytest.param(name, marks=pytest.mark.soak) for name in AREAS]


@pytest.mark.parametrize("turn", BOARDS, indirect=True)
@pytest.mark.parametrize("through", ["loader", pytest.param("application", marks=pytest.mark.soak)])
def test_a_new_key_and_nothing_signed_by_the_old_one(turn: Turn, through: str) -> None:
    rig, old, new = Rig(turn.shop), turn.shop.keys, turn.new
    assert b"key" not in rig.boot().split(b"starting")[0].split(b"self check good")[1]
    rig.update(turn.file, through=through)  # type: ignore[arg-type]
    text = rig.boot()
    assert b"key 1" in text
    assert b"starting 1.0.0" in text, "what runs goes on running"
    with pytest.raises(DeviceError, match="code 26"):
        rig.update(turn.file, through="loader")
    for update in (turn.image("1.2.0", old), turn.patch("1.0.0", "1.2.0", old)):
        with pytest.raises(DeviceError, match="code 15"):
            rig.update(update, through="loader")
        assert b"demo 1.0.0" in rig.boot()
    rig.update(turn.patch("1.0.0", "1.1.0", new), through="application")
    assert rig.version == "1.1.0"
    with pytest.raises(DeviceError, match="code 15"):
        rig.update(turn.image("1.2.0", old), through="application" if through == "loader" else "loader")
    assert b"demo 1.1.0" in rig.boot()


def cut_everywhere(turn: Turn, ats: list[int], *, tears: int) -> tuple[int, set[bool]]:
    """Points tried, and whether the new key was there after the first of its two starts.

    Where it was not, an application takes the file with a torn record before it: an NMI would be its own (K5)."""
    rig, rnd, points, seen = Rig(turn.shop), random.Random(7), 0, set()
    file, update = turn.file, turn.image("1.1.0", turn.new)
    rig.enter_loader()
    start = rig.snapshot()
    for at in ats:
        for cut in cuts(at, rnd, tears):
            points += 1
            rig.restore(start)
            rig.twin.ecc_nmi = ("at", "after")[points & 1]
            rig.twin.arm(dataclasses.replace(cut, at=at))
            with pytest.raises(PowerCut):
                rig.send(file)
                rig.listen()
            rig.twin.log.cut = None
            text = rig.boot()
            assert b"demo 1.0.0" in text, text.decode(errors="replace")
            seen.add(b"key 1" in text)
            if b"key 1" not in text:
                rig.update(file, through=("loader", "application")[points & 1])  # type: ignore[arg-type]
            assert b"key 1" in rig.boot()
            if points % 7 == 0:
                rig.update(update)
                assert rig.version == "1.1.0"
    return points, seen


def operations(turn: Turn) -> int:
    """Of the flash, by one key."""
    rig = Rig(turn.shop)
    rig.boot()
    rig.update(turn.file)
    assert rig.erases(turn.shop.board.areas["keys"]) == 0
    assert rig.programs(turn.shop.board.areas["keys"]) == rig.twin.log.total
    return rig.twin.log.total


@pytest.mark.both_compilers
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", QUICK)
def test_budgets(name: str, compiler: str, tmp_path: Path) -> None:
    shop = workshop(board_with_keys(name), compiler, tmp_path)
    symbols = functions(shop, counting=False).symbols
    assert shop.boot.size <= BUDGETS[name]
    assert symbols["spb_last_update"] - symbols["spb_bss_end"] >= BUDGETS["ram_free"]


@pytest.mark.parametrize("turn", [pytest.param(QUICK[0], marks=pytest.mark.soak), QUICK[1]], indirect=True)
def test_cuts(turn: Turn) -> None:
    total = operations(turn)
    points, seen = cut_everywhere(turn, [0, total // 2, total - 1], tears=1)
    assert (points, seen) == (9, {False, True})


@pytest.mark.soak
@pytest.mark.parametrize("turn", AREAS, indirect=True)
def test_cuts_at_every_operation(turn: Turn) -> None:
    total = operations(turn)
    points, seen = cut_everywhere(turn, list(range(total)), tears=2)
    assert (points, seen) == (4 * total, {False, True})


@pytest.mark.soak
@pytest.mark.parametrize("compiler", NAMES)
def test_a_single_slot_takes_a_key(compiler: str, tmp_path: Path) -> None:
    """By the loader, which takes full images alone."""
    board = Board.load("NUCLEO-L412KB")
    slot, keys = board.slot0, Area(address=board.slot0.end - 0x1000, size=0x1000)
    board = dataclasses.replace(board, slot0=Slot(address=slot.address, size=slot.size - keys.size), keys=keys)
    shop = workshop(board, compiler, tmp_path)
    turn = Turn(shop=shop, new=shop.keys.successor(tmp_path / "keys-2"))
    rig = Rig(shop)
    rig.boot()
    rig.update(turn.file)
    assert b"key 1" in rig.boot()
    with pytest.raises(DeviceError, match="code 15"):
        rig.update(turn.image("1.2.0", shop.keys))
    assert b"demo 1.0.0" in rig.boot()
    rig.update(turn.image("1.1.0", turn.new))
    assert rig.version == "1.1.0"
