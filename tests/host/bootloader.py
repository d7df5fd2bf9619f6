"""The least that is taken for a bootloader: vectors, and an ABI table where it belongs."""

from __future__ import annotations

import struct
from typing import Any

from spboot.formats.manifest import name_id
from spboot.formats.spec import record, spec


def make(board_name: str, size: int = 0x3000) -> bytes:
    """One for *board_name*, without keys."""
    facts, abi = spec()["abi"], record("abi")
    values: dict[str, Any] = {f.name: bytes(f.size) if f.type.startswith("bytes") else 0 for f in abi.fields}
    values |= {
        "magic": facts["magic"],
        "personal_size": record("personal").size,
        "update_format": spec()["format"],
        "stream_format": spec()["delta"]["format"],
        "target": name_id(board_name),
    }
    vectors = struct.pack("<2I", 0x20002000, 0x08000101)
    return (vectors.ljust(facts["offset"], b"\0") + abi.pack(**values)).ljust(size, b"\x5a")
