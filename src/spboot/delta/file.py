"""Delta files: a patch stream with a head that names OLD and NEW."""

from __future__ import annotations

from spboot.delta.decoder import decode
from spboot.delta.encoder import Progress, encode
from spboot.errors import FormatError
from spboot.formats.delta_file import HEAD_SIZE, DeltaHead, short_hash


def encode_file(old: bytes, new: bytes, *, base: int = 0, progress: Progress | None = None) -> bytes:
    """The delta file that makes *new* from *old*, decoded again before it is returned.

    *base*: the address both are linked at, 0 when they are not code.  Raises FormatError when *base* is no address."""
    head = DeltaHead(
        base=base, old_size=len(old), new_size=len(new), old_hash=short_hash(old), new_hash=short_hash(new)
    )
    packed = head.pack() + encode(old, new, progress)
    if apply_file(old, packed) != new:
        raise AssertionError("delta: the patch does not decode to NEW")
    return packed


def apply_file(old: bytes, packed: bytes) -> bytes:
    """NEW, made from *old* by the delta file *packed*.  Raises FormatError: another OLD, or a damaged file."""
    head = DeltaHead.parse(packed)
    found = short_hash(old)
    if (len(old), found) != (head.old_size, head.old_hash):
        raise FormatError(
            f"this patch starts from another file: found {len(old)} bytes with hash {found.hex()}, "
            f"expected {head.old_size} bytes with hash {head.old_hash.hex()}: apply it to the file it was made from"
        )
    new = decode(old, packed[HEAD_SIZE:], head.new_size)
    if short_hash(new) != head.new_hash:
        raise FormatError(
            f"the patch is damaged: it makes a file with hash {short_hash(new).hex()}, expected {head.new_hash.hex()}"
        )
    return new
