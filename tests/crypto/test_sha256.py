"""SHA-256 on the compiled code: invariant H1 of firmware/crypto/sha256.h, and NIST's vectors."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spboot.twin.measure.callee import Core

from .conftest import TARGETS, CryptoFor
from .images import Compiler
from .published import records, sections
from .verifier import Crypto

pytestmark = pytest.mark.both_compilers

CAVP = "hashes/SHA2/SHA256{}.rsp"


@pytest.mark.parametrize(("compiler", "core"), TARGETS)
def test_nist_messages(crypto_for: CryptoFor, compiler: Compiler, core: Core) -> None:
    check_nist_messages(crypto_for(compiler, core))


def check_nist_messages(crypto: Crypto) -> None:
    """CAVP short and long messages."""
    count = 0
    for name in ("ShortMsg", "LongMsg"):
        for _, fields in sections(CAVP.format(name)):
            message = bytes.fromhex(fields["MSG"])[: int(fields["LEN"]) // 8]
            assert crypto.sha256([message]).hex() == fields["MD"]
            count += 1
    assert count == 65 + 64


def test_nist_monte_carlo(crypto_for: CryptoFor) -> None:
    """The first of 100 outer rounds: 1,000 hashes, each of the three before it (SHAVS 6.4)."""
    (_, seed), (_, first), *_ = records(CAVP.format("Monte"))
    crypto = crypto_for("clang", "cm4")
    last = [bytes.fromhex(seed["SEED"])] * 3
    for _ in range(1000):
        last = [*last[1:], crypto.sha256(last)]
    assert last[-1].hex() == first["MD"]


def _split(message: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(message)) for cut in cuts), len(message)]
    return [message[a:b] for a, b in pairwise(edges)]


@pytest.mark.parametrize(("compiler", "core"), TARGETS)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(message=st.binary(max_size=400), cuts=st.lists(st.integers(0, 400), max_size=6))
def test_h1_any_split_gives_the_same_hash(
    crypto_for: CryptoFor, compiler: Compiler, core: Core, message: bytes, cuts: list[int]
) -> None:
    pieces = _split(message, cuts)
    assert crypto_for(compiler, core).sha256(pieces) == hashlib.sha256(message).digest()


def test_every_length_around_a_block(crypto_for: CryptoFor) -> None:
    """Padding takes one block or two: each length up to three blocks."""
    crypto = crypto_for("clang", "cm4")
    for length in range(193):
        message = bytes(range(length))
        assert crypto.sha256([message]) == hashlib.sha256(message).digest(), length


def test_length_field_takes_more_than_three_bytes(crypto_for: CryptoFor) -> None:
    """2 MiB is 2^24 bits: the length reaches into its fourth byte from the end."""
    message = bytes(1 << 18)
    assert crypto_for("clang", "cm4").sha256([message] * 9) == hashlib.sha256(message * 9).digest()


def test_h1_every_cut_of_two_blocks(crypto_for: CryptoFor) -> None:
    message = bytes(range(130))
    digest = hashlib.sha256(message).digest()
    crypto = crypto_for("clang", "cm4")
    for cut in range(131):
        assert crypto.sha256([message[:cut], message[cut:]]) == digest, cut
