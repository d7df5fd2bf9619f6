"""The decoder of the firmware, compiled for this machine: it makes of a stream exactly what a device makes of it."""

from __future__ import annotations

import ctypes

from spboot.delta import decoder, library
from spboot.errors import FormatError


def decode(old: bytes, stream: bytes, new_size: int) -> bytes:
    """NEW, *new_size* bytes, made from *old* by *stream*.

    Raises FormatError when *stream* does not make so many bytes, with the words of the reference decoder."""
    if new_size >= 1 << 32 or len(old) >= 1 << 32:
        raise FormatError(f"{len(old)} bytes of OLD and {new_size} of NEW, expected numbers of 32 bits")
    status, new = attempt(old, stream, new_size)
    if status == 0:
        return new
    decoder.decode(old, stream, new_size)
    raise AssertionError(f"the firmware's decoder refuses (status {status}) what the reference decoder accepts")


def attempt(old: bytes, stream: bytes, new_size: int) -> tuple[int, bytes]:
    """The decoder's status, 0 when there was no error, and the bytes it made; sizes have 32 bits."""
    made = ctypes.create_string_buffer(new_size + 1)
    status = library.load().spb_decode(old, len(old), stream, len(stream), made, new_size)
    return status, made.raw[:new_size]
