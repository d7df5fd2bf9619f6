"""Boards as data: one TOML each, ours under data/, a user's anywhere.  The loader is strict."""

from __future__ import annotations

from pathlib import Path

from spboot.boards.loader import Loader
from spboot.boards.model import Area, Board, Console, Pin
from spboot.errors import BoardError
from spboot.formats.manifest import name_id

__all__ = ["Area", "Board", "Console", "Pin", "by_id", "load", "names", "parse"]

_DATA = Path(__file__).resolve().parent / "data"


def names() -> list[str]:
    """Every board that comes with spboot, sorted."""
    return sorted(path.stem for path in _DATA.glob("*.toml"))


def load(name: str) -> Board:
    """A board by name, as "NUCLEO-L476RG", or from a user's file when *name* ends in .toml.

    Raises BoardError: unknown board, or the file, key, what was found and what is allowed."""
    path = Path(name) if name.endswith(".toml") else _DATA / f"{name}.toml"
    if not name.endswith(".toml") and name not in names():
        raise BoardError(f"unknown board {name!r}; known: {', '.join(names())}; or give the path of a .toml file")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BoardError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BoardError(f"{path}: not a TOML file: {error}") from None
    return parse(path, text)


def by_id(target: int) -> Board | None:
    """The board that comes with spboot and that an update names by *target*; None when it is a user's own."""
    return next((load(name) for name in names() if name_id(name) == target), None)


def parse(path: Path, text: str) -> Board:
    """The board that *text* describes; the stem of *path* is its name.  Raises BoardError."""
    return Loader(path).board(text)
