"""Update files that a later version may make: signed as they should be, and to be refused by this one."""

from __future__ import annotations

import hashlib

from spboot.formats import payload
from spboot.formats.signature import SIGNATURE_SIZE
from spboot.formats.spec import record, spec
from spboot.keys import Keys


def unsupported(image: bytes, keys: Keys) -> dict[str, bytes]:
    """The full image *image*, signed again with what this version has room for and does not do."""
    trailer = b"\x01" + bytes(63)
    values = {
        "format 2": ("format", 2, b""),
        "format 4": ("format", 4, b""),
        "kind keys": ("kind", spec()["manifest"]["kind_keys"], b""),
        "kind bootloader": ("kind", spec()["manifest"]["kind_bootloader"], b""),
        "unknown kind": ("kind", 255, b""),
        "no signature": ("signature_count", 0, b""),
        "two signatures": ("signature_count", 2, trailer),
        "another key": ("key_index", 1, b""),
        "trailer": ("trailer_size", len(trailer), trailer),
        "long trailer": ("trailer_size", 0x100, b""),
    }
    return {name: resigned(image, keys, field, value) + behind for name, (field, value, behind) in values.items()}


def resigned(image: bytes, keys: Keys, field: str, value: int) -> bytes:
    """*image* with another *value* in a field of its manifest, and a signature that fits."""
    layout = record("manifest")
    values = layout.unpack(image)
    head = layout.pack(**values | {field: value})
    wire = image[layout.size + SIGNATURE_SIZE :]
    return head + keys.sign(hashlib.sha256(head + payload.first_hash(wire)).digest()) + wire
