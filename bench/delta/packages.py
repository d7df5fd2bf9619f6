"""Packages of public registries, by the clients that every machine with Python and Node.js has: npm and pip."""

from __future__ import annotations

import fnmatch
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from spboot.errors import SpbootError

_DATA: Final = 0
_UPPER: Final = {2: 4, 4: 16}
"""Records that say where those behind them go -> bits to the left."""
_HOLE: Final = 4096
"""Bytes with nothing in them end an image: what is behind them are settings."""


class CorpusError(SpbootError):
    """The corpus cannot be had, or is not what it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release of a package.  *registry*: "npm" or "pypi".  *sha256*: of the file that pip gives; npm checks its own.
    *options*: more words for pip, for a file that this machine would not choose."""

    registry: str
    package: str
    version: str
    sha256: str = ""
    options: Sequence[str] = ()

    def __str__(self) -> str:
        return f"{self.package}@{self.version}"


def fetch(release: Release, folder: Path) -> Path:
    """The file of *release*, in *folder*.  Raises CorpusError."""
    return _npm(release, folder) if release.registry == "npm" else _pip(release, folder)


def _npm(release: Release, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise CorpusError("npm is not installed, and real firmware comes by npm: run `make tools` or install npm")
    said = _run(release, [npm, "pack", "--json", str(release)], folder)
    packed = json.loads(said)
    first = packed[0] if isinstance(packed, list) else next(iter(packed.values()))  # npm 9 and npm 11
    return folder / PurePosixPath(first["filename"]).name


def _pip(release: Release, folder: Path) -> Path:
    wanted, got = folder / "wanted.txt", folder / "got"
    wanted.write_text(f"{release.package}=={release.version} --hash=sha256:{release.sha256}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    _run(release, [*pip, "--require-hashes", *release.options, "-d", str(got), "-r", str(wanted)], folder)
    return next(got.iterdir())


def _run(release: Release, command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip()
        raise CorpusError(f"{release.registry} does not give {release}: is there a network?  It said:\n{said}")
    return done.stdout


def image(file: Path, path: Sequence[str], base: int) -> bytes:
    """The firmware in the package *file*.  *path*: patterns of names ("|": or), each a file in the one before it.

    Intel HEX, also in the text of a program, becomes the bytes from *base* to the first large hole.
    Raises CorpusError.
    """
    data = file.read_bytes()
    for pattern in path:
        data = _member(file.name, data, pattern)
    return _flat(data, base) if path[-1].endswith((".hex", ".py")) else data


def _flat(text: bytes, base: int) -> bytes:
    """The program of Intel HEX records somewhere in *text*.  Read loosely: small holes are meant, and whether it is
    whole is told by the SHA-256 of what comes out."""
    pieces, upper = [], 0
    for found in re.findall(rb":([0-9A-F]{10,})", text):
        record = bytes.fromhex(found.decode("ascii"))
        at, kind, data = int.from_bytes(record[1:3], "big"), record[3], record[4:-1]
        if kind == _DATA:
            pieces.append((upper + at, data))
        elif kind in _UPPER:
            upper = int.from_bytes(data, "big") << _UPPER[kind]
    out = bytearray()
    for address, data in sorted(pieces):
        if 0 <= address - base <= len(out) + _HOLE:
            out += b"\xff" * (address - base - len(out)) + data
    return bytes(out)


def _member(file: str, data: bytes, pattern: str) -> bytes:
    """The first file in an archive whose name is as one of the patterns says."""
    patterns = pattern.split("|")
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                if any(fnmatch.fnmatchcase(name, each) for each in patterns):
                    return archive.read(name)
    else:
        with tarfile.open(fileobj=io.BytesIO(data)) as package:
            for member in package.getmembers():
                wanted = any(fnmatch.fnmatchcase(member.name, each) for each in patterns)
                packed = package.extractfile(member) if wanted else None
                if packed is not None:
                    return packed.read()
    raise CorpusError(f"{file} has no file {pattern}, expected one")
