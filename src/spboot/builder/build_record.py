"""spboot-BOARD.build.json: what a bootloader was built from, and by what; `spboot sbom` and `reproduce` read it.

It tells of no key and of no place: two builds of the same have the same record."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from spboot import disk
from spboot.errors import BuildError, FormatError
from spboot.formats import link_map
from spboot.formats.spec import data_path

SUFFIX: Final = "build.json"
_FORMAT: Final = 1
_INCLUDE: Final = re.compile(r'^#include ["<](.+)[">]', re.MULTILINE)
_WORD: Final = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRecord:
    """Of files the SHA-256 as hex digits, by their names in the folder firmware/, or in that of a build."""

    board: str
    spboot: str
    """Version of the package, which is that of the bootloader."""
    compiler: str
    """"clang" or "gcc";"""
    compiler_version: str
    product: str
    development: bool
    sources: Mapping[str, str]
    """The C files and headers that were compiled;"""
    generated: Mapping[str, str]
    """those that the build generated from board, part and formats, and its linker script."""
    unknown: tuple[str, ...]
    """Names in the link map that are in no source: of what a linker added from elsewhere."""
    production: str = ""
    """What protection it sets, as "rdp1"; "" when it sets none."""

    def text(self) -> str:
        """The text of the file."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=2) + "\n"

    @classmethod
    def load(cls, folder: Path, board: str) -> Self:
        """That of the bootloader for *board* in *folder*.  Raises BuildError, FormatError, DiskError."""
        path = folder / name_of(board)
        if not path.is_file():
            raise BuildError(f"{path}: there is no such file: build the bootloader with this spboot (`spboot build`)")
        try:
            table = json.loads(disk.read(path))
            if table.pop("format") != _FORMAT:
                raise FormatError(f"{path}: expected format {_FORMAT}: use the spboot that built it")
            _check(table, path)
            return cls(**table | {"unknown": tuple(table["unknown"])})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise FormatError(f"{path}: not what `spboot build` wrote: {error}: build the bootloader again") from None


def name_of(board: str) -> str:
    """The file's name."""
    return f"spboot-{board}.{SUFFIX}"


def compiled(units: Iterable[tuple[str, Iterable[str]]]) -> set[Path]:
    """The files of *units*, each a source relative to firmware/ and its include folders, and all that these include."""
    firmware = data_path("firmware")
    found: set[Path] = set()
    for source, includes in units:
        waiting = [firmware / source]
        seen: set[Path] = set()
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            for name in _INCLUDE.findall(path.read_text(encoding="utf-8")):
                places = (path.parent / name, *(firmware / folder / name for folder in includes))
                waiting += [place for place in places if place.is_file()][:1]
        found |= seen
    return found


def hashes(paths: Iterable[Path], root: Path) -> dict[str, str]:
    """SHA-256 by the name below *root*, sorted."""
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(paths)}


def unknown_names(map_text: str, paths: Iterable[Path]) -> tuple[str, ...]:
    """What the map names and none of the files *paths* does."""
    known: set[str] = set()
    for path in paths:
        known.update(_WORD.findall(path.read_text(encoding="utf-8")))
    return tuple(sorted(link_map.read(map_text, "the linker's map").symbols - known))


def _check(fields: Mapping[str, Any], path: Path) -> None:
    for key in ("board", "spboot", "compiler", "compiler_version", "product"):
        if not isinstance(fields[key], str):
            raise FormatError(f"{path}: {key} is {fields[key]!r}, expected text: build the bootloader again")
    if not isinstance(fields["development"], bool):
        raise FormatError(f"{path}: development is {fields['development']!r}, expected true or false: build it again")
    unknown = fields["unknown"]
    if not isinstance(unknown, list) or not all(isinstance(name, str) for name in unknown):
        raise FormatError(f"{path}: unknown is {unknown!r}, expected a list of names: build the bootloader again")
    for key in ("sources", "generated"):
        table = fields[key]
        if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
            raise FormatError(f"{path}: {key} is no table of hashes: build the bootloader again")
