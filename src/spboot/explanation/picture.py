"""An explanation as one SVG document, and as one HTML page: no scripts, no fonts, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Final

from spboot.boards.drawing import document, text
from spboot.delta import meter
from spboot.explanation.account import WHOLE
from spboot.explanation.words import costs, saving, whole

if TYPE_CHECKING:
    from spboot.explanation import Explanation
    from spboot.explanation.account import Row
    from spboot.explanation.hints import Hint

_WIDTH: Final = 916
_LEFT: Final = 300
_BAR: Final = 400
_STEP: Final = 20
_NAME: Final = 44
"""Letters of a name that have room."""
_COLOURS: Final = {
    meter.NEW: "#c8553d",
    meter.CHANGED: "#e9c46a",
    meter.REFERENCE: "#457b9d",
    meter.COPY: "#8ab17d",
    meter.SAME: "#cfe3c4",
    meter.START: "#999999",
    WHOLE: "#999999",
}
_NAMES: Final = {
    meter.NEW: "new bytes",
    meter.CHANGED: "changed bytes",
    meter.REFERENCE: "references",
    meter.COPY: "copies",
    meter.SAME: "as it was",
    WHOLE: "header, hashes",
}
_STYLE: Final = (
    "body{font-family:sans-serif;margin:2em;max-width:60em}table{border-collapse:collapse;margin:1em 0}"
    "td,th{padding:.2em .8em;text-align:left;border-bottom:1px solid #ddd}td.n,th.n{text-align:right}"
)


def svg(title: str, explanation: Explanation, count: int) -> str:
    """A bar for each of the *count* dearest places, in the colours of what they cost, and one for the others."""
    rows, rest = explanation.top(count)
    body = [
        text(16, 26, title, 'font-weight="bold" font-size="15"'),
        text(16, 46, f"{explanation.file_size:,} bytes for {explanation.new_size:,} of firmware"),
        *_legend(66),
    ]
    y = 92
    most = max([*(row.bytes for row in rows), rest, 1.0])
    sizes = whole([*(row.bytes for row in rows), rest])
    for row, size in zip(rows, sizes, strict=False):
        body += _bar(y, row, most, f"{size:,}  {row.change}")
        y += _STEP
    if len(explanation.rows) > len(rows):
        body += [text(16, y + 12, f"{len(explanation.rows) - len(rows)} more"), *_box(y, 0, rest / most, "#dddddd")]
        body.append(text(_LEFT + round(rest / most * _BAR) + 8, y + 12, f"{sizes[-1]:,}"))
        y += _STEP
    for line in costs(explanation):
        y += _STEP
        body.append(text(16, y, line))
    return document(_WIDTH, y + 24, body)


def _legend(y: int) -> Iterator[str]:
    x = 16
    for kind, name in _NAMES.items():
        yield f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{_COLOURS[kind]}"/>'
        yield text(x + 16, y, name)
        x += 32 + 7 * len(name)


def _bar(y: int, row: Row, most: float, words: str) -> Iterator[str]:
    name = row.name if len(row.name) <= _NAME else row.name[: _NAME - 1] + "…"
    yield text(16, y + 12, name)
    at = 0.0
    for kind in _COLOURS:
        size = row.of(kind) / most
        if size:
            yield from _box(y, at, size, _COLOURS[kind])
        at += size
    yield text(_LEFT + max(1, round(at * _BAR)) + 8, y + 12, words)


def _box(y: int, at: float, size: float, colour: str) -> Iterator[str]:
    x, width = _LEFT + at * _BAR, max(0.5, size * _BAR)
    yield f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_STEP - 5}" fill="{colour}"/>'


def html(title: str, explanation: Explanation, count: int) -> str:
    """The picture with tables of all places and hints."""
    rows = explanation.rows
    sizes = whole([row.bytes for row in rows])
    places = ((row.name, row.kind, f"{size:,}", row.change) for row, size in zip(rows, sizes, strict=True))
    parts = [
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>",
        svg(title, explanation, count),
        *(f"<p>{escape(line)}</p>" for line in costs(explanation)),
        *([] if explanation.hints is None else ["<h2>Hints</h2>", _hints(explanation.hints)]),
        "<h2>Places</h2>",
        _table(("where", "what", "bytes", "change"), places),
        f"<p>{explanation.file_size:,} bytes in all.</p></body></html>\n",
    ]
    return "\n".join(parts)


def _hints(hints: Sequence[Hint]) -> str:
    rows = ((saving(hint), hint.title, hint.found, hint.advice) for hint in hints)
    return _table(("saves", "what", "found", "advice"), rows) if hints else "<p>None.</p>"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "\n".join(
        "<tr>" + "".join(f"<td{_number(each)}>{escape(each)}</td>" for each in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>\n{body}</table>"


def _number(cell: str) -> str:
    return ' class="n"' if cell.replace(",", "").isdigit() else ""
