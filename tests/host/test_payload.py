"""spboot.formats.payload: the chunk chain."""

from __future__ import annotations

import hashlib

import pytest

from spboot.errors import AuthenticationError, FormatError
from spboot.formats import payload

SIZES = [1, 2, 511, 512, 513, 1023, 1024, 1025, 2000]


@pytest.mark.parametrize("size", SIZES)
def test_round_trip(size: int) -> None:
    data = bytes(at * 7 & 255 for at in range(size))
    wire, first = payload.build(data)
    assert len(wire) == payload.wire_size(size)
    assert 1 <= len(wire) % 528 <= 512
    assert payload.first_hash(wire) == first
    assert b"".join(payload.chunks(wire, first)) == data


def test_layout_by_hand() -> None:
    data = b"a" * 512 + b"b" * 512 + b"c" * 10
    last = b"c" * 10
    middle = b"b" * 512 + hashlib.sha256(last).digest()[:16]
    head = b"a" * 512 + hashlib.sha256(middle).digest()[:16]
    assert payload.build(data) == (head + middle + last, hashlib.sha256(head).digest()[:16])


def test_every_flip_is_seen_at_its_chunk() -> None:
    data = bytes(at * 11 & 255 for at in range(1100))
    wire, first = payload.build(data)
    for at in range(len(wire)):
        bad = bytearray(wire)
        bad[at] ^= 1 << at % 8
        good = []
        with pytest.raises(AuthenticationError, match=f"chunk {at // 528} "):
            for piece in payload.chunks(bytes(bad), first):
                good.append(piece)
        assert b"".join(good) == data[: 512 * (at // 528)]


@pytest.mark.parametrize("size", [0, 513, 528, 1056])
def test_impossible_length(size: int) -> None:
    with pytest.raises(FormatError, match="do not end in a chunk"):
        list(payload.chunks(bytes(size), bytes(16)))


def test_nothing_to_build() -> None:
    with pytest.raises(FormatError, match="at least 1 byte"):
        payload.build(b"")


def test_cut_between_chunks_is_seen() -> None:
    wire, first = payload.build(bytes(2000))
    with pytest.raises(FormatError):
        list(payload.chunks(wire[:528], first))
    with pytest.raises(AuthenticationError):
        list(payload.chunks(wire[: 528 + 512], first))
