"""Faults of a whole run: pages that are worn, operations as slow as the data sheet allows.  docs/faults.md tells more.

A cut happens once (`oplog.Cut`); these last until the twin is gone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from spboot.errors import TwinError

SLOW: Final = "maximal"
_WORN: Final = re.compile(r"worn:(0x[0-9a-fA-F]{1,8})=(\d{1,9})(:fails)?")


class Span(NamedTuple):
    """How long an operation takes by the data sheet, in picoseconds."""

    typical: int
    maximal: int

    def times(self, count: int) -> Span:
        """*count* of them, one after the other."""
        return Span(self.typical * count, self.maximal * count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worn:
    """The page with the byte at *page* is worn once it was erased *after* times more: an erase leaves bits programmed,
    a program now and then leaves some erased.  With *fails*, neither changes anything."""

    page: int
    after: int
    fails: bool = False

    def __str__(self) -> str:
        return f"worn:{self.page:#010x}={self.after}{':fails' if self.fails else ''}"


def parse(text: str) -> Worn | None:
    """What "worn:0x08040000=3" or "worn:0x08040000=3:fails" says; None for "maximal".  Raises TwinError."""
    if text == SLOW:
        return None
    match = _WORN.fullmatch(text)
    if not match:
        raise TwinError(
            f"fault is {text!r}, expected {SLOW} for the longest times of the data sheet, held for stores to RAM that "
            "a reset loses, swapped:0x90001000=1 for external flash that shows something else once it was read, or "
            "worn:0x08040000=3 for a page that is worn after three erases, with :fails behind it when its operations "
            "shall do nothing"
        )
    page, after, fails = match.groups()
    return Worn(page=int(page, 16), after=int(after), fails=bool(fails))


class Ageing:
    """What was asked for, and how often each worn page was erased since."""

    def __init__(self) -> None:
        self.slow = False
        """Operations take their maximal time."""
        self._worn: list[tuple[Worn, int, int, int]] = []
        """With the start and the end of the page, and its erases."""

    def wear(self, worn: Worn, low: int, high: int) -> None:
        """*worn* is the page low <= address < high."""
        self._worn.append((worn, low, high, 0))

    def meets(self, low: int, high: int) -> Worn | None:
        """The worn page that an operation on low <= address < high meets."""
        found = (worn for worn, start, end, done in self._worn if low < end and start < high and done >= worn.after)
        return next(found, None)

    def erased(self, low: int, high: int) -> None:
        """These bytes were erased once more."""
        self._worn = [(worn, start, end, done + (low < end and start < high)) for worn, start, end, done in self._worn]

    def save(self) -> Any:
        return self.slow, list(self._worn)

    def load(self, state: Any) -> None:
        self.slow, worn = state
        self._worn = list(worn)
