"""What a device takes from a USB stick: the rules of firmware/usb/stick.c, over a folder of files.

The device judges again what is here, with its own keys: this tells, and decides nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from spboot import choice, disk
from spboot.boards import Board
from spboot.choice import Installed, Refusals
from spboot.errors import AuthenticationError, FormatError
from spboot.formats import payload
from spboot.formats.manifest import IMAGE_MIN, Extension, base_hash, name_id
from spboot.formats.signature import SIGNATURE_SIZE
from spboot.formats.spec import record, spec
from spboot.keys import Keys
from spboot.release import Artefact
from spboot.version import Version

FITS: Final = "fits"
TRIED: Final = "failed before, passed over"
TRIES: Final = 2
"""Files of a stick that a device begins, until it starts anew."""
MOST: Final = 256
"""Files of a stick that a device looks at."""
_NAME: Final = re.compile(r"(?!\.).*\.sfbp?", re.IGNORECASE | re.DOTALL)
_SENTENCES: Final[dict[str, str]] = dict(spec()["status"]["codes"])
_MANIFEST: Final = spec()["manifest"]
_SHAPELESS: Final = frozenset({"INVALID_PATCH_IMAGE", "UNSUPPORTED"})
"""Refusals of what is no manifest: its versions mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An update file, and what a device says of it.  *version*, *base* and *hash*: of the image in it, and the one that
    it starts from; None where it is no update, or starts from none."""

    path: Path
    size: int
    verdict: str
    version: Version | None = None
    base: Version | None = None
    hash: bytes = b""

    @property
    def fits(self) -> bool:
        """Whether the device would take it, were it alone."""
        return self.verdict == FITS

    def __str__(self) -> str:
        versions = [str(each) for each in (self.version, self.base) if each is not None]
        return ": ".join([self.path.name, *([" for ".join(versions)] if versions else []), self.verdict])


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look of a device at a stick: the files, each with its verdict, which is taken, and why that fails; "" when
    it does not."""

    installed: Installed
    files: tuple[File, ...]
    taken: File | None
    failure: str = ""


def chain(folder: Path, board: Board, keys: Keys, installed: Installed) -> tuple[Look, ...]:
    """What a device does with the stick whose files are in *folder*, look for look, until it takes nothing any more.

    Whoever signed for *keys* is trusted.  Raises DiskError, FormatError: more files than a device looks at."""
    looks: list[Look] = []
    tried: list[Path] = []
    while len(tried) < TRIES:
        files = look(folder, board, keys.product, installed, tried)
        taken = best(files)
        failure = _failure(taken.path, keys) if taken else ""
        looks.append(Look(installed=installed, files=files, taken=taken, failure=failure))
        if taken is None:
            break
        if failure:
            tried.append(taken.path)
        else:
            assert taken.version is not None
            installed, tried = Installed(version=taken.version, hash=taken.hash), []
    return tuple(looks)


def look(
    folder: Path, board: Board, product: str, installed: Installed, tried: Sequence[Path] = ()
) -> tuple[File, ...]:
    """Each update file in *folder*, by name, with the verdict of a device that has *installed*; those that were *tried*
    are passed over.  Raises DiskError, FormatError."""
    try:
        paths = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_file())
    except OSError as error:
        raise disk.DiskError(f"{folder}: cannot be read: {disk.reason(error)}") from None
    if len(paths) > MOST:
        raise FormatError(f"{folder} has {len(paths)} update files, a device looks at {MOST}: remove old ones")
    files = (judge(path, disk.read(path), board, product, installed) for path in paths)
    return tuple(replace(file, verdict=TRIED) if file.fits and file.path in tried else file for file in files)


def best(files: Sequence[File]) -> File | None:
    """The one that a device takes: of the highest version, and of those the smallest; None: it takes none."""
    return choice.best(file for file in files if file.fits)


