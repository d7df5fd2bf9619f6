"""Real firmware to make patches of: releases of an npm package, fetched by npm and known by their SHA-256."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from spboot.errors import SpbootError

_HERE: Final = Path(__file__).resolve().parent
FOLDER: Final = _HERE / "corpus"
_TABLE: Final[dict[str, Any]] = tomllib.loads((_HERE / "corpus.toml").read_text(encoding="utf-8"))


class CorpusError(SpbootError):
    """The corpus cannot be had, or is not what it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two releases of one hub.  *base*: the address both are linked at."""

    name: str
    hub: str
    old: str
    new: str
    base: int


def pairs() -> list[Pair]:
    """All pairs, hub by hub, from the table."""
    return [
        Pair(name=f"{hub}-{old}-{new}", hub=hub, old=old, new=new, base=facts["base"])
        for hub, facts in _TABLE["hubs"].items()
        for old, new in _TABLE["steps"]
    ]


def path(hub: str, version: str) -> Path:
    """Where the checked image of *hub* in release *version* is, fetched if need be.  Raises CorpusError."""
    name = f"{hub}-{version}"
    if name not in _TABLE["images"]:
        raise CorpusError(f"{name} is not in the corpus, expected one of: {', '.join(_TABLE['images'])}")
    kept = FOLDER / f"{name}.bin"
    if not kept.exists():
        _fetch(version)
    check(name, kept.read_bytes())
    return kept


def firmware(hub: str, version: str) -> bytes:
    """The image of *hub* ("technichub": STM32L431) in release *version* of the package.  Raises CorpusError."""
    return path(hub, version).read_bytes()


def check(name: str, image: bytes) -> None:
    """Raise CorpusError unless *image* is the one that the table calls *name*."""
    expected = _TABLE["images"][name]
    found = hashlib.sha256(image).hexdigest()
    if (len(image), found) != (expected["size"], expected["sha256"]):
        raise CorpusError(
            f"corpus: {name} has {len(image)} bytes with SHA-256 {found}, expected {expected['size']} bytes with "
            f"{expected['sha256']}: remove {FOLDER} and fetch it again; if it stays so, the package has changed"
        )


def _fetch(version: str) -> None:
    """Put the images of all hubs in release *version* into FOLDER, checked."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as scratch, tarfile.open(_pack(version, Path(scratch))) as package:
        for hub in _TABLE["hubs"]:
            name = f"{hub}-{version}"
            if name in _TABLE["images"]:
                image = _image(package, hub, version)
                check(name, image)
                new = Path(scratch) / name
                new.write_bytes(image)
                new.replace(FOLDER / f"{name}.bin")  # whole or not at all: two may be fetching


def _pack(version: str, folder: Path) -> Path:
    """The package of release *version*, by npm."""
    npm = shutil.which("npm")
    if npm is None:
        raise CorpusError("npm is not installed, and real firmware comes by npm: run `make tools` or install npm")
    wanted = f"{_TABLE['package']}@{version}"
    done = subprocess.run([npm, "pack", "--json", wanted], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CorpusError(f"npm does not give {wanted}: is there a network?  It said:\n{done.stderr.strip()}")
    packed = json.loads(done.stdout)
    first = packed[0] if isinstance(packed, list) else next(iter(packed.values()))  # npm 9 and npm 11
    return folder / PurePosixPath(first["filename"]).name


def _image(package: tarfile.TarFile, hub: str, version: str) -> bytes:
    """The firmware of *hub* out of the package: a zip with firmware-base.bin or firmware.bin in it."""
    for member in package.getmembers():
        if PurePosixPath(member.name).stem == hub and member.name.endswith(".zip"):
            packed = package.extractfile(member)
            if packed is not None:
                with zipfile.ZipFile(io.BytesIO(packed.read())) as inner:
                    for name in inner.namelist():
                        if name.startswith("firmware") and name.endswith(".bin"):
                            return inner.read(name)
    raise CorpusError(f"{_TABLE['package']}@{version} has no firmware of {hub}, expected {hub}.zip with firmware*.bin")
