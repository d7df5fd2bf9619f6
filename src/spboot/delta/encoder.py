"""Encoder of the patch stream.  The work is done by a library in C (native/encode.h); the same input gives the same
stream on every machine."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Final

from spboot.delta import library
from spboot.errors import FormatError

Progress = Callable[[int, int], None]  # (done, total), in bytes of work

_NO_MEMORY: Final = 2
_SIZE_MOST: Final = 1 << 30  # far above what any flash holds; positions are 32 bit


def encode(old: bytes, new: bytes, progress: Progress | None = None, base: int = 0) -> bytes:
    """The stream that makes *new* from *old* (empty: from nothing), decoded by the firmware's decoder before it is
    returned.  At least one byte long.

    *base*: address that both are linked at, 0 when they are not code.  An exception that *progress* raises, or an
    interrupt, ends the work and is passed on.  Raises BuildError when the library cannot be compiled, FormatError when
    an image is too large or *base* is no address, MemoryError."""
    return _encode(old, new, progress, base, None)


def count(old: bytes, new: bytes, base: int = 0) -> list[tuple[int, int]]:
    """How often each adaptive bit is 0 and 1 in the stream that encode() makes.  For training."""
    counts = (ctypes.c_uint32 * (2 * library.load().spb_encode_models()))()
    _encode(old, new, None, base, counts)
    return list(zip(counts[::2], counts[1::2], strict=True))


def _encode(
    old: bytes, new: bytes, progress: Progress | None, base: int, counts: ctypes.Array[ctypes.c_uint32] | None
) -> bytes:
    for which, image in (("old", old), ("new", new)):
        if len(image) > _SIZE_MOST:
            raise FormatError(f"the {which} image has {len(image)} bytes, expected at most {_SIZE_MOST}")
    if not 0 <= base < 1 << 32:
        raise FormatError(f"base is {base:#x}, expected an address of 32 bits")
    native = library.load()
    raised: list[BaseException] = []

    def tick(done: int, total: int) -> int:
        try:
            if progress is not None:
                progress(done, total)
        except BaseException as error:  # also KeyboardInterrupt: C cannot pass it on
            raised.append(error)
        return len(raised)

    encoded = library.Encoded()
    result = native.spb_encode(
        old, len(old), new, len(new), base, library.Progress(tick), counts, ctypes.byref(encoded)
    )
    try:
        if raised:
            raise raised[0]
        if result == _NO_MEMORY:
            raise MemoryError(f"patch encoder: not enough memory for {len(old)} and {len(new)} bytes")
        if result or not _decodes(native, old, new, encoded):
            raise AssertionError(f"patch encoder: the stream does not decode to NEW (result {result})")
        return ctypes.string_at(encoded.stream, encoded.len)
    finally:
        native.spb_encode_free(ctypes.byref(encoded))


def _decodes(native: ctypes.CDLL, old: bytes, new: bytes, encoded: library.Encoded) -> bool:
    """Whether the firmware's own decoder makes *new* of the stream."""
    made = ctypes.create_string_buffer(len(new) + 1)
    stream = ctypes.string_at(encoded.stream, encoded.len)
    status = native.spb_decode(old, len(old), stream, len(stream), made, len(new))
    return status == 0 and made.raw[: len(new)] == new
