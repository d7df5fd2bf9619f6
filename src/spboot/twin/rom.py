"""What the factory wrote: unique id, flash size, package (RM0351 chapter 49)."""

from __future__ import annotations

import ctypes
import random
from typing import Final

ADDRESS: Final = 0x1FFF7000
_SIZE: Final = 0x1000
_PACKAGE, _UID, _FLASH_KB = 0x500, 0x590, 0x5E0


def content(seed: int, flash_size: int) -> ctypes.Array[ctypes.c_ubyte]:
    """The page at `ADDRESS`; what we do not know of it reads as erased."""
    page = (ctypes.c_ubyte * _SIZE)(*([0xFF] * _SIZE))
    page[_UID : _UID + 12] = list(random.Random(seed ^ 0x51D).randbytes(12))
    page[_FLASH_KB : _FLASH_KB + 2] = list((flash_size // 1024).to_bytes(2, "little"))
    page[_PACKAGE : _PACKAGE + 4] = [0, 0, 0, 0]
    return page
