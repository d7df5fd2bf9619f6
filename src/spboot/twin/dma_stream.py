"""One stream of DMA: its addresses and its FIFO of four words (RM0090 10.3.12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from spboot.twin.master import Master

TO_PERIPHERAL: Final = 1
WITHIN_MEMORY: Final = 2
FIFO_BYTES: Final = 16
_EMPTY, _FULL = 4, 5


@dataclass(slots=True)
class Stream:
    """*inside* and *outside* are bytes of an item in memory and at the peripheral, or at the source of a copy.

    With a *threshold*, in bytes, the FIFO is emptied into memory when it is reached, and filled from memory when no
    more than that is left; without one an item goes through at once, and one to a peripheral is fetched ahead."""

    total: int = 0
    direction: int = 0
    inside: int = 1
    outside: int = 1
    threshold: int = 0
    steps: tuple[int, int] = (0, 0)
    """What memory and peripheral address grow by."""
    memory: int = 0
    peripheral: int = 0
    unread: int = 0
    """Bytes that are still to be fetched from memory."""
    fifo: bytearray = field(default_factory=bytearray)

    def set_up(self, *, direction: int, inside: tuple[int, bool], outside: tuple[int, bool], threshold: int) -> None:
        """The stream is enabled; of *inside* and *outside* the second says whether the address grows."""
        self.direction, self.threshold = direction, threshold
        self.inside, self.outside = inside[0], outside[0]
        self.steps = inside[0] * inside[1], outside[0] * outside[1]

    def rewind(self, memory: int, peripheral: int, master: Master) -> None:
        """To the start of the buffers."""
        self.memory, self.peripheral = memory, peripheral
        self.fifo.clear()
        self.unread = self.total * self.outside if self.direction == TO_PERIPHERAL else 0
        self._fetch(master)

    def move(self, master: Master) -> None:
        """Move an item.  Raises Unreachable."""
        if self.direction == TO_PERIPHERAL:
            item = int.from_bytes(self.fifo[: self.outside], "little")
            del self.fifo[: self.outside]
            master.write(self.peripheral, self.outside, item)
            self.peripheral += self.steps[1]
            if len(self.fifo) <= self.threshold:
                self._fetch(master)
            return
        self.fifo += master.read(self.peripheral, self.outside).to_bytes(self.outside, "little")
        self.peripheral += self.steps[1]
        if len(self.fifo) >= self.threshold:
            self.flush(master)

    def _fetch(self, master: Master) -> None:
        room = FIFO_BYTES if self.threshold else self.outside
        while self.unread and len(self.fifo) + self.inside <= room:
            self.fifo += master.read(self.memory, self.inside).to_bytes(self.inside, "little")
            self.memory += self.steps[0]
            self.unread -= self.inside

    def flush(self, master: Master) -> None:
        """Write what is on its way to memory; one that is not whole has zeros behind it.  Raises Unreachable."""
        if self.direction == TO_PERIPHERAL:
            return
        while self.fifo:
            item = bytes(self.fifo[: self.inside])
            del self.fifo[: self.inside]
            master.write(self.memory, self.inside, int.from_bytes(item, "little"))
            self.memory += self.steps[0]

    @property
    def fill_level(self) -> int:
        """FS in the FIFO control register."""
        held = len(self.fifo)
        return _EMPTY if not held else _FULL if held == FIFO_BYTES else held * 4 // FIFO_BYTES
