"""docs/delta.svg: each pair on a line, its patches as marks on a logarithmic scale.  The same text every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log10
from typing import Final
from xml.sax.saxutils import escape

from bench.delta.table import Row, geometric_mean, of_group

_WIDTH: Final = 860
_LEFT: Final = 214
_RIGHT: Final = 118  # the ratios stand here
_TOP: Final = 96
_STEP: Final = 24
_GAP: Final = 12  # between products

# A background of its own in both schemes: readable on any page.  No CSS variables: not every viewer knows them.
_COLOURS: Final = """
  text { fill: %(ink)s; }
  .soft { fill: %(soft)s; }
  .paper { fill: %(paper)s; }
  .rule { stroke: %(rule)s; }
  .link { stroke: %(link)s; }
  .ours { fill: %(ours)s; }
  .fits { fill: %(fits)s; }
  .any { fill: %(paper)s; stroke: %(soft)s; }
"""
_LIGHT: Final = {
    "ink": "#1f2328",
    "soft": "#59636e",
    "paper": "#ffffff",
    "rule": "#e4e8ec",
    "link": "#c3cad1",
    "ours": "#0a5bd3",
    "fits": "#d9480f",
}
_DARK: Final = {
    "ink": "#e6edf3",
    "soft": "#9198a1",
    "paper": "#0d1117",
    "rule": "#262c36",
    "link": "#3d444d",
    "ours": "#58a6ff",
    "fits": "#ff9d5c",
}
_STYLE: Final = f"""
  text {{ font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; font-size: 12px; }}
  .title {{ font-size: 15px; font-weight: 600; }}
  .end {{ text-anchor: end; }}
  .middle {{ text-anchor: middle; }}
  .strong {{ font-weight: 600; }}
  .number {{ font-variant-numeric: tabular-nums; }}
  .link, .any {{ stroke-width: 2; }}
{_COLOURS % _LIGHT}
  @media (prefers-color-scheme: dark) {{{_COLOURS % _DARK}}}
"""


def plot(rows: Sequence[Row]) -> str:
    """The picture as SVG."""
    place = _scale(rows)
    tops = _tops(rows)
    bottom = tops[-1] + _STEP
    height = bottom + 52
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'role="img" aria-label="Patch sizes of spboot and of the best other tools">',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{height}" rx="6"/>',
        _text(24, 32, "Patch bytes on real firmware, logarithmic", "title"),
        *_legend(),
        _text(_WIDTH - 24, 74, "spboot / best in 5 KB", "soft end"),
        *_axis(rows, place, bottom),
    ]
    for row, top in zip(rows, tops, strict=True):
        parts += _line(row, top, place)
    means = [
        f"{half} half {geometric_mean(row.fits_ratio for row in found):.2f}"
        for half in ("measured", "trained")
        if (found := of_group(rows, half))
    ]
    parts.append(_text(_WIDTH - 24, height - 20, f"geometric means: {', '.join(means)}", "end strong number"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _scale(rows: Sequence[Row]) -> Callable[[float], float]:
    low, high = (log10(size) for size in _ends(rows))
    width = _WIDTH - _LEFT - _RIGHT
    return lambda size: round(_LEFT + (log10(size) - low) / (high - low) * width, 1)


def _ends(rows: Sequence[Row]) -> tuple[int, int]:
    """Round numbers, 1, 2 or 5 times a power of ten, around all sizes."""
    sizes = [size for row in rows for size in (row.file, row.fits.size, row.any.size)]
    rounds = [digit * 10**power for power in range(10) for digit in (1, 2, 5)]
    return max(n for n in rounds if n < min(sizes)), min(n for n in rounds if n > max(sizes))


def _tops(rows: Sequence[Row]) -> list[int]:
    tops, top, product = [], _TOP + _STEP // 2, ""
    for row in rows:
        found = row.pair.rsplit("-", 2)[0]
        top += _GAP if product and found != product else 0
        product = found
        tops.append(top)
        top += _STEP
    return tops


def _axis(rows: Sequence[Row], place: Callable[[float], float], bottom: int) -> list[str]:
    low, high = _ends(rows)
    parts = []
    for decade in (10**power for power in range(10) if low <= 10**power <= high):
        x = place(decade)
        parts.append(f'<line class="rule" x1="{x}" y1="{_TOP - 8}" x2="{x}" y2="{bottom - 8}"/>')
        parts.append(_text(x, bottom + 10, f"{decade:,}", "soft middle number"))
    return parts


def _line(row: Row, top: int, place: Callable[[float], float]) -> list[str]:
    ours, fits, best = place(row.file), place(row.fits.size), place(row.any.size)
    low, high = min(ours, fits, best), max(ours, fits, best)
    product, old, new = row.pair.rsplit("-", 2)
    return [
        f"<g><title>{escape(row.pair)}: spboot {row.file:,}, {escape(row.fits.tool)} {row.fits.size:,}, "
        f"{escape(row.any.tool)} {row.any.size:,}</title>",
        _text(24, top + 4, f"{product} {old} → {new}", "number"),
        f'<line class="link" x1="{low}" y1="{top}" x2="{high}" y2="{top}"/>',
        f'<rect class="fits" x="{round(fits - 4.5, 1)}" y="{top - 4.5}" width="9" height="9" rx="1"/>',
        f'<circle class="any" cx="{best}" cy="{top}" r="4"/>',
        f'<circle class="ours" cx="{ours}" cy="{top}" r="6"/>',
        _text(_WIDTH - 24, top + 4, f"{row.fits_ratio:.2f}", "end number"),
        "</g>",
    ]


def _legend() -> list[str]:
    return [
        '<circle class="ours" cx="30" cy="56" r="6"/>',
        _text(42, 60, "spboot, delta file"),
        '<rect class="fits" x="171" y="51.5" width="9" height="9" rx="1"/>',
        _text(188, 60, "best that decodes in 5 KB of RAM"),
        '<circle class="any" cx="420" cy="56" r="4"/>',
        _text(432, 60, "best of any kind"),
    ]


def _text(x: float, y: float, words: str, kind: str = "") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f'<text{mark} x="{x}" y="{y}">{escape(words)}</text>'
