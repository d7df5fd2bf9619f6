"""AES-128-CTR on the compiled code: invariant A1 of firmware/crypto/aes.h, and published vectors."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from spboot.twin.measure.callee import Core

from .conftest import TARGETS, CryptoFor
from .images import Compiler
from .published import sections
from .verifier import Crypto

pytestmark = pytest.mark.both_compilers

ECB = {"GFSbox": 7, "KeySbox": 21, "VarKey": 128, "VarTxt": 128}


def _reference(key: bytes, nonce: bytes, block: int, data: bytes) -> bytes:
    counter = nonce + block.to_bytes(4, "big")
    return Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor().update(data)


@pytest.mark.parametrize(("compiler", "core"), TARGETS)
@pytest.mark.parametrize("name", ECB)
def test_nist_known_answers(crypto_for: CryptoFor, compiler: Compiler, core: Core, name: str) -> None:
    check_nist_known_answers(crypto_for(compiler, core), name)


def check_nist_known_answers(crypto: Crypto, name: str) -> None:
    """One block: the counter block is the plaintext, and zeros XOR the key stream are the ciphertext."""
    count = 0
    for section, fields in sections(f"ciphers/AES/ECB/ECB{name}128.rsp"):
        if section == "ENCRYPT":
            counter = bytes.fromhex(fields["PLAINTEXT"])
            stream = crypto.ctr(bytes.fromhex(fields["KEY"]), counter[:12], int.from_bytes(counter[12:]), bytes(16))
            assert stream.hex() == fields["CIPHERTEXT"]
            count += 1
    assert count == ECB[name]


@pytest.mark.parametrize(("compiler", "core"), TARGETS)
def test_rfc3686_messages(crypto_for: CryptoFor, compiler: Compiler, core: Core) -> None:
    check_rfc3686_messages(crypto_for(compiler, core))


def check_rfc3686_messages(crypto: Crypto) -> None:
    """Counter mode as published."""
    cases = [fields for _, fields in sections("ciphers/AES/CTR/aes-128-ctr.txt")]
    assert len(cases) == 3
    for fields in cases:
        key, counter, plain, cipher = (bytes.fromhex(fields[k]) for k in ("KEY", "IV", "PLAINTEXT", "CIPHERTEXT"))
        assert crypto.ctr(key, counter[:12], int.from_bytes(counter[12:]), plain) == cipher


@pytest.mark.parametrize(("compiler", "core"), TARGETS)
@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    key=st.binary(min_size=16, max_size=16),
    nonce=st.binary(min_size=12, max_size=12),
    block=st.integers(0, 2**32 - 20),
    data=st.binary(max_size=200),
    misalign=st.integers(0, 3),
)
def test_any_length_block_and_alignment(
    crypto_for: CryptoFor,
    compiler: Compiler,
    core: Core,
    key: bytes,
    nonce: bytes,
    block: int,
    data: bytes,
    misalign: int,
) -> None:
    result = crypto_for(compiler, core).ctr(key, nonce, block, data, misalign=misalign)
    assert result == _reference(key, nonce, block, data)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(data=st.binary(min_size=1, max_size=200), cut=st.integers(0, 12))
def test_a1_a_split_at_a_block_is_the_same_stream(crypto_for: CryptoFor, data: bytes, cut: int) -> None:
    crypto = crypto_for("clang", "cm4")
    key, nonce = bytes(range(16)), bytes(range(12))
    parts = crypto.ctr(key, nonce, 0, data[: 16 * cut]) + crypto.ctr(key, nonce, cut, data[16 * cut :])
    assert parts == crypto.ctr(key, nonce, 0, data)
