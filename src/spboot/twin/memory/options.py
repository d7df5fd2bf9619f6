"""Option bytes as cells: written by one operation of the log, which a cut can meet.

They are erased first, then programmed one after the other (RM0351 3.4.2, RM0090 3.7.2, RM0444 3.4.2).  What a cut
leaves of a word is nothing that fits its complement, and the chip loads a value of its own: "those mismatch values
force a secure configuration that might permanently lock the device" is what RM0444 3.4.2 says of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from spboot.twin.memory.oplog import Cut

Fate = Literal["old", "lost", "new"]
Word = tuple[str, int]
"""The register that a word of option bytes is loaded into, and which bits of it."""


def fates(count: int, cut: Cut) -> list[Fate]:
    """What a torn change makes of *count* words: the first ones of a prefix are programmed, the last ones of a suffix,
    all but one with "miss", and with "random" each is what it was, lost, or new."""
    kind, number = cut.pattern
    if kind == "random":
        chance = random.Random(number)
        return [chance.choice(("old", "lost", "new")) for _ in range(count)]
    if kind == "prefix":
        return ["new" if at < number else "lost" for at in range(count)]
    if kind == "suffix":
        return ["new" if at >= count - number else "lost" for at in range(count)]
    return ["lost" if at == number % count else "new" for at in range(count)]


def mixed(
    words: Sequence[Word], cut: Cut, old: Mapping[str, int], new: Mapping[str, int], lost: Mapping[str, int]
) -> tuple[dict[str, int], list[Word]]:
    """What is loaded after *cut* tore the change of *words* from *old* to *new*, and the words that are lost."""
    loaded = dict(old)
    gone: list[Word] = []
    for word, fate in zip(words, fates(len(words), cut), strict=True):
        name, mask = word
        if fate != "old":
            value = (new if fate == "new" else lost)[name]
            loaded[name] = loaded[name] & ~mask | value & mask
        if fate == "lost":
            gone.append(word)
    return loaded, gone


class OptionCells:
    """For the log: *put* is the change, *tear* a part of it."""

    def __init__(self, put: Callable[[], None], tear: Callable[[Cut], None]) -> None:
        self._put = put
        self._tear = tear

    def put(self, _address: int, _data: bytes) -> None:
        """All of it."""
        self._put()

    def tear(self, _address: int, _new: bytes, cut: Cut) -> None:
        """What *cut* leaves."""
        self._tear(cut)
