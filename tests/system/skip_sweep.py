"""The sweep of test_skip.py with its counts, as a table: `python -m tests.system.skip_sweep --help`."""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spboot.boards import Board
from spboot.builder.compiler import NAMES
from tests.system.rig import workshop
from tests.system.skip import Result, counted
from tests.system.skip_boot import DECIDES, Boot
from tests.system.skip_loader import UPDATES, Loading
from tests.system.skip_states import NOW, SITUATIONS, Maker, prepare, thinned

OUTCOMES = ("refused", "met", "reset", "hung", "unknown", "spoilt", "accepted")
LOADER = "update: "
"""Before the name of an update that the loader is given."""
BOARDS = ("NUCLEO-L476RG", "NUCLEO-L073RZ", "DISCO-F769I", "DISCO-L562E")
COLUMNS = ("situation", "board", "core", "compiler", "points", *OUTCOMES, "CPU s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much of a sweep: *number* of its points, in the functions of *only*, *width* instructions a time."""

    number: int | None
    only: re.Pattern[str] | None
    width: int


def sweep(maker: Maker, situation: str, extent: Extent) -> tuple[list[Result], Boot | Loading]:
    """The results, and where they come from."""
    number, width = extent.number, extent.width
    if situation.startswith(LOADER):
        loading = Loading(maker, UPDATES[situation.removeprefix(LOADER)](maker), width=width)
        return [loading.without(point) for point in loading.points(number or 10_000)], loading
    boot = Boot(prepare(maker, SITUATIONS[situation](maker)), allowed=maker.slot(NOW), only=extent.only, width=width)
    return boot.sweep(boot.sample(number) if number else boot.points(thin=thinned(situation))), boot


def row(cells: Sequence[object]) -> None:
    print("|", " | ".join(str(cell) for cell in cells), "|", flush=True)


def show(maker: Maker, compiler: str, situation: str, extent: Extent) -> None:
    """One line of the table, and behind it one for each instruction whose omission was no refusal."""
    began = time.process_time()
    results, source = sweep(maker, situation, extent)
    counts, board = counted(results), maker.board
    took = round(time.process_time() - began)
    row([situation, board.name, board.chip.core, compiler, len(results), *(counts[name] for name in OUTCOMES), took])
    for result in results:
        if result.outcome in ("accepted", "spoilt"):
            print(f"  {result.outcome} {result.point.index} {source.place(result.point.address)} {result.detail}")


def main() -> None:
    every = [*SITUATIONS, *(LOADER + name for name in UPDATES)]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--board", action="append", help=f"again for more; {', '.join(BOARDS)} when none is named")
    parser.add_argument("--compiler", action="append", choices=NAMES, help="both when none is named")
    parser.add_argument("--situation", action="append", choices=every, help="all when none is named")
    parser.add_argument("--sample", type=int, help="so many points of each, evenly at random; all when left out")
    parser.add_argument("--decisions", action="store_true", help="in the functions that decide alone")
    parser.add_argument("--width", type=int, default=1, help="instructions left out behind each other (1)")
    options = parser.parse_args()
    extent = Extent(number=options.sample, only=DECIDES if options.decisions else None, width=options.width)
    row(COLUMNS)
    row(["---"] * len(COLUMNS))
    for name in options.board or BOARDS:
        for compiler in options.compiler or NAMES:
            with tempfile.TemporaryDirectory() as folder:
                maker = Maker(workshop(Board.load(name), compiler, Path(folder)))
                for situation in options.situation or every:
                    if maker.board.slot1 is not None or not re.search("SLOT1|committed", situation):
                        show(maker, compiler, situation, extent)


if __name__ == "__main__":
    main()
