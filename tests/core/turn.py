"""A device with room for keys, and three keys of its product, for tests of what happens when one replaces another."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from spboot.boards import Area, Board
from spboot.formats.spec import record
from spboot.keys import Keys
from spboot.rotation import rotation
from spboot.version import Version
from tests import apps
from tests.core.conftest import World, edited, firmware_like
from tests.core.device import Device, compile_core

OLD, NEW, NEXT = "1.0.0", "1.1.0", "1.2.0"
V = {name: Version.parse(name).pack() for name in (OLD, NEW, NEXT)}
RECORD = record("keys").size
PINNED = 0x10000


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A device with room for keys, and three keys of its product, one after the other."""

    worlds: tuple[World, World, World]

    @property
    def device(self) -> Device:
        return self.worlds[0].device

    def file(self, old: int, new: int, **changes: object) -> bytes:
        """What brings key *new*, signed by key *old*."""
        keys = [replace(world.keys, **changes) if i == new else world.keys for i, world in enumerate(self.worlds)]
        return rotation(keys[old], keys[new], self.worlds[0].board)

    def fresh(self) -> None:
        self.worlds[0].fresh()

    def boot(self) -> str:
        self.device.power_on()
        return self.device.install()

    def takes(self, update: bytes, *, active: bool = True) -> str:
        """What becomes of an update that is sent, and of the boot behind it."""
        self.device.power_on()
        status = self.device.feed(update, active=active)
        if status != "OK":
            self.device.power_on()
            return status
        assert self.device.commit() == "OK"
        return self.boot()

    @property
    def key(self) -> int:
        return int(self.device.lib.hp_key())


def with_keys(board: Board, size: int = 0x1000) -> Board:
    assert board.journal is not None
    return replace(board, keys=Area(address=board.journal.end, size=size))


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Turn:
    folder: Path = tmp_path_factory.mktemp("rotation")
    board = with_keys(Board.load("NUCLEO-L476RG"))
    first = Keys.new(folder / "keys", "demo", development=True)
    second = first.successor(folder / "keys-2")
    third = second.successor(folder / "keys-3")
    one = apps.startable(board, firmware_like(1, 5003))
    images = {OLD: one, NEW: edited(one, 100, 2500), NEXT: edited(one, 200, 3500)}
    library = compile_core(board, folder, sanitize="SPBOOT_TEST_SANITIZE" in os.environ)
    device = Device(library, board, first)
    worlds = [World(device=device, board=board, keys=keys, images=images) for keys in (first, second, third)]
    return Turn(worlds=(worlds[0], worlds[1], worlds[2]))
