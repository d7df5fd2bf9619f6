"""The head of a raw patch stream in a file of its own.  Source: [delta_file] of spec/spboot.toml."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from spboot.errors import FormatError
from spboot.formats.spec import record, spec

_RECORD = record("delta_file")
_MAGIC: Final[int] = spec()["delta_file"]["magic"]
HEAD_SIZE: Final[int] = _RECORD.size
HASH_SIZE: Final = 8


def short_hash(data: bytes) -> bytes:
    """How the head names OLD and NEW: the first 8 bytes of SHA-256."""
    return hashlib.sha256(data).digest()[:HASH_SIZE]


def is_delta_file(data: bytes) -> bool:
    """Whether *data* begins as a delta file does."""
    return data[:4] == _MAGIC.to_bytes(4, "little")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaHead:
    """OLD and NEW, described.  *base*: address both are linked at, 0 when they are not code; sizes in bytes."""

    base: int
    old_size: int
    new_size: int
    old_hash: bytes
    new_hash: bytes

    @classmethod
    def parse(cls, data: bytes) -> DeltaHead:
        """Read the head of *data*; refuse anything unknown.  Raises FormatError."""
        values = _RECORD.unpack(data)
        if values["magic"] != _MAGIC:
            raise FormatError(f"delta file: magic is {values['magic']:#010x}, expected {_MAGIC:#010x}")
        if values["format"] != spec()["format"]:
            raise FormatError(f"delta file: format {values['format']}, this spboot knows format {spec()['format']}")
        if any(values["zero"]):
            raise FormatError(f"delta file: reserved bytes are {values['zero'].hex()}, expected zeros")
        return cls(**{name: values[name] for name in ("base", "old_size", "new_size", "old_hash", "new_hash")})

    def pack(self) -> bytes:
        """The 36 bytes before the stream.  Raises FormatError when *base* is no 32-bit address."""
        if not 0 <= self.base <= 0xFFFFFFFF:
            raise FormatError(f"delta file: base is {self.base:#x}, expected a 32-bit address")
        return _RECORD.pack(
            magic=_MAGIC,
            format=spec()["format"],
            zero=bytes(3),
            base=self.base,
            old_size=self.old_size,
            new_size=self.new_size,
            old_hash=self.old_hash,
            new_hash=self.new_hash,
        )
