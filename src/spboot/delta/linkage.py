"""Where an image is linked, told by its own pointers: words that name functions point at the PUSH that most of them
begin with (Arm v7-M Architecture Reference Manual, A7.7.101)."""

from __future__ import annotations

import re
import struct
from collections import Counter
from typing import Final

_ALIGNED: Final = 256
_LOOKED_AT: Final = 1 << 20
"""Bytes: functions and pointers are in the first of them, if anywhere."""
_POINTERS: Final = 20_000
_FEW: Final = 12
"""Votes that chance does not give."""
_PUSH: Final = re.compile(rb"[\x00-\xff]\xb5|\x2d\xe9[\x00-\xff][\x40-\x5f]")
"""PUSH of LR with others, of two bytes or four."""


def find_base(image: bytes) -> int | None:
    """The address that *image* is linked at, a multiple of 256; None when its words do not say."""
    head = image[: min(len(image), _LOOKED_AT)]
    functions: dict[int, list[int]] = {}
    for place in _pushes(head):
        functions.setdefault(place % _ALIGNED, []).append(place)
    votes: Counter[int] = Counter()
    for target in _pointers(head):
        for place in functions.get(target % _ALIGNED, ()):
            if target >= place:
                votes[target - place] += 1
    return _winner(votes, len(image))


def _pushes(image: bytes) -> list[int]:
    return [found.start() for found in _PUSH.finditer(image) if found.start() % 2 == 0]


def _pointers(image: bytes) -> list[int]:
    """What odd words name, each once: code, less the bit that says so."""
    words = struct.unpack(f"<{len(image) // 4}I", image[: len(image) // 4 * 4])
    return sorted({word - 1 for word in words if word & 1 and 0x100 < word < 0x4000_0000})[:_POINTERS]


def _winner(votes: Counter[int], size: int) -> int | None:
    """The base with by far the most votes."""
    best = votes.most_common(2)
    if not best or best[0][1] < _FEW:
        return None
    second = best[1][1] if len(best) > 1 else 0
    return best[0][0] if best[0][1] >= 2 * second and best[0][0] + size < 1 << 32 else None
