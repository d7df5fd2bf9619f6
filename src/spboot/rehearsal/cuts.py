"""Which cuts an operation suffers in a rehearsal."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from spboot.rehearsal.bench import Operation
from spboot.twin.memory.oplog import Cut

KINDS: Final = ("before", "after", "prefix", "suffix", "miss", "random", "marginal", "weak", "single")
"""Kinds of cuts, in the order of the rows of a picture."""
_OF_AN_ERASE: Final = 8
"""Prefixes, suffixes and missed bits of an erase, which has thousands, when each is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How much is tried."""

    about: str
    tears: int
    """Torn in so many ways of each kind; 0: one kind after the other, from operation to operation; -1: in each way."""
    second: int
    """So many cuts in each recovery."""
    every: int
    """Behind one of so many runs the device takes an update."""
    watchdog_ms: float
    """A watchdog resets the device once in so many milliseconds."""


DEPTHS: Final[dict[str, Depth]] = {
    "quick": Depth(about="a minute", tears=0, second=1, every=12, watchdog_ms=500.0),
    "all": Depth(about="minutes", tears=2, second=2, every=16, watchdog_ms=100.0),
    "each": Depth(about="an hour", tears=-1, second=2, every=32, watchdog_ms=20.0),
}
"""Name -> depth."""


def kind(cut: Cut) -> str:
    """Which of KINDS it is."""
    return cut.fault or (cut.pattern[0] if cut.when == "torn" else cut.when)


def tears(number: int, operation: Operation, depth: Depth, *, ecc: bool) -> Iterator[Cut]:
    """The ways in which *operation*, the one of that *number*, is torn; with *ecc* flash reports its errors."""
    every = list(_all(number, operation, depth, ecc=ecc))
    if depth.tears == 0:
        yield every[number % len(every)]
        return
    yield from every


def _all(number: int, operation: Operation, depth: Depth, *, ecc: bool) -> Iterator[Cut]:
    bits = 8 * len(operation.data)
    chance = random.Random(number)
    count = max(depth.tears, 1) if depth.tears >= 0 else _OF_AN_ERASE if operation.kind == "erase" else bits
    for name, few in (("prefix", range(1, bits)), ("suffix", range(1, bits)), ("miss", range(bits))):
        for which in few if count >= len(few) else sorted(chance.sample(few, count)):
            yield Cut(at=number, when="torn", pattern=(name, which), poison=False)
    for _ in range(4 if depth.tears < 0 else max(depth.tears, 1)):
        seed = chance.randrange(1 << 16)
        yield Cut(at=number, when="torn", pattern=("random", seed), poison=False)
        yield Cut(at=number, when="torn", pattern=("random", seed), fault="marginal", poison=False)
        if operation.kind == "erase":
            yield Cut(at=number, when="torn", pattern=("random", seed), fault="weak")
        if ecc:
            yield Cut(at=number, when="torn", pattern=("random", seed))
            yield Cut(at=number, when="torn", pattern=("random", seed), fault="marginal")
            yield Cut(at=number, when="torn", pattern=("random", seed), fault="single")
