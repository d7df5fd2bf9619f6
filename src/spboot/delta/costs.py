"""What decisions cost in bits, judged by how often they were taken: the parser's price list."""

from __future__ import annotations

from math import log2

from spboot.delta.models import (
    COUNT,
    EXP,
    GOLOMB_DIST,
    GOLOMB_NEAR,
    GOLOMB_NEW_LEN,
    GOLOMB_OLD_LEN,
    HI,
    LO,
    MANT,
    NEAR,
    NREP,
    OP,
    REP,
    REP1,
    SIGN,
    SPACE,
    hi_tree,
    lo_tree,
)
from spboot.delta.rangecoder import put_golomb

_TABLE = 512  # Golomb numbers below this are looked up

# How often firmware takes a 1, in percent, where no parse has told yet.
_GUESS = {OP: 10, OP + 1: 30, OP + 2: 50, OP + 3: 20, OP + 4: 1, OP + 5: 30}
_GUESS |= {SPACE: 20, SPACE + 1: 20, SPACE + 2: 30, REP: 80, REP + 1: 5, REP1: 15, NEAR: 60, SIGN: 50, NREP: 10}
_GUESS_WEIGHT = 8


class Tally:
    """Counts decisions instead of coding them.  Implements rangecoder.Sink."""

    def __init__(self) -> None:
        self.counts = [0.5] * (2 * COUNT)

    def bit(self, index: int, bit: int) -> None:
        """Count one decision."""
        self.counts[2 * index + bit] += 1

    def direct(self, value: int, count: int) -> None:
        """Direct bits always cost one bit each: nothing to learn."""


def first_guess(old: bytes, new: bytes) -> Tally:
    """A tally for the first parse: literals as in NEW, typical firmware for the rest."""
    tally = Tally()
    for index, percent in _GUESS.items():
        tally.counts[2 * index] += _GUESS_WEIGHT * (1 - percent / 100)
        tally.counts[2 * index + 1] += _GUESS_WEIGHT * percent / 100
    for model in (GOLOMB_NEAR, GOLOMB_DIST, GOLOMB_OLD_LEN, GOLOMB_NEW_LEN):
        size = len(old) if model == GOLOMB_OLD_LEN else len(new)
        top = 8 if model == GOLOMB_NEW_LEN else size.bit_length()
        for e in range(top):
            put_golomb(tally, model, (1 << e) - 1)
    for pos, byte in enumerate(new):
        put_literal(tally, pos, new[pos - 2] if pos >= 2 else 0, byte)
    return tally


def put_literal(tally: Tally, pos: int, before: int, byte: int) -> None:
    """Count the decisions of one literal."""
    counts = tally.counts
    for tree, nibble in ((hi_tree(pos, before), byte >> 4), (lo_tree(pos, byte >> 4), byte & 15)):
        node = 1
        for shift in (3, 2, 1, 0):
            bit = nibble >> shift & 1
            counts[2 * (tree + node) + bit] += 1
            node = node << 1 | bit


class Costs:
    """Prices in bits, from a tally."""

    def __init__(self, tally: Tally) -> None:
        self._zero = []
        self._one = []
        for index in range(COUNT):
            zeros, ones = tally.counts[2 * index : 2 * index + 2]
            total = log2(zeros + ones)
            self._zero.append(min(total - log2(zeros), 11.5))
            self._one.append(min(total - log2(ones), 11.5))
        self._golomb = [[self._golomb_price(model, value) for value in range(_TABLE)] for model in range(4)]

    def bit(self, index: int, bit: int) -> float:
        """Price of one decision."""
        return self._one[index] if bit else self._zero[index]

    def tree(self, tree: int, bits: int, value: int) -> float:
        """Price of *value* through the tree at model *tree*."""
        node, price = 1, 0.0
        for shift in range(bits - 1, -1, -1):
            bit = value >> shift & 1
            price += self._one[tree + node] if bit else self._zero[tree + node]
            node = node << 1 | bit
        return price

    def golomb(self, model: int, value: int) -> float:
        """Price of a Golomb number."""
        return self._golomb[model][value] if value < _TABLE else self._golomb_price(model, value)

    def _golomb_price(self, model: int, value: int) -> float:
        u = value + 1
        e = u.bit_length() - 1
        price = self.tree(EXP + 32 * model, 5, e)
        if e:
            price += self.bit(MANT + 32 * model + e, u >> (e - 1) & 1) + e - 1
        return price

    def literals(self, new: bytes) -> list[float]:
        """Price of each byte of NEW as a literal, without the decision that it is one."""
        high = [[self.tree(HI + 16 * tree, 4, nibble) for nibble in range(16)] for tree in range(8)]
        low = [[self.tree(LO + 16 * tree, 4, nibble) for nibble in range(16)] for tree in range(32)]
        prices = []
        for pos, byte in enumerate(new):
            parity = pos & 1
            before = new[pos - 2] if pos >= 2 else 0
            prices.append(high[parity << 2 | before >> 6][byte >> 4] + low[parity << 4 | byte >> 4][byte & 15])
        return prices
