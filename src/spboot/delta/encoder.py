"""Encoder of the patch stream, by a library in C (native/encode.h).  The same input gives the same stream on every
machine."""

from __future__ import annotations

import ctypes
import queue
import threading
from collections.abc import Callable
from typing import Final

from spboot.delta import library
from spboot.delta.chip_decoder import attempt
from spboot.errors import FormatError

Progress = Callable[[int, int], None]  # (done, total), in bytes of work

_NO_MEMORY: Final = 2
_CRASHED: Final = -1
_SIZE_MOST: Final = 1 << 30  # far above what any flash holds; positions are 32 bit


def encode(old: bytes, new: bytes, progress: Progress | None = None, base: int = 0) -> bytes:
    """The stream that makes *new* from *old* (empty: from nothing), decoded by the firmware's decoder before it is
    returned.  At least one byte long.

    *base*: address that both are linked at, a multiple of 256; 0 when they are not code.  An exception that *progress*
    raises, or an interrupt, ends the work and is passed on.  Raises BuildError when the library cannot be compiled,
    FormatError when an image is too large or *base* no such address, MemoryError when there is too little memory."""
    return _encode(old, new, progress, base, None)


def count(old: bytes, new: bytes, base: int = 0) -> list[tuple[int, int]]:
    """How often each adaptive bit is 0 and 1 in the stream that encode() makes, to train the models with."""
    counts = (ctypes.c_uint32 * (2 * library.load().spb_encode_models()))()
    _encode(old, new, None, base, counts)
    return list(zip(counts[::2], counts[1::2], strict=True))


def _encode(
    old: bytes, new: bytes, progress: Progress | None, base: int, counts: ctypes.Array[ctypes.c_uint32] | None
) -> bytes:
    for which, image in (("old", old), ("new", new)):
        if len(image) > _SIZE_MOST:
            raise FormatError(f"the {which} image has {len(image)} bytes, expected at most {_SIZE_MOST}")
    if base % 256 or not 0 <= base < 1 << 32:
        raise FormatError(f"base is {base:#x}, expected a 32-bit address that is a multiple of 256")
    work = _Work(library.load(), old, new, base, counts)
    work.start()
    try:
        while (report := work.reports.get()) is not None:
            if progress is not None:
                progress(*report)
    finally:
        work.stop = True  # an interrupt, or progress has raised
        work.join()
    if work.result == _NO_MEMORY:
        raise MemoryError(f"patch encoder: not enough memory for {len(old)} and {len(new)} bytes")
    if work.result or attempt(old, work.stream, len(new)) != (0, new):
        raise AssertionError(f"patch encoder: the stream does not decode to NEW (result {work.result})")
    return work.stream


class _Work(threading.Thread):
    """The call into C, on a thread of its own.  Ctrl-C ends it through *stop*: only the main thread gets signals."""

    def __init__(
        self, native: ctypes.CDLL, old: bytes, new: bytes, base: int, counts: ctypes.Array[ctypes.c_uint32] | None
    ) -> None:
        super().__init__(name="patch encoder", daemon=True)
        self.native = native
        self.reports: queue.SimpleQueue[tuple[int, int] | None] = queue.SimpleQueue()
        self.stop = False
        self.result = _CRASHED
        self.stream = b""
        self._arguments = (old, len(old), new, len(new), base)
        self._counts = counts

    def run(self) -> None:
        encoded = library.Encoded()

        def tick(done: int, total: int) -> int:
            self.reports.put((done, total))
            return self.stop

        try:
            self.result = self.native.spb_encode(
                *self._arguments, library.Progress(tick), self._counts, ctypes.byref(encoded)
            )
            if not self.result:
                self.stream = ctypes.string_at(encoded.stream, encoded.len)
            self.native.spb_encode_free(ctypes.byref(encoded))
        finally:
            self.reports.put(None)
