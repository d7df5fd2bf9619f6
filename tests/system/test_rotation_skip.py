"""One skipped instruction starts, installs and takes nothing that an older key signed (decisions 0040, 0076)."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from spboot.builder.compiler import NAMES
from spboot.formats.comb import comb_table
from spboot.formats.program import Program
from spboot.formats.segment import Segment
from spboot.formats.spec import record
from spboot.keys import Keys
from spboot.rotation import rotation
from tests.edits import Edit, built_of
from tests.system.fault_boot import DECIDES, Boot
from tests.system.fault_loader import Loading
from tests.system.fault_states import NEXT, NOW, OLD, Maker, State, prepare
from tests.system.rig import Workshop
from tests.system.striker import Result, Strike
from tests.system.test_rotation import board_with_keys

pytestmark = pytest.mark.both_compilers
QUICK, SLOW = "NUCLEO-L476RG", "NUCLEO-L073RZ"
DECIDES_KEYS = re.compile(DECIDES.pattern + "|keys|find|look|trust|pinned")
_RECORD = record("keys")
Turned = dict[tuple[str, str], "TurnedMaker"]


def table_of(keys: Keys) -> bytes:
    point = keys.verify.public_numbers()
    return comb_table(point.x, point.y)


def entry(keys: Keys, pinned: bytes, first: Keys) -> bytes:
    """The record of a key on devices whose bootloader has the key *first*."""
    values = {"table": table_of(keys), "pinned": pinned[: _RECORD.field("pinned").size], "index": keys.index}
    head = _RECORD.pack(**values, check=bytes(32), again=bytes(32))[: _RECORD.field("check").offset]
    check = hashlib.sha256(table_of(first) + head).digest()
    return head + check + check


class TurnedShop(Workshop):
    """Devices whose bootloader has the old key, and that got another."""

    turned: bytes = b""

    def factory(self, version: str | None, app: bytes | None = None) -> Program:
        made, keys = super().factory(version, app), self.board.keys
        assert keys is not None
        return dataclasses.replace(made, segments=(*made.segments, Segment(keys.address, self.turned)))


class TurnedMaker(Maker):
    """States of such devices: what is made is signed by the new key."""

    def __init__(self, name: str, compiler: str, folder: Path) -> None:
        shop = TurnedShop(board=board_with_keys(name), compiler=compiler, folder=folder)
        super().__init__(shop)
        self.old = shop.keys
        shop.keys = self.old.successor(folder / "keys-2")
        shop.turned = entry(shop.keys, self.slot(OLD, signer=self.old), self.old)
        theirs = Keys.new(folder / "theirs", self.old.product, development=True)
        self.theirs = dataclasses.replace(theirs, index=9, encryption=self.old.encryption)

    def slot_of_old(self, version: str) -> bytes:
        return self.slot(version, signer=self.old)


@pytest.fixture(scope="module")
def makers() -> Turned:
    return {}


def maker_of(makers: Turned, name: str, compiler: str, folders: pytest.TempPathFactory) -> TurnedMaker:
    if (name, compiler) not in makers:
        makers[name, compiler] = TurnedMaker(name, compiler, folders.mktemp("turned"))
    return makers[name, compiler]


SITUATIONS: dict[str, Callable[[TurnedMaker], State]] = {
    "of the old key": lambda m: State(slot0=m.slot_of_old(NOW)),
    "of the old key committed": lambda m: m.commit(m.slot_of_old(NEXT)),
    "pinned committed": lambda m: m.commit(m.slot_of_old(OLD)),
}
UPDATES: dict[str, Callable[[TurnedMaker], bytes]] = {
    "of the old key": lambda m: m.update(NEXT, signer=m.old),
    "a key, by the old key": lambda m: rotation(m.old, m.theirs, m.board),
    "a key, by nobody": lambda m: rotation(
        dataclasses.replace(m.old, signing=m.stranger.signing, verify=m.stranger.verify), m.theirs, m.board
    ),
}


class Taking(Loading):
    """A loader that must not take a key either."""

    maker: TurnedMaker

    def struck(self, strike: Strike) -> Result:
        result = super().struck(strike)
        keys = self.board.keys
        assert keys is not None
        if table_of(self.maker.theirs) in self.twin.flash_read(keys.address, keys.size):
            result.outcome, result.detail = "accepted", "a key was written"
        return result


def test_the_state_is_the_bootloaders_own(makers: Turned, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the new key signed starts, and the one image of the old key that is in the record."""
    maker = maker_of(makers, QUICK, "clang", tmp_path_factory)
    for slot0 in (maker.slot(NOW), maker.slot_of_old(OLD)):
        rig = prepare(maker, State(slot0=slot0))
        rig.listen(b"starting ", seconds=100)


def accepted_by_boot(maker: TurnedMaker, situation: str, number: int | None) -> list[str]:
    boot = Boot(prepare(maker, SITUATIONS[situation](maker)), allowed=maker.slot(NOW), only=DECIDES_KEYS)
    assert boot.unfaulted == "refused"
    results = boot.sweep(boot.strikes("skip", number))
    return [boot.place(r.strike) + " " + r.detail for r in results if r.outcome == "accepted"]


def accepted_by_loader(maker: TurnedMaker, update: str, number: int | None) -> list[str]:
    loading = Taking(maker, UPDATES[update](maker))
    loading.maker = maker
    results = loading.sweep(loading.strikes("skip", number))
    return [loading.place(r.strike) + " " + r.detail for r in results if r.outcome == "accepted"]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_k4_a_sample_of_the_boot(makers: Turned, tmp_path_factory: pytest.TempPathFactory, situation: str) -> None:
    assert accepted_by_boot(maker_of(makers, QUICK, "clang", tmp_path_factory), situation, 30) == []


@pytest.mark.parametrize("update", UPDATES)
def test_a_sample_of_the_loader(makers: Turned, tmp_path_factory: pytest.TempPathFactory, update: str) -> None:
    assert accepted_by_loader(maker_of(makers, QUICK, "clang", tmp_path_factory), update, 20) == []


@pytest.mark.soak
@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", [QUICK, SLOW])
def test_all_of_the_boot(
    makers: Turned, tmp_path_factory: pytest.TempPathFactory, name: str, compiler: str, situation: str
) -> None:
    assert accepted_by_boot(maker_of(makers, name, compiler, tmp_path_factory), situation, None) == []


@pytest.mark.soak
@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", [QUICK, SLOW])
def test_all_of_the_loader(
    makers: Turned, tmp_path_factory: pytest.TempPathFactory, name: str, compiler: str, update: str
) -> None:
    assert accepted_by_loader(maker_of(makers, name, compiler, tmp_path_factory), update, None) == []


@pytest.mark.parametrize("edit", [("core/keys.c", "~(uintptr_t)find(work);", "~spb_keys.key;")])
def test_a_control_that_looks_once_is_caught(tmp_path_factory: pytest.TempPathFactory, edit: Edit) -> None:
    """Then a skipped instruction hides the record, and the old key is the key."""
    folder = tmp_path_factory.mktemp("control")
    with built_of(folder, [edit]):
        maker = TurnedMaker(QUICK, "clang", folder)
    state = prepare(maker, SITUATIONS["of the old key"](maker))
    boot = Boot(state, allowed=maker.slot(NOW), only=re.compile("^find$"))
    assert [r for r in boot.sweep(boot.strikes("skip")[:12]) if r.outcome == "accepted"]
