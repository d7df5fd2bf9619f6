"""Programs a board over its debug probe, by whichever program for that is on this machine."""

from __future__ import annotations

from spboot.programmer.by_hand import ByHand, by_hand
from spboot.programmer.factory import FactoryFile
from spboot.programmer.run import run, shown
from spboot.programmer.search import Found, ProgrammerError, choose, names

__all__ = ["ByHand", "FactoryFile", "Found", "ProgrammerError", "by_hand", "choose", "names", "run", "shown"]
