"""The vectors of tests/crypto on the bootloader that ships: the instructions a device executes."""

from __future__ import annotations

import pytest

from tests.crypto import test_aes, test_p256, test_sha256
from tests.crypto.verifier import Crypto
from tests.system.rig import Workshop


@pytest.fixture
def shipped(shop: Workshop) -> Crypto:
    return Crypto(shop.boot.elf, "cm4")


@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.soak)])
def test_generated_signatures(shipped: Crypto, stride: int) -> None:
    test_p256.check_generated(shipped, stride)


def test_nist_signatures(shipped: Crypto) -> None:
    test_p256.check_nist_signatures(shipped)


def test_wycheproof(shipped: Crypto) -> None:
    test_p256.check_wycheproof(shipped)


def test_hashes(shipped: Crypto) -> None:
    test_sha256.check_nist_messages(shipped)


@pytest.mark.parametrize("name", test_aes.ECB)
def test_cipher(shipped: Crypto, name: str) -> None:
    test_aes.check_nist_known_answers(shipped, name)


def test_counter_mode(shipped: Crypto) -> None:
    test_aes.check_rfc3686_messages(shipped)
