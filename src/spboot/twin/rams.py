"""The RAM of a part as buffers that the core runs from, and what was written to it."""

from __future__ import annotations

import ctypes

from spboot.chips import Chip
from spboot.twin.core import Core

Ram = ctypes.Array[ctypes.c_ubyte]


def make(chip: Chip, core: Core) -> dict[int, Ram]:
    """Buffers by address, mapped into *core*; a memory that has two addresses is one buffer, under the first."""
    made: dict[int, Ram] = {memory.address: (ctypes.c_ubyte * memory.size)() for memory in chip.ram}
    named = {memory.name: memory.address for memory in chip.memories}
    for address, ram in made.items():
        core.map_buffer(address, ram, writable=True)
    for second, first in chip.mirrors.items():
        core.map_buffer(named[second], made[named[first]], writable=True)
    return made


def unlike(data: bytes, low: int, fill: int) -> list[tuple[int, int]]:
    """Ranges (start, end) of *data*, which stands at *low*, that are something else than *fill*, by words."""
    word, ranges = bytes([fill]) * 4, list[tuple[int, int]]()
    for offset in range(0, len(data), 4):
        if data[offset : offset + 4] == word[: len(data) - offset]:
            continue
        address = low + offset
        if ranges and ranges[-1][1] == address:
            ranges[-1] = ranges[-1][0], address + 4
        else:
            ranges.append((address, address + 4))
    return ranges
