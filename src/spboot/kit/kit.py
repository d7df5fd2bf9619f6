"""Makes the folder for one board: bootloader, factory file, updates, keys and instructions, whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spboot import disk, release, trial
from spboot.boards import Board
from spboot.builder import bootloader, build_record
from spboot.builder.bootloader import Bootloader
from spboot.builder.demo import build_demo, build_trial, cargo_size
from spboot.builder.merge import merge
from spboot.errors import BuildError, KeyFolderError
from spboot.image import Image
from spboot.keys import Keys
from spboot.kit import instructions
from spboot.version import Version

KEYS: Final = "development-keys"
README: Final = "README.md"
SUMS: Final = "SHA256SUMS"
PRODUCT: Final = "demo"
_OLD, _MIDDLE, _NEW, _TRIAL = (Version(1, minor, 0) for minor in range(4))
_FACTORY: Final = "factory"
BOOT: Final = "boot"
APPS: Final = "apps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A file of a kit: its name in the folder, with / on every system, and what it is for."""

    file: str
    what: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """A folder that was written for *board*; *key*: fingerprint of its keys, which are development keys."""

    folder: Path
    board: Board
    key: str
    items: tuple[Item, ...]


def write(
    board: Board,
    folder: Path,
    *,
    board_file: Path | None = None,
    again: bool = False,
    cargo: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Kit:
    """Make the kit of *board* in *folder*: the whole of it, or nothing.

    *board_file*: where *board* stands, when it is not one of ours; it gets a copy.  *again*: a kit that is there is
    replaced, and its keys stay, so that boards which were programmed from it take the new files, too.  *cargo*: bytes
    of generated firmware in the demo application, as `spboot demo` has them if not said.  *tell* gets a sentence for
    each step.  Raises BuildError: there is something in *folder*, or a compiler that fails; KeyFolderError; DiskError.

    >>> made = write(board, Path("try"))
    >>> [item.file for item in made.items if item.what.startswith("update")]
    ['demo-1.1.0.sfb', 'demo-1.2.0.sfbp', 'trial-1.3.0.sfb']
    """
    check_free(folder, again=again)
    with disk.new_folder(folder) as part:
        keys = _keys(folder, part)
        made = _Making(board, part, keys, cargo_size(board) if cargo is None else cargo, tell)
        named = f"{board.name}.toml" if board_file else board.name
        if board_file:
            disk.write(part / named, disk.read(board_file))
            made.note(named, "the board, as this spboot was told of it")
        made.build()
        facts = instructions.Facts(board=board, named=named, key=keys.fingerprint, rows=tuple(made.rows))
        disk.write(part / README, instructions.text(facts).encode())
        made.note(README, "what to do, for this board")
        items = tuple(_item(part, name, what) for name, what in made.rows)
        sums = "".join(f"{item.sha256}  {item.file}\n" for item in items)
        disk.write(part / SUMS, sums.encode())
    return Kit(folder=folder, board=board, key=keys.fingerprint, items=items)


def check_free(folder: Path, *, again: bool) -> None:
    """Refuse a *folder* in which there is something, but for a kit when *again*.  Raises BuildError."""
    if folder.exists() and not folder.is_dir():
        raise BuildError(f"{folder} is a file, expected a folder to write to: choose another one")
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / KEYS).is_dir() or not (folder / SUMS).is_file():
        raise BuildError(f"{folder} is not empty, and nothing that was made for trying a board: choose another folder")
    if not again:
        raise BuildError(
            f"{folder} has the files of an earlier run: --force makes them anew, with the same keys; "
            "or choose another folder"
        )


def _keys(folder: Path, part: Path) -> Keys:
    """Those of the kit that is in *folder*, or new ones, in *part*."""
    if not (folder / KEYS).is_dir():
        return Keys.new(part / KEYS, PRODUCT, development=True)
    kept = Keys.load(folder / KEYS, need_private=True)
    if not kept.development:
        raise KeyFolderError(f"{folder / KEYS}: these are no development keys, which a kit must not have: remove them")
    shutil.copytree(folder / KEYS, part / KEYS)
    return Keys.load(part / KEYS, need_private=True)


