"""The cheapest way from what a device runs to the newest of some releases."""

from __future__ import annotations

import hashlib
import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self

from spboot import disk
from spboot.errors import FormatError, VersionError, named
from spboot.formats.manifest import KIND_PATCH, Manifest, name_id
from spboot.releases import FILE, Item, Release, all_in
from spboot.version import Version

By = Literal["seconds", "bytes"]
"""What a way is to be short in."""
_LINE_BYTES_S: Final = 11_520
"""Of a line with 115,200 baud, where nobody measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A file of a release that devices take.  *base*: the version that a patch starts from, None for a full image.
    *seconds*: what transfer and flash take; of the transfer alone where that was not measured."""

    path: Path
    version: Version
    base: Version | None
    size: int
    sha256: str
    seconds: float
    product: str
    board: str

    @classmethod
    def of(cls, release: Release, item: Item) -> Self:
        """The update that *item* of *release* is."""
        seconds = item.size / _LINE_BYTES_S if item.seconds is None else item.seconds
        return cls(
            path=release.folder / item.file,
            version=release.version,
            base=item.base,
            size=item.size,
            sha256=item.sha256,
            seconds=seconds,
            product=release.product,
            board=release.board,
        )

    def __str__(self) -> str:
        what = "full image" if self.base is None else f"patch from {self.base}"
        return f"{self.path.name}: {what} to {self.version}, {self.size:,} bytes, {self.seconds:.1f} s"

    def read(self) -> bytes:
        """Its bytes, which are those that `release.json` means.  Raises FormatError, DiskError."""
        data = disk.read(self.path)
        self.check(data)
        return data

    def check(self, data: bytes, listed: str = FILE) -> Manifest:
        """The manifest of *data*, which are the bytes that the list *listed* means.  Raises FormatError."""
        if len(data) != self.size:
            raise FormatError(f"{self.path} has {len(data)} bytes, {listed} says {self.size}: get the release again")
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise FormatError(f"{self.path} has another hash than {listed} says: get the release again")
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
            raise FormatError(
                f"{self.path} has another {' and '.join(wrong)} than {listed} says: make the release again"
            )
        return manifest


def releases(folder: Path) -> tuple[Release, ...]:
    """The release in *folder*, or those in the folders below it, by version; all of one product for one board.

    Raises FormatError, DiskError."""
    if (folder / FILE).exists():
        return (Release.load(folder),)
    found = all_in(folder)
    if not found:
        raise FormatError(f"{folder} has no {FILE}, nor has a folder in it: give the folder of a release")
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
        return f"{start} -> {self.version} by {' and '.join(parts)}: {self.size:,} bytes, {self.seconds:.1f} s"


def route(found: Sequence[Release], installed: Version | None, by: By = "seconds") -> Route:
    """The way from *installed* to the newest of *found* that is shortest *by* seconds or bytes; of two equal ones that
    with fewer files.  Where *installed* is not known it is the full image.

    Raises VersionError when *installed* is newer than all of them.

    >>> route(releases(Path("releases")), Version(1, 0, 0)).steps[0].path.name
    'lamp-1.0.0-1.1.0.sfbp'
    """
    newest = max(found, key=lambda release: release.version)
    goal = newest.version
    if installed is None:
        return Route(installed=None, version=goal, steps=(Update.of(newest, newest.image),))
    if installed > goal:
        raise VersionError(f"the device has {installed}, and takes nothing older: {goal} is the newest release here")
    count = itertools.count()  # decides between equals, as updates have no order
    paths: list[tuple[float, int, int, Version, tuple[Update, ...]]] = [(0.0, 0, next(count), installed, ())]
    done: set[Version] = set()
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


def _next(found: Iterable[Release], at: Version) -> Iterator[Update]:
    """The updates that a device with *at* takes."""
    for release in found:
        if release.version > at:
            yield Update.of(release, release.image)
        yield from (Update.of(release, patch) for patch in release.patches if patch.base == at)
