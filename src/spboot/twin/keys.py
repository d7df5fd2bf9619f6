"""The two keys that clear a lock bit of a flash controller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

KEYS: Final = (0x45670123, 0xCDEF89AB)
"""Of the control register (RM0351 3.3.5; the same of F4, H5, H7), and"""
OPTION_KEYS: Final = (0x08192A3B, 0x4C5D6E7F)
"""of option bytes."""


@dataclass(slots=True)
class KeySequence:
    """*keys* in their order; any other sequence, and a key where nothing is locked, holds the lock until a reset."""

    keys: tuple[int, int]
    taken: int = 0
    """Keys that came."""
    dead: bool = False

    def take(self, value: int, *, locked: int) -> Literal["", "wrong", "open"]:
        """What a write of *value* to the key register does, while the lock bit is *locked*."""
        if self.dead or not locked or value != self.keys[self.taken]:
            self.dead = True
            return "wrong"
        self.taken = (self.taken + 1) % len(self.keys)
        return "" if self.taken else "open"
