"""Functions and tables that stand in another order than in OLD, or come and go by what the compiler inlines."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from spboot.explanation.account import Row
from spboot.explanation.difference import Difference
from spboot.explanation.pair import Pair
from spboot.explanation.places import FUNCTION, LITERAL, Place, Places
from spboot.explanation.relink import Piece, align_of, relink

_CLONE: Final = re.compile(r"(?:\.(?:constprop|isra|part|cold|lto_priv|llvm)(?:\.\d+)*)+$|^OUTLINED_FUNCTION_\d+$")
"""Names that GCC and LLVM give to what they make of a function when they inline, clone or outline."""
_MANY: Final = 5
_SHARE: Final = 5
"""One in so many functions that come or go tells of other options, not of other sources."""


def differences(pair: Pair, rows: Sequence[Row]) -> Iterator[Difference]:
    """All that are found, in images with symbols."""
    if not (pair.old_places.named and pair.new_places.named):
        return
    moved = out_of_order(pair)
    if moved:
        yield Difference(
            title="link order",
            found=f"{moved} function{'' if moved == 1 else 's'} or tables in another order than before",
            advice="link the objects in a fixed order: sort the list of sources, and add new files at its end",
            undone=reordered(pair),
            exact=False,
        )
    inlining = _inlining(pair, rows)
    if inlining:
        yield inlining


def out_of_order(pair: Pair) -> int:
    """How many symbols that both have would have to move for the order of OLD."""
    order = [place.start for place in _common(pair.new_places, pair.old_places)]
    return len(order) - _longest_rise(order)


def _common(new: Places, old: Places) -> list[Place]:
    """The symbols of OLD that are in NEW too, in the order of NEW."""
    return [
        old.by_name[place.name]
        for place in new.all
        if place.kind != LITERAL and place.name in new.by_name and place.name in old.by_name
    ]


def _longest_rise(numbers: list[int]) -> int:
    """The length of the longest rising subsequence."""
    ends: list[int] = []
    for number in numbers:
        at = bisect_left(ends, number)
        ends[at : at + 1] = [number]
    return len(ends)


def reordered(pair: Pair) -> bytes:
    """NEW in the order of OLD: within each section what both have; what is new stays behind what it was behind."""
    pieces: list[Piece] = []
    for _, run in groupby(pair.new_places.all, key=lambda place: place.section):
        pieces += _sorted(pair, list(run))
    return relink(pair.new, pair.address, pieces)


def _sorted(pair: Pair, run: list[Place]) -> list[Piece]:
    """The pieces of one section: each a symbol with what follows it up to the next."""
    old = pair.old_places.by_name
    blocks: list[tuple[tuple[int, int], int, int]] = []
    functions = {place.start for place in run if place.kind == FUNCTION}
    key = -1
    for number, place in enumerate(run):
        if place.kind == LITERAL and blocks:
            rank, start, _ = blocks[-1]
            blocks[-1] = (rank, start, place.end)
            continue
        if place.kind != LITERAL and place.name in old and place.name in pair.new_places.by_name:
            key = old[place.name].start
        blocks.append(((key, number), place.start, place.end))
    pieces = []
    for _, start, end in sorted(blocks):
        data = pair.new[start:end]
        pieces.append(Piece(start, end, data, align_of(data) if start in functions else 4))
    return pieces


def _inlining(pair: Pair, rows: Sequence[Row]) -> Difference | None:
    """Whether functions come and go in a way that sources alone do not explain."""
    old, new = ({p.name for p in places.all if p.kind == FUNCTION} for places in (pair.old_places, pair.new_places))
    clones = {name for name in old ^ new if _CLONE.search(name)}
    others = (old ^ new) - clones
    if len(clones) < _MANY and (len(others) < _MANY or len(others) * _SHARE < len(old | new)):
        return None
    cost = sum(
        row.bytes
        for row in rows
        if row.kind == FUNCTION and row.change not in ("in place", "") and (row.name not in old or " -> " in row.change)
    )
    return Difference(
        title="inlining",
        found=f"{len(old - new)} functions went and {len(new - old)} came, {len(clones)} of them the compiler's own",
        advice="build with the compiler and the options of the last release; LTO spreads a change over all of it",
        at_most=cost,
    )
