"""A peripheral without a model that is kept silent: it holds what is written, and counts who asks.

Nothing happens in it: no interrupt comes, and no flag is set but those that are said to be ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die


class Silent(Block):
    """One of them.  *ready*: offset of a register -> bits that read as 1, whatever was written."""

    STATE: ClassVar[tuple[str, ...]] = ("_cells", "reads", "writes")

    def __init__(self, die: Die, facts: Facts, ready: Mapping[int, int]) -> None:
        super().__init__(die, facts)
        self._ready = dict(ready)
        self._cells: dict[int, int] = {}
        self.reads: dict[int, int] = {}
        """Offset of a register -> how often it was read,"""
        self.writes: dict[int, int] = {}
        """and written."""

    def reset(self) -> None:
        super().reset()
        self._cells = {}

    def read(self, offset: int, size: int) -> int:
        word = offset & ~3
        self.reads[word] = self.reads.get(word, 0) + 1
        value = self._cells.get(word, 0) | self._ready.get(word, 0)
        return value >> 8 * (offset & 3) & ((1 << 8 * size) - 1)

    def write(self, offset: int, size: int, value: int) -> None:
        word, shift = offset & ~3, 8 * (offset & 3)
        self.writes[word] = self.writes.get(word, 0) + 1
        mask = ((1 << 8 * size) - 1) << shift
        self._cells[word] = self._cells.get(word, 0) & ~mask | value << shift & mask

    def account(self) -> str:
        """In words how often which register was accessed, as "I2C1: 0x0 1 read, 2 written"; "" when none was."""
        places = [
            f"{self.names.get(word, f'{word:#x}')} {self.reads.get(word, 0)} read, {self.writes.get(word, 0)} written"
            for word in sorted(self.reads.keys() | self.writes.keys())
        ]
        return f"{self.name}: {'; '.join(places)}" if places else ""
