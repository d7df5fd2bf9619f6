#!/usr/bin/env python3
"""Count the files of a commit, those written by hand and those that a script of ours makes: count_files.py COMMIT"""

from __future__ import annotations

import subprocess
import sys

MADE = (
    "src/spboot/chips/parts/",
    "src/spboot/chips/ip/",
    "docs/delta.svg",
    "docs/fidelity.md",
    "tools/fidelity/accesses.json",
)
"""What scripts write: tools/make_chips.py, bench/delta, tools/fidelity."""


def touched(commit: str) -> list[str]:
    """The files that *commit* adds, changes or removes."""
    command = ["git", "show", "--name-only", "--format=", "--no-renames", commit]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")[:-1]


def main(commit: str) -> None:
    files = touched(commit)
    by_hand = [name for name in files if not name.startswith(MADE)]
    print(*(f"  {name}" for name in by_hand), sep="\n")
    print(f"{commit}: {len(by_hand)} files by hand, {len(files) - len(by_hand)} made by scripts")


if __name__ == "__main__":
    main(sys.argv[1])
