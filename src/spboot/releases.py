"""Folders of releases: the files that `spboot postbuild` makes of one version, and release.json, which lists them.

releases/lamp_NUCLEO-L476RG_1.2.0/
    BOOT_lamp_NUCLEO-L476RG_1.2.0.hex .bin .elf    factory file: bootloader and application
    lamp_NUCLEO-L476RG_1.2.0.sfb                   full image
    lamp_NUCLEO-L476RG_1.1.0_to_1.2.0.sfbp         a patch from each release before
    lamp_NUCLEO-L476RG_1.2.0.elf                   the application, from which later patches start
    release.json                                   format 1: the fields of `Release` and `Item`
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from spboot import disk
from spboot.errors import AuthenticationError, FormatError, VersionError
from spboot.version import Version

FILE: Final = "release.json"
DOSSIER: Final = "dossier"
"""What `spboot dossier` writes beside it, as .md and .json."""
_FORMAT: Final = 1
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_KINDS: Final = ("factory", "image", "patch", "application")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One file of a release."""

    file: str
    kind: str
    """"factory", "image" (.sfb), "patch" (.sfbp) or "application"."""
    size: int
    sha256: str
    base: Version | None = None
    """Version that a patch starts from."""
    pages: int | None = None
    """Pages of flash that an update by it erases, in both slots;"""
    seconds: float | None = None
    """and how long transfer at the console's rate and flash take, typical of the data sheet.  Of a full image: when no
    page stays as it is.  None: a single slot, or the twin is not installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is in a release folder.

    >>> release = Release.load("releases/lamp_NUCLEO-L476RG_1.1.0")
    >>> release.version, [item.base for item in release.patches]
    (Version(major=1, minor=1, patch=0), [Version(major=1, minor=0, patch=0)])
    """

    folder: Path
    name: str
    board: str
    product: str
    version: Version
    git: str | None
    """What `git describe` said; None for a version that was given by hand."""
    development: bool
    """Whether it was made with development keys."""
    items: tuple[Item, ...]

    @property
    def image(self) -> Item:
        """The full image."""
        return next(item for item in self.items if item.kind == "image")

    @property
    def application(self) -> Item:
        """What later patches start from."""
        return next(item for item in self.items if item.kind == "application")

    @property
    def factory(self) -> tuple[Item, ...]:
        """The factory file, in each of its forms."""
        return tuple(item for item in self.items if item.kind == "factory")

    @property
    def patches(self) -> tuple[Item, ...]:
        """By the versions that they start from."""
        return tuple(item for item in self.items if item.kind == "patch")

    def path(self, item: Item) -> Path:
        """Where the file of *item* is; it is the one that was listed.  Raises AuthenticationError, DiskError."""
        path = self.folder / item.file
        found = hashlib.sha256(disk.read(path)).hexdigest()
        if found != item.sha256:
            raise AuthenticationError(
                f"{path}: SHA-256 is {found}, {FILE} has {item.sha256}: it was changed since; restore it, or make the "
                "release again"
            )
        return path

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Self:
        """Read the release.json of *folder*.  Raises FormatError: which field, what was expected; DiskError."""
        path = Path(folder) / FILE
        try:
            table = json.loads(disk.read(path))
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{path}: not a JSON file: {error}") from None
        if not isinstance(table, dict) or table.get("format") != _FORMAT:
            found = table.get("format") if isinstance(table, dict) else type(table).__name__
            raise FormatError(f"{path}: format is {found!r}, expected {_FORMAT}: use the spboot that made it")
        reader = Reader(path)
        made = cls(
            folder=Path(folder),
            **{key: reader.take(table, key, str) for key in ("name", "board", "product")},
            version=reader.version(table, "version"),
            git=None if table.get("git") is None else reader.take(table, "git", str),
            development=reader.take(table, "development", bool),
            items=tuple(reader.item(each) for each in reader.take(table, "items", list)),
        )
        for each in made.patches:
            if each.base is None or each.base >= made.version:
                raise FormatError(f"{path}: {each.file} starts from {each.base}, expected less than {made.version}")
        for kind in ("image", "application"):
            if [item.kind for item in made.items].count(kind) != 1:
                raise FormatError(f"{path}: expected one item of kind {kind!r}")
        return made

    def text(self) -> str:
        """The text of its release.json; the same release has the same text."""
        items = [
            {key: value for key, value in dataclasses.asdict(each).items() if value is not None and key != "base"}
            | ({"base": str(each.base)} if each.base else {})
            for each in self.items
        ]
        head = {"format": _FORMAT, "name": self.name, "board": self.board, "product": self.product}
        rest = {"version": str(self.version), "git": self.git, "development": self.development, "items": items}
        return json.dumps(head | rest, indent=2) + "\n"


