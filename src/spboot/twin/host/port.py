"""A UART of the twin as a serial port: the same senders that talk to a board talk to the twin, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from spboot.twin.errors import PowerCut
from spboot.twin.machine import Twin

_LEAST_S: Final = 1e-6
"""A read without an answer takes this long at least, so that whoever waits for a moment gets there."""


class TwinPort:
    """What the firmware sends is read, what is written it receives.  Time passes while the twin runs: in `read`.

    A power cut meanwhile is raised, unless there is *on_cut*, which may give the power back."""

    def __init__(self, twin: Twin, uart: str, on_cut: Callable[[PowerCut], None] | None = None) -> None:
        self._twin = twin
        self._uart = twin.uart(uart)
        self._on_cut = on_cut
        self._taken = len(self._uart.output)

    def now(self) -> float:
        """Virtual time in seconds."""
        return self._twin.time

    def read(self, size: int, timeout_s: float) -> bytes:
        """Up to *size* bytes; b"" when none come within *timeout_s* seconds of virtual time."""
        output = self._uart.output
        if self._taken >= len(output):
            try:
                self._twin.run(until=lambda: len(output) > self._taken, seconds=max(timeout_s, _LEAST_S))
            except PowerCut as cut:
                if self._on_cut is None:
                    raise
                self._on_cut(cut)
        data = bytes(output[self._taken : self._taken + size])
        self._taken += len(data)
        return data

    def write(self, data: bytes) -> None:
        """Put *data* on the line; it arrives at line rate as the twin runs."""
        self._uart.send(data)
