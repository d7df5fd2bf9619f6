"""A controller that reads a status again and again, until it matches."""

from __future__ import annotations

from dataclasses import dataclass

from spboot.chips.nor_flash import Command
from spboot.twin.nor.frame import Frame


@dataclass(slots=True, kw_only=True)
class Polling:
    """*count* bytes by *frame*, which takes *span* picoseconds, with a *pause* between two of them."""

    frame: Frame
    commands: list[Command | None]
    count: int
    span: int
    pause: int

    def next_after(self, now: int, change: int) -> int:
        """The end of the first read that begins at *change* or later; reads before that say what this one did."""
        step = self.span + self.pause
        return now + step * max(1, -(-(change - now - self.pause) // step))
