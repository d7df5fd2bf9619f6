"""OLD and NEW of a patch stream, each of one part or two, as the library in C takes them (native/operation.h)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spboot.delta import library

REST_BASE: Final = 0x9000_0000
"""Where chips map external flash, unless told otherwise."""
_NO_REST: Final = 0xFFFF_FFFF
_ALIGNED: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """*old*, *new*: images, or their first parts.  *old_rest*, *new_rest*: second parts, in external flash, empty when
    there is none.  *base*, *rest_base*: addresses that both are linked at."""

    old: bytes
    new: bytes
    base: int = 0
    old_rest: bytes = b""
    new_rest: bytes = b""
    rest_base: int = REST_BASE

    @property
    def whole(self) -> bytes:
        """NEW, its parts one behind the other."""
        return self.new + self.new_rest

    def native(self) -> library.Pair:
        """The same for C."""
        if not self.old_rest and not self.new_rest:
            rest, old, new = _NO_REST, self.old, self.new
        else:
            rest = (max(len(self.old), len(self.new)) // _ALIGNED + 1) * _ALIGNED  # a gap, always
            old, new = self.old.ljust(rest, b"\0") + self.old_rest, self.new.ljust(rest, b"\0") + self.new_rest
        sizes = (len(old), len(new), len(self.old), len(self.new))
        return library.Pair(old, new, *sizes, rest, self.base, self.rest_base)
