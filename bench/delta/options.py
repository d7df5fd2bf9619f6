"""What the measurements over the corpus have in common on the command line."""

from __future__ import annotations

import argparse

from bench.delta import corpus


def parse(
    parser: argparse.ArgumentParser, writes: str, source: str = ""
) -> tuple[argparse.Namespace, list[corpus.Pair]]:
    """The options, --pair and --write among them, and the pairs they choose, of one *source* or all; *writes*: what
    --write does."""
    parser.add_argument("--pair", default="", metavar="WORD", help="only pairs with this in name, source or half")
    parser.add_argument("--write", action="store_true", help=f"{writes} (needs all pairs)")
    options = parser.parse_args()
    every = corpus.pairs(source)
    chosen = [pair for pair in every if any(options.pair in word for word in (pair.name, pair.source, pair.half))]
    if not chosen or (options.write and len(chosen) < len(every)):
        parser.error(f"--pair {options.pair} chooses {len(chosen)} of {len(every)} pairs")
    return options, chosen
