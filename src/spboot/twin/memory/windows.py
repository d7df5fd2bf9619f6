"""Addresses behind which a controller of external memory answers, for as long as it lets the core see it."""

from __future__ import annotations

from typing import Protocol


class Window(Protocol):
    """One of them."""

    span: range

    def open(self, address: int, size: int) -> bool:
        """The core found nothing at *address*, from a memory hook: whether it will when it asks again."""

    def read(self, address: int, size: int) -> int | None:
        """What another master reads; None where its bus reports an error.  Raises TwinError."""

    def store(self, address: int) -> None:
        """The core stores there, or another master does.  Raises TwinError."""


class Windows:
    """Those of one chip."""

    def __init__(self) -> None:
        self._all: list[Window] = []

    def add(self, window: Window) -> None:
        """One more."""
        self._all.append(window)

    def at(self, address: int) -> Window | None:
        """The one that *address* is in."""
        return next((window for window in self._all if address in window.span), None)
