"""Code in external flash by what docs/format.md says of it, with another SHA-256 than the bootloader's."""

from __future__ import annotations

import hashlib

from spboot.formats.header import Header

_BLOCK = 32
_NONCE = 19


def sealed(content: bytes, cipher_key: bytes, vector_size: int) -> bytes:
    """*content*, the first bytes of a slot, as SLOT1 holds them in external flash; or the other way round.  Raises
    FormatError where it does not begin with a header."""
    seed = (
        hashlib.sha256(b"spboot at rest" + cipher_key).digest()
        + hashlib.sha256(Header.parse(content).pack()).digest()[:_NONCE]
    )
    blocks = range(vector_size // _BLOCK, -(-len(content) // _BLOCK))
    stream = b"".join(hashlib.sha256(seed + block.to_bytes(4, "big")).digest() for block in blocks)
    return content[:vector_size] + bytes(a ^ b for a, b in zip(content[vector_size:], stream, strict=False))
