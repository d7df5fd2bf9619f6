"""The adaptive bits of the patch stream: where each one lies and how it learns.  Source: spec/patch-stream.md.

All models live in one flat list of states.  A state is a u16: the probability of the bit being 1, in 1/4096, in
bits 15..4, and how often it was used (at most 15) in bits 3..0.
"""

from __future__ import annotations

from typing import Final

RATE: Final = (171, 102, 73, 57, 47, 39, 34, 30, 27, 24, 22, 20, 16, 12, 10, 8)
START: Final = 2048 << 4

LITERAL: Final = 0  # kinds of an operation, as the contexts count them
COPY_OLD: Final = 1
COPY_NEW: Final = 2

GOLOMB_NEAR: Final = 0  # models of the Golomb numbers
GOLOMB_DIST: Final = 1
GOLOMB_OLD_LEN: Final = 2
GOLOMB_NEW_LEN: Final = 3

# First state of each group in the flat list.
OP: Final = 0  # [6]
SPACE: Final = OP + 6  # [3]
REP: Final = SPACE + 3  # [2]
REP1: Final = REP + 2
NEAR: Final = REP1 + 1
SIGN: Final = NEAR + 1
NREP: Final = SIGN + 1
HI: Final = NREP + 1  # [2][4] trees of 4 bits
LO: Final = HI + 2 * 4 * 16  # [2][16] trees of 4 bits
EXP: Final = LO + 2 * 16 * 16  # [4] trees of 5 bits
MANT: Final = EXP + 4 * 32  # [4][32]
COUNT: Final = MANT + 4 * 32
assert COUNT == 911

U32: Final = 0xFFFFFFFF


def _steps(bit: int) -> list[int]:
    """Next state for every state after *bit*."""
    table = []
    for state in range(1 << 16):
        p, n = state >> 4, state & 15
        p += (4096 - p) * RATE[n] >> 8 if bit else -(p * RATE[n] >> 8)
        table.append(p << 4 | min(n + 1, 15))
    return table


AFTER_0: Final = _steps(0)
AFTER_1: Final = _steps(1)


def hi_tree(pos: int, before: int) -> int:
    """Tree of the high nibble of the literal at *pos* of NEW; *before* is NEW[pos - 2], 0 when there is none."""
    return HI + ((pos & 1) << 2 | before >> 6) * 16


def lo_tree(pos: int, high: int) -> int:
    """Tree of the low nibble of the literal at *pos* of NEW whose high nibble is *high*."""
    return LO + ((pos & 1) << 4 | high) * 16
