"""python -m bench.delta: measures patch sizes and prints them, or writes them into docs.  Fails above the limits of
budgets.toml."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from typing import Final

from bench.delta import corpus, limits, page, plot, table
from bench.delta.measure import ROOT, Bench, ImageResult, PairResults
from bench.delta.options import parse
from bench.delta.table import Row, geometric_mean
from bench.told import told
from spboot import delta

_LIMITED: Final = ("measured", "trained", "pybricks")
"""Groups of pairs with limits of their own; "pybricks" are the 18 pairs that the format was made with."""
_PLOT: Final = ROOT / "docs" / "delta.svg"


@told
def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.delta", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="run the peers again, whatever is remembered of them")
    options, chosen = parse(parser, "write docs/delta.md and docs/delta.svg")
    _run(Bench(fresh=options.fresh), chosen, write=options.write)
    return 0


def _run(bench: Bench, chosen: Sequence[corpus.Pair], *, write: bool) -> None:
    rows: list[Row] = []
    results: list[PairResults] = []
    images: list[ImageResult] = []
    for pair in chosen:
        results.append(bench.patch(pair))
        rows.append(table.row(results[-1]))
        images.append(bench.image(pair))
        _show(rows[-1], results[-1], images[-1])
    _summary(rows, images)
    if write:
        page.write(page.section(rows, results, images), "bench")
        _PLOT.write_text(plot.plot(rows), encoding="utf-8")
        print(f"wrote {page.PAGE.relative_to(ROOT)} and {_PLOT.relative_to(ROOT)}")
    limits.check(_measured(rows, images))


def _show(row: Row, results: PairResults, image: ImageResult) -> None:
    """What stands in no document: seconds are of this machine, so they are told next to those of bsdiff4."""
    ours = results.ours
    print(
        f"{row.pair}: stream {row.stream:,}, file {row.file:,}; in 5 KB {row.fits.size:,} ({row.fits.tool}), "
        f"ratio {row.fits_ratio:.3f}; any {row.any.size:,} ({row.any.tool}), ratio {row.any_ratio:.3f}; "
        f"encoded in {ours.wall_s:.1f} s, CPU {ours.cpu_s:.1f} s{_times(results)}, {ours.memory / 1e6:.0f} MB; "
        f"full image {image.ours.sizes['payload'] / image.xz:.3f} of xz -9e",
        flush=True,
    )


def _times(results: PairResults) -> str:
    peer = results.peers.get("bsdiff4")
    return f" ({results.ours.cpu_s / peer.cpu_s:.0f} times bsdiff4)" if peer and peer.cpu_s else ""


def _summary(rows: Sequence[Row], images: Sequence[ImageResult]) -> None:
    for group in corpus.groups():
        found = table.of_group(rows, group)
        if found:
            fits, best = (geometric_mean(ratios) for ratios in _ratios(found))
            print(f"{group}: {len(found)} pairs, {fits:.3f} of the best in 5 KB, {best:.3f} of the best of any kind")
    worst = max(rows, key=lambda row: row.fits_ratio)
    print(f"highest ratio to the best in 5 KB: {worst.fits_ratio:.3f}, {worst.pair}")
    print(f"full images: {_image_xz(images):.3f} of xz -9e")


def _ratios(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    return [row.fits_ratio for row in rows], [row.any_ratio for row in rows]


def _image_xz(images: Sequence[ImageResult]) -> float:
    return geometric_mean(image.ours.sizes["payload"] / image.xz for image in images)


def _measured(rows: Sequence[Row], images: Sequence[ImageResult]) -> dict[str, float]:
    """By the names of budgets.toml: what can be said of *rows*, means where all pairs of a group are among them."""
    fits, best = _ratios(rows)
    found = {"worst_in_5_kb": max(fits), "worst_of_any": max(best), "noise": _noise()}
    for group in _LIMITED:
        of_group = table.of_group(rows, group)
        if len(of_group) == len(corpus.groups()[group]):
            found |= {f"{group}_in_5_kb": geometric_mean(_ratios(of_group)[0])}
            found |= {f"{group}_of_any": geometric_mean(_ratios(of_group)[1])}
    if len(rows) == len(corpus.pairs()):
        found["image_xz"] = _image_xz(images)
    return found


def _noise() -> float:
    """The stream of a full image that does not compress, over its size."""
    image = random.Random(1).randbytes(100_000)
    return len(delta.encode(b"", image)) / len(image)


if __name__ == "__main__":
    sys.exit(main())
