"""The table of patch sizes: values <-> the Markdown of docs/delta.md, and what follows from its rows."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, fsum, log
from pathlib import Path
from typing import Final

from bench.delta import corpus
from bench.delta.measure import BenchError, PairResults
from bench.delta.peers import PEERS

_RECORDED: Final = Path(__file__).resolve().parent / "recorded.toml"
_RECORDED_MARK: Final = " †"
HEAD: Final = (
    "| pair | old | new | stream | **delta file** | .sfbp | best in 5 KB | | ratio | best of any kind | | ratio |\n"
    "|---|--:|--:|--:|--:|--:|--:|---|--:|--:|---|--:|\n"
)
_MEAN: Final = "**geometric mean**"


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The smallest patch of others for a pair.  *size*: bytes.  *recorded*: from recorded.toml, not measured now."""

    size: int
    tool: str
    recorded: bool = False


_NONE: Final = Best(size=sys.maxsize, tool="none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One pair, sizes in bytes.  *fits*: the best that decodes in 5 KB of RAM; *any*: the best of all."""

    pair: str
    old: int
    new: int
    stream: int
    file: int
    artefact: int
    fits: Best
    any: Best

    @property
    def fits_ratio(self) -> float:
        """Our delta file over the best patch of a tool that decodes in 5 KB."""
        return self.file / self.fits.size

    @property
    def any_ratio(self) -> float:
        """Our delta file over the best patch of any tool."""
        return self.file / self.any.size


def geometric_mean(values: Iterable[float]) -> float:
    """The mean of ratios.  Raises BenchError when there is nothing to take it of, or a value is not above 0."""
    known = list(values)
    if not known or min(known) <= 0:
        raise BenchError(f"no geometric mean of {known}: expected numbers above 0")
    return exp(fsum(map(log, known)) / len(known))


def recorded() -> dict[str, tuple[Best, Best]]:
    """pair -> (best in 5 KB, best of any kind), from recorded.toml."""
    table = tomllib.loads(_RECORDED.read_text(encoding="utf-8"))
    return {
        pair: (
            Best(size=best["fits"]["bytes"], tool=best["fits"]["tool"], recorded=True),
            Best(size=best["any"]["bytes"], tool=best["any"]["tool"], recorded=True),
        )
        for pair, best in table.items()
    }


def of_group(rows: Iterable[Row], group: str) -> list[Row]:
    """Those of *rows* whose pairs are in that *group* of the corpus."""
    names = corpus.groups()[group]
    return [row for row in rows if row.pair in names]


def row(results: PairResults) -> Row:
    """The best of what was recorded and what was measured now; at equal size, what was measured.

    Raises BenchError when nothing was."""
    fits, best = recorded().get(results.pair.name, (_NONE, _NONE))
    for peer in PEERS:
        if peer.name in results.peers:
            now = Best(size=results.peers[peer.name].sizes["file"], tool=peer.name)
            best = _smaller(best, now)
            fits = _smaller(fits, now) if peer.fits else fits
    if _NONE in (fits, best):
        raise BenchError(f"no patch of others is known for {results.pair.name}, expected one: `make bench` runs peers")
    ours = results.ours.sizes
    return Row(
        pair=results.pair.name,
        old=results.old_size,
        new=results.new_size,
        stream=ours["stream"],
        file=ours["file"],
        artefact=ours["artefact"],
        fits=fits,
        any=best,
    )


def _smaller(known: Best, now: Best) -> Best:
    if now.size < known.size or (now.size == known.size and known.recorded):
        return now
    return known


def render(rows: Sequence[Row]) -> str:
    """The table in Markdown, its geometric means last."""
    lines = []
    for r in rows:
        cells = [r.pair, *_numbers(r.old, r.new, r.stream, r.file, r.artefact)]
        for best, ratio in ((r.fits, r.fits_ratio), (r.any, r.any_ratio)):
            cells += [f"{best.size:,}", best.tool + _RECORDED_MARK * best.recorded, f"{ratio:.3f}"]
        lines.append(_line(cells))
    sizes = [geometric_mean(getattr(r, name) for r in rows) for name in ("stream", "file", "artefact")]
    means = [_MEAN, "", "", *_numbers(*sizes)]
    for others, ratios in (
        ([r.fits.size for r in rows], [r.fits_ratio for r in rows]),
        ([r.any.size for r in rows], [r.any_ratio for r in rows]),
    ):
        means += [*_numbers(geometric_mean(others)), "", f"**{geometric_mean(ratios):.3f}**"]
    return HEAD + "".join(lines) + _line(means)


def parse(text: str) -> list[Row]:
    """The rows of all tables in *text*, as render() writes them.  Raises BenchError when there is none."""
    _, *tables = text.split(HEAD)
    if not tables:
        raise BenchError("there is no table of patch sizes, expected one: `make bench` writes it")
    return [_row(line) for found in tables for line in found.partition(f"| {_MEAN}")[0].splitlines()]


def _row(line: str) -> Row:
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    old, new, stream, file, artefact = (_number(cell) for cell in cells[1:6])
    ours = {"stream": stream, "file": file, "artefact": artefact}
    return Row(pair=cells[0], old=old, new=new, **ours, fits=_best(cells[6:8]), any=_best(cells[9:11]))


def _numbers(*values: float) -> list[str]:
    return [f"{round(value):,}" for value in values]


def _number(cell: str) -> int:
    return int(cell.replace(",", ""))


def _best(cells: Sequence[str]) -> Best:
    size, tool = cells
    mark = _RECORDED_MARK.strip()
    return Best(size=_number(size), tool=tool.removesuffix(mark).strip(), recorded=tool.endswith(mark))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"
