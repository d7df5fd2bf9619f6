"""Finds where bytes of NEW occur in OLD and in earlier NEW.  Positions and lengths in bytes."""

from __future__ import annotations

from array import array
from bisect import bisect_left

_SORT_KEY = 32  # bytes of OLD that the sorted index tells apart
_MIN = 4  # shorter matches with OLD are found by displacement only
_SIDE = 6  # neighbours tried on each side of the place in the sorted index


def common_prefix(a: bytes, i: int, b: bytes, j: int, limit: int) -> int:
    """How many bytes a[i:] and b[j:] have in common, at most *limit*."""
    done, step = 0, 16
    while done < limit:
        size = min(step, limit - done)
        x = a[i + done : i + done + size]
        y = b[j + done : j + done + size]
        if x != y:
            diff = int.from_bytes(x, "little") ^ int.from_bytes(y, "little")
            return done + ((diff & -diff).bit_length() - 1 >> 3)
        done += size
        step = min(step * 4, 4096)
    return limit


class Runs:
    """Lengths of matches between two byte strings at a fixed displacement, remembered while they last."""

    def __init__(self, source: bytes, new: bytes) -> None:
        self._source = source
        self._new = new
        self._spans: dict[int, tuple[int, int]] = {}

    def length(self, pos: int, displacement: int) -> int:
        """Length of the match of new[pos:] with source[pos - displacement:]."""
        span = self._spans.get(displacement)
        if span and span[0] <= pos < span[1]:
            return span[1] - pos
        src = pos - displacement
        if not 0 <= src < len(self._source) or self._source[src] != self._new[pos]:
            return 0
        limit = min(len(self._source) - src, len(self._new) - pos)
        found = common_prefix(self._source, src, self._new, pos, limit)
        self._spans[displacement] = (pos, pos + found)
        return found


class OldMatcher:
    """The places in OLD that begin most like NEW at some position."""

    def __init__(self, old: bytes, new: bytes) -> None:
        self._old = old
        self._new = new
        self._sorted = array("I", sorted(range(len(old)), key=lambda at: old[at : at + _SORT_KEY]))
        self._longest: dict[int, list[tuple[int, int]]] = {}

    def _length(self, src: int, pos: int) -> int:
        limit = min(len(self._old) - src, len(self._new) - pos)
        return common_prefix(self._old, src, self._new, pos, limit)

    def longest(self, pos: int) -> list[tuple[int, int]]:
        """(length, src) of the longest matches anywhere in OLD, longest first."""
        found = self._longest.get(pos)
        if found is None:
            found = self._longest[pos] = self._search(pos)
        return found

    def _search(self, pos: int) -> list[tuple[int, int]]:
        old, order = self._old, self._sorted
        at = bisect_left(order, self._new[pos : pos + _SORT_KEY], key=lambda src: old[src : src + _SORT_KEY])
        found = []
        for rank in range(max(0, at - _SIDE), min(len(order), at + _SIDE)):
            length = self._length(order[rank], pos)
            if length >= _MIN:
                found.append((length, order[rank]))
        found.sort(key=lambda match: (-match[0], match[1]))
        return found


class NewMatcher:
    """Earlier places in NEW that begin like NEW at some position."""

    def __init__(self, new: bytes, depth: int) -> None:
        """*depth*: how many earlier places are tried for one position."""
        self._new = new
        self._depth = depth
        self._chain4 = self._chain(4)
        self._chain3 = self._chain(3)
        self._found: dict[int, list[tuple[int, int]]] = {}

    def _chain(self, size: int) -> array[int]:
        """For each position the last earlier one with the same *size* bytes, -1 when there is none."""
        last: dict[bytes, int] = {}
        chain = array("i", bytes(4 * len(self._new)))
        for pos in range(len(self._new)):
            key = self._new[pos : pos + size]
            chain[pos] = last.get(key, -1) if len(key) == size else -1
            last[key] = pos
        return chain

    def find(self, pos: int) -> list[tuple[int, int]]:
        """(length, distance), both growing: for each length the nearest place that has it."""
        found = self._found.get(pos)
        if found is None:
            found = self._found[pos] = self._search(pos)
        return found

    def _search(self, pos: int) -> list[tuple[int, int]]:
        new, limit = self._new, len(self._new) - pos
        best, found = 2, []
        src = self._chain3[pos]
        if src >= 0:
            best = common_prefix(new, src, new, pos, limit)
            found.append((best, pos - src))
        src = self._chain4[pos]
        for _ in range(self._depth):
            if src < 0 or best >= limit:
                break
            if new[src + best] == new[pos + best]:
                length = common_prefix(new, src, new, pos, limit)
                if length > best:
                    best = length
                    found.append((length, pos - src))
            src = self._chain4[src]
        return found
