"""A rehearsal as a picture (SVG), and as a page of text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from spboot.boards.drawing import document, text
from spboot.rehearsal.cuts import KINDS
from spboot.rehearsal.rehearsal import Rehearsal, Result

_LEFT: Final = 100
_WIDTH: Final = 780
_ROW: Final = 12
_HEAD: Final = 74
_COLOURS: Final = {"o": "#8ab17d", "n": "#2a9d8f", "l": "#e9c46a", "x": "#c8553d"}
_NAMES: Final = {"o": "old runs", "n": "new runs", "l": "the loader calls", "x": "lost"}
_WORST: Final = "xlno"
"""Where a cell stands for several operations, it has the first of these that they have."""


def svg(found: Rehearsal) -> str:
    """A block for each scenario: operations from left to right, kinds of cuts from top to bottom, a cell a point."""
    subject = found.subject
    title = f"{subject.board.name}: {subject.old} to {subject.new}, each flash operation cut"
    body = [text(16, 26, title, 'font-weight="bold" font-size="15"'), text(16, 46, headline(found)), *_legend(66)]
    y = _HEAD
    for result in found.results:
        body += _block(y, result)
        y += 34 + _ROW * len(KINDS)
    return document(_LEFT + _WIDTH + 16, y + 10, body)


def headline(found: Rehearsal) -> str:
    """Points, second cuts and losses, in words."""
    counts = found.counts
    return (
        f"{counts['points']:,} cuts, {counts['seconds']:,} second cuts, {counts['watchdogs']:,} watchdog resets: "
        f"{counts['losses']:,} devices lost"
    )


def _legend(y: int) -> Iterator[str]:
    for number, (code, name) in enumerate(_NAMES.items()):
        yield f'<rect x="{16 + 150 * number}" y="{y - 10}" width="12" height="12" fill="{_COLOURS[code]}"/>'
        yield text(34 + 150 * number, y, name)


def _block(y: int, result: Result) -> Iterator[str]:
    yield text(16, y + 18, f"{result.scenario}: {result.operations:,} operations", 'font-weight="bold"')
    columns = min(len(result.rows), _WIDTH)
    for row, kind in enumerate(KINDS):
        top = y + 24 + _ROW * row
        yield text(16, top + 10, kind, 'font-size="11"')
        cells = [_cell(result, column, columns, row) for column in range(columns)]
        at = 0
        for code, run in groupby(cells):
            count = len(list(run))
            if code in _COLOURS:
                left, width = _LEFT + at * _WIDTH / columns, count * _WIDTH / columns
                place = f'x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_ROW - 1}"'
                yield f'<rect {place} fill="{_COLOURS[code]}"/>'
            at += count


def _cell(result: Result, column: int, columns: int, row: int) -> str:
    first, last = (len(result.rows) * n // columns for n in (column, column + 1))
    codes = {result.rows[number][row] for number in range(first, last)}
    return next((code for code in _WORST if code in codes), ".")
