"""The interface of a serial line, as all code that speaks over one sees it."""

from __future__ import annotations

from typing import Final, Protocol

from spboot.errors import LinkError

BAUD: Final = 115_200
"""Of a line that nobody said more of."""
BITS: Final = 10
"""Bits that a byte takes on the line: 8N1, with its start and stop bit."""


class Port(Protocol):
    """A serial line and the clock that waits on it are measured by: this machine's, or that of an emulated chip."""

    def read(self, size: int, timeout_s: float) -> bytes:
        """Up to *size* bytes; b"" when none come within *timeout_s*.  Raises PortGoneError."""

    def write(self, data: bytes) -> None:
        """Send all of *data*.  Raises PortGoneError."""

    def now(self) -> float:
        """The time in seconds, from any start: only differences of two calls have a meaning."""


class PortGoneError(LinkError):
    """The port itself is gone or takes no bytes, so the device cannot even be told that the transfer ends."""
