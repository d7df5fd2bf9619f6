"""Boards with external flash, for tests: the files that come with spboot, and changes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from spboot.boards import Board

FILES: Final = {
    path.stem: path for path in sorted((Path(__file__).parents[2] / "src/spboot/boards/data/external").glob("*.toml"))
}
TWO_PARTS: Final = ("DISCO-F469I-EXT", "DISCO-F769I-EXT", "DISCO-H745I-EXT", "DISCO-L4R9I-EXT")
ONE_PART: Final = ("B-L4S5I-IOT01A-EXT", "DISCO-L476G-EXT", "DISCO-L496G-EXT", "DISCO-L562E-EXT")


def board(name: str) -> Board:
    """One of them."""
    return Board.load(FILES[name])


def changed(name: str, *changes: tuple[str, str]) -> Board:
    """The board with other lines in its file, each of which is there once.  Raises BoardError."""
    text = FILES[name].read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return Board.parse(FILES[name], text)
