"""Two releases of an example, a device that runs the first of them, and files that it has to refuse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import spboot
from spboot import release
from spboot.boards import Board
from spboot.formats import elf
from spboot.image import Image
from spboot.keys import Keys
from spboot.releases import Release
from spboot.twin.snapshot import Snapshot
from spboot.version import Version
from tests import apps
from tests.integrations.project import Edit, Project


@dataclass(frozen=True, slots=True)
class Built:
    """A release and the .elf that it was made of."""

    release: Release
    elf: Path

    @classmethod
    def of(cls, project: Project, kind: str, version: str) -> Built:
        """What *project* has just built; its .elf is put aside."""
        build = project.folder / "build"
        return cls(project.release(kind, version), (build / "app.elf").rename(build / f"app-{version}.elf"))

    @property
    def factory(self) -> Path:
        return next(self.release.folder.glob("BOOT_*.hex"))

    @property
    def image(self) -> Path:
        return self.release.path(self.release.image)

    @property
    def patch(self) -> Path:
        (patch,) = self.release.patches
        return self.release.path(patch)

    @property
    def symbols(self) -> dict[str, int]:
        """Name -> address; of names that several files have, one of them."""
        return {each.name: each.value for each in elf.symbols(str(self.elf), self.elf.read_bytes())}

    def symbol(self, name: str) -> int:
        """The address of something that only one file has."""
        (found,) = (each.value for each in elf.symbols(str(self.elf), self.elf.read_bytes()) if each.name == name)
        return found

    def loaded(self) -> Image:
        return Image.load(self.elf, Board.load(self.release.board), str(self.release.version))

    @property
    def ram(self) -> int:
        """Bytes of .data and .bss, the stacks of tasks among them."""
        return self.symbols["_ebss"] - self.symbols["_sdata"]


def next_release(project: Project, edits: Iterable[Edit], version: str = "1.1.0") -> Built:
    """The next version, with *edits*; it is not kept."""
    project.edit(edits)
    project.commit(f"v{version}")
    project.run("cmake", "--build", "build")
    return Built.of(project, "out", version)


@dataclass(frozen=True, slots=True)
class Bench:
    """Two releases, and a device that has just started the first of them."""

    project: Project
    old: Built
    new: Built
    device: spboot.Device
    running: Snapshot

    @classmethod
    def of(cls, project: Project, old: Built, new: Built, device: spboot.Device) -> Bench:
        return cls(project, old, new, device, device.snapshot())

    @property
    def keys(self) -> Keys:
        return Keys.load(self.project.folder / "keys", need_private=True)

    @property
    def image(self) -> bytes:
        return self.new.image.read_bytes()

    @property
    def patch(self) -> bytes:
        return self.new.patch.read_bytes()

    def wrong_files(self, folder: Path) -> dict[str, tuple[bytes, str]]:
        """Name -> a file that is none for this device, and the reason that is given.  *folder*: for other keys."""
        new, keys, board = self.image, self.keys, self.project.board
        image = self.new.loaded()
        other = Keys.new(folder / "other", "torch", development=False)

        def forced(target: str = board, version: str = "1.1.0", by: Keys = keys) -> bytes:
            return apps.forced_image(image.data, target=target, keys=by, version=Version.parse(version))

        def damaged(at: int) -> bytes:
            return new[:at] + bytes((new[at] ^ 1,)) + new[at + 1 :]

        foreign = replace(image, data=image.data[:-4] + b"else", version=Version.parse("1.0.5"))
        return {
            "text": (b"no update at all\n" * 40, "not an update file"),
            "another board": (forced("NUCLEO-G0B1RE"), "update for another board"),
            "another product": (forced(by=other), "wrong signature: damaged, or another key"),
            "older": (forced(version="0.9.0"), "older than installed: give it a higher version"),
            "the same version": (self.old.image.read_bytes(), "already installed: give it a higher version"),
            "a patch from another version": (
                release.patch(foreign, image, keys=keys), "patch for another firmware: send the full image",
            ),
            "a wrong signature": (damaged(100), "wrong signature: damaged, or another key"),
            "damaged": (damaged(2000), "damaged on its way: send it again"),
            "cut short": (new[:-300], "ended early: send the whole file"),
            "with more behind it": (new + b"more", "bytes after its end: send the file alone"),
        }  # fmt: skip
