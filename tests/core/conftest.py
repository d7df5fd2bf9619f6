from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from spboot import release
from spboot.boards import Board
from spboot.keys import Keys
from spboot.version import Version
from tests import apps
from tests.core.device import Device, compile_core


@dataclass(frozen=True, kw_only=True)
class World:
    """A device with version 1.0.0 installed and what is needed to make updates for it."""

    device: Device
    board: Board
    keys: Keys
    images: dict[str, bytes]
    rests: dict[str, bytes] = field(default_factory=dict)
    """What of them is in external flash, where slots have two parts."""
    capacity: int = 0
    """Bytes of an image; 0: as on the board."""
    made: dict[object, bytes] = field(default_factory=dict)
    """Artefacts made before: encoding is the slow part."""

    @property
    def room(self) -> int:
        return self.capacity or self.board.image_capacity

    def image(self, version: str, **changes: object) -> bytes:
        return self._cached(("image", version, repr(changes)), lambda: self._image(version, **changes))

    def patch(self, old: str, new: str, **changes: object) -> bytes:
        return self._cached(("patch", old, new, repr(changes)), lambda: self._patch(old, new, **changes))

    def _cached(self, key: object, make: Callable[[], bytes]) -> bytes:
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]

    def _image(self, version: str, **changes: object) -> bytes:
        options = {
            "target": self.board.name,
            "capacity": self.room,
            "keys": self.keys,
        } | changes
        given = {"version": Version.parse(version), "rest": self.rests.get(version)} | options
        return apps.forced_image(self.images[version], **given)  # type: ignore[arg-type]

    def _patch(self, old: str, new: str, **changes: object) -> bytes:
        options = {
            "target": self.board.name,
            "capacity": self.room,
            "keys": self.keys,
        } | changes
        base = release.Base(image=self.images[old], version=Version.parse(old), rest=self.rests.get(old))
        given = {"version": Version.parse(new), "rest": self.rests.get(new)} | options
        return apps.forced_patch(base, self.images[new], **given)  # type: ignore[arg-type]

    def fresh(self) -> None:
        """1.0.0 installed, nothing else in flash, power on."""
        self.device.install_factory(
            release.header_for(self.image("1.0.0")), self.images["1.0.0"], self.rests.get("1.0.0")
        )
        self.device.power_on()


def firmware_like(seed: int, size: int) -> bytes:
    """Bytes with the statistics of code: repeats, small alphabet in places, some noise."""
    import random

    rnd = random.Random(seed)
    words = [rnd.randbytes(rnd.randrange(2, 12)) for _ in range(60)]
    out = b""
    while len(out) < size:
        out += rnd.choice(words) if rnd.random() < 0.8 else rnd.randbytes(3)
    return out[:size]


def edited(data: bytes, *places: int) -> bytes:
    out = bytearray(data)
    for place in places:
        out[place : place + 3] = b"new"
    return bytes(out)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder: Path = tmp_path_factory.mktemp("core")
    board = Board.load("NUCLEO-L476RG")
    secrets = Keys.new(folder / "keys", "demo", development=True)
    one = apps.startable(board, firmware_like(1, 9003))  # no multiple of a program unit
    images = {
        "1.0.0": one,
        "1.0.1": edited(one, 3000),
        "1.1.0": edited(one, 100, 2500, 7000) + b"tail" * 100,
        "1.2.0": one[:5000],
    }
    return World(
        device=Device(compile_core(board, folder, sanitize="SPBOOT_TEST_SANITIZE" in os.environ), board, secrets),
        board=board,
        keys=secrets,
        images=images,
    )
