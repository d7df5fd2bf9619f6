"""Packs sentences by replacing pairs of bytes: a byte above those of characters stands for two others, each of which
may stand for two others again.

A sentence ends with a zero, which may be the second byte of a pair: bytes whose last one it is are the highest."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spboot.errors import FormatError

CONVERSIONS: Final = {letter: number for number, letter in enumerate("stuwzxv", 1)}
"""Letter behind the percent sign -> the byte that stands for both in a packed sentence."""
SHIFTED: Final = ord("\r") + 1
"""Bytes from here on are characters from the space on; those below are line ends and conversions."""
SHIFT: Final = ord(" ") - SHIFTED
_LAST: Final = "z"
FIRST_PAIR: Final = ord(_LAST) + 1 - SHIFT
_PAIRS: Final = 0x100 - FIRST_PAIR
MOST: Final = 0x100
"""Sentences that a table can hold: the number of one is a byte."""
_COST: Final = 2
"""Bytes that a pair takes in the table: a pair that does not save more is not made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedTexts:
    """The table of pairs, and all sentences one behind the other."""

    pairs: tuple[tuple[int, int], ...]
    data: bytes
    first_end: int
    """A sentence ends with a zero, or with a byte from here on."""
    depth: int
    """Most bytes that have to wait while one is taken apart from the left: the depth of the decoder's stack."""

    @property
    def size(self) -> int:
        """Bytes that pairs and sentences take in flash."""
        return len(self.data) + _COST * len(self.pairs)

    def unpack(self) -> list[str]:
        """The sentences, unpacked again."""
        whole = b"".join(self._expand(byte) for byte in self.data)
        return [bytes(map(_character, text)).decode("ascii") for text in whole.split(b"\0")[:-1]]

    def _expand(self, byte: int) -> bytes:
        if byte < FIRST_PAIR:
            return bytes([byte])
        left, right = self.pairs[byte - FIRST_PAIR]
        return self._expand(left) + self._expand(right)


def _character(byte: int) -> int:
    return byte if byte < SHIFTED else byte + SHIFT


_BYTES: Final = {chr(_character(byte)): byte for byte in range(1, FIRST_PAIR)}


def pack(texts: Sequence[str]) -> PackedTexts:
    """Pack *texts* in their order; the same texts give the same bytes.  Raises FormatError."""
    if len(texts) > MOST:
        raise FormatError(f"there are {len(texts)} sentences, expected at most {MOST}: their numbers are bytes")
    for text in texts:
        if unknown := [letter for letter in text if letter not in _BYTES]:
            raise FormatError(f"{text!r} has {unknown[0]!r}: words have ASCII from the space to {_LAST}, and line ends")
    rows = [[*(_BYTES[letter] for letter in text), 0] for text in texts]
    pairs: list[tuple[int, int]] = []
    while len(pairs) < _PAIRS:
        pair, count = _commonest(rows)
        if count <= _COST:
            break
        rows = [_replace(row, pair, FIRST_PAIR + len(pairs)) for row in rows]
        pairs.append(pair)
    return _numbered(pairs, rows)


def _numbered(pairs: list[tuple[int, int]], rows: list[list[int]]) -> PackedTexts:
    """With those bytes last that end a sentence."""
    depths: dict[int, int] = {}
    ends = {0}
    for byte, (left, right) in enumerate(pairs, FIRST_PAIR):
        depths[byte] = max(1 + depths.get(left, 0), depths.get(right, 0))
        if right in ends:
            ends.add(byte)
    order = sorted(range(FIRST_PAIR, FIRST_PAIR + len(pairs)), key=lambda byte: byte in ends)
    new = {byte: byte for byte in range(FIRST_PAIR)} | {old: byte for byte, old in enumerate(order, FIRST_PAIR)}
    return PackedTexts(
        pairs=tuple((new[left], new[right]) for left, right in (pairs[old - FIRST_PAIR] for old in order)),
        data=bytes(new[byte] for row in rows for byte in row),
        first_end=FIRST_PAIR + len(pairs) - (len(ends) - 1),
        depth=max(depths.values(), default=0),
    )


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
