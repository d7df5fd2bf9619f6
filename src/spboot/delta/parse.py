"""Splits NEW into operations so that the stream gets short: dynamic programming over all positions of NEW.

For each position the cheapest way there is kept, with the decoder state it leads to.  Long matches are taken without
looking inside them.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from spboot.delta.costs import Costs
from spboot.delta.matcher import NewMatcher, OldMatcher, Runs
from spboot.delta.models import (
    COPY_NEW,
    COPY_OLD,
    GOLOMB_DIST,
    GOLOMB_NEAR,
    GOLOMB_NEW_LEN,
    GOLOMB_OLD_LEN,
    LITERAL,
    NEAR,
    NREP,
    OP,
    REP,
    REP1,
    SIGN,
    SPACE,
    U32,
)
from spboot.delta.operations import Operation, near_pays

_LONG = 96  # a match this long is taken whole
_GOOD = 24  # a match at the current displacement this long ends the search for others
_TRIES = 4  # longest matches of OLD priced at one position
_TICK = 4096  # positions between two calls of the progress callback

# r0, r1, d0, kind of the last operation, literals since the last copy (at most 3); displacements are signed here
_State = tuple[int, int, int, int, int]


class Finder:
    """The match finders of one pair, shared by all parses."""

    def __init__(self, old: bytes, new: bytes) -> None:
        self.old = old
        self.new = new
        self.in_old = OldMatcher(old, new) if old else None
        self.in_new = NewMatcher(new, 48 if not old else 24)


class Parser:
    """One parse of a pair with one price list."""

    def __init__(self, finder: Finder, costs: Costs) -> None:
        self._finder = finder
        self._costs = costs
        self._new = finder.new
        self._src_bits = (len(finder.old) - 1).bit_length() if finder.old else 0
        self._old_runs = Runs(finder.old, finder.new)
        self._new_runs = Runs(finder.new, finder.new)
        size = len(finder.new) + 1
        self._price = [inf] * size
        self._via: list[Operation] = [Operation(LITERAL, 0, 0)] * size
        self._state: list[_State] = [(0, 0, 0, LITERAL, 0)] * size

    def run(self, tick: Callable[[int], None]) -> list[Operation]:
        """The operations that make NEW; *tick* is called with the position now and then."""
        size = len(self._new)
        self._price[0] = 0.0
        literals = self._costs.literals(self._new)
        op = [(self._costs.bit(OP + c, 0), self._costs.bit(OP + c, 1)) for c in range(6)]
        literal = Operation(LITERAL, 1, 0)
        price, via, states = self._price, self._via, self._state
        pos, next_tick = 0, 0
        while pos < size:
            if pos >= next_tick:
                tick(pos)
                next_tick = pos + _TICK
            r0, r1, d0, prev, count = states[pos]
            is_literal, is_copy = op[count if prev == LITERAL else 3 + prev]
            sum_ = price[pos] + is_literal + literals[pos]
            if sum_ < price[pos + 1]:
                price[pos + 1] = sum_
                via[pos + 1] = literal
                states[pos + 1] = (r0, r1, d0, LITERAL, count + 1 if count < 3 else 3)
            taken = self._copies(pos, price[pos] + is_copy)
            pos += taken if taken >= _LONG else 1
        return self._way_back()

    def _way_back(self) -> list[Operation]:
        operations = []
        pos = len(self._new)
        while pos:
            kind, length, place = self._via[pos]
            operations.append(Operation(kind, length, place & U32))
            pos -= length
        return operations[::-1]

    def _copies(self, pos: int, base: float) -> int:
        """Price every copy worth it at *pos*; returns the length of the longest."""
        prev = self._state[pos][3]
        longest = 0
        if self._finder.in_old:
            longest = self._from_old(pos, base + self._costs.bit(SPACE + prev, 0), self._finder.in_old)
            base += self._costs.bit(SPACE + prev, 1)
            if longest >= _GOOD:
                return longest
        return max(longest, self._from_new(pos, base))

    def _offer(self, pos: int, total: float, operation: Operation, state: _State) -> None:
        end = pos + operation.length
        if total < self._price[end]:
            self._price[end] = total
            self._via[end] = operation
            self._state[end] = state

    def _from_old(self, pos: int, base: float, matcher: OldMatcher) -> int:
        costs = self._costs
        r0, r1, d0, prev, _ = self._state[pos]
        rep = REP + (prev != LITERAL)
        longest = self._old_runs.length(pos, r0)
        if longest:
            total = base + costs.bit(rep, 1) + costs.golomb(GOLOMB_OLD_LEN, longest - 1)
            self._offer(pos, total, Operation(COPY_OLD, longest, r0), (r0, r1, d0, COPY_OLD, 0))
            if longest >= _GOOD:
                return longest
        base += costs.bit(rep, 0)
        length = self._old_runs.length(pos, r1)
        if length:
            total = base + costs.bit(REP1, 1) + costs.golomb(GOLOMB_OLD_LEN, length - 1)
            self._offer(pos, total, Operation(COPY_OLD, length, r1), (r1, r0, d0, COPY_OLD, 0))
        base += costs.bit(REP1, 0)
        longest = max(longest, length)
        for length, src in matcher.longest(pos)[:_TRIES]:
            place = pos - src
            if place in (r0, r1):
                continue
            total = base + self._place(r0, place) + costs.golomb(GOLOMB_OLD_LEN, length - 1)
            self._offer(pos, total, Operation(COPY_OLD, length, place), (place, r0, d0, COPY_OLD, 0))
            longest = max(longest, length)
        return longest

    def _place(self, r0: int, place: int) -> float:
        """Price of a new displacement."""
        costs = self._costs
        if near_pays(r0 & U32, place & U32, self._src_bits):
            sign = costs.bit(SIGN, int(place < r0))
            return costs.bit(NEAR, 1) + sign + costs.golomb(GOLOMB_NEAR, abs(place - r0) - 1)
        return costs.bit(NEAR, 0) + self._src_bits

    def _from_new(self, pos: int, base: float) -> int:
        costs = self._costs
        r0, r1, d0, _, _ = self._state[pos]
        longest = 0
        if d0:
            longest = self._new_runs.length(pos, d0)
            if longest:
                total = base + costs.bit(NREP, 1) + costs.golomb(GOLOMB_NEW_LEN, longest - 1)
                self._offer(pos, total, Operation(COPY_NEW, longest, d0), (r0, r1, d0, COPY_NEW, 0))
        base += costs.bit(NREP, 0)
        for length, distance in self._finder.in_new.find(pos):
            if distance != d0:
                total = base + costs.golomb(GOLOMB_DIST, distance - 1) + costs.golomb(GOLOMB_NEW_LEN, length - 1)
                self._offer(pos, total, Operation(COPY_NEW, length, distance), (r0, r1, distance, COPY_NEW, 0))
                longest = max(longest, length)
        return longest
