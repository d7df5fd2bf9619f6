"""A flash chip that shows one content to whoever reads it first, and another later: somebody sits on its lines.

What checks a page and then reads it again, to copy it or to run from it, has to bear that."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any, Final

from spboot.errors import TwinError

_SWAPPED: Final = re.compile(r"swapped:(0x[0-9a-fA-F]{1,8})=(\d{1,9})")
_WORD: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """The sector with the byte at *page* reads *after* times as it was written, and then as something else."""

    page: int
    after: int

    def __str__(self) -> str:
        return f"swapped:{self.page:#010x}={self.after}"

    @classmethod
    def parse(cls, text: str) -> Swap | None:
        """What "swapped:0x90001000=1" says; None for another fault."""
        match = _SWAPPED.fullmatch(text)
        return cls(page=int(match[1], 16), after=int(match[2])) if match else None


class Swaps:
    """The sectors of one memory that do so.  A sector is read once more when a word of it is read again."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._asked: dict[range, int] = {}
        """Addresses of a sector -> how often it reads right."""
        self._read: dict[range, tuple[int, frozenset[int]]] = {}
        """How often it was read, and which words it was read this time."""

    def ask(self, swap: Swap, sector: range) -> None:
        """*swap* is about *sector*.  Raises TwinError where it would never read right."""
        if swap.after < 1:
            raise TwinError(f"fault {swap}: expected one reading or more before the chip shows something else")
        self._asked[sector] = swap.after
        self.changed(sector.start, len(sector))

    def meets(self, address: int, size: int) -> bool:
        """Whether some of these bytes are in such a sector."""
        return any(address < sector.stop and sector.start < address + size for sector in self._asked)

    def changed(self, address: int, size: int) -> None:
        """They were erased or programmed: what was written is shown again."""
        for sector in self._asked:
            if address < sector.stop and sector.start < address + size:
                self._read[sector] = (0, frozenset())

    def answer(self, address: int, data: bytes) -> bytes:
        """What a read finds where the cells have *data*."""
        found = bytearray(data)
        for sector, after in self._asked.items():
            mine = range(max(address, sector.start), min(address + len(data), sector.stop))
            if mine and self._count(sector, mine) >= after:
                noise = random.Random(f"{self._seed} {sector.start}").randbytes(len(sector))
                within = slice(mine.start - sector.start, mine.stop - sector.start)
                found[mine.start - address : mine.stop - address] = noise[within]
        return bytes(found)

    def _count(self, sector: range, mine: range) -> int:
        """How often the sector had been read before this reading, of which *mine* is a part."""
        count, seen = self._read[sector]
        words = frozenset(range(mine.start // _WORD, -(-mine.stop // _WORD)))
        if seen & words:
            count, seen = count + 1, frozenset()
        self._read[sector] = (count, seen | words)
        return count

    def save(self) -> Any:
        return dict(self._asked), dict(self._read)

    def load(self, state: Any) -> None:
        asked, read = state
        self._asked, self._read = dict(asked), dict(read)
