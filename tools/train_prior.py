#!/usr/bin/env python3
"""Make the digits of spec/patch-models.toml from pairs of the corpus: train_prior.py all, or names of pairs

Only pairs of the trained half of bench/delta/corpus.toml are taken: what is measured must not have been learnt.  The
models here are from @pybricks/firmware: cityhub and essentialhub in all steps, and 4.13.0-alpha.5 to 4.17.0 and 7.22.0
to 7.27.0 of all hubs.

A digit is 8 plus the logarithm of the odds of a 1, rounded, -7 .. 7; 0: never seen, even odds.  A pair counts with the
square root of its decisions, so that large ones do not drown small ones.  The encoder decides by the digits: run it
twice."""

from __future__ import annotations

import math
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for bench, when run as a file

from bench.delta.corpus import CorpusError, Pair, firmware, training
from spboot.delta.encoder import count
from spboot.errors import SpbootError
from spboot.formats.spec import data_path, patch_models

LINE = 96  # digits
FEW = 0.3  # of each decision, before any was seen


def chosen(names: list[str]) -> list[Pair]:
    """The pairs with these *names*, or "all" of the trained half.  Raises CorpusError for any other."""
    known = {pair.name: pair for pair in training()}
    if names == ["all"]:
        return list(known.values())
    for name in names:
        if name not in known:
            raise CorpusError(f"{name} is no pair of the trained half, expected some of: {', '.join(known)}")
    return [known[name] for name in names]


def counts(pair: Pair) -> list[tuple[int, int]]:
    """How often each adaptive bit of one pair was 0 and 1."""
    return count(firmware(pair.product, pair.old), firmware(pair.product, pair.new), pair.base)


def digit(seen: list[tuple[int, int]]) -> int:
    """The state of one adaptive bit, from its counts in each pair."""
    zeros = sum(z / math.sqrt(z + o) for z, o in seen if z + o)
    ones = sum(o / math.sqrt(z + o) for z, o in seen if z + o)
    if not zeros and not ones:
        return 0
    return 8 + max(-7, min(7, round(math.log((ones + FEW) / (zeros + FEW)))))


def spelled(digits: str) -> str:
    """A TOML string, in lines if need be."""
    if len(digits) <= LINE:
        return f'"{digits}"'
    lines = (digits[at : at + LINE] for at in range(0, len(digits), LINE))
    return '"""\n' + "".join(f"{line}\\\n" for line in lines) + '"""'


def main(names: list[str]) -> None:
    """Train with the pairs of these *names* and write the file.  Raises CorpusError."""
    with ProcessPoolExecutor() as pool:
        told = list(pool.map(counts, chosen(names)))
    digits = "".join(f"{digit(list(seen)):x}" for seen in zip(*told, strict=True))
    path = data_path("spec") / "patch-models.toml"
    head = re.split(r"^\[models\]$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[0]
    lines, at = [head + "[models]"], 0
    for name, old in patch_models()["models"].items():
        lines.append(f"{name} = {spelled(digits[at : at + len(old)])}")
        at += len(old)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        main(sys.argv[1:])
    except SpbootError as error:
        sys.exit(f"train_prior: {error}")
