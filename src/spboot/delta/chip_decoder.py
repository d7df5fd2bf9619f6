"""The decoder of the firmware, compiled for this machine: it makes of a stream exactly what a device makes of it."""

from __future__ import annotations

import ctypes

from spboot.delta import decoder, library
from spboot.delta.pair import REST_BASE, Pair
from spboot.errors import FormatError


def decode(
    old: bytes,
    stream: bytes,
    new_size: int,
    *,
    old_rest: bytes = b"",
    new_rest_size: int = 0,
    rest_base: int = REST_BASE,
) -> bytes:
    """NEW, made from *old* by *stream*: its *new_size* bytes, behind them the *new_rest_size* bytes of its second part.

    Raises FormatError when *stream* does not make so many bytes, with the words of the reference decoder."""
    sizes = (len(old), len(old_rest), new_size, new_rest_size)
    if any(size >= 1 << 32 for size in sizes):
        raise FormatError(f"{sizes[0]} bytes of OLD and {new_size} of NEW, expected numbers of 32 bits")
    status, new = attempt(old, stream, new_size, old_rest=old_rest, new_rest_size=new_rest_size, rest_base=rest_base)
    if status == 0:
        return new
    decoder.decode(old, stream, new_size, old_rest=old_rest, new_rest_len=new_rest_size, rest_base=rest_base)
    raise AssertionError(f"the firmware's decoder refuses (status {status}) what the reference decoder accepts")


def attempt(
    old: bytes,
    stream: bytes,
    new_size: int,
    *,
    old_rest: bytes = b"",
    new_rest_size: int = 0,
    rest_base: int = REST_BASE,
) -> tuple[int, bytes]:
    """The decoder's status, 0 when there was no error, and the bytes it made; sizes have 32 bits."""
    made = ctypes.create_string_buffer(new_size + new_rest_size + 1)
    pair = Pair(old=old, new=b"", old_rest=old_rest, rest_base=rest_base).native()
    if new_rest_size and not old_rest:
        pair.rest = pair.old_len = len(old)
    pair.new_code = new_size
    pair.new_len = new_rest_size + pair.rest if old_rest or new_rest_size else new_size
    status = library.load().spb_decode(ctypes.byref(pair), stream, len(stream), made)
    return status, made.raw[: new_size + new_rest_size]
