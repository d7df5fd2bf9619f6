"""FIFO memory and the request queue of an OTG core in slave mode, in words (RM0090 34.11, 34.17.4)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal

QUEUE: Final = 8
"""Requests that wait at most (OTG_FS_HNPTXSTS, reset value)."""
IN_DATA, IN_DONE, TOGGLE_ERROR, HALTED = 2, 3, 5, 7
"""PKTSTS of GRXSTSP in host mode."""


def words_of(size: int) -> int:
    """Words that *size* bytes take."""
    return -(-size // 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An entry of the queue: *data* is the packet of an OUT request, SETUP included."""

    kind: Literal["in", "out", "halt"]
    channel: int
    data: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the receive FIFO has: a status word, and the words of a packet."""

    kind: int
    channel: int
    data: bytes = b""
    pid: int = 0

    @property
    def words(self) -> int:
        """That it takes."""
        return 1 + words_of(len(self.data))

    @property
    def status(self) -> int:
        """As GRXSTSP gives it."""
        return self.kind << 17 | self.pid << 15 | len(self.data) << 4 | self.channel


@dataclass
class Partial:
    """An OUT packet of which some words are written."""

    channel: int
    size: int
    data: bytearray = field(default_factory=bytearray)


@dataclass
class Fifos:
    """All of it."""

    queue: deque[Request] = field(default_factory=deque)
    received: deque[Entry] = field(default_factory=deque)
    unread: deque[int] = field(default_factory=deque)
    """Words of the packet whose status was popped."""
    partial: Partial | None = None

    @property
    def sending(self) -> int:
        """Words in the transmit FIFO."""
        queued = sum(words_of(len(request.data)) for request in self.queue)
        return queued + (words_of(len(self.partial.data)) if self.partial else 0)

    @property
    def held(self) -> int:
        """Words in the receive FIFO."""
        return sum(entry.words for entry in self.received) + len(self.unread)

    def forget(self, channel: int) -> None:
        """Requests of *channel* that wait are gone."""
        self.queue = deque(request for request in self.queue if request.channel != channel)

    def pop(self) -> Entry:
        """The oldest entry, whose words are read next."""
        entry = self.received.popleft()
        padded = entry.data + bytes(-len(entry.data) % 4)
        self.unread = deque(int.from_bytes(padded[at : at + 4], "little") for at in range(0, len(padded), 4))
        return entry
