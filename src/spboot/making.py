"""Makes everything that a version of an application needs, in one folder: factory file, full image, and a patch from
each release that devices may run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from spboot import disk, release, releases
from spboot.boards import Board
from spboot.builder import bootloader
from spboot.builder.merge import merge
from spboot.device.forecast import forecast, line_seconds
from spboot.errors import VersionError
from spboot.image import Image
from spboot.keys import Keys
from spboot.release import Unsigned
from spboot.releases import Item, Release
from spboot.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What a release is made of.

    >>> making = Making(app=Path("lamp-1.1.0.elf"), board=board, keys=keys, version=Version(1, 1, 0), name="lamp",
    ...                 bootloader=Path("boot"))
    >>> making.stem
    'lamp_NUCLEO-L476RG_1.1.0'
    """

    app: Path
    board: Board
    keys: Keys
    version: Version
    name: str
    """In front of the names of files."""
    bootloader: Path
    """File of the bootloader, or the folder that `spboot build` wrote it to."""
    git: str | None = None
    """What `git describe` says, for release.json."""
    dirty: bool = False
    """Whether names of files say that it is of no commit."""

    @property
    def stem(self) -> str:
        """What the names of its files begin with, and its folder's name."""
        return f"{self.name}_{self.board.name}_{self.version}{'-dirty' if self.dirty else ''}"


def postbuild(
    making: Making,
    folder: Path,
    bases: Sequence[Release] = (),
    *,
    jobs: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
    warn: Callable[[Sequence[str]], None] = lambda _: None,
) -> Release:
    """Make the release folder of *making* in *folder*, with a patch from each of *bases* that is below it.

    The folder of an earlier build of the same version is replaced, whole or not at all.  *jobs*: patches made at a
    time.  *tell* gets a sentence for each file, *warn* those of `Image.warnings`.  Raises BuildError: no bootloader, or
    one of other keys; FormatError; VersionError; KeyFolderError; DiskError.

    >>> making = Making(app=Path("lamp-1.1.0.elf"), board=board, keys=keys, version=Version(1, 1, 0), name="lamp",
    ...                 bootloader=Path("boot"))
    >>> made = postbuild(making, Path("out"), [Release.load("releases/lamp_NUCLEO-L476RG_1.0.0")])
    >>> made.patches[0].file
    'lamp_NUCLEO-L476RG_1.0.0_to_1.1.0.sfbp'
    """
    image = Image.load(making.app, making.board, making.version)
    warn(image.warnings)
    boot = bootloader.needed(making.bootloader, making.board)
    with disk.new_folder(folder / making.stem) as part:
        update = release.full_image(image, keys=making.keys)
        items = [
            *_factory(making, boot, image, update, part),
            _image(making, image, update, part),
            *_patches(making, image, bases, part, jobs),
            _application(making, part),
        ]
        for each in items:
            tell(f"{each.file}: {each.size:,} bytes")
        made = Release(
            folder=folder / making.stem,
            name=making.name,
            board=making.board.name,
            product=making.keys.product,
            version=making.version,
            git=making.git,
            development=making.keys.development,
            items=tuple(items),
        )
        disk.write(part / releases.FILE, made.text().encode())
    return made


def check_release(making: Making, kept: Sequence[Release]) -> None:
    """Refuse what devices in the field must not get: development keys, uncommitted files, a version twice.

    *kept*: the releases that there are.  Raises KeyFolderError, VersionError."""
    making.keys.check_release()
    if making.dirty:
        raise VersionError(
            f"files differ from the commit, so nobody could build {making.version} again: commit them, or allow it "
            "with --allow-dirty"
        )
    for each in kept:
        if each.version == making.version:
            raise VersionError(
                f"{making.version} was released already ({each.folder}), and a device knows one firmware by a version: "
                f"commit and tag a higher one, or remove that folder if no device ever got it"
            )


def _factory(making: Making, boot: Path, image: Image, update: bytes, part: Path) -> list[Item]:
    """.hex and .elf, and .bin where no large gap would have to be filled.  The signature is that of *update*: a signer
    is asked once."""
    program = merge(boot, image, keys=making.keys, update=update)
    memories = {making.board.memory_at(segment.address) for segment in program.segments}
    suffixes = (".hex", ".bin", ".elf") if len(memories) == 1 else (".hex", ".elf")
    made = []
    for suffix in suffixes:
        path = part / f"BOOT_{making.stem}{suffix}"
        program.save(path)
        made.append(releases.item(path, "factory"))
    return made


def _image(making: Making, image: Image, update: bytes, part: Path) -> Item:
    path = part / f"{making.stem}.sfb"
    disk.write(path, update)
    return _with_cost(releases.item(path, "image"), None, image)


def _with_cost(item: Item, old: Image | None, new: Image) -> Item:
    """With pages and seconds of the update from *old*; all pages of NEW when that is nothing."""
    board = new.board
    if board.slot1 is None:
        return item
    rests = old.rest if old else b"", new.rest
    found = forecast(board, old.data if old else b"", new.data, rests=rests)
    seconds = None if found.flash_s is None else round(found.flash_s + line_seconds(board, item.size), 3)
    return replace(item, pages=found.pages, seconds=seconds)


def _patches(making: Making, new: Image, bases: Sequence[Release], part: Path, jobs: int | None) -> list[Item]:
    """From each of *bases* below *new*; none where a single slot takes none.  Signed one by one: some signers ask."""
    if making.board.slot1 is None:
        return []
    below = [base for base in bases if base.version < making.version]
    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        olds = [Image.load(base.path(base.application), making.board, base.version) for base in below]
        waiting = [pool.submit(release.unsigned_patch, old, new, keys=making.keys) for old in olds]
        try:
            return [_signed(making, old, new, each.result(), part) for old, each in zip(olds, waiting, strict=True)]
        finally:
            pool.shutdown(cancel_futures=True)


def _signed(making: Making, old: Image, new: Image, update: Unsigned, part: Path) -> Item:
    path = part / f"{making.name}_{making.board.name}_{old.version}_to_{new.version}.sfbp"
    disk.write(path, update.signed(making.keys))
    return _with_cost(releases.item(path, "patch", old.version), old, new)


def _application(making: Making, part: Path) -> Item:
    path = part / f"{making.stem}{making.app.suffix.lower()}"
    disk.write(path, disk.read(making.app))
    return releases.item(path, "application")
