"""A folder of releases, and the cheapest way from what a device runs to the newest of them.

A release is a folder with `release.json`, which names its full image and its patches with sizes, hashes and costs."""

from __future__ import annotations

import hashlib
import heapq
import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from spboot import disk
from spboot.errors import FormatError, VersionError, named
from spboot.formats.manifest import KIND_PATCH, Manifest, name_id
from spboot.version import Version

FILE: Final = "release.json"
FORMAT: Final = 1
By = Literal["seconds", "bytes"]
"""What a way is to be short in."""
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A file of a release.  *base*: the version that a patch starts from, None for a full image.  *seconds*: what it
    takes a device, from the first byte until the new version runs."""

    path: Path
    version: Version
    base: Version | None
    size: int
    sha256: str
    seconds: float
    product: str
    board: str

    def __str__(self) -> str:
        what = "full image" if self.base is None else f"patch from {self.base}"
        return f"{self.path.name}: {what} to {self.version}, {self.size:,} bytes, {self.seconds:.0f} s"

    def read(self) -> bytes:
        """Its bytes, which are those that `release.json` means.  Raises FormatError, DiskError."""
        data = disk.read(self.path)
        if len(data) != self.size:
            raise FormatError(f"{self.path} has {len(data)} bytes, {FILE} says {self.size}: get the release again")
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise FormatError(f"{self.path} has another hash than {FILE} says: get the release again")
        with named(self.path):
            manifest = Manifest.parse(data)
        found = {
            "version": Version.unpack(manifest.version),
            "base": Version.unpack(manifest.base_version) if manifest.kind == KIND_PATCH else None,
            "product": manifest.product,
            "board": manifest.target,
        }
        told = {
            "version": self.version,
            "base": self.base,
            "product": name_id(self.product),
            "board": name_id(self.board),
        }
        wrong = [name for name in told if told[name] != found[name]]
        if wrong:
            raise FormatError(f"{self.path} has another {' and '.join(wrong)} than {FILE} says: make the release again")
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version of a product for one board."""

    folder: Path
    name: str
    board: str
    product: str
    version: Version
    full: Update
    patches: tuple[Update, ...]

    @classmethod
    def load(cls, folder: Path) -> Release:
        """The release in *folder*.  Raises FormatError: field, what was found and what is expected; DiskError."""
        return _Reader(folder).release()


