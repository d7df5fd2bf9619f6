"""The line at a UART, as the other end sees it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class Uart:
    """What was sent to the chip, what came from it, what got lost."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.baud = 115_200
        """Of the other end,"""
        self.frame = "8N1"
        """and how it sends a byte: 7 or 8 bits, parity N, E or O, 1 or 2 stop bits."""
        self.output = bytearray()
        self.on_byte: list[Callable[[int], None]] = []
        self.lost: list[str] = []
        """Why bytes got lost or garbled, one line each."""
        self.overruns = 0
        self.queue: deque[int] = deque()
        self.started: Callable[[], None] = lambda: None

    def send(self, data: bytes) -> None:
        """Queue *data*; it arrives at line rate in virtual time."""
        idle = not self.queue
        self.queue.extend(data)
        if idle and self.queue:
            self.started()
