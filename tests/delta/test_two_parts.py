"""Pairs of which one image or both have a second part, in external flash: made of the same blocks, so that what ends in
one part seems to go on in the other."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spboot import delta
from spboot.delta import decoder

from .code import noise

BASE = 0x0802_0000
_blocks = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6)


def check(old: tuple[bytes, bytes], new: tuple[bytes, bytes], base: int = BASE) -> int:
    """Bytes of the stream, after both decoders made *new* of it."""
    stream = delta.encode(old[0], new[0], base=base, old_rest=old[1], new_rest=new[1])
    assert decoder.decode(old[0], stream, len(new[0]), old_rest=old[1], new_rest_len=len(new[1])) == new[0] + new[1]
    return len(stream)


def padded(image: bytes, to: int) -> bytes:
    """*image*, made longer by its own bytes, so that there is or there is no room behind it."""
    return image + bytes(image[at % len(image)] for at in range(-len(image) % to))


@settings(max_examples=50, deadline=None)
@given(_blocks, st.sampled_from([1, 2, 16]), st.data())
def test_blocks_in_both_parts(blocks: list[bytes], to: int, data: st.DataObject) -> None:
    picked = st.lists(st.sampled_from(blocks) | st.binary(max_size=6), max_size=12).map(b"".join)
    old, old_rest, new, new_rest = (data.draw(picked) for _ in range(4))
    if new and data.draw(st.booleans()):
        new = padded(new, to)
    if old and data.draw(st.booleans()):
        old = padded(old, to)
    if not new + new_rest:
        new = b"\0"
    check((old, old_rest), (new, new_rest))


@pytest.mark.parametrize(
    "size",
    [pytest.param(at, marks=() if at in (4_096, 4_097, 4_111) else pytest.mark.soak) for at in range(4_080, 4_130)],
)
def test_what_ends_one_part_and_begins_the_other_comes_once_more(size: int) -> None:
    """In the second part in one piece, which is no one copy."""
    image, rest = noise(size, "first"), noise(500, "second")
    again = image[-300:] + rest[:300]
    assert check((b"", b""), (image, rest + noise(9, "between") + again)) < size + 700
    assert check((image, rest), (image, rest + noise(9, "between") + again)) < 60
    assert check((image, rest), (image[:1_000] + again + image[1_600:], rest)) < 400


@pytest.mark.parametrize("old_has", [False, True])
@pytest.mark.parametrize("new_has", [False, True])
@pytest.mark.parametrize("size", [16, 31, 32, 33, 4_096])
def test_a_part_comes_or_goes(size: int, old_has: bool, new_has: bool) -> None:
    old, new = (noise(size, "part"), noise(700, "rest") * old_has), (noise(size, "part"), noise(700, "rest") * new_has)
    assert check(old, new) <= 16 + 750 * (new_has and not old_has)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(200))
def test_pieces_of_each_other(seed: int) -> None:
    """Larger ones, of pieces of one image with two symbols, cut anywhere."""
    rnd = random.Random(seed)
    source = bytes(byte % rnd.choice([2, 3, 256]) for byte in noise(3_000, f"pieces {seed}"))

    def image() -> bytes:
        cuts = sorted(rnd.randrange(len(source)) for _ in range(rnd.randrange(2, 12)))
        pieces = [source[a:b] for a, b in pairwise(cuts)]
        rnd.shuffle(pieces)
        made = b"".join(pieces) or b"\1"
        return made[: len(made) // 16 * 16 or 1] if rnd.random() < 0.5 else made

    for _ in range(10):
        check((image() * rnd.randrange(2), image() * rnd.randrange(2)), (image(), image() * rnd.randrange(2)))
