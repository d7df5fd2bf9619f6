"""What the factory wrote: unique id, flash size, package (device electronic signature in the manuals)."""

from __future__ import annotations

import ctypes
import random
from typing import Final

from spboot.chips import Chip

_SIZE: Final = 0x1000


def content(chip: Chip, seed: int, flash_size: int) -> tuple[int, ctypes.Array[ctypes.c_ubyte]]:
    """A page of system memory and its address; what we do not know of it reads as erased."""
    places = chip.of_family.identity
    base = places.unique_id - places.unique_id % _SIZE
    page = (ctypes.c_ubyte * _SIZE)(*([0xFF] * _SIZE))
    for address, data in (
        (places.unique_id, random.Random(seed ^ 0x51D).randbytes(12)),
        (places.flash_size, (flash_size // 1024).to_bytes(2, "little")),
        (places.package, bytes(4)),
    ):
        if not address:
            continue
        page[address - base : address - base + len(data)] = list(data)
    return base, page