def _item(folder: Path, name: str, what: str) -> Item:
    data = disk.read(folder / name)
    return Item(file=name, what=what, size=len(data), sha256=hashlib.sha256(data).hexdigest())


class _Making:
    """One run: files in *part*, and a row for each."""

    def __init__(self, board: Board, part: Path, keys: Keys, cargo: int, tell: Callable[[str], None]) -> None:
        self._board, self._part, self._keys, self._cargo, self._tell = board, part, keys, cargo, tell
        self.rows: list[tuple[str, str]] = []

    def note(self, name: str, what: str) -> None:
        """Tell of a file that is there."""
        self.rows.append((name, what))
        self._tell(f"{name}: {what}")

    def build(self) -> None:
        """Everything that comes out of a compiler, a signature or both, in the order in which a page tells of it."""
        apps = self._part / APPS
        disk.make_folder(apps)
        with ThreadPoolExecutor(2) as pool:
            made = [
                pool.submit(build_demo, self._board, v, apps, cargo_size=self._cargo) for v in (_OLD, _MIDDLE, _NEW)
            ]
            if trial.room(self._board):
                made.append(pool.submit(build_trial, self._board, _TRIAL, apps))
            try:
                boot = self._bootloader()
                elfs = [each.result() for each in made]
            finally:
                pool.shutdown(cancel_futures=True)
        images = [Image.load(elf, self._board, v) for elf, v in zip(elfs, (_OLD, _MIDDLE, _NEW, _TRIAL), strict=False)]
        self._factory(boot, images[0])
        self._updates(*images)
        for elf in elfs:
            self.note(elf.relative_to(self._part).as_posix(), "an application, to debug and to make updates of")

    def _bootloader(self) -> Bootloader:
        boot = bootloader.build(self._board, self._keys, self._part / BOOT)
        for path, what in (
            (boot.hex, "the bootloader alone, for a programmer"),
            (boot.bin, f"the same, for {self._board.bootloader.address:#010x}"),
            (boot.elf, "the same, for a debugger"),
            (boot.map, "what is where in it"),
            (boot.linker_include, "for the linker script of an application of your own"),
            (boot.linker_check, "for the end of that script"),
            (boot.header, "the API of the bootloader, for an application of your own"),
            (self._part / BOOT / build_record.name_of(self._board.name), "what the bootloader was built from"),
        ):
            self.note(path.relative_to(self._part).as_posix(), what)
        return boot

    def _factory(self, boot: Bootloader, image: Image) -> None:
        program = merge(boot, image, keys=self._keys)
        what = f"bootloader and demo application {image.version}"
        uses = {".hex": "for a programmer", ".bin": "for the drive of an ST-LINK", ".elf": "for a debugger"}
        if len({self._board.chip.memory_at(segment.address) for segment in program.segments}) > 1:
            del uses[".bin"]  # a gap between two memories would have to be filled
        for suffix, use in uses.items():
            program.save(self._part / f"factory{suffix}")
            self.note(f"factory{suffix}", f"{what}, {use}")

    def _updates(self, _: Image, middle: Image, new: Image, last: Image | None = None) -> None:
        self._image(middle, "demo")
        if self._board.slot1 is None:
            self._image(new, "demo")
        else:
            name = f"demo-{new.version}.sfbp"
            disk.write(self._part / name, release.patch(middle, new, keys=self._keys))
            self.note(name, f"update from {middle.version} to {new.version}: a patch")
        if last is not None:
            self._image(last, "trial")

    def _image(self, image: Image, name: str) -> None:
        file = f"{name}-{image.version}.sfb"
        disk.write(self._part / file, release.full_image(image, keys=self._keys))
        self.note(file, f"update to {image.version} from every version below: a full image")
