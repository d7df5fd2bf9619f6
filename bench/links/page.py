"""The part of docs/links.md that `python -m bench.links --write` writes, from the tables of docs/delta.md."""

from __future__ import annotations

import re
from typing import Final

from bench.delta import page as delta_page
from bench.delta import table
from bench.delta.measure import ROOT, BenchError
from bench.delta.table import Row
from bench.links.carry import DAY_S, Carried, all_links

PAGE: Final = ROOT / "docs" / "links.md"
_IMAGE: Final = re.compile(r"^\| ([\w.-]+) \| [\d,]+ \| [\d,]+ \| [\d,]+ \| ([\d,]+) \| [\d.]+ \|$", re.MULTILINE)
_NAME: Final = "links"


def pairs() -> list[tuple[Row, int]]:
    """The measured half: each pair with the bytes of the .sfb of its newer image.  Raises BenchError."""
    text = delta_page.PAGE.read_text(encoding="utf-8")
    images = {name: int(size.replace(",", "")) for name, size in _IMAGE.findall(text)}
    rows = table.of_group(table.parse(text), "measured")
    missing = [row.pair for row in rows if _newer(row.pair) not in images]
    if not rows or missing:
        raise BenchError(f"docs/delta.md has no full image for {missing or 'any pair'}: `make bench` writes it")
    return [(row, images[_newer(row.pair)]) for row in rows]


def _newer(pair: str) -> str:
    """photon-part1-1.5.0-1.5.2 -> photon-part1-1.5.2."""
    return re.sub(r"-[^-]+-([^-]+)$", r"-\1", pair)


def section() -> str:
    """All between the marks."""
    measured = pairs()
    found = sorted(measured, key=lambda pair: pair[0].artefact)
    chosen = {"smallest": found[0], "median": found[len(found) // 2], "largest": found[-1]}
    return f"\n{_links(chosen)}\n{_pairs(measured)}"


def _links(chosen: dict[str, tuple[Row, int]]) -> str:
    lines = [
        "| | bytes | over | frames | time | energy, receiving | listening throughout |",
        "|---|--:|---|--:|--:|--:|--:|",
    ]
    for word, (row, image) in chosen.items():
        for what, size in ((f"**{word} patch**, {row.pair}", row.artefact), ("its full image", image)):
            for number, carried in enumerate(all_links(size)):
                head = (what, f"{size:,}") if number == 0 else ("", "")
                lines.append("| " + " | ".join((*head, *_cells(carried))) + " |")
    return "\n".join(lines) + "\n"


def _cells(carried: Carried) -> tuple[str, ...]:
    energy = (_energy(each) for each in (carried.millijoules, carried.listening))
    return carried.link, f"{carried.frames:,}", duration(carried.seconds), *energy


def _pairs(measured: list[tuple[Row, int]]) -> str:
    names = [each.link for each in all_links(1)]
    lines = [f"| pair | .sfbp | .sfb | {' | '.join(names)} |", "|---|--:|--:|" + "--:|" * len(names)]
    for row, image in measured:
        both = zip(all_links(row.artefact), all_links(image), strict=True)
        cells = [f"{duration(patch.seconds)} / {duration(full.seconds)}" for patch, full in both]
        lines.append(f"| {row.pair} | {row.artefact:,} | {image:,} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def duration(seconds: float) -> str:
    """In the unit that people would say, with two or three digits."""
    for size, word in ((DAY_S, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{_digits(seconds / size)} {word}"
    return f"{_digits(seconds)} s"


def _energy(millijoules: float | None) -> str:
    if millijoules is None:
        return "-"
    return f"{_digits(millijoules / 1_000)} J" if millijoules >= 1_000 else f"{_digits(millijoules)} mJ"


def _digits(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}" if number >= 1 else f"{number:.2f}"


def replaced(text: str) -> str:
    """*text* of the page with today's section."""
    return delta_page.replace(text, section(), _NAME)
