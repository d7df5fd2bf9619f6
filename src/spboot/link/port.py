"""What a serial line is to everything that speaks over one."""

from __future__ import annotations

from typing import Final, Protocol

from spboot.errors import LinkError

BITS: Final = 10
"""Of a byte on the line, 8N1: with its start and stop bit."""


class Port(Protocol):
    """A serial line with the clock that its waits are measured by: of this machine, or of an emulated chip."""

    def read(self, size: int, timeout_s: float) -> bytes:
        """Up to *size* bytes; b"" when none come within *timeout_s*.  Raises PortGoneError."""

    def write(self, data: bytes) -> None:
        """Send all of *data*.  Raises PortGoneError."""

    def now(self) -> float:
        """Seconds; only differences mean anything."""


class PortGoneError(LinkError):
    """The port itself is gone or takes nothing: nobody can be told anything any more."""