def all_in(folder: str | os.PathLike[str], *, name: str | None = None, board: str | None = None) -> list[Release]:
    """The releases in the folders of *folder*, lowest version first, of one product *name* and *board*; an absent
    folder has none.  Raises as `Release.load`."""
    place = Path(folder)
    if not place.is_dir():
        return []
    disk.heal(place)
    found = [Release.load(file.parent) for file in sorted(place.glob(f"*/{FILE}")) if file.parent.name[0] != "."]
    mine = [each for each in found if name in (None, each.name) and board in (None, each.board)]
    return sorted(mine, key=lambda each: each.version)


class Reader:
    """Takes fields out of the JSON of the file *path*, and says what is wrong with one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def take(self, table: dict[str, Any], key: str, kind: type) -> Any:
        value = table.get(key)
        if type(value) is not kind or (isinstance(value, int) and value < 0):
            raise self._wrong(key, value, _WORDS[kind])
        return value

    def seconds(self, table: dict[str, Any]) -> float | None:
        value = table.get("seconds")
        if value is None:
            return None
        with contextlib.suppress(OverflowError):
            if type(value) in (int, float) and 0 <= float(value) < math.inf:
                return float(value)
        raise self._wrong("seconds", value, _WORDS[int])

    def _wrong(self, key: str, value: object, expected: str) -> FormatError:
        return FormatError(f"{self._path}: {key} is {value!r}, expected {expected}")

    def version(self, table: dict[str, Any], key: str) -> Version:
        try:
            return Version.parse(self.take(table, key, str))
        except VersionError as error:
            raise FormatError(f"{self._path}: {key}: {error}") from None

    def hash(self, table: dict[str, Any]) -> str:
        value = str(self.take(table, "sha256", str))
        if not _HASH.fullmatch(value):
            raise FormatError(f"{self._path}: sha256 is {value!r}, expected 64 hex digits")
        return value

    def item(self, table: Any) -> Item:
        if not isinstance(table, dict):
            raise FormatError(f"{self._path}: an item is {table!r}, expected a table")
        file, kind = self.take(table, "file", str), self.take(table, "kind", str)
        if kind not in _KINDS:
            raise FormatError(f"{self._path}: kind is {kind!r}, expected one of {', '.join(_KINDS)}")
        if not file or set(file) & set("/\\:") or file in (".", ".."):
            raise FormatError(f"{self._path}: file is {file!r}, expected a name without a folder")
        return Item(
            file=file,
            kind=kind,
            size=self.take(table, "size", int),
            sha256=self.hash(table),
            base=self.version(table, "base") if kind == "patch" else None,
            pages=None if table.get("pages") is None else self.take(table, "pages", int),
            seconds=self.seconds(table),
        )


_WORDS: Final = {
    str: "text",
    int: "a number of 0 or more",
    bool: "true or false",
    list: "a list",
}


def item(path: Path, kind: str, base: Version | None = None) -> Item:
    """The item of the file *path*."""
    data = disk.read(path)
    return Item(file=path.name, kind=kind, size=len(data), sha256=hashlib.sha256(data).hexdigest(), base=base)