def releases(folder: Path) -> tuple[Release, ...]:
    """The release in *folder*, or those in the folders below it, by version; all of one product for one board.

    Raises FormatError, DiskError."""
    if (folder / FILE).exists():
        return (Release.load(folder),)
    try:
        below = sorted(path.parent for path in folder.glob(f"*/{FILE}"))
    except OSError:
        below = []
    if not below:
        raise FormatError(f"{folder} has no {FILE}, nor has a folder in it: give the folder of a release")
    found = sorted((Release.load(path) for path in below), key=lambda release: release.version)
    for one, other in itertools.pairwise(found):
        for name in ("product", "board"):
            if getattr(one, name) != getattr(other, name):
                raise FormatError(
                    f"{folder}: {one.folder.name} is for {name} {getattr(one, name)}, {other.folder.name} for "
                    f"{getattr(other, name)}: keep them in folders of their own"
                )
        if one.version == other.version:
            raise FormatError(
                f"{folder}: {one.folder.name} and {other.folder.name} are both {one.version}: remove one of them"
            )
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What to send, in this order, to a device with *installed*, None when that is not known.  No step: it is up to
    date."""

    installed: Version | None
    version: Version
    steps: tuple[Update, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(step.size for step in self.steps)

    @property
    def seconds(self) -> float:
        """Of all steps."""
        return sum(step.seconds for step in self.steps)

    def __str__(self) -> str:
        if not self.steps:
            return f"{self.version} is installed already"
        patches = sum(step.base is not None for step in self.steps)
        parts = ["full image"] * (len(self.steps) - patches)
        parts += [f"{patches} patches" if patches > 1 else "patch"] * (patches > 0)
        start = self.installed or "an unknown version"
        return f"{start} -> {self.version} by {' and '.join(parts)}: {self.size:,} bytes, {self.seconds:.0f} s"


def route(found: Sequence[Release], installed: Version | None, by: By = "seconds") -> Route:
    """The way from *installed* to the newest of *found* that is shortest *by* seconds or bytes; of two equal ones that
    with fewer files.  Patches start from a known version only.

    Raises VersionError when *installed* is newer than all of them.

    >>> route(releases(Path("releases")), Version(1, 0, 0)).steps[0].path.name
    'lamp-1.0.0-1.1.0.sfbp'
    """
    goal = max(release.version for release in found)
    if installed is not None and installed > goal:
        raise VersionError(f"the device has {installed}, and takes nothing older: {goal} is the newest release here")
    count = itertools.count()  # decides between equals, as updates have no order
    paths: list[tuple[float, int, int, Version | None, tuple[Update, ...]]] = [(0.0, 0, next(count), installed, ())]
    done: set[Version | None] = set()
    while paths:
        cost, _, _, at, steps = heapq.heappop(paths)
        if at == goal:
            return Route(installed=installed, version=goal, steps=steps)
        if at in done:
            continue
        done.add(at)
        for update in _next(found, at):
            more = update.seconds if by == "seconds" else update.size
            heapq.heappush(paths, (cost + more, len(steps) + 1, next(count), update.version, (*steps, update)))
    raise AssertionError("a full image leads from everywhere to every newer version")


def _next(found: Iterable[Release], at: Version | None) -> Iterator[Update]:
    """The updates that a device with *at* takes."""
    for release in found:
        if at is None or release.version > at:
            yield release.full
        yield from (patch for patch in release.patches if at is not None and patch.base == at)


class _Reader:
    """Reads one `release.json`; keys that it does not know are left to those who do."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / FILE

    def release(self) -> Release:
        try:
            facts = json.loads(disk.read(self._path))
        except (ValueError, RecursionError) as error:
            raise self._fail(f"is not JSON: {error}") from None
        if not isinstance(facts, dict) or facts.get("format") != FORMAT:
            found = facts.get("format") if isinstance(facts, dict) else facts
            raise self._fail(f"format is {found!r}, expected {FORMAT}: it is of another release of spboot")
        self._name, self._board, self._product = (self._text(facts, key) for key in ("name", "board", "product"))
        self._version = self._parsed(facts, "version", "")
        patches = facts.get("patches")
        if not isinstance(patches, list):
            raise self._fail(f"patches is {patches!r}, expected a list")
        return Release(
            folder=self._folder,
            name=self._name,
            board=self._board,
            product=self._product,
            version=self._version,
            full=self._update(facts.get("full"), "full", patch=False),
            patches=tuple(self._update(each, f"patches[{n}]", patch=True) for n, each in enumerate(patches)),
        )

    def _update(self, facts: Any, where: str, *, patch: bool) -> Update:
        if not isinstance(facts, dict):
            raise self._fail(f"{where} is {facts!r}, expected a table")
        base = self._parsed(facts, "from", f"{where}.") if patch else None
        if base is not None and base >= self._version:
            raise self._fail(f"{where}.from is {base}, expected a version below {self._version}")
        name, sha256 = self._text(facts, "file", f"{where}."), self._text(facts, "sha256", f"{where}.")
        if set(name) & set("/\\:") or name in (".", ".."):
            raise self._fail(f"{where}.file is {name!r}, expected the name of a file in this folder")
        if not _HASH.fullmatch(sha256):
            raise self._fail(f"{where}.sha256 is {sha256!r}, expected 64 hex digits")
        if patch:
            self._number(facts, "pages", where, whole=True)
        return Update(
            path=self._folder / name,
            version=self._version,
            base=base,
            size=int(self._number(facts, "size", where, whole=True)),
            sha256=sha256,
            seconds=self._number(facts, "seconds", where, whole=False),
            product=self._product,
            board=self._board,
        )

    def _text(self, facts: dict[str, Any], key: str, where: str = "") -> str:
        value = facts.get(key)
        if not isinstance(value, str) or not value:
            raise self._fail(f"{where}{key} is {value!r}, expected a text")
        return value

    def _parsed(self, facts: dict[str, Any], key: str, where: str) -> Version:
        text = self._text(facts, key, where)
        try:
            return Version.parse(text)
        except VersionError as error:
            raise self._fail(f"{where}{key}: {error}") from None

    def _number(self, facts: dict[str, Any], key: str, where: str, *, whole: bool) -> float:
        value = facts.get(key)
        kinds = (int,) if whole else (int, float)
        if not isinstance(value, kinds) or isinstance(value, bool) or not math.isfinite(value) or value < 0:
            raise self._fail(f"{where}.{key} is {value!r}, expected a {'whole ' if whole else ''}number from 0 on")
        return float(value)

    def _fail(self, why: str) -> FormatError:
        return FormatError(f"{self._path}: {why}")
