"""The costs of some updates side by side, as one SVG document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from spboot.boards.drawing import document, text
from spboot.device.cost import Cost
from spboot.device.pages import ERASED, LEFT, WRITTEN

_WIDTH: Final = 916
_LEFT: Final = 130
_BAR: Final = 480
_STEP: Final = 20
_PAGE: Final = 11
_COLOURS: Final = {WRITTEN: "#2a9d8f", ERASED: "#e9c46a", LEFT: "#e8e8e8"}
_BARS: Final = {"file": "#264653", "on the line": "#457b9d", "flash busy": "#c8553d", "until it runs": "#8ab17d"}


def svg(title: str, costs: Sequence[Cost]) -> str:
    """Bars for bytes and seconds, each kind by one scale over all *costs*, and a square for each page."""
    body = [text(16, 26, title, 'font-weight="bold" font-size="15"')]
    y = 56
    for cost in costs:
        body.append(text(16, y, f"{cost.name}: {cost.pages} pages erased", 'font-weight="bold"'))
        y += 10
        for name, value, most, words in _bars(cost, costs):
            body += [
                text(16, y + 12, name),
                f'<rect x="{_LEFT}" y="{y}" width="{max(1, round(value / most * _BAR))}" height="{_STEP - 5}" '
                f'fill="{_BARS[name]}"/>',
                text(_LEFT + _BAR + 8, y + 12, words),
            ]
            y += _STEP
        y += 8
        for slot, rows in cost.rows.items():
            body.append(text(16, y + 9, slot.upper()))
            for row in rows:
                body += _squares(y, row)
                y += _PAGE + 1
            y += 6
        y += 26
    body.append(text(16, y, "A square is a page of a slot: green was erased and written, grey stayed as it was."))
    return document(_WIDTH, y + 16, body)


def _bars(cost: Cost, costs: Sequence[Cost]) -> Iterator[tuple[str, float, float, str]]:
    """Name, value, longest of its kind, words."""
    yield "file", cost.file_bytes, max(other.file_bytes for other in costs), f"{cost.file_bytes:,} bytes"
    longest = max(other.all_s for other in costs)
    seconds = {"on the line": cost.line_s, "flash busy": cost.flash_s, "until it runs": cost.all_s}
    for name, value in seconds.items():
        yield name, value, longest, f"{value:.2f} s"


def _squares(y: int, row: str) -> Iterator[str]:
    for number, letter in enumerate(row):
        x = _LEFT + number * (_PAGE + 1)
        yield f'<rect x="{x}" y="{y}" width="{_PAGE}" height="{_PAGE}" fill="{_COLOURS[letter]}"/>'