def judge(path: Path, data: bytes, board: Board, product: str, installed: Installed) -> File:
    """What a device with *installed* says of the file with *data*, as far as its manifest tells."""
    two = board.slot0.rest is not None
    head = record("manifest").size + (record("extension").size if two else 0)
    if len(data) < head + SIGNATURE_SIZE:
        return File(path=path, size=len(data), verdict=_SENTENCES["INVALID_PATCH_IMAGE"])
    m = record("manifest").unpack(data)
    if two:
        m |= record("extension").unpack(data[record("manifest").size :])
    refusals = (
        *_shape(m, two),
        *_fits(m, board, product),
        *_follows(m, board, installed),
        ("TOO_FEW_BYTES", len(data) < head + SIGNATURE_SIZE + m["payload_size"]),
        ("TOO_MANY_BYTES", len(data) > head + SIGNATURE_SIZE + m["payload_size"]),
    )
    status = next((name for name, refused in refusals if refused), "")
    file = File(path=path, size=len(data), verdict=_SENTENCES[status] if status else FITS)
    if status in _SHAPELESS:
        return file
    external = Extension(size=m["external_size"], hash=m["external_hash"]) if two else None
    base = Version.unpack(m["base_version"]) if m["base_version"] else None
    version = Version.unpack(m["version"])
    return replace(file, version=version, base=base, hash=base_hash(m["image_hash"], external))


def _shape(m: dict[str, Any], two: bool) -> Refusals:
    """As spb_manifest_shape() of firmware/core/manifest.c, and what no slot can take."""
    kind = (m["kind"] & ~_MANIFEST["kind_trial"]) ^ (_MANIFEST["kind_external"] if two else 0)
    last = m["payload_size"] % payload.CHUNK_SIZE
    extra = (m["signature_count"], m["key_index"], m["trailer_size"])
    yield "INVALID_PATCH_IMAGE", m["magic"] != _MANIFEST["magic"]
    yield "UNSUPPORTED", m["format"] != spec()["format"] or kind > _MANIFEST["kind_patch"]
    yield "UNSUPPORTED", extra != (_MANIFEST["signature_count"], 0, 0)
    yield "UNSUPPORTED", two and (m["leaf_log2"], any(m["zero"])) != (spec()["extension"]["leaf_log2"], False)
    yield "INVALID_PATCH_IMAGE", not 1 <= last <= payload.DATA_SIZE
    based = m["base_version"] != 0 or any(m["base_hash"])
    yield "INVALID_PATCH_IMAGE", kind == _MANIFEST["kind_image"] and based


def _fits(m: dict[str, Any], board: Board, product: str) -> Refusals:
    """As spb_manifest_fits() does."""
    rest = board.slot0.rest
    yield "IMAGE_TOO_LARGE", m["payload_size"] > 2 * board.slot0.whole
    yield "INVALID_SECTION_KEY", m["product"] != name_id(product)
    yield "WRONG_BOARD", m["target"] != name_id(board.name)
    yield "IMAGE_TOO_LARGE", m["image_size"] > board.image_capacity
    yield "IMAGE_TOO_LARGE", rest is not None and m["external_size"] > rest.size
    yield "IMAGE_TOO_SMALL", m["image_size"] < IMAGE_MIN


def _follows(m: dict[str, Any], board: Board, installed: Installed) -> Refusals:
    """As the engine does."""
    patch = m["kind"] & _MANIFEST["kind_mask"] == _MANIFEST["kind_patch"]
    base = (Version.unpack(m["base_version"]), m["base_hash"]) if patch else None
    return choice.follows(installed, Version.unpack(m["version"]), base, single_slot=board.slot1 is None)


def _failure(path: Path, keys: Keys) -> str:
    """Why a device that trusts *keys* ends an update with this file: a sentence, "" when it does not."""
    artefact = Artefact.parse(disk.read(path))
    try:
        list(payload.chunks(artefact.wire, artefact.header.chunk_hash))
    except AuthenticationError:
        return _SENTENCES["INVALID_PATCH_TAG"]
    try:
        keys.check(artefact.digest, artefact.header.signature)
    except AuthenticationError:
        return _SENTENCES["IMAGE_VERIFY_ALG_FAILURE"]
    return ""
