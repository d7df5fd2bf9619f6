"""The sweep of test_fault_sweep.py with its counts, as a table: `python -m tests.system.fault_sweep --help`."""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spboot.boards import Board
from spboot.builder.compiler import NAMES
from tests.system.fault import KINDS
from tests.system.fault_boot import DECIDES, Boot
from tests.system.fault_loader import UPDATES, Loading
from tests.system.fault_pairs import Pairs
from tests.system.fault_states import EVERY, NOW, OF_TWO_PARTS, Maker, prepare, thinned
from tests.system.rig import workshop
from tests.system.striker import Strike

OUTCOMES = ("refused", "met", "reset", "hung", "unknown", "spoilt", "strayed", "accepted")
LOADER = "update: "
"""Before the name of an update that the loader is given."""
PAIR = "pair"
BOARDS = ("NUCLEO-L476RG", "NUCLEO-L073RZ", "DISCO-F769I", "DISCO-L562E", "DISCO-L476G-EXT", "DISCO-F469I-EXT")
"""Cortex-M4, M0+, M7 and M33; SLOT1 in external flash; both slots there, too, in part."""
COLUMNS = ("fault", "situation", "board", "core", "compiler", "runs", *OUTCOMES, "CPU s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much of a sweep: *number* of its faults of a kind, in the functions of *only*."""

    number: int | None
    only: re.Pattern[str] | None
    seed: int


def source_of(maker: Maker, situation: str, only: re.Pattern[str] | None) -> Boot | Loading:
    """What is run again and again."""
    if situation.startswith(LOADER):
        return Loading(maker, UPDATES[situation.removeprefix(LOADER)](maker))
    return Boot(prepare(maker, EVERY[situation](maker)), allowed=maker.slot(NOW), rest=maker.rest, only=only)


def strikes_of(source: Boot | Loading, kind: str, situation: str, extent: Extent) -> Iterable[Strike]:
    if kind == PAIR:
        pairs = Pairs(source.trace)
        return pairs.all() if extent.number is None else pairs.sample(extent.number, extent.seed)
    if isinstance(source, Loading):
        return source.strikes(kind, extent.number, extent.seed)
    return source.strikes(kind, extent.number, thin=thinned(situation), seed=extent.seed)


def row(cells: Sequence[object]) -> None:
    print("|", " | ".join(str(cell) for cell in cells), "|", flush=True)


def show(source: Boot | Loading, kind: str, situation: str, compiler: str, extent: Extent) -> None:
    """One line of the table, and before it one for each fault that was no refusal."""
    began, counts, board = time.process_time(), Counter[str](), source.rig.board
    for result in source.sweep(strikes_of(source, kind, situation, extent)):
        counts[result.outcome] += 1
        if result.outcome in ("accepted", "strayed", "spoilt") or "(missed)" in result.detail:
            words = f"  {result.outcome} {result.strike.point.index} {source.place(result.strike)} {result.detail}"
            print(words, flush=True)
    took = round(time.process_time() - began)
    cells = [kind, situation, board.name, board.chip.core, compiler, counts.total()]
    row([*cells, *(counts[name] for name in OUTCOMES), took])


def arguments() -> argparse.Namespace:
    kinds = [*KINDS, PAIR]
    every = [*EVERY, *(LOADER + name for name in UPDATES)]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fault", action="append", choices=kinds, help="again for more; skip when none is named")
    parser.add_argument("--board", action="append", help=f"again for more; {', '.join(BOARDS)} when none is named")
    parser.add_argument("--compiler", action="append", choices=NAMES, help="both when none is named")
    parser.add_argument("--situation", action="append", choices=every, help="all when none is named")
    parser.add_argument("--sample", type=int, help="so many faults of each, evenly at random; all when left out")
    parser.add_argument("--seed", type=int, default=0, help="of that choice (0)")
    parser.add_argument("--decisions", action="store_true", help="in the functions that decide alone; pairs always are")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    kinds = options.fault or ["skip"]
    extent = Extent(number=options.sample, only=DECIDES if options.decisions else None, seed=options.seed)
    row(COLUMNS)
    row(["---"] * len(COLUMNS))
    for name in options.board or BOARDS:
        for compiler in options.compiler or NAMES:
            with tempfile.TemporaryDirectory() as folder:
                maker = Maker(workshop(Board.load(name), compiler, Path(folder)))
                sweep(maker, compiler, kinds, options.situation, extent)


def sweep(maker: Maker, compiler: str, kinds: Sequence[str], chosen: Sequence[str] | None, extent: Extent) -> None:
    """The lines of one bootloader."""
    every = [*EVERY, *(LOADER + name for name in UPDATES)]
    for situation in chosen or every:
        if maker.board.slot1 is None and re.search("SLOT1|committed|kept", situation):
            continue
        if not maker.rest and situation in OF_TWO_PARTS:
            continue
        for only in sorted({DECIDES if kind == PAIR else extent.only for kind in kinds}, key=str):
            source = source_of(maker, situation, only)
            for kind in kinds:
                if only == (DECIDES if kind == PAIR else extent.only):
                    show(source, kind, situation, compiler, extent)


if __name__ == "__main__":
    main()
