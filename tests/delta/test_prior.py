"""The packed start states of the adaptive bits."""

from __future__ import annotations

import random

import pytest

from spboot.delta.prior import UNKNOWN, delta_prior_header, pack
from spboot.delta.rangecoder import RangeDecoder, tree
from spboot.formats.spec import patch_models


def unpack(stream: bytes, count: int) -> list[int]:
    decoder = RangeDecoder(stream)
    decoder._models = [UNKNOWN] * 15
    return [tree(decoder, 0, 4) for _ in range(count)]


def digits() -> list[int]:
    return [int(digit, 16) for group in patch_models()["models"].values() for digit in group]


def test_reference_decoder_unpacks_the_start_states() -> None:
    packed = pack(digits())
    assert unpack(packed, len(digits())) == digits()
    assert f"#define SPB_DELTA_PRIOR {{{', '.join(map(str, packed))}}}" in delta_prior_header()


def test_packing_saves_a_third() -> None:
    plain = len(digits()) / 2
    assert len(pack(digits())) < plain * 2 / 3


@pytest.mark.parametrize("seed", range(20))
def test_any_numbers(seed: int) -> None:
    rng = random.Random(seed)
    numbers = [rng.randrange(16) for _ in range(rng.randrange(300))]
    packed = pack(numbers)
    assert unpack(packed, len(numbers)) == numbers
    assert packed[-1:] != b"\0"
