"""Sentences packed by pairs of bytes: a byte from 0x80 on stands for two others, which may be such bytes again."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spboot.errors import FormatError

CONVERSIONS: Final = {letter: number for number, letter in enumerate("stuwzxv", 1)}
"""Letter behind the percent sign -> the byte that stands for both in a packed sentence."""
FIRST_PAIR: Final = 0x80
_PAIRS: Final = 0x100 - FIRST_PAIR
MOST: Final = 0x100
"""Sentences that a table can hold: the number of one is a byte."""
_COST: Final = 2
"""Bytes of a pair in the table: it has to save more than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedTexts:
    """The table of pairs, and all sentences one behind the other, each ended by a zero."""

    pairs: tuple[tuple[int, int], ...]
    data: bytes
    depth: int
    """Bytes that wait at most while one is taken apart from the left."""

    @property
    def size(self) -> int:
        """Bytes of flash."""
        return len(self.data) + _COST * len(self.pairs)

    def unpack(self) -> list[str]:
        """The sentences again."""
        return [self._expand(packed).decode("ascii") for packed in self.data.split(b"\0")[:-1]]

    def _expand(self, packed: Sequence[int]) -> bytes:
        parts = (self._expand(self.pairs[b - FIRST_PAIR]) if b >= FIRST_PAIR else bytes([b]) for b in packed)
        return b"".join(parts)


def pack(texts: Sequence[str]) -> PackedTexts:
    """Pack *texts* in their order; the same texts give the same bytes.  Raises FormatError."""
    if len(texts) > MOST:
        raise FormatError(f"there are {len(texts)} sentences, expected at most {MOST}: their numbers are bytes")
    for text in texts:
        if not text.isascii() or "\0" in text:
            raise FormatError(f"{text!r} is not ASCII without zeros: the console sends nothing else")
    rows = [list(text.encode("ascii")) for text in texts]
    pairs: list[tuple[int, int]] = []
    while len(pairs) < _PAIRS:
        pair, count = _commonest(rows)
        if count <= _COST:
            break
        rows = [_replace(row, pair, FIRST_PAIR + len(pairs)) for row in rows]
        pairs.append(pair)
    depths: dict[int, int] = {}
    for number, (left, right) in enumerate(pairs, FIRST_PAIR):
        depths[number] = max(1 + depths.get(left, 0), depths.get(right, 0))
    data = b"".join(bytes(row) + b"\0" for row in rows)
    return PackedTexts(pairs=tuple(pairs), data=data, depth=max(depths.values(), default=0))


def _commonest(rows: list[list[int]]) -> tuple[tuple[int, int], int]:
    """The pair found most often, the lowest of those that are equal, and how often it can be replaced."""
    found: Counter[tuple[int, int]] = Counter()
    for row in rows:
        before = None
        for pair in itertools.pairwise(row):
            # Of three equal bytes only two can be replaced.
            before = None if pair == before else pair
            found[pair] += before is not None
    return min(found.items(), key=lambda item: (-item[1], item[0]), default=((0, 0), 0))


def _replace(row: list[int], pair: tuple[int, int], code: int) -> list[int]:
    out: list[int] = []
    for byte in row:
        if out and (out[-1], byte) == pair:
            out[-1] = code
        else:
            out.append(byte)
    return out
