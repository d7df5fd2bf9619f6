"""Who signs: a SHA-256 digest in, a signature out.  Whatever comes back is checked before it is used.

A signer answers with an ECDSA signature on P-256: DER (SEQUENCE of r and s), or the 64 bytes r || s, big-endian; each
also as text, in hex or base64.  Which one it is need not be said: only one of the readings is right over the digest.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature

from spboot import disk
from spboot.errors import KeyFolderError, SignerError
from spboot.formats import signature as wire
from spboot.keys.fingerprint import fingerprint

PREHASHED: Final = Prehashed(hashes.SHA256())
_RAW_SIZE: Final = 64


class Signer(Protocol):
    """Who signs for a product: any class with this method, in place of the key in the folder.

    >>> class Vault:
    ...     def sign(self, digest: bytes) -> bytes:
    ...         return keys.signing.sign(digest)  # in earnest: asks another machine
    >>> remote = Keys.load("keys", signer=Vault())
    >>> full_image(new, keys=remote) == full_image(new, keys=keys)
    True
    """

    def sign(self, digest: bytes) -> bytes:
        """The signature over the 32 bytes of a SHA-256 *digest*: DER or r || s, as bytes or text.

        Raises SignerError with what to do."""


@dataclass(frozen=True, slots=True)
class FolderKey:
    """signing.pem of a key folder.  The same digest gives the same signature (RFC 6979)."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)

    def sign(self, digest: bytes) -> bytes:
        """DER."""
        return self.key.sign(digest, ec.ECDSA(PREHASHED, deterministic_signing=True))


@dataclass(frozen=True, slots=True)
class LockedKey:
    """signing.pem behind a passphrase that nobody asked for, as nothing was to be signed."""

    path: Path

    def sign(self, digest: bytes) -> bytes:
        """Never: raises KeyFolderError."""
        raise KeyFolderError(f"{self.path} has a passphrase and was not opened: load the keys with need_private=True")


@dataclass(frozen=True, slots=True)
class SignatureFile:
    """A signature that was made elsewhere and lies in a file now: the second of two steps."""

    path: Path

    def sign(self, digest: bytes) -> bytes:
        """What is in the file.  Raises DiskError."""
        return disk.read(self.path)


def checked(signature: bytes, digest: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    """r || w (formats/signature.py) of the *signature* that a signer gave.  Raises SignerError: not *key*'s over
    *digest*."""
    for der in _readings(signature):
        try:
            key.verify(der, digest, ec.ECDSA(PREHASHED))
        except InvalidSignature:
            continue
        return wire.from_der(der)
    what = "is empty" if not signature else f"has {len(signature)} bytes"
    raise SignerError(
        f"the signature {what} and is not one by key {fingerprint(key)} over {digest.hex()}: expected DER or "
        "64 bytes r || s, of this digest and by the private half of verify.pem; nothing was signed"
    )


def _readings(data: bytes) -> Iterator[bytes]:
    """DER of each signature that *data* can be."""
    for plain in (data, *_decoded(data)):
        if len(plain) == _RAW_SIZE:
            r, s = (int.from_bytes(half, "big") for half in (plain[:32], plain[32:]))
            yield encode_dss_signature(r, s)
        try:
            decode_dss_signature(plain)
        except ValueError:
            continue
        yield plain


def _decoded(data: bytes) -> Iterator[bytes]:
    """What *data* says as text."""
    text = b"".join(data.split())
    for decode in (binascii.unhexlify, _unbase64):
        try:
            yield decode(text)
        except ValueError:
            continue


def _unbase64(text: bytes) -> bytes:
    """Base64 of either alphabet, with or without its padding."""
    return base64.b64decode(
        text.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=") + b"=" * (-len(text.rstrip(b"=")) % 4), validate=True
    )
