"""The cable of a PHY: frames both ways, without preamble and checksum, and whether there is a partner at its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

LEAST, MOST = 60, 1514
"""Bytes of a frame without its FCS (IEEE 802.3 3.2.7, 4A.4.2)."""
_WAITING: Final = 512
"""Frames that nobody takes are lost, the oldest first."""


@dataclass
class Cable:
    """What the chip sends is in `sent`, and what is put on by `send` arrives as the twin runs."""

    sent: deque[bytes] = field(default_factory=lambda: deque(maxlen=_WAITING))
    arriving: deque[bytes] = field(default_factory=lambda: deque(maxlen=_WAITING))
    plugged: bool = False
    """Whether a partner is at its other end, which negotiates all that the PHY offers."""
    _watchers: list[Callable[[], None]] = field(default_factory=list)

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call *watcher* whenever frames come, or the partner goes or comes."""
        self._watchers.append(watcher)

    def plug(self) -> None:
        """A partner comes."""
        self._change(plugged=True)

    def pull(self) -> None:
        """The partner goes, and with it what is on the way."""
        self._change(plugged=False)

    def _change(self, *, plugged: bool) -> None:
        if plugged != self.plugged:
            self.plugged = plugged
            self.arriving.clear()
            self._tell()

    def send(self, frame: bytes) -> None:
        """To the chip; short frames are padded, as their sender has to.  Raises ValueError for longer ones than there
        are."""
        if not 14 <= len(frame) <= MOST:
            raise ValueError(f"a frame of {len(frame)} bytes, expected 14 to {MOST}")
        if self.plugged:
            self.arriving.append(frame.ljust(LEAST, b"\0"))
            self._tell()

    def take(self) -> Iterator[bytes]:
        """What the chip sent since the last time."""
        with suppress(IndexError):
            while True:
                yield self.sent.popleft()

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher()
