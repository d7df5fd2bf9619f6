"""The firmware's own decoder, compiled for this machine: what it makes of a stream is what a device makes of it."""

from __future__ import annotations

import ctypes

from spboot.delta import decoder, library
from spboot.errors import FormatError


def decode(old: bytes, stream: bytes, new_size: int) -> bytes:
    """NEW, *new_size* bytes, made from *old* by *stream*.

    Raises FormatError when *stream* is none that makes so many bytes: the words are those of the reference decoder."""
    if new_size >= 1 << 32 or len(old) >= 1 << 32:
        raise FormatError(f"{len(old)} bytes of OLD and {new_size} of NEW, expected numbers of 32 bits")
    new = attempt(old, stream, new_size)
    if new is not None:
        return new
    decoder.decode(old, stream, new_size)
    raise AssertionError("the firmware's decoder refuses what the reference decoder accepts")


def attempt(old: bytes, stream: bytes, new_size: int) -> bytes | None:
    """What decode() returns, or None where it raises; sizes of 32 bits."""
    made = ctypes.create_string_buffer(new_size + 1)
    status = library.load().spb_decode(old, len(old), stream, len(stream), made, new_size)
    return made.raw[:new_size] if status == 0 else None
