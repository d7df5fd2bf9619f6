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
from spboot.delta.pair import REST_BASE, Pair
from spboot.errors import FormatError
from spboot.formats.spec import spec

Progress = Callable[[int, int], None]  # (done, total), in bytes of work

_NO_MEMORY: Final = 2
_CRASHED: Final = -1
FIRST_PART_MOST: Final[int] = spec()["delta"]["rest"] - 4096  # where there is a second
_SIZE_MOST: Final = 1 << 30  # far above what any flash holds; positions are 32 bit


def encode(
    old: bytes,
    new: bytes,
    progress: Progress | None = None,
    base: int = 0,
    *,
    old_rest: bytes = b"",
    new_rest: bytes = b"",
    rest_base: int = REST_BASE,
) -> bytes:
    """The stream that makes *new* from *old* (empty: from nothing), decoded by the firmware's decoder before it is
    returned.  At least one byte long.

    *base*: address that both are linked at, a multiple of 256; 0 when they are not code.  *old_rest*, *new_rest*: what
    lies in external flash, at *rest_base*.  An exception that *progress* raises, or an interrupt, ends the work and is
    passed on.  Raises BuildError when the library cannot be compiled, FormatError when an image is too large or *base*
    no such address, MemoryError when there is too little memory."""
    return _encode(
        Pair(old=old, new=new, base=base, old_rest=old_rest, new_rest=new_rest, rest_base=rest_base), progress, None
    )


def count(old: bytes, new: bytes, base: int = 0) -> list[tuple[int, int]]:
    """How often each adaptive bit is 0 and 1 in the stream that encode() makes, to train the models with."""
    counts = (ctypes.c_uint32 * (2 * library.load().spb_encode_models()))()
    _encode(Pair(old=old, new=new, base=base), None, counts)
    return list(zip(counts[::2], counts[1::2], strict=True))


def _encode(pair: Pair, progress: Progress | None, counts: ctypes.Array[ctypes.c_uint32] | None) -> bytes:
    _check(pair)
    work = _Work(library.load(), pair, counts)
    work.start()
    try:
        while (report := work.reports.get()) is not None:
            if progress is not None:
                progress(*report)
    finally:
        work.stop = True  # an interrupt, or progress has raised
        work.join()
    if work.result == _NO_MEMORY:
        sizes = f"{len(pair.old + pair.old_rest)} and {len(pair.whole)} bytes"
        raise MemoryError(f"patch encoder: not enough memory for {sizes}")
    if work.result or _decoded(pair, work.stream) != (0, pair.whole):
        raise AssertionError(f"patch encoder: the stream does not decode to NEW (result {work.result})")
    return work.stream


def _check(pair: Pair) -> None:
    """Raises FormatError when the encoder does not take it."""
    two = pair.old_rest or pair.new_rest
    for which, image in (("old", pair.old), ("new", pair.new)):
        most = min(_SIZE_MOST, FIRST_PART_MOST) if two else _SIZE_MOST
        if len(image) > most:
            raise FormatError(f"the {which} image has {len(image)} bytes, expected at most {most}")
    for which, image in (("old", pair.old_rest), ("new", pair.new_rest)):
        if len(image) > _SIZE_MOST:
            raise FormatError(
                f"the second part of the {which} image has {len(image)} bytes, expected at most {_SIZE_MOST}"
            )
    if pair.base % 256 or not 0 <= pair.base < 1 << 32:
        raise FormatError(f"base is {pair.base:#x}, expected a 32-bit address that is a multiple of 256")


def _decoded(pair: Pair, stream: bytes) -> tuple[int, bytes]:
    return attempt(
        pair.old,
        stream,
        len(pair.new),
        old_rest=pair.old_rest,
        new_rest_size=len(pair.new_rest),
        rest_base=pair.rest_base,
    )


class _Work(threading.Thread):
    """The call into C, on a thread of its own.  Ctrl-C ends it through *stop*: only the main thread gets signals."""

    def __init__(self, native: ctypes.CDLL, pair: Pair, counts: ctypes.Array[ctypes.c_uint32] | None) -> None:
        super().__init__(name="patch encoder", daemon=True)
        self.native = native
        self.reports: queue.SimpleQueue[tuple[int, int] | None] = queue.SimpleQueue()
        self.stop = False
        self.result = _CRASHED
        self.stream = b""
        self._pair = pair.native()
        self._counts = counts

    def run(self) -> None:
        encoded = library.Encoded()

        def tick(done: int, total: int) -> int:
            self.reports.put((done, total))
            return self.stop

        try:
            self.result = self.native.spb_encode(
                ctypes.byref(self._pair), library.Progress(tick), self._counts, ctypes.byref(encoded)
            )
            if not self.result:
                self.stream = ctypes.string_at(encoded.stream, encoded.len)
            self.native.spb_encode_free(ctypes.byref(encoded))
        finally:
            self.reports.put(None)
