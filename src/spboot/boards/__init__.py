"""Boards as data: one TOML each, ours under data/, a user's anywhere.  The loader is strict."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from spboot import chips
from spboot.boards.loader import Loader
from spboot.boards.model import Area, BoardFacts, Console, Pin, Slot
from spboot.errors import BoardError
from spboot.formats.manifest import name_id

__all__ = ["Area", "Board", "Console", "Pin", "Slot", "all_names", "by_id", "external_names", "names", "of_id"]

_DATA = Path(__file__).resolve().parent / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Board(BoardFacts):
    """A board: its part, pins, clock and places in memory.

    >>> board = Board.load("NUCLEO-L476RG")
    >>> board.chip.name, board.console.baud, hex(board.image_address)
    ('STM32L476RG', 115200, '0x8008200')
    """

    @classmethod
    def load(cls, name: str | os.PathLike[str]) -> Self:
        """A board by name, as "NUCLEO-L476RG", or from a user's file when *name* ends in .toml.

        Raises BoardError: unknown board, or the file, key, what was found and what is allowed."""
        text = os.fspath(name)
        path = Path(text) if text.endswith(".toml") else _path(text)
        if not text.endswith(".toml") and text not in all_names():
            raise BoardError(f"unknown board {text!r}; {_hint(text)}")
        return cls.parse(path, _read(path))

    @classmethod
    def parse(cls, path: Path, text: str) -> Self:
        """The board that *text* describes; the stem of *path* is its name.  Raises BoardError."""
        return Loader(path).board(text, cls)


def names() -> list[str]:
    """Every board that comes with spboot, sorted, without those of `external_names`."""
    return sorted(path.stem for path in _DATA.glob("*.toml"))


def external_names() -> list[str]:
    """Boards of ours once more, with slots in their external flash."""
    return sorted(path.stem for path in (_DATA / "external").glob("*.toml"))


def all_names() -> list[str]:
    """All of them, sorted."""
    return sorted((*names(), *external_names()))


def _path(name: str) -> Path:
    folder = _DATA / "external" if name in external_names() else _DATA
    return folder / f"{name}.toml"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BoardError(
            f"{path}: No such file or directory: give the path of a board's .toml, or make one with `spboot board new`"
        ) from None
    except OSError as error:
        raise BoardError(f"{path}: cannot be read: {error.strerror}; expected a board's .toml file") from None
    except UnicodeDecodeError as error:
        raise BoardError(f"{path}: not a TOML file: {error}") from None


def by_id(target: int) -> Board | None:
    """The board that comes with spboot and that an update names by *target*; None when it is a user's own."""
    name = of_id(target)
    return Board.load(name) if name else None


def of_id(target: int) -> str | None:
    """The board of ours that updates and bootloaders call *target*."""
    return next((name for name in all_names() if name_id(name) == target), None)


def _hint(name: str) -> str:
    """What to type in place of *name*, which is no board: a file, a part, or something like one of ours."""
    own = Path(f"{name}.toml")
    if own.is_file():
        return f"{own} is here: type {own}"
    if Path(name).exists():
        return "that is a file or a folder, expected the name of a board (see `spboot boards`) or a .toml file"
    part = chips.part_of(name)
    if part is not None:
        return (
            f"{part} is a part, and a board says how it is wired: see `spboot boards` for those that come with spboot, "
            f"or make a file for yours with `spboot board new NAME --mcu {part}`"
        )
    alike = {known.upper(): known for known in all_names()}
    if name.upper() in alike:
        return f"did you mean {alike[name.upper()]}?"
    near = [alike[found] for found in difflib.get_close_matches(name.upper(), alike, n=3)]
    near += [known for known in names() if len(name) > 3 and name.upper() in known and known not in near]
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"known: {', '.join(names())}; or give the path of a .toml file"
