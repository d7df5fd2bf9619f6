"""A layout as a drawing: lines of text for a terminal, or SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from spboot.boards.layout import Part, Span, size_text

_ROWS: Final = 14
"""Lines for the largest part; a span has at least one."""
_BOX: Final = 14

_SVG_HEIGHT: Final = 320
_SVG_LEAST: Final = 26
_SVG_WIDTH: Final = 680
_SVG_HEAD: Final = 28
_COLOURS: Final = {
    "bootloader": "#c8553d",
    "SLOT0": "#2a9d8f",
    "SLOT1": "#8ab17d",
    "journal": "#e9c46a",
    "reserved": "#c8553d",
}


def text_lines(parts: Iterable[Part]) -> Iterator[str]:
    """The parts as boxes one below the other, addresses left, what it is right."""
    parts = tuple(parts)
    largest = _largest(parts)
    for part in parts:
        yield f"{size_text(part.size)} {part.title}"
        for number, span in enumerate(part.spans):
            edge = "┌┐" if number == 0 else "├┤"
            yield f"  {span.area.address:#010x} {edge[0]}{'─' * _BOX}{edge[1]}"
            rows = max(1, round(min(1, span.area.size / largest) * _ROWS))
            for row in range(rows):
                name = span.name if row == (rows - 1) // 2 else ""
                tail = f" {size_text(span.area.size):>9}  {span.note}" if row == (rows - 1) // 2 else ""
                yield f"{'':13}│{name:^{_BOX}}│{tail}"
        yield f"  {part.spans[-1].area.end:#010x} └{'─' * _BOX}┘"
        yield ""


def svg(title: str, parts: Iterable[Part]) -> str:
    """The same as one SVG document, without scripts, fonts or links."""
    body: list[str] = [text(16, 24, title, 'font-weight="bold" font-size="15"')]
    y = 44
    parts = tuple(parts)
    largest = _largest(parts)
    for part in parts:
        body.append(text(16, y + 14, f"{size_text(part.size)} {part.title}", 'font-style="italic"'))
        y += _SVG_HEAD
        for span in part.spans:
            height = max(_SVG_LEAST, round(min(1, span.area.size / largest) * _SVG_HEIGHT))
            body += _box(y, height, span)
            y += height
        body.append(text(16, y + 4, f"{part.spans[-1].area.end:#010x}"))
        y += 24
    return document(_SVG_WIDTH, y, body)


def _largest(parts: tuple[Part, ...]) -> int:
    """Bytes of what is drawn as large as can be.  External flash, which can be a hundred times as large, is cut down to
    that."""
    return max((part.size for part in parts if not part.outside), default=max(part.size for part in parts))


def document(width: int, height: int, body: Iterable[str]) -> str:
    """An SVG document with *body* on white."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
    )
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="white"/>', *body, "</svg>", ""])


def text(x: int, y: int, words: str, style: str = "") -> str:
    """*words* at a place of an SVG document."""
    return f'<text x="{x}" y="{y}"{" " + style if style else ""}>{escape(words)}</text>' if words else ""


def _box(y: int, height: int, span: Span) -> list[str]:
    colour = _COLOURS.get(span.name, "#f4f4f4")
    middle = y + height // 2 + 4
    return [
        f'<rect x="100" y="{y}" width="180" height="{height}" fill="{colour}" stroke="#333"/>',
        text(16, y + 4, f"{span.area.address:#010x}"),
        text(190, middle, span.name, 'text-anchor="middle"'),
        text(292, middle, f"{size_text(span.area.size)}  {span.note}"),
    ]
