"""The parts of docs/delta.md that `make bench` writes, each between two marks with its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bench.delta import corpus
from bench.delta.measure import ROOT, BenchError, ImageResult, PairResults
from bench.delta.peers import PEERS
from bench.delta.table import Row, geometric_mean, of_group, render

_HALVES: Final = ("measured", "trained")
_TRAINED: Final = "What the encoder starts from is learnt of these products: today, of other releases of hubs."
PAGE: Final = ROOT / "docs" / "delta.md"
BEGIN: Final = "<!-- {}: begin -->\n"
END: Final = "<!-- {}: end -->\n"


def replace(page: str, section: str, name: str) -> str:
    """*page* with *section* between the marks of that *name*.

    Raises BenchError when they are not there once each, in order."""
    first, last = BEGIN.format(name), END.format(name)
    head, begin, rest = page.partition(first)
    old, end, tail = rest.partition(last)
    if not (begin and end) or first in old + tail or last in head + tail:
        lines = f"{first.strip()} and {last.strip()}"
        raise BenchError(f"the page of {name} needs the lines {lines} once each, in this order")
    return head + begin + section + end + tail


def write(section: str, name: str) -> None:
    """The same, in docs/delta.md.  Raises BenchError."""
    PAGE.write_text(replace(PAGE.read_text(encoding="utf-8"), section, name), encoding="utf-8")


def section(rows: Sequence[Row], results: Sequence[PairResults], images: Sequence[ImageResult]) -> str:
    """Everything between the marks "bench"."""
    measured, trained = (render(of_group(rows, half)) for half in _HALVES)
    ours = [result for result in results if result.pair.half == "measured"]
    return (
        f"\n### Patches\n\n{_summary(rows)}\n![patch sizes by pair](delta.svg)\n\n"
        f"#### The measured half\n\n{measured}\n"
        f"#### The trained half\n\n{_TRAINED}\n\n{trained}\n"
        f"### Full images\n\n{_images(images)}\n"
        f"### Each tool\n\nGeometric means over the measured half.\n\n{_tools(ours)}\n{_missing(results)}"
    )


def _summary(rows: Sequence[Row]) -> str:
    """Geometric means of each group of pairs, and the highest ratios."""
    lines = [
        "| pairs | | best in 5 KB | highest | best of any kind | highest | the stream alone |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for group in corpus.groups():
        chosen = of_group(rows, group)
        cells = [f"{len(chosen)}"]
        for ratios in ([row.fits_ratio for row in chosen], [row.any_ratio for row in chosen]):
            cells += [f"{geometric_mean(ratios):.3f}", f"{max(ratios):.3f}"]
        cells.append(f"{geometric_mean(row.stream / row.any.size for row in chosen):.3f}")
        if group in _HALVES:
            group, cells = f"**{group} half**", [f"**{cell}**" for cell in cells]
        lines.append(f"| {group} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _images(images: Sequence[ImageResult]) -> str:
    lines = ["| image | bytes | xz -9e | payload | .sfb | payload / xz |", "|---|--:|--:|--:|--:|--:|"]
    ratios = []
    for image in images:
        sizes = image.ours.sizes
        ratios.append(sizes["payload"] / image.xz)
        numbers = (image.size, image.xz, sizes["payload"], sizes["artefact"])
        lines.append(f"| {image.name} | " + " | ".join(f"{n:,}" for n in numbers) + f" | {ratios[-1]:.3f} |")
    lines.append(f"| **geometric mean** | | | | | **{geometric_mean(ratios):.3f}** |")
    return "\n".join(lines) + "\n"


def _tools(results: Sequence[PairResults]) -> str:
    """Geometric means over the pairs, smallest first; a tool counts when it ran on every pair."""
    found = [("**spboot**", "", "yes", geometric_mean(r.ours.sizes["file"] for r in results))]
    ours = found[0][3]
    for peer in PEERS:
        told = [r.peers[peer.name] for r in results if peer.name in r.peers]
        if len(told) == len(results):
            mean = geometric_mean(result.sizes["file"] for result in told)
            found.append((peer.name, told[0].version, "yes" if peer.fits else "no", mean))
    lines = ["| tool | version | in 5 KB | geometric mean | spboot / tool |", "|---|---|---|--:|--:|"]
    for name, version, fits, mean in sorted(found, key=lambda tool: tool[3]):
        lines.append(f"| {name} | {version} | {fits} | {round(mean):,} | {ours / mean:.3f} |")
    return "\n".join(lines) + "\n"


def _missing(results: Sequence[PairResults]) -> str:
    missing = {name: why for result in results for name, why in result.missing.items()}
    if not missing:
        return "All of them could be run where this was made.\n"
    return "Not run where this was made: " + "; ".join(f"{name}: {why}" for name, why in missing.items()) + ".\n"
