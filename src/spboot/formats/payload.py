"""The payload of an update: ciphertext in chunks, each with the hash of the next one.  Knows no keys.

Source: [chunk] of spec/spboot.toml.  The hash of chunk 0 is not on the wire: the signature covers it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from spboot.errors import AuthenticationError, FormatError
from spboot.formats.spec import spec

DATA_SIZE: Final[int] = spec()["chunk"]["data_size"]
HASH_SIZE: Final[int] = spec()["chunk"]["hash_size"]
CHUNK_SIZE: Final = DATA_SIZE + HASH_SIZE


def chunk_hash(chunk: bytes) -> bytes:
    """Hash of a whole chunk as on the wire."""
    return hashlib.sha256(chunk).digest()[:HASH_SIZE]


def wire_size(data_len: int) -> int:
    """Bytes on the wire of *data_len* >= 1 bytes of ciphertext."""
    return data_len + (data_len - 1) // DATA_SIZE * HASH_SIZE


def build(data: bytes) -> tuple[bytes, bytes]:
    """Wire bytes of the ciphertext *data*, and the hash of chunk 0.  Raises FormatError when *data* is empty."""
    if not data:
        raise FormatError("payload: there is nothing in it, expected at least 1 byte")
    chunks: list[bytes] = []
    following = b""
    for start in reversed(range(0, len(data), DATA_SIZE)):
        chunks.append(data[start : start + DATA_SIZE] + following)
        following = chunk_hash(chunks[-1])
    return b"".join(reversed(chunks)), following


def first_hash(wire: bytes) -> bytes:
    """Hash of chunk 0 of *wire*: what the signature must cover."""
    return chunk_hash(wire[:CHUNK_SIZE])


def chunks(wire: bytes, expected: bytes) -> Iterator[bytes]:
    """Ciphertext of *wire*, chunk by chunk, each only after its hash fitted; chunk 0 must hash to *expected*.

    Raises FormatError when no payload has this length, AuthenticationError at the first chunk with another hash.
    """
    if not 1 <= len(wire) % CHUNK_SIZE <= DATA_SIZE:
        raise FormatError(f"payload: {len(wire)} bytes do not end in a chunk of 1 .. {DATA_SIZE} bytes")
    for start in range(0, len(wire), CHUNK_SIZE):
        chunk = wire[start : start + CHUNK_SIZE]
        if chunk_hash(chunk) != expected:
            raise AuthenticationError(
                f"payload: chunk {start // CHUNK_SIZE} does not have the hash that was signed: "
                "the file was damaged or changed, get it again"
            )
        expected = chunk[DATA_SIZE:]
        yield chunk[:DATA_SIZE]
