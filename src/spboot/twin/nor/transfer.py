"""The data phase of a command: bytes that pass a FIFO between a bus and the lines, one after the other, in time.

`advance` says what has happened by now.  The clock of the lines stops while the FIFO is full, or empty."""

from __future__ import annotations

from dataclasses import dataclass, field

from spboot.chips.nor_flash import Command
from spboot.twin.nor.frame import Frame
from spboot.twin.timeline import NEVER


@dataclass(slots=True, kw_only=True)
class Transfer:
    """*total* bytes of a frame, of which each takes *step* picoseconds, from *free_at* on."""

    frame: Frame
    commands: list[Command | None]
    reading: bool
    total: int
    step: int
    depth: int
    """Bytes of the FIFO."""
    free_at: int
    """When the last byte had passed the lines."""
    since: int = 0
    """When the next one could begin, if it had to wait for the FIFO."""
    passed: int = 0
    """Bytes that have passed the lines."""
    used: int = 0
    """Bytes that were read out of the FIFO, or written into it."""
    data: bytearray = field(default_factory=bytearray)
    """What was written."""

    @property
    def level(self) -> int:
        """Bytes in the FIFO."""
        return self.passed - self.used if self.reading else self.used - self.passed

    @property
    def done(self) -> bool:
        """All bytes have passed the lines."""
        return self.passed == self.total

    def _moves(self) -> bool:
        room = self.level < self.depth if self.reading else self.level > 0
        return self.passed < self.total and room

    def advance(self, now: int) -> None:
        """Let pass what has passed by *now*."""
        while self._moves():
            end = max(self.free_at, self.since) + self.step
            if end > now:
                return
            self.passed += 1
            self.free_at = end

    def use(self, count: int, now: int) -> None:
        """*count* bytes leave the FIFO towards the bus, or come from it; `advance` was called."""
        if not self._moves():
            self.since = now
        self.used += count

    def time_of(self, more: int) -> int:
        """When so many bytes more have passed; NEVER where the FIFO stops them before."""
        room = self.depth - self.level if self.reading else self.level
        return max(self.free_at, self.since) + more * self.step if 0 < more <= room else NEVER
