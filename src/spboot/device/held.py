"""What a slot holds with an image, page by page: its header, erased bytes, the image, erased bytes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from spboot.boards import Board
from spboot.formats.header import HEADER_SIZE
from spboot.formats.manifest import EXTENSION_SIZE

STEP: Final = 64
"""Bytes that the bootloader copies, or programs of external flash, at a time (STEP of core/flash.c, SPB_WRITE_SIZE of
candidate.c; by both chips where there are two),"""
_LARGE_PAGE: Final = 0x2000
"""and of a page, above which erased ones are not (LARGE_PAGES)."""
_OUTSIDE: Final = b"\xff"


class Held:
    """Of *board*, with *image*, and *rest* in the second part of the slot."""

    def __init__(self, board: Board, image: bytes, rest: bytes) -> None:
        self._board = board
        self._inside = bytes([board.chip.memory_at(board.slot0.address).erased])
        header = HEADER_SIZE + (EXTENSION_SIZE if board.slot0.rest else 0)
        self._first = (b"h" * header).ljust(board.vector_size, self._inside) + image
        self._rest = rest

    def pages(self) -> Iterator[int]:
        """The numbers of those in which there is something of the image."""
        board = self._board
        yield from range(-(-len(self._first) // board.page_size))
        first = board.slot0.size // board.page_size
        yield from range(first, first - -len(self._rest) // board.rest_page_size)

    def _page(self, number: int) -> tuple[bytes, bytes]:
        """What page *number* has of the image, and an erased byte there."""
        board, (start, size) = self._board, self._board.page_at(number)
        if board.slot0.rest and start >= board.slot0.size:
            behind = start - board.slot0.size
            return self._rest[behind : behind + size], _OUTSIDE
        return self._first[start : start + size], self._inside

    def used(self, number: int, unit: int = 1) -> int:
        """Bytes of page *number* up to the end of the image, in whole units."""
        return -(-len(self._page(number)[0]) // unit) * unit

    def alike(self, other: Held, number: int) -> int:
        """Bytes of page *number* before the first one that *other* has otherwise; the header always is."""
        if number == 0:
            return 0
        mine, erased = self._page(number)
        others = other._page(number)[0].ljust(len(mine), erased)
        return bisect_left(range(len(mine)), True, key=lambda at: mine[: at + 1] != others[: at + 1])

    def copied(self, number: int, size: int, *, sealed: bool = False) -> int:
        """Bytes that are programmed to copy the first *size* of page *number* (copy_step of core/flash.c): where pages
        are large, steps of erased bytes are not; *sealed* ones are none."""
        board, (start, _) = self._board, self._board.page_at(number)
        if board.page_size <= _LARGE_PAGE:
            return size
        page, erased = self._page(number)
        page = page.ljust(size, erased)[:size]
        if sealed and start < board.slot0.size:
            page = page[: max(0, board.vector_size - start)].ljust(size, b"s")
        steps = (page[at : at + STEP] for at in range(0, size, STEP))
        return sum(len(step) for step in steps if step.strip(erased))
