"""The adaptive bits of the patch stream: where each one lies, how it starts and how it learns.

Source: spec/patch-stream.md, "Adaptive bit" and "Golomb number"; their start states: spec/patch-models.toml.
All lie in one flat list.  A state is a u16: the probability of the bit being 1, in 1/4096, in bits 15..4, and how often
it was used (at most 15) in bits 3..0.
"""

from __future__ import annotations

from math import prod
from typing import Final

from spboot.errors import FormatError
from spboot.formats.spec import patch_models, spec

RATE: Final = (160, 98, 71, 56, 46, 39, 34, 30, 27, 24, 22, 19, 17, 15, 13, 12)
NIBBLE: Final = 4  # bits of a tree ...
EXPONENT: Final = 5
_NIBBLES: Final = (1 << NIBBLE) - 1  # ... and adaptive bits in it
_EXPONENTS: Final = (1 << EXPONENT) - 1

# Models of the Golomb numbers.
NEAR: Final = 0
BRANCH: Final = 1
POINTER: Final = 2
OTHER: Final = 3
SURE: Final = 4
DISTANCE: Final = 5

# The groups in the order of memory.  A tree counts as a last index that is not written out.
SHAPES: Final[dict[str, tuple[int, ...]]] = {
    "op": (8,),
    "space": (2,),
    "same": (2,),
    "mapped": (1,),
    "near": (1,),
    "low": (1,),
    "again": (1,),
    "as_it_is": (1,),
    "flag": (3, 8, 2),
    "opcode": (2, 32, 2),
    "end": (3, 2),
    "ref": (12, 4, 2),
    "ref_new": (12,),
    "missed": (12, 3),
    "literal_high": (2, 4, _NIBBLES),
    "literal_low": (16, _NIBBLES),
    "change_high": (2, _NIBBLES),
    "change_low": (2, 3, _NIBBLES),
    "sign": (4,),
    "exponent": (6, _EXPONENTS),
    "mantissa": (6, 4),
}


def _layout() -> tuple[dict[str, tuple[int, tuple[int, ...]]], int]:
    """First adaptive bit and strides of each group, and how many there are in all."""
    groups, first = {}, 0
    for name, shape in SHAPES.items():
        groups[name] = (first, tuple(prod(shape[axis + 1 :]) for axis in range(len(shape))))
        first += prod(shape)
    return groups, first


_GROUPS, COUNT = _layout()
assert spec()["delta"]["models"] == COUNT


def index(group: str, *at: int) -> int:
    """Place of the adaptive bit `group[at]`; of the first one of a tree when its own index is left out."""
    first, strides = _GROUPS[group]
    return first + sum(position * stride for position, stride in zip(at, strides, strict=False))


def start() -> list[int]:
    """The states at the start of a stream.  Raises FormatError when patch-models.toml has other groups."""
    models = patch_models()
    if list(models["models"]) != list(SHAPES):
        raise FormatError(f"spec: patch-models.toml has the groups {list(models['models'])}, expected {list(SHAPES)}")
    for name, digits in models["models"].items():
        if len(digits) != prod(SHAPES[name]):
            raise FormatError(f"spec: {name} in patch-models.toml has {len(digits)} digits, not {prod(SHAPES[name])}")
    return [models["states"][int(digit, 16)] for digits in models["models"].values() for digit in digits]


def _steps(bit: int) -> list[int]:
    """Next state for every state after *bit*."""
    table = []
    for state in range(1 << 16):
        p, n = state >> 4, state & 15
        p += (4096 - p) * RATE[n] >> 8 if bit else -(p * RATE[n] >> 8)
        table.append(p << 4 | min(n + 1, 15))
    return table


AFTER: Final = (_steps(0), _steps(1))
