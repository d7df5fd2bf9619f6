"""Encoder and decoder together; sizes that the parser must reach."""

from __future__ import annotations

import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spboot import delta
from spboot.delta import decoder

from .code import noise

_blocks = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=8)


def check(old: bytes, new: bytes) -> int:
    """Bytes of the stream that makes *new* from *old*, after it was decoded."""
    stream = delta.encode(old, new)
    assert delta.decode(old, stream, len(new)) == new
    assert len(stream) == 1 or stream[-1]
    return len(stream)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80), st.binary(max_size=80))
def test_unrelated(old: bytes, new: bytes) -> None:
    check(old, new)


@settings(max_examples=60, deadline=None)
@given(_blocks, st.data())
def test_shuffled_and_edited_blocks(blocks: list[bytes], data: st.DataObject) -> None:
    old = b"".join(blocks)
    picked = data.draw(st.lists(st.sampled_from(blocks) | st.binary(max_size=6), max_size=12))
    check(old, b"".join(picked))


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.lists(st.tuples(st.integers(0, 299), st.integers(0, 255)), max_size=8))
def test_random_edits(old: bytes, edits: list[tuple[int, int]]) -> None:
    new = bytearray(old)
    for at, byte in edits:
        new[at % len(new)] = byte
    check(old, bytes(new))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(1, 200), st.integers(0, 255))
def test_periodic(period: int, count: int, byte: int) -> None:
    check(b"", bytes((byte + at) & 255 for at in range(period)) * count)
    check(bytes([byte]) * count, bytes([byte]) * period * count)


def test_identical_is_a_handful_of_bytes() -> None:
    image = noise(20_000, "same")
    assert check(image, image) <= 9  # three of them name the base


def test_shifted_is_a_handful_of_bytes() -> None:
    image = noise(20_000, "shift")
    assert check(image, b"new!" + image) <= 16
    assert check(image, image[100:]) <= 16


def test_swapped_blocks() -> None:
    image = noise(20_000, "swap")
    assert check(image, image[9_000:] + image[:9_000]) <= 16


def test_long_match_among_many_short_ones() -> None:
    """Two symbols only: every short match is everywhere, the long one is in one place."""
    image = bytes(byte & 1 for byte in noise(8_000, "two symbols"))
    blocks = [image[at : at + 400] for at in range(0, 8_000, 400)]
    random.Random(3).shuffle(blocks)
    assert check(image, b"".join(blocks)) <= 20 * 6


@pytest.mark.parametrize("size", [*range(9), 16, 99, 100, 1000, 5000, 100_000])
def test_noise_is_stored(size: int) -> None:
    """Of no size a full image grows by more than a byte, a patch by more than four: the address of OLD, and one."""
    image = noise(size, "noise")
    assert check(b"", image) <= size + 1
    assert check(noise(500, "old"), image) <= size + 4
    assert decoder.decode(b"", delta.encode(b"", image), size) == image


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_nothing_is_longer_than_stored(old: bytes, new: bytes) -> None:
    assert check(b"", new) <= len(new) + 1
    assert check(old, new) <= len(new) + 4


def test_what_compresses_in_part_is_not_stored() -> None:
    assert check(b"", noise(2_000, "part") + bytes(1_000)) < 2_100


def test_no_base_beats_zlib_on_text_like_data() -> None:
    words = [noise(random.Random(at).randrange(3, 12), str(at)) for at in range(200)]
    pick = random.Random(1)
    image = b"".join(pick.choice(words) for _ in range(3_000))
    assert check(b"", image) < 1.01 * len(zlib.compress(image, 9))


def code(size: int, shift: int) -> bytes:
    """Like firmware: halfwords of code, and now and then a word that moves by *shift*."""
    pick = random.Random(7)
    out = bytearray()
    while len(out) < size:
        out += struct.pack("<H", pick.randrange(1 << 16)) + noise(pick.randrange(6, 30) * 2, str(len(out)))
        out += struct.pack("<I", 0x08000000 + pick.randrange(1 << 18) + shift)
    return bytes(out[:size])


def test_scattered_changes_keep_their_displacement() -> None:
    """About 500 words change a little; each may cost 3 bytes, no more."""
    old, new = code(20_000, 0), code(20_000, 64)
    changed = sum(a != b for a, b in zip(old, new, strict=True))
    assert 400 < changed < 1000
    assert check(old, b"\x01\x02" * 50 + new) < 100 + 3.2 * changed


def test_the_same_every_time() -> None:
    old, new = code(4_000, 0), code(4_200, 8)
    assert delta.encode(old, new) == delta.encode(old, new)


def test_progress_grows_to_its_total() -> None:
    calls: list[tuple[int, int]] = []
    delta.encode(b"", noise(9_000, "p"), lambda done, total: calls.append((done, total)))
    assert len(calls) > 2
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert len({total for _, total in calls}) == 1
    assert calls[-1][0] == calls[-1][1]
