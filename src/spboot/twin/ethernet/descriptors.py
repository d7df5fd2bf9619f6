"""Descriptors of the Ethernet DMA in memory, normal or enhanced (RM0090 33.6.7, 33.6.8): rings and what a word says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

OWN: Final = 1 << 31
"""Of both: the DMA owns it."""
TX_IC, TX_LAST, TX_FIRST, TX_NO_CRC, TX_NO_PAD, TX_STAMP = (1 << n for n in (30, 29, 28, 27, 26, 25))
TX_CHECKSUM: Final = 3 << 22
TX_END, TX_CHAINED = 1 << 21, 1 << 20
TX_STATUS: Final = 0x0001FFFF
"""TDES0, which the DMA writes."""
RX_FIRST, RX_LAST = 1 << 9, 1 << 8
RX_TYPE, RX_TRUNCATED, RX_ERROR = 1 << 5, 1 << 14, 1 << 15
RX_QUIET: Final = 1 << 31
"""RDES1.DIC."""
RX_END, RX_CHAINED = 1 << 15, 1 << 14
_SIZE: Final = 0x1FFF
WORD: Final = 4
_NORMAL, _ENHANCED = 16, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """One, as it is in memory."""

    address: int
    words: tuple[int, int, int, int]
    transmit: bool

    @property
    def owned(self) -> bool:
        """By the DMA."""
        return bool(self.words[0] & OWN)

    @property
    def _chained(self) -> bool:
        return bool(self.words[0] & TX_CHAINED if self.transmit else self.words[1] & RX_CHAINED)

    @property
    def ends(self) -> bool:
        """The ring goes on at its start."""
        return bool(self.words[0] & TX_END if self.transmit else self.words[1] & RX_END)

    def buffers(self) -> Iterator[tuple[int, int]]:
        """Address and size; one of 0 bytes is left out."""
        if size := self.words[1] & _SIZE:
            yield self.words[2], size
        if (size := self.words[1] >> 16 & _SIZE) and (not self._chained or self.ends):
            yield self.words[3], size


@dataclass
class Ring:
    """Where one is at: *base* is in the register of the list, *at* the descriptor that comes next."""

    transmit: bool
    base: int = 0
    at: int = 0

    def start(self, base: int) -> None:
        """From the register of the list."""
        self.base = self.at = base

    def look(self, read: Callable[[int], int]) -> Descriptor:
        """The descriptor that comes next, whose words *read* has."""
        first, second, third, fourth = (read(self.at + WORD * n) for n in range(4))
        return Descriptor(address=self.at, words=(first, second, third, fourth), transmit=self.transmit)

    def move(self, descriptor: Descriptor, *, enhanced: bool, skip: int) -> None:
        """Behind *descriptor*: end of ring comes before a chain (RM0090, TDES0.TER, RDES1.RER)."""
        if descriptor.ends:
            self.at = self.base
        elif descriptor._chained:
            self.at = descriptor.words[3]
        else:
            self.at = descriptor.address + (_ENHANCED if enhanced else _NORMAL) + WORD * skip
