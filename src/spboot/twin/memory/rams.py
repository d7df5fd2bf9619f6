"""The RAM of a part: what it holds, and what is left of that without a supply."""

from __future__ import annotations

import ctypes
import random
from typing import Any, NamedTuple

from spboot.chips import Chip
from spboot.errors import TwinError
from spboot.twin.core import Core


class Place(NamedTuple):
    """Where an address is: in which memory, and where in its buffer."""

    name: str
    buffer: ctypes.Array[ctypes.c_ubyte]
    offset: int


class Rams:
    """Buffers by address, from which the core runs; a memory that has two addresses is one buffer, under the first."""

    def __init__(self, core: Core, chip: Chip, seed: int) -> None:
        self._core = core
        self._chip = chip
        self._seed = seed
        self._losses = 0
        self._paint: int | None = None
        self.buffers = {memory.address: (ctypes.c_ubyte * memory.size)() for memory in chip.ram}
        named = {memory.name: memory.address for memory in chip.memories}
        for address, ram in self.buffers.items():
            core.map_buffer(address, ram, writable=True)
        self._views = [(memory.address, memory.name, self.buffers[memory.address]) for memory in chip.ram]
        for second, first in chip.mirrors.items():
            core.map_buffer(named[second], self.buffers[named[first]], writable=True)
            self._views.append((named[second], second, self.buffers[named[first]]))
        self._changed: list[tuple[int, int]] = []
        self.unsettled = False
        """Another master than the core wrote something that `settle` tells the core."""

    def find(self, address: int, size: int) -> Place | None:
        """Where *size* bytes at *address* are, second addresses included; None outside of RAM."""
        for base, name, ram in self._views:
            if 0 <= address - base <= len(ram) - size:
                return Place(name, ram, address - base)
        return None

    def changed(self, address: int, size: int) -> None:
        """Another master wrote these bytes: what the core has translated of them is stale."""
        first, last = self._changed[-1] if self._changed else (0, 0)
        if last == address:
            self._changed[-1] = first, address + size
        else:
            self._changed.append((address, address + size))
        self.unsettled = True

    def settle(self) -> None:
        """Tell the core of it.  Between slices only."""
        for first, end in self._changed:
            self._core.forget_code(first, end - first)
        self._changed.clear()
        self.unsettled = False

    def holds_any(self, address: int) -> bool:
        """Whether *address* is RAM, at its first address or its second one."""
        return self.find(address, 1) is not None

    def holds(self, address: int, size: int) -> bool:
        """Whether all of *size* bytes at *address* are RAM."""
        return any(base <= address and address + size <= base + len(ram) for base, ram in self.buffers.items())

    def read(self, address: int, size: int) -> bytes:
        """What RAM holds.  Raises TwinError outside of it."""
        if not self.holds(address, size):
            raise TwinError(f"{self._chip.name} has no {size} bytes of RAM at {address:#010x}")
        return bytes(self._core.uc.mem_read(address, size))

    def power_on(self, fill: int | None) -> None:
        """Garbage that the seed decides, or *fill* all over, now and whenever the supply is lost."""
        self._paint = fill
        self.lose()

    def lose(self) -> None:
        """RAM was without supply."""
        self._losses += 1
        garbage = random.Random(self._seed * 1_000_003 + self._losses)
        for address, ram in self.buffers.items():
            size = len(ram)
            self._put(address, garbage.randbytes(size) if self._paint is None else bytes([self._paint]) * size)

    def put(self, address: int, content: bytes) -> None:
        """Change what RAM holds at its first address.  Between slices only."""
        base, ram = next((base, ram) for base, ram in self.buffers.items() if base <= address < base + len(ram))
        ctypes.memmove(ctypes.addressof(ram) + address - base, content, len(content))
        self._core.forget_code(address, len(content))

    def _put(self, address: int, content: bytes) -> None:
        ctypes.memmove(self.buffers[address], content, len(content))
        self._core.forget_code(address, len(content))

    def used(self, low: int, high: int) -> list[tuple[int, int]]:
        """Ranges (start, end) in low <= address < high without the fill of `power_on`, by words."""
        if self._paint is None:
            raise TwinError("RAM was not painted: call power_on(ram_fill=0xA5) first")
        word, ranges = bytes([self._paint]) * 4, list[tuple[int, int]]()
        data = self.read(low, high - low)
        for offset in range(0, len(data), 4):
            if data[offset : offset + 4] == word[: len(data) - offset]:
                continue
            address = low + offset
            if ranges and ranges[-1][1] == address:
                ranges[-1] = ranges[-1][0], address + 4
            else:
                ranges.append((address, address + 4))
        return ranges

    def save(self) -> Any:
        return {address: bytes(ram) for address, ram in self.buffers.items()}, self._losses, self._paint

    def load(self, state: Any) -> None:
        contents, self._losses, self._paint = state
        for address, content in contents.items():
            self._put(address, content)
