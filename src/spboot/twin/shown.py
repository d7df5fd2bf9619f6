"""Memory that the core sees for a while: what a controller of external flash maps."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import unicorn


class Shown:
    """That of one core.  *forget* drops what was translated of a range, which stays when the range is unmapped."""

    def __init__(self, uc: Any, forget: Callable[[int, int], None]) -> None:
        self._uc = uc
        self._forget = forget
        self._buffers: dict[int, ctypes.Array[ctypes.c_ubyte]] = {}

    def show(self, address: int, buffer: ctypes.Array[ctypes.c_ubyte]) -> None:
        """Let *buffer* be read-only memory at *address* until `hide`; from a hook as well (U20 of core.py)."""
        size = ctypes.sizeof(buffer)
        self._uc.mem_map_ptr(address, size, unicorn.UC_PROT_ALL, ctypes.addressof(buffer))
        self._uc.mem_protect(address, size, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)  # U4
        self._buffers[address] = buffer

    def hide(self, address: int) -> None:
        """End what `show` began at *address*.  Between slices only."""
        buffer = self._buffers.pop(address)
        self._uc.mem_unmap(address, ctypes.sizeof(buffer))
        self._forget(address, ctypes.sizeof(buffer))
