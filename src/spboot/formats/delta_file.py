"""The head of a raw patch stream in a file of its own.  Source: [delta_file] of spec/spboot.toml."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from spboot.errors import FormatError
from spboot.formats.spec import record, spec

_RECORD = record("delta_file")
_MAGIC: Final[int] = spec()["delta_file"]["magic"]
_FORMAT: Final[int] = spec()["delta"]["format"]
HEAD_SIZE: Final[int] = _RECORD.size
assert HEAD_SIZE == 12
CHECK_SIZE: Final[int] = _RECORD.field("check").size


def check_of(old: bytes, new: bytes) -> bytes:
    """The check that this OLD gives this NEW: the first bytes of SHA-256 over OLD followed by NEW."""
    sha = hashlib.sha256(old)
    sha.update(new)
    return sha.digest()[:CHECK_SIZE]


def is_delta_file(data: bytes) -> bool:
    """Whether *data* begins as a delta file does."""
    return data[:2] == _MAGIC.to_bytes(2, "little")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaHead:
    """The head of a delta file.  *new_size*: bytes of NEW.  *check*: what `check_of` gives for OLD and NEW."""

    new_size: int
    check: bytes

    @classmethod
    def parse(cls, data: bytes) -> DeltaHead:
        """Read the head of *data*; refuse anything unknown.  Raises FormatError."""
        values = _RECORD.unpack(data)
        if values["magic"] != _MAGIC:
            raise FormatError(f"delta file: magic is {values['magic']:#06x}, expected {_MAGIC:#06x}")
        if values["format"] != _FORMAT:
            raise FormatError(
                f"delta file: format {values['format']}, this spboot knows format {_FORMAT}: make it again"
            )
        if values["zero"]:
            raise FormatError(f"delta file: the reserved byte is {values['zero']:#04x}, expected zero")
        return cls(new_size=values["new_size"], check=values["check"])

    def pack(self) -> bytes:
        """The bytes before the stream."""
        return _RECORD.pack(magic=_MAGIC, format=_FORMAT, zero=0, new_size=self.new_size, check=self.check)
