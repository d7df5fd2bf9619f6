"""What spboot knows of a product: the file spboot.toml at the root of its repository.

board = "NUCLEO-L476RG"    a board of spboot, or the .toml file of an own one
keys = "keys"              key folder
name = "lamp"              in front of the names of files
bootloader = "boot"        folder of `spboot build`
releases = "releases"      where `spboot postbuild --release` keeps what devices run
output = "out"             where `spboot postbuild` puts other builds
tags = ""                  in front of the git tags that are versions, as "lamp/"
port = "/dev/ttyACM0"      serial port of the device

Paths are seen from the file's folder.  All but board and keys may be absent."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Self

from spboot import disk
from spboot.errors import ProjectError

FILE: Final = "spboot.toml"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_PATHS: Final = ("keys", "bootloader", "releases", "output")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project file.  Paths are absolute, or as the caller's *file* was.

    >>> project = Project.load("spboot.toml")
    >>> project.board, project.name
    ('NUCLEO-L476RG', 'lamp')
    """

    file: Path
    board: str
    """Name, or path of a board file."""
    keys: Path
    name: str
    bootloader: Path
    releases: Path
    output: Path
    tags: str = ""
    port: str | None = None

    @property
    def folder(self) -> Path:
        """Where the file is: the root of the product's repository."""
        return self.file.parent

    @classmethod
    def load(cls, file: str | os.PathLike[str]) -> Self:
        """Read the project file *file*.  Raises ProjectError: which line, what was expected; DiskError."""
        path = Path(file)
        try:
            table = tomllib.loads(disk.read(path).decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ProjectError(f"{path}: not a TOML file: {error}") from None
        _check(path, table)
        board = str(table["board"])
        if board.endswith(".toml"):
            board = str(path.parent / board)
        name = table.get("name", path.absolute().parent.name)
        check_name(name, f"{path}: ")
        defaults = {"bootloader": "boot", "releases": "releases", "output": "out"}
        paths = {key: path.parent / table.get(key, defaults.get(key, "")) for key in _PATHS}
        return cls(file=path, board=board, name=name, tags=table.get("tags", ""), port=table.get("port"), **paths)

    @classmethod
    def find(cls, start: str | os.PathLike[str] = ".") -> Self | None:
        """The project that the folder *start* is in, by the file there or in a folder above; None when there is none.

        Raises as `load`."""
        for folder in (Path(start).absolute(), *Path(start).absolute().parents):
            if (folder / FILE).is_file():
                return cls.load(_near(folder / FILE))
        return None


def check_name(name: str, where: str = "") -> str:
    """*name* when it can stand in front of names of files.  Raises ProjectError."""
    if not _NAME.fullmatch(name):
        raise ProjectError(f"{where}name is {name!r}, expected 1 .. 64 characters of A-Z a-z 0-9 . _ + -")
    return name


def text(*, board: str, keys: str, name: str) -> str:
    """The text of a new project file."""
    return f"""\
# What `spboot` knows of this product, so that its commands need no arguments.  Commit this file.
board = {_quoted(board)}
keys = {_quoted(keys)}          # folder; its secrets never go into git
name = {_quoted(name)}          # in front of the names of files
bootloader = "boot"      # folder of `spboot build`
releases = "releases"    # what `spboot postbuild --release` keeps: later patches start from it
output = "out"           # other builds
# tags = "lamp/"         # in front of git tags that are versions: lamp/v1.2.0
# port = "/dev/ttyACM0"  # serial port of the device
"""


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "/").replace('"', '\\"') + '"'


def _near(path: Path) -> Path:
    """Seen from here when it is not above: shorter in what is said about it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _check(path: Path, table: dict[str, Any]) -> None:
    """Raise ProjectError for a key that is unknown, missing, or no text."""
    known = [each.name for each in fields(Project) if each.name != "file"]
    for key, value in table.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"expected {', '.join(known)}"
            raise ProjectError(f"{path}: unknown key {key!r}; {hint}")
        if not isinstance(value, str) or (not value and key != "tags"):
            raise ProjectError(f"{path}: {key} is {value!r}, expected text between quotes")
    for key in ("board", "keys"):
        if key not in table:
            raise ProjectError(f'{path}: {key} is missing, expected a line {key} = "..."')
