"""Delta files: a patch stream with a head that tells how long NEW is and checks that it came out."""

from __future__ import annotations

from spboot.delta.chip_decoder import decode
from spboot.delta.encoder import Progress, encode
from spboot.errors import FormatError
from spboot.formats.delta_file import HEAD_SIZE, DeltaHead, check_of


def encode_file(old: bytes, new: bytes, *, base: int = 0, progress: Progress | None = None) -> bytes:
    """The delta file that makes *new* from *old*, decoded again by encode().

    *base*: the address both are linked at, 0 when they are not code.  Raises FormatError when it is none."""
    head = DeltaHead(new_size=len(new), check=check_of(old, new))
    return head.pack() + encode(old, new, base=base, progress=progress)


def apply_file(old: bytes, packed: bytes) -> bytes:
    """NEW, made from *old* by the delta file *packed*.  Raises FormatError: another OLD, or a damaged file."""
    head = DeltaHead.parse(packed)
    new = decode(old, packed[HEAD_SIZE:], head.new_size)
    found = check_of(old, new)
    if found != head.check:
        raise FormatError(
            f"the check over OLD and NEW is {found.hex()}, expected {head.check.hex()}: either OLD is another "
            "file than the one the patch was made from, or the patch is damaged"
        )
    return new
