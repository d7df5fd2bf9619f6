#!/usr/bin/env python3
"""Make the digits of spec/patch-models.toml from pairs of images: train_prior.py FOLDER [FOLDER ...]

Each FOLDER holds old.bin, new.bin and base.txt, the address both are linked at.  No pair of the benchmark may be among
them: what is measured would have been learnt.  The models here are from releases of @pybricks/firmware: cityhub and
essentialhub in all steps of bench/delta/corpus.toml, and 4.13.0-alpha.5 to 4.17.0 and 7.22.0 to 7.27.0 of all hubs.

A digit is 8 plus the logarithm of the odds of a 1, rounded, -7 .. 7; 0: never seen, even odds.  A pair counts with the
square root of its decisions, so that large ones do not drown small ones.  The encoder decides by the digits: run it
twice."""

from __future__ import annotations

import math
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from spboot.delta.encoder import count
from spboot.formats.spec import data_path, patch_models

LINE = 96  # digits
FEW = 0.3  # of each decision, before any was seen


def counts(folder: Path) -> list[tuple[int, int]]:
    """How often each adaptive bit of one pair was 0 and 1."""
    base = int((folder / "base.txt").read_text(), 0)
    return count((folder / "old.bin").read_bytes(), (folder / "new.bin").read_bytes(), base)


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


def main(folders: list[Path]) -> None:
    """Train with all *folders* and write the file."""
    with ProcessPoolExecutor() as pool:
        pairs = list(pool.map(counts, folders))
    digits = "".join(f"{digit(list(seen)):x}" for seen in zip(*pairs, strict=True))
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
    main([Path(name) for name in sys.argv[1:]])
