"""The two images of a patch, with what their bytes are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from spboot.explanation import places
from spboot.explanation.places import Places, Rest


@dataclass(frozen=True, kw_only=True)
class Pair:
    """OLD and NEW, both linked at *address*; *old_elf* and *new_elf*: the ELF files they were read from, if any."""

    old: bytes
    new: bytes
    address: int
    old_elf: bytes | None = None
    new_elf: bytes | None = None
    step: int = places.RANGE
    old_rest: Rest | None = None
    new_rest: Rest | None = None
    """What of the bytes is in external flash, at their ends."""

    @property
    def parts(self) -> tuple[bytes, bytes, bytes, bytes]:
        """OLD without what is in external flash, NEW without that, and that of both."""
        before = self.old_rest.start if self.old_rest else len(self.old)
        after = self.new_rest.start if self.new_rest else len(self.new)
        return self.old[:before], self.new[:after], self.old[before:], self.new[after:]

    @cached_property
    def old_places(self) -> Places:
        """What the bytes of OLD are."""
        return places.of(self.old, self.address, self.old_elf, self.step, self.old_rest)

    @cached_property
    def new_places(self) -> Places:
        """What the bytes of NEW are."""
        return places.of(self.new, self.address, self.new_elf, self.step, self.new_rest)
