"""Which pages of a board an update erases and writes, by the log of the twin."""

from __future__ import annotations

from typing import Final

from spboot.boards import Board
from spboot.twin import OperationLog

LEFT, ERASED, WRITTEN = ".", "-", "#"
ROW: Final = 64
"""Number of pages in a row of a map."""


class Pages:
    """The pages of each area that were erased, and those written since.  `look` reads the new entries of *log*."""

    def __init__(self, board: Board, log: OperationLog) -> None:
        self.board = board
        self.erased: dict[str, set[int]] = {name: set() for name in board.areas}
        self.written: dict[str, set[int]] = {name: set() for name in board.areas}
        self._log = log
        self._taken = len(log)

    def look(self) -> bool:
        """Whether a page has changed since the last time."""
        before = self._taken
        for index in range(before, len(self._log)):
            operation = self._log[index]
            for name, area in self.board.areas.items():
                if area.address <= operation.address < area.end:
                    size = self.board.rest_page_size if name.endswith("]") else self.board.page_size
                    start = operation.address - area.address
                    pages = range(start // size, -(-(start + operation.size) // size))
                    if operation.kind == "erase":
                        self.erased[name].update(pages)
                        self.written[name].difference_update(pages)
                    else:
                        self.written[name].update(pages)
        self._taken = len(self._log)
        return self._taken > before

    def rows(self, image_size: int) -> dict[str, list[str]]:
        """A letter for each page of a slot that an image of *image_size* bytes reaches, in rows, by the slot's name."""
        count = -(-(self.board.vector_size + image_size) // self.board.page_size)
        slots = [name for name in ("slot0", "slot1") if name in self.board.areas]
        return {name: _rows("".join(self._letter(name, page) for page in range(count))) for name in slots}

    def _letter(self, name: str, page: int) -> str:
        if page in self.written[name] and page in self.erased[name]:
            return WRITTEN
        return ERASED if page in self.erased[name] else LEFT


def _rows(letters: str) -> list[str]:
    return [letters[start : start + ROW] for start in range(0, len(letters), ROW)]
