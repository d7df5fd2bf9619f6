"""What a board calls its parts: words for people, which nothing is built from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Names as they are printed on a board and stand in its manual; "" where its file says none."""

    console: str = ""
    """Where a machine finds the console, as "ST-LINK virtual COM port"."""
    button: str = ""
    led: str = ""
    probe: str = ""
    """The debug probe on the board itself; "" where one has to be brought."""
    manual: str = ""
    """The board's manual, as "UM1724"."""


NAMES = tuple(Labels.__dataclass_fields__)
"""Every key of [labels]."""
