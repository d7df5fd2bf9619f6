"""Writes what somebody with a board needs to try spboot, for every board or those named: `make boards-files`.

    python tools/board_files.py out/boards [BOARD ...]

A folder for each, as `spboot demo BOARD --files` makes it.  Those of an earlier run are made anew, with their keys."""

from __future__ import annotations

import sys
from pathlib import Path

from spboot import boards, kit
from spboot.boards import Board
from spboot.errors import SpbootError


def main(output: Path, names: list[str]) -> int:
    """The exit code: 1 when one of them could not be made; the others are."""
    failed = 0
    for name in names or boards.names():
        try:
            made = kit.write(Board.load(name), output / name, again=True)
        except SpbootError as error:
            failed = 1
            print(f"{name}: {error}", file=sys.stderr)
        else:
            print(f"{made.folder}: {len(made.items)} files, development key {made.key}", flush=True)
    return failed


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: board_files.py FOLDER [BOARD ...]")
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
