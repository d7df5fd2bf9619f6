"""The vectors of `tests/crypto` that run in QEMU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.crypto.test_aes import ECB, check_nist_known_answers, check_rfc3686_messages
from tests.crypto.test_p256 import check_generated, check_nist_signatures
from tests.crypto.test_sha256 import check_nist_messages
from tests.crypto.verifier import Crypto

_STRIDE: Final = 10


def _ecb(crypto: Crypto) -> None:
    for name in ECB:
        check_nist_known_answers(crypto, name)


def _generated(crypto: Crypto) -> None:
    check_generated(crypto, _STRIDE)


CHECKS: Final[dict[str, Callable[[Crypto], None]]] = {
    "SHA-256, NIST messages": check_nist_messages,
    "AES-128, NIST known answers": _ecb,
    "AES-128-CTR, RFC 3686": check_rfc3686_messages,
    "P-256, NIST signatures": check_nist_signatures,
    "P-256, generated vectors": _generated,
}
"""What is said of a check -> the check; each raises AssertionError."""
