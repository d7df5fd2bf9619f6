"""Lines to program and to erase a board with, for somebody else to type."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import Final

from spboot.boards import Board
from spboot.programmer.table import Programmer, table

_TCL: Final = set("{}\\ ")


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """What is typed for a programmer that is not asked for its target.  Double quotes are what every shell knows."""

    programmer: Programmer
    program: str
    erase: str


def by_hand(board: Board, file: str) -> list[ByHand]:
    """A row for each programmer whose line for *board* is known without it: not for one that lists its targets itself.

    *file*: the name of a .hex file, without blanks and braces.

    >>> [row.program for row in by_hand(Board.load("NUCLEO-L476RG"), "factory.hex")][2]
    'st-flash --reset --format ihex write factory.hex'
    """
    assert file.endswith(".hex") and not set(file) & _TCL
    rows = []
    for programmer in table():
        target = programmer.target(board.chip)
        if target is None or programmer.lists_targets:
            continue
        values = {
            "file": file,
            "address": "",
            "at": "",
            "probe": "",
            "target": target,
            "loader": "",
            "format": programmer.format.get("hex", ""),
            "second": programmer.second(board.chip),
        }
        program, erase = (
            subprocess.list2cmdline([programmer.executable, *words])
            for words in (programmer.line(values), programmer.erase_line(values))
        )
        rows.append(ByHand(programmer=programmer, program=program, erase=erase))
    return rows
