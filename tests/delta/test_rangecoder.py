"""The range coder and its models alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spboot.delta.models import AFTER_0, AFTER_1, COUNT, GOLOMB_DIST, START
from spboot.delta.rangecoder import Decoder, Encoder, put_golomb, put_tree


def test_probabilities_stay_inside() -> None:
    """No reachable state has a probability of 0 or 4096: both bits can always be sent."""
    seen, todo = set(), [START]
    while todo:
        state = todo.pop()
        if state not in seen:
            seen.add(state)
            assert 1 <= state >> 4 <= 4095
            todo += [AFTER_0[state], AFTER_1[state]]


@given(st.lists(st.tuples(st.integers(0, COUNT - 1), st.integers(0, 1)), max_size=400), st.integers(0, 31))
def test_bits_come_back(bits: list[tuple[int, int]], width: int) -> None:
    coder = Encoder()
    for index, bit in bits:
        coder.bit(index, bit)
        coder.direct(index, width)
    decoder = Decoder(coder.finish())
    for index, bit in bits:
        assert decoder.bit(index) == bit
        assert decoder.direct(width) == index & ((1 << width) - 1)
    assert decoder.unread == 0


@given(st.lists(st.integers(0, (1 << 32) - 2) | st.integers(0, 40), max_size=60))
def test_golomb_numbers_come_back(values: list[int]) -> None:
    coder = Encoder()
    for value in values:
        put_golomb(coder, GOLOMB_DIST, value)
        put_tree(coder, 0, 4, value & 15)
    decoder = Decoder(coder.finish())
    assert [(decoder.golomb(GOLOMB_DIST), decoder.tree(0, 4)) for _ in values] == [(v, v & 15) for v in values]


def test_golomb_limits() -> None:
    values = [0, 1, 2, (1 << 31) - 1, (1 << 32) - 2]
    coder = Encoder()
    for value in values:
        put_golomb(coder, GOLOMB_DIST, value)
    decoder = Decoder(coder.finish())
    assert [decoder.golomb(GOLOMB_DIST) for _ in values] == values


def test_carry_runs_through_full_bytes() -> None:
    """Even decisions that leave FF bytes behind, then one that carries into them."""
    coder = Encoder()
    coder.direct(0, 31)
    coder.direct(0, 31)
    for _ in range(64):
        coder.bit(0, 0)
    decoder = Decoder(coder.finish())
    assert decoder.direct(31) == 0
    assert decoder.direct(31) == 0
    assert [decoder.bit(0) for _ in range(64)] == [0] * 64


def test_nothing_is_one_byte() -> None:
    assert Encoder().finish() == b"\0"
