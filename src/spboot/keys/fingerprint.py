"""The name of a signing key that people compare: one definition and one format, wherever a key is named.

The first 16 hex digits of SHA-256 over the public key in DER (SubjectPublicKeyInfo), as OpenSSL gives it:

    openssl pkey -pubin -in verify.pem -outform DER | openssl dgst -sha256
"""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DIGITS: Final = 16


def fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """16 hex digits of *key*, lower case.  Enough to tell keys apart; whoever has to trust one compares all of it."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:DIGITS]
