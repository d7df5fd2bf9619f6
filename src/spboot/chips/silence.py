"""Which peripherals of a part a twin keeps silent: they take what is written and give it back, and nothing happens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from spboot.errors import BoardError

if TYPE_CHECKING:
    from spboot.chips import Chip

ALL: Final = "all"
"""In place of names: every peripheral that the twin has no model of."""
_PLACE: Final = re.compile(r"(\w+)\.(0x[0-9a-fA-F]+|\d+)")
_WORD: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """*names* of peripherals, as "I2C1", or "all"; *ready*: (name, offset of a register) -> bits that read as 1."""

    names: tuple[str, ...] = ()
    ready: Mapping[tuple[str, int], int] = field(default_factory=dict)

    @classmethod
    def parse(cls, names: Iterable[str], ready: Mapping[str, int], chip: Chip) -> Silence:
        """Check *names*, and *ready*, as {"I2C1.0x18": 1}, which makes its peripheral silent too.

        Raises BoardError for a peripheral that *chip* lacks, for a place that is no aligned offset, and for bits
        outside a word."""
        chosen = list(dict.fromkeys(names))
        places = {}
        for text, bits in ready.items():
            found = _PLACE.fullmatch(text)
            if found is None or int(found[2], 0) % 4:
                raise BoardError(f"{text!r}: expected a peripheral and the offset of a register, as I2C1.0x18")
            if isinstance(bits, bool) or not isinstance(bits, int) or not 0 < bits <= _WORD:
                raise BoardError(f"{text}: {bits!r}: expected the bits that read as 1, as 0x21, at most 32 of them")
            places[found[1], int(found[2], 0)] = bits
            if found[1] not in chosen:
                chosen.append(found[1])
        for name in chosen:
            if name != ALL:
                chip.peripheral(name)
        return cls(names=tuple(chosen), ready=places)

    def __or__(self, other: Silence) -> Silence:
        """Both; where they name the same register, the bits of both."""
        ready = dict(self.ready)
        for place, bits in other.ready.items():
            ready[place] = ready.get(place, 0) | bits
        return Silence(names=tuple(dict.fromkeys((*self.names, *other.names))), ready=ready)
