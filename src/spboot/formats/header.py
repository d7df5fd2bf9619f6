"""The installed header: what stands in flash before an image.  Source: [header] of spec/spboot.toml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spboot.errors import FormatError
from spboot.formats.manifest import MANIFEST_SIZE, Manifest
from spboot.formats.payload import HASH_SIZE
from spboot.formats.signature import SIGNATURE_SIZE
from spboot.formats.spec import record

_RECORD = record("header")

HEADER_SIZE: Final[int] = _RECORD.size

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
        values = _RECORD.unpack(data)
        if set(data[:HEADER_SIZE]) == {0xFF}:
            raise FormatError("header: erased flash, no image is installed here")
        return cls(
            manifest=Manifest.parse(values["manifest"]),
            chunk_hash=values["chunk_hash"],
            signature=values["signature"],
        )

    def pack(self) -> bytes:
        """The 156 bytes in flash."""
        return _RECORD.pack(manifest=self.manifest.pack(), chunk_hash=self.chunk_hash, signature=self.signature)

    def signed(self) -> bytes:
        """What the signature covers."""
        return self.manifest.pack() + self.chunk_hash
