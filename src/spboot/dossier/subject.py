"""What a dossier is about: a release with its board, keys and bootloader, and devices that have it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from spboot import disk, releases
from spboot.boards import Board
from spboot.device import Device
from spboot.device.upgrade import START_S
from spboot.dossier.claim import Input
from spboot.errors import BoardError, BuildError
from spboot.formats import program
from spboot.formats.program import Program
from spboot.formats.segment import Segment
from spboot.formats.signature import ORDER
from spboot.image import Image
from spboot.keys import Keys
from spboot.keys.signer import FolderKey, LockedKey
from spboot.link.delivery import Delivery
from spboot.link.verdict import Verdict
from spboot.releases import Item, Release
from spboot.secret import Secret

_QUIET_S: Final = 1.0
_LOADER: Final = b"loader: "
"""What the loader begins to say, when no application can be started."""


class Bench:
    """A device on the twin with *program* in its flash, which starts *version*, or the loader where that is None.

    It waits in its loader for a file, again and again."""

    def __init__(self, board: Board, program: Program, version: str | None) -> None:
        self.version = version
        self._device = Device(board)
        self._device.program(program)
        self._device.power_on()
        self._device.call("loader")
        self.heard = bytes(self._device.heard)
        """What it said at its start."""
        self._device.twin.log.clear()
        self._called = self._device.snapshot()

    def device(self) -> Device:
        """The device as it has just called for a file."""
        self._device.restore(self._called)
        return self._device


def settle(device: Device) -> None:
    """Wait until *device* starts an application or its loader speaks, and no byte further: what an application does is
    not judged."""
    end = device.port.now() + START_S
    while device.version is None and _LOADER not in device.heard and (left := end - device.port.now()) > 0:
        device.hear(device.port.read(1, left))


def offer(device: Device, data: bytes) -> Verdict | None:
    """Send *data* to *device*, which has called; what it makes of it, in its own words."""
    return Delivery(quiet_s=_QUIET_S).run(device.port, "update.bin", data, on_text=device.hear, called=True)


@dataclass(kw_only=True)
class Subject:
    """*release*, and what is needed to run it.

    *keys* of its product; without the signing key what has to be signed is not run.  *bootloader*: the folder of
    `spboot build`, or None.  Raises BuildError, BoardError: what does not belong together."""

    release: Release
    board: Board
    keys: Keys
    bootloader: Path | None = None
    gaps: list[str] = field(default_factory=list)
    """What was not run, and why."""

    def __post_init__(self) -> None:
        if self.board.name != self.release.board:
            raise BoardError(f"the release is for {self.release.board}, not for {self.board.name}: choose that board")
        if self.keys.product != self.release.product:
            raise BuildError(
                f"the release is of product {self.release.product}, the keys are of {self.keys.product}: give its keys"
            )
        for item in self.release.items:
            self.release.path(item)

    @cached_property
    def older(self) -> list[Release]:
        """The releases beside it that are below it, lowest first."""
        kept = releases.all_in(self.release.folder.parent, name=self.release.name, board=self.release.board)
        return [each for each in kept if each.version < self.release.version]

    @property
    def base(self) -> Release | None:
        """The newest of these."""
        return self.older[-1] if self.older else None

    @cached_property
    def image(self) -> Image:
        """Its application."""
        return Image.load(self.release.path(self.release.application), self.board, self.release.version)

    def data(self, item: Item) -> bytes:
        """The bytes of a file of the release."""
        return disk.read(self.release.path(item))

    def given(self, item: Item) -> Input:
        """A file of the release as input of a run."""
        return Input(name=item.file, sha256=item.sha256)

    def factory_item(self, release: Release) -> Item:
        """The factory file of *release* as Intel HEX.  Raises BuildError."""
        for item in release.factory:
            if item.file.endswith(".hex"):
                return item
        raise BuildError(f"release {release.version} has no factory file that ends in .hex: make it again")

    def factory(self, release: Release) -> Program:
        """What a device of *release* leaves production with."""
        return program.load(release.path(self.factory_item(release)), self.board.bootloader.address)

    @property
    def bare(self) -> Program:
        """The bootloader alone."""
        area = self.board.bootloader
        data = self.factory(self.release).run_at(area.address)[: area.size]
        return Program(kind="bootloader", segments=(Segment(area.address, Secret(data)),))

    @cached_property
    def before(self) -> Bench:
        """A device that has the newest older release; the bootloader alone where there is none."""
        return self.bench(self.base)

    def bench(self, has: Release | None) -> Bench:
        """A device that left production with *has*; with the bootloader alone where that is None."""
        return Bench(self.board, self.factory(has) if has else self.bare, str(has.version) if has else None)

    def device_input(self, has: Release | None) -> Input:
        """What a device that left production with *has*, or without an application, was programmed with."""
        if has is not None:
            return self.given(self.factory_item(has))
        item = self.factory_item(self.release)
        return Input(name=f"{item.file}, its bootloader alone", sha256=item.sha256)

    @staticmethod
    def device_words(has: Release | None) -> str:
        """That device, in words."""
        return f"a device with {has.version}" if has else "a device without an application"

    @cached_property
    def after(self) -> Bench:
        """A device that has this release."""
        return self.bench(self.release)

    @property
    def can_sign(self) -> bool:
        """Whether files can be signed for this product here."""
        return self.keys.signing is not None and not isinstance(self.keys.signing, LockedKey)

    @cached_property
    def stranger(self) -> Keys:
        """Keys of the same name of which the device knows nothing: the same for each dossier of this release."""
        seed = hashlib.sha256(f"a stranger's key for {self.release.image.sha256}".encode()).digest()
        signing = ec.derive_private_key(int.from_bytes(seed, "big") % (ORDER - 1) + 1, ec.SECP256R1())
        return replace(self.keys, signing=FolderKey(signing), verify=signing.public_key())
