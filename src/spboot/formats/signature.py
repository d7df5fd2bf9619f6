"""A signature on the wire: r, then w = 2^256 / s mod n, big-endian.  Knows no keys.

ECDSA's s becomes w so that no device has to divide (docs/decisions/0027-the-inverse-comes-with-the-signature.md).
s -> w is one to one on 1 .. n - 1, and its own inverse.  Source: [signature] of spec/spboot.toml.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from spboot.errors import FormatError
from spboot.formats.spec import spec

SIGNATURE_SIZE: Final[int] = spec()["signature"]["size"]
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""n: the number of points of P-256."""

_HALF: Final = SIGNATURE_SIZE // 2
assert _HALF == 32


def _turned(value: int) -> int:
    return pow(2, 8 * _HALF, ORDER) * pow(value, -1, ORDER) % ORDER


def from_der(der: bytes) -> bytes:
    """r || w of the standard signature *der* (SEQUENCE of r and s), which is in range."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(_HALF, "big") + _turned(s).to_bytes(_HALF, "big")


def to_der(signature: bytes) -> bytes:
    """The standard signature (DER: SEQUENCE of r and s) of r || w, both 1 .. n - 1.  Raises FormatError."""
    if len(signature) != SIGNATURE_SIZE:
        raise FormatError(f"signature: {len(signature)} bytes, expected {SIGNATURE_SIZE}")
    r, w = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
    for name, value in (("r", r), ("w", w)):
        if not 0 < value < ORDER:
            raise FormatError(f"signature: {name} is {value:#x}, expected 1 .. n - 1 of P-256: the file is damaged")
    return encode_dss_signature(r, _turned(w))
