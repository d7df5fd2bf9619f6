"""The rehearsals of docs/evidence.md, a line of its table each: `python -m tests.system.rehearsals --help`."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from spboot.boards import Board
from spboot.builder.compiler import NAMES
from spboot.rehearsal import DEPTHS, SCENARIOS, rehearse
from spboot.rehearsal.picture import svg
from tests.system.rig import workshop
from tests.system.test_rehearsal import subject_of

COUNTS = ("points", "runs", "seconds", "watchdogs", "updates", "losses")
PAD = 3000
"""Bytes behind the demo that differ between its versions: several pages, where they are of 2 KB."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("boards", nargs="+", metavar="BOARD")
    parser.add_argument("--compiler", choices=NAMES, default=NAMES[0])
    parser.add_argument("--depth", choices=DEPTHS, default="quick")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="again for more; all when none is named")
    parser.add_argument("--svg", type=Path, help="folder for a picture of each")
    options = parser.parse_args()
    for name in options.boards:
        with tempfile.TemporaryDirectory() as folder:
            subject = subject_of(workshop(Board.load(name), options.compiler, Path(folder)), pad=PAD)
        for scenario in options.scenario or SCENARIOS:
            if lacking := SCENARIOS[scenario].lacks(subject):
                print(f"  {name}: {scenario}: {lacking}")
                continue
            began = time.process_time()
            found = rehearse(subject, depth=options.depth, scenarios=[scenario])
            (result,) = found.results
            for loss in found.losses:
                print(f"  lost: {loss.id}: {loss.words}")
            numbers = [f"{number:,}" for number in (result.operations, *(found.counts[count] for count in COUNTS))]
            took = round(time.process_time() - began)
            print(
                "|", " | ".join([name, options.compiler, options.depth, scenario, *numbers]), f"| {took} s", flush=True
            )
            if options.svg:
                options.svg.mkdir(parents=True, exist_ok=True)
                (options.svg / f"{name}-{scenario}.svg").write_text(svg(found))


if __name__ == "__main__":
    main()
