"""The installed header: what stands in flash before an image.  Source: [header] of spec/spboot.toml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spboot.errors import FormatError
from spboot.formats.manifest import MANIFEST_SIZE, Manifest
from spboot.formats.payload import HASH_SIZE
from spboot.formats.signature import SIGNATURE_SIZE
from spboot.formats.spec import record

HEADER_SIZE: Final[int] = record("header").size
"""Bytes, with a manifest that has no extension."""

assert HEADER_SIZE == MANIFEST_SIZE + HASH_SIZE + SIGNATURE_SIZE == 156


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Manifest, hash of chunk 0 and the signature over both (formats/signature.py)."""

    manifest: Manifest
    chunk_hash: bytes
    signature: bytes

    @classmethod
    def parse(cls, data: bytes) -> Header:
        """Read a header from the head of *data*.  Raises FormatError, also when nothing is installed."""
        if len(data) < HEADER_SIZE:
            raise FormatError(f"header is {len(data)} bytes, expected {HEADER_SIZE}")
        if set(data[:HEADER_SIZE]) == {0xFF}:
            raise FormatError("header: erased flash, no image is installed here")
        manifest = Manifest.parse(data)
        signature = manifest.size + HASH_SIZE
        if len(data) < signature + SIGNATURE_SIZE:
            raise FormatError(f"header is {len(data)} bytes, expected {signature + SIGNATURE_SIZE}")
        return cls(
            manifest=manifest,
            chunk_hash=data[manifest.size : signature],
            signature=data[signature : signature + SIGNATURE_SIZE],
        )

    def pack(self) -> bytes:
        """The bytes in flash, 156 or, with an extension of the manifest, 196."""
        return self.signed() + self.signature

    def signed(self) -> bytes:
        """What the signature covers."""
        return self.manifest.pack() + self.chunk_hash
