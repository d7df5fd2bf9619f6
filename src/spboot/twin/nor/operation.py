"""An erase or a program of external flash that goes on by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spboot.twin.memory.oplog import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a command asks of one chip: *new* at *start*, both within the chip, in *span* picoseconds."""

    kind: Kind
    start: int
    new: bytes
    span: int


@dataclass(slots=True, kw_only=True)
class Operation:
    """One that runs, or waits in suspend.  *start* and *size* are within each chip, *address*, *old* and *new* what the
    core sees.  *left* is how long it still had to go when it went on at *since*."""

    kind: Kind
    start: int
    size: int
    address: int
    old: bytes
    new: bytes
    since: int
    left: int

    @property
    def until(self) -> int:
        """When it is done, unless it is suspended."""
        return self.since + self.left

    def meets(self, start: int, size: int) -> bool:
        """Whether it is about some of these bytes of the chip."""
        return start < self.start + self.size and self.start < start + size

    def save(self) -> Any:
        """Its values, for `Operation(**values)`."""
        return {name: getattr(self, name) for name in Operation.__slots__}
