"""The adaptive bits, the range coder and the numbers alone."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spboot.delta import models
from spboot.delta.models import AFTER, COUNT, SHAPES
from spboot.delta.rangecoder import RangeDecoder
from spboot.errors import FormatError

from .writer import RangeEncoder


def test_probabilities_stay_inside() -> None:
    """No state reached from a start state has a probability of 0 or 4096, alone or in a mean: any bit can be sent."""
    seen, todo = set(), list(set(models.start()))
    while todo:
        state = todo.pop()
        if state not in seen:
            seen.add(state)
            assert 1 <= state >> 4 <= 4095
            todo += [after[state] for after in AFTER]


def test_every_place_has_one_index() -> None:
    """No two adaptive bits share a place, none is left over."""
    taken = set()
    for group, shape in SHAPES.items():
        for flat in range(prod(shape)):
            at, rest = [], flat
            for size in reversed(shape):
                at.append(rest % size)
                rest //= size
            taken.add(models.index(group, *reversed(at)))
    assert taken == set(range(COUNT))


@given(st.lists(st.tuples(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1), st.integers(0, 1)), max_size=400))
def test_bits_come_back(bits: list[tuple[int, int, int]]) -> None:
    coder = RangeEncoder()
    for one, other, bit in bits:
        coder.bit(one, bit)
        coder.direct(other, one % 32)
        if one != other:
            coder.mixed(one, other, bit)
    decoder = RangeDecoder(coder.finish())
    for one, other, bit in bits:
        assert decoder.bit(one) == bit
        assert decoder.direct(one % 32) == other & ((1 << one % 32) - 1)
        if one != other:
            assert decoder.mixed(one, other) == bit
    assert decoder.unread == 0


def test_carry_runs_through_full_bytes() -> None:
    """Even decisions that leave FF bytes behind, then one that carries into them."""
    coder = RangeEncoder()
    coder.direct(0, 31)
    coder.direct(0, 31)
    for _ in range(64):
        coder.bit(0, 0)
    decoder = RangeDecoder(coder.finish())
    assert decoder.direct(31) == 0
    assert decoder.direct(31) == 0
    assert [decoder.bit(0) for _ in range(64)] == [0] * 64


def test_nothing_is_one_byte() -> None:
    assert RangeEncoder().finish() == b"\0"


@pytest.mark.parametrize("change", [{"op": "0"}, {"more": "0"}])
def test_wrong_start_states_are_named(change: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = models.patch_models()
    monkeypatch.setattr(models, "patch_models", lambda: real | {"models": real["models"] | change})
    with pytest.raises(FormatError, match=next(iter(change))):
        models.start()
