"""Addresses that are answered by calls: peripherals, and aliases of single bits."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from unicorn.unicorn_py3.unicorn import MMIO_READ_CFUNC, MMIO_WRITE_CFUNC, uclib

from spboot.errors import TwinError

MmioRead = Callable[[int, int], int]
MmioWrite = Callable[[int, int, int], None]


class Mmio:
    """Those of one core.  *note_bug* keeps an exception of a call, which may not pass through C, and returns 0."""

    def __init__(self, uc: Any, note_bug: Callable[[Exception], int]) -> None:
        self._uc = uc
        self._note_bug = note_bug
        self._keep: list[Any] = []
        self._ranges: dict[int, tuple[int, MmioRead, MmioWrite]] = {}

    def map(self, address: int, size: int, read: MmioRead, write: MmioWrite) -> None:
        """Call *read*(address, size) and *write*(address, size, value) for accesses to a range of pages."""

        def on_read(_uc: Any, offset: int, width: int, _data: Any) -> int:
            try:
                return read(address + offset, width)
            except Exception as bug:
                return self._note_bug(bug)

        def on_write(_uc: Any, offset: int, width: int, value: int, _data: Any) -> None:
            try:
                write(address + offset, width, value & ((1 << 8 * width) - 1))
            except Exception as bug:
                self._note_bug(bug)

        callbacks = MMIO_READ_CFUNC(on_read), MMIO_WRITE_CFUNC(on_write)  # U12 of core.py
        self._keep.append(callbacks)
        reader, writer = (ctypes.cast(callback, ctypes.c_void_p) for callback in callbacks)
        if uclib.uc_mmio_map(self._uc._uch, address, size, reader, None, writer, None):
            raise TwinError(f"unicorn refuses peripherals at {address:#010x}")
        self._ranges[address] = size, read, write

    def holds(self, address: int) -> bool:
        """Whether a call answers there."""
        return any(start <= address < start + size for start, (size, _, _) in self._ranges.items())

    def carve(self, page: int, size: int) -> None:
        """Let *size* bytes from *page* on be a range of their own (U18).  Between slices only."""
        start = next(start for start, (length, _, _) in self._ranges.items() if start <= page < start + length)
        length, read, write = self._ranges.pop(start)
        self._uc.mem_unmap(start, length)
        for first, end in ((start, page), (page, page + size), (page + size, start + length)):
            if first < end:
                self.map(first, end - first, read, write)
