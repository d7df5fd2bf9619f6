"""A fleet's updates as a folder that any web server can serve, with an index by which each device gets its own.

SITE/index.json                                   format 1: the fields of `Entry`
SITE/3f0c9a61d2b84e57/lamp_..._1.1.0_to_1.2.0.sfbp   below the first digits of its SHA-256: no name ever has other bytes

Nothing else of a release goes there: factory files have keys in them, and an application is not encrypted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from spboot import choice, disk, releases
from spboot import release as _release
from spboot.choice import Installed
from spboot.errors import FormatError, VersionError
from spboot.formats.manifest import BASE_HASH_SIZE, Manifest
from spboot.keys import Keys
from spboot.releases import Item, Reader, Release
from spboot.route import Update
from spboot.version import Version

INDEX: Final = "index.json"
INDEX_MAX: Final = 16 << 20
"""Bytes of an index at most: some 40,000 updates."""
_FORMAT: Final = 1
_FOLDER_DIGITS: Final = 16
FILE: Final = re.compile(r"[0-9a-f]{16}/[^/\\:.][^/\\:]*\.sfbp?")
"""What a file of a site may be called, seen from it."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_BASE_DIGEST: Final = re.compile(rf"[0-9a-f]{{{BASE_HASH_SIZE}}}|[0-9a-f]{{{2 * BASE_HASH_SIZE}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One device of a fleet, as it describes itself."""

    product: str
    board: str
    installed: Installed

    @classmethod
    def parse(cls, told: dict[str, Any]) -> Self:
        """By the texts that a device told of itself: product, board, version, and, where it has it, digest: the SHA-256
        of its image (ActiveFwTag of SE_APP_GetActiveFwInfo).  Raises FormatError: which, and what was expected."""
        for key in ("product", "board", "version"):
            if not isinstance(told.get(key), str) or not told[key]:
                raise FormatError(f"the device's {key} is {told.get(key)!r}, expected text")
        digest = told.get("digest") or None
        if digest is not None and not (isinstance(digest, str) and _DIGEST.fullmatch(digest.lower())):
            raise FormatError(f"the device's digest is {digest!r}, expected 64 hex digits, or none")
        try:
            version = Version.parse(told["version"])
        except VersionError as error:
            raise FormatError(f"the device's version: {error}") from None
        hash = None if digest is None else bytes.fromhex(digest)
        return cls(product=told["product"], board=told["board"], installed=Installed(version=version, hash=hash))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One update of the index.  *base* and *base_digest*: the version that a patch starts from, and what the SHA-256 of
    that image begins with; None of a full image."""

    file: str
    size: int
    sha256: str
    product: str
    board: str
    version: Version
    base: Version | None = None
    base_digest: str | None = None

    @classmethod
    def of(cls, release: Release, item: Item, data: bytes) -> Self:
        """*item* of *release*, whose bytes are *data*.  Raises FormatError: they are not what release.json says."""
        return cls(
            file=f"{item.sha256[:_FOLDER_DIGITS]}/{item.file}",
            size=item.size,
            sha256=item.sha256,
            product=release.product,
            board=release.board,
            version=release.version,
            base=item.base,
            base_digest=_base_digest(Update.of(release, item).check(data)),
        )

    def fits(self, member: Member) -> bool:
        """Whether *member* takes it."""
        base = None if self.base is None else (self.base, bytes.fromhex(self.base_digest or ""))
        own = (self.product, self.board) == (member.product, member.board)
        return own and not any(refused for _, refused in choice.follows(member.installed, self.version, base))

    def check(self, data: bytes, keys: Keys) -> None:
        """Raise unless *data* is this update, whole, and signed for *keys*, of which the public ones do: what a gateway
        looks at before it passes anything on.  FormatError, AuthenticationError."""
        update = Update(
            path=Path(self.file), version=self.version, base=self.base, size=self.size, sha256=self.sha256, seconds=0,
            product=self.product, board=self.board,
        )  # fmt: skip
        if _base_digest(update.check(data, INDEX)) != self.base_digest:
            raise FormatError(f"{self.file} starts from another image than {INDEX} says: publish the release again")
        _release.verify(data, keys)

    def facts(self) -> dict[str, object]:
        """Its fields for JSON."""
        base = {} if self.base is None else {"base": str(self.base), "base_digest": self.base_digest}
        head = {"product": self.product, "board": self.board, "version": str(self.version)}
        return head | base | {"file": self.file, "size": self.size, "sha256": self.sha256}


def _base_digest(manifest: Manifest) -> str | None:
    """What a device can tell of the base: of an image in two parts it knows the digest of the first one."""
    if not manifest.base_version:
        return None
    return manifest.base_hash[: BASE_HASH_SIZE // (2 if manifest.external else 1)].hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """All updates of a site, of any number of products and boards."""

    entries: tuple[Entry, ...] = ()

    def choose(self, member: Member) -> Entry | None:
        """The update that *member* gets: to the newest version that there is for it, by the smallest file; None: it is
        up to date, or nothing is for it."""
        return choice.best(each for each in self.entries if each.fits(member))

    def text(self) -> str:
        """The text of index.json; the same index has the same text."""
        return json.dumps({"format": _FORMAT, "updates": [each.facts() for each in self.entries]}, indent=1) + "\n"

    @classmethod
    def parse(cls, data: bytes, name: str = INDEX) -> Self:
        """Read the bytes of an index that is called *name*.  Raises FormatError: which field, what was expected."""
        if len(data) > INDEX_MAX:
            raise FormatError(f"{name} has {len(data)} bytes, expected at most {INDEX_MAX}")
        try:
            table = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{name}: not a JSON file: {error}") from None
        if not isinstance(table, dict) or table.get("format") != _FORMAT:
            found = table.get("format") if isinstance(table, dict) else type(table).__name__
            raise FormatError(f"{name}: format is {found!r}, expected {_FORMAT}: use the spboot that made it")
        reader = Reader(Path(name))
        return cls(entries=tuple(_entry(reader, name, each) for each in reader.take(table, "updates", list)))

    @classmethod
    def load(cls, site: Path) -> Self:
        """The index of the folder *site*; of one that has none yet an empty one.  Raises FormatError, DiskError."""
        path = site / INDEX
        return cls.parse(disk.read(path), str(path)) if path.exists() else cls()


def _entry(reader: Reader, name: str, table: Any) -> Entry:
    if not isinstance(table, dict):
        raise FormatError(f"{name}: an update is {table!r}, expected a table")
    file = reader.take(table, "file", str)
    if not FILE.fullmatch(file):
        raise FormatError(f"{name}: file is {file!r}, expected 16 hex digits, a slash and the name of an update")
    base = reader.version(table, "base") if "base" in table else None
    digest = reader.take(table, "base_digest", str) if base else None
    if digest is not None and not _BASE_DIGEST.fullmatch(digest):
        raise FormatError(f"{name}: base_digest is {digest!r}, expected 8 or 16 hex digits")
    return Entry(
        file=file,
        size=reader.take(table, "size", int),
        sha256=reader.hash(table),
        product=reader.take(table, "product", str),
        board=reader.take(table, "board", str),
        version=reader.version(table, "version"),
        base=base,
        base_digest=digest,
    )


def publish(folders: Sequence[Path], site: Path, keys: Keys) -> Index:
    """Put the updates of the releases in *folders* into *site*; the index.  Of the product of *keys*, of which the
    public ones do, it lists these and no others; what it says of other products stays.

    Each file has to be what its release.json says, and signed for *keys*.  Files come first and the index last, at one
    stroke: a server may go on meanwhile, and who is in the middle of an earlier file can end with it.  Raises
    FormatError, AuthenticationError, DiskError."""
    _check_site(site)
    found = [each for folder in folders for each in _releases(folder)]
    _check_versions(found)
    made = []
    for each in found:
        for item in (each.image, *each.patches):
            data = disk.read(each.folder / item.file)
            made.append((Entry.of(each, item, data), data))
            _release.verify(data, keys)
    disk.make_folder(site)
    with disk.alone(site / INDEX, wait=True):
        for entry, data in made:
            disk.make_folder((site / entry.file).parent)
            disk.write_changed(site / entry.file, data)
        others = [each for each in Index.load(site).entries if each.product != keys.product]
        entries = sorted([*others, *(entry for entry, _ in made)], key=_order)
        index = Index(entries=tuple(entries))
        disk.write_changed(site / INDEX, index.text().encode())
    return index


def _order(entry: Entry) -> tuple[str, str, int, str]:
    """Newest first, for each board of a product."""
    return entry.product, entry.board, -entry.version.pack(), entry.file


def _releases(folder: Path) -> list[Release]:
    """The release in *folder*, or those in the folders below it."""
    if (folder / releases.FILE).exists():
        return [Release.load(folder)]
    found = releases.all_in(folder)
    if not found:
        raise FormatError(f"{folder} has no {releases.FILE}, nor has a folder in it: give the folder of a release")
    return found


def _check_site(site: Path) -> None:
    """A web server would give away the keys in factory files."""
    if any(site.glob(releases.FILE)) or any(site.glob(f"*/{releases.FILE}")):
        raise FormatError(
            f"{site} has releases in it, whose factory files are not to be served: choose another folder for the site"
        )


def _check_versions(found: Iterable[Release]) -> None:
    seen: dict[tuple[str, str, Version], Release] = {}
    for each in found:
        other = seen.setdefault((each.product, each.board, each.version), each)
        if other is not each:
            raise FormatError(
                f"{other.folder} and {each.folder} are both {each.version} for {each.board}: remove one of them"
            )
