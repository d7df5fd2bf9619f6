"""What would make a patch smaller, and by how much: each difference undone in NEW, and the patch made again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spboot import delta
from spboot.explanation.difference import Difference
from spboot.explanation.pair import Pair

Progress = Callable[[int, int], None]
"""(done, total), in steps of work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One difference and what it costs.  *saves*: bytes of the file that are saved without it.

    *pages*: pages of the slot that then stay as they are, None without a board.  *measured*: the patch was made without
    the difference; otherwise *saves* is the most that it can be.  *exact*: a build without it gives that very patch."""

    title: str
    found: str
    advice: str
    saves: float
    pages: int | None
    measured: bool
    exact: bool


def measure(
    differences: Sequence[Difference],
    pair: Pair,
    *,
    file_size: int,
    size_of: Callable[[int], int],
    changed: Callable[[bytes], int] | None,
    progress: Progress | None = None,
) -> tuple[Hint, ...]:
    """Hints for what is worth a byte, the best first.

    *size_of*: bytes of the file with a stream of so many.  *changed*: how many pages of the slot change with some NEW.
    *progress* is told of each patch that was made."""
    hints = []
    done, total = 0, sum(each.undone is not None for each in differences)
    now = changed(pair.new) if changed else 0
    for each in differences:
        pages = None
        if each.undone is None:
            saves = each.at_most or 0.0
        else:
            saves = float(file_size - size_of(len(delta.encode(pair.old, each.undone, None, pair.address))))
            pages = now - changed(each.undone) if changed else None
            done += 1
            if progress:
                progress(done, total)
        if saves >= 1 or (pages or 0) > 0:
            hints.append(
                Hint(
                    title=each.title,
                    found=each.found,
                    advice=each.advice,
                    saves=saves,
                    pages=pages,
                    measured=each.undone is not None,
                    exact=each.exact and each.undone is not None,
                )
            )
    return tuple(sorted(hints, key=lambda hint: (not hint.measured, -hint.saves, hint.title)))
