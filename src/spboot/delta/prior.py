"""The start states of the adaptive bits, as the firmware keeps them: packed by the range coder of the patch stream.

The number of each state, four bits, goes through one tree of adaptive bits, which learns that most of them are one of
two.  The chip unpacks them with the decoder it has (prior.c)."""

from __future__ import annotations

from typing import Final

from spboot.delta.models import AFTER, NIBBLE
from spboot.formats.c_header import guarded
from spboot.formats.spec import patch_models

UNKNOWN: Final = 0x8080
"""State of the tree's bits at its start: a probability of nearly one half, not used yet.  Both bytes are equal, so that
the firmware can set all of them by memset."""
_BYTE: Final = 1 << 24
"""Below this the range is shifted up by a byte."""


def delta_prior_header() -> str:
    """spb_delta_prior.h: the states of spec/patch-models.toml, and the packed numbers of those that the models have."""
    models = patch_models()
    numbers = [int(digit, 16) for digits in models["models"].values() for digit in digits]
    lines = [
        f"#define SPB_DELTA_PRIOR_STATES {{{', '.join(map(str, models['states']))}}}",
        f"#define SPB_DELTA_PRIOR {{{', '.join(map(str, pack(numbers)))}}}",
    ]
    return guarded("SPB_DELTA_PRIOR_H", lines)


def pack(numbers: list[int]) -> bytes:
    """*numbers*, 0 .. 15, as a stream for one tree of a range decoder (spec/patch-stream.md, "Range decoder")."""
    tree = [UNKNOWN] * (1 << NIBBLE)
    low, width, size = 0, 0xFFFFFFFF, 4
    for number in numbers:
        node = 1
        for place in reversed(range(NIBBLE)):
            bit = number >> place & 1
            bound = (width >> 12) * (tree[node] >> 4)
            low, width = (low, bound) if bit else (low + bound, width - bound)
            while width < _BYTE:
                low, width, size = low << 8, width << 8, size + 1
            tree[node] = AFTER[bit][tree[node]]
            node = node << 1 | bit
    return _shortest(low, width, size)


def _shortest(low: int, width: int, size: int) -> bytes:
    """The shortest of the *size* byte numbers from *low* to below *low + width*, without the zeros at its end."""
    for bits in reversed(range(8 * size)):
        value = -(-low >> bits) << bits
        if value < low + width:
            return value.to_bytes(size, "big").rstrip(b"\0")
    raise AssertionError("a range is never empty")
