"""Measures what one update costs a device: bytes and seconds on the line, pages, time of the flash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spboot.device.device import Device
from spboot.device.pages import Pages
from spboot.link.port import BITS, Port
from spboot.link.ymodem import Progress
from spboot.twin.timeline import PS_PER_S

_LOOK_S: Final = 0.02
"""Seconds of virtual time between two looks at the pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one update cost, in seconds of the twin's time.  *rows*: maps of the slots, see `Pages.rows`."""

    name: str
    file_bytes: int
    line_s: float
    flash_s: float
    all_s: float
    pages: int
    """Pages that were erased, in all areas;"""
    rows: dict[str, list[str]]


class Metered:
    """A port that counts the bytes in both directions, and calls *look* while it waits."""

    def __init__(self, port: Port, look: Callable[[], None]) -> None:
        self.moved = 0
        self.now = port.now
        self._port = port
        self._look = look

    def read(self, size: int, timeout_s: float) -> bytes:
        end = self.now() + timeout_s
        while True:
            self._look()
            left = end - self.now()
            data = self._port.read(size, max(0.0, min(left, _LOOK_S)))
            self.moved += len(data)
            if data or left <= _LOOK_S:
                return data

    def write(self, data: bytes) -> None:
        self.moved += len(data)
        self._port.write(data)


def measure(
    device: Device,
    file: Path,
    *,
    name: str,
    image_size: int,
    ready: bytes,
    seconds: float,
    look: Callable[[Pages], None] = lambda _: None,
    progress: Progress | None = None,
) -> Cost:
    """Send *file* to the twin *device*, which has called, and let it install that and start, until it says *ready*.

    *look* is called as time passes.  Raises LinkError, and DeviceError when *ready* is not said in *seconds*."""
    log, port = device.twin.log, device.port
    log.clear()
    pages = Pages(device.board, log)

    def watch() -> None:
        pages.look()
        look(pages)

    device.port = metered = Metered(port, watch)
    began = port.now()
    try:
        device.send(file, progress=progress)
        on_the_line = metered.moved
        device.read_until(ready, seconds)
    finally:
        device.port = port
    pages.look()
    look(pages)
    return Cost(
        name=name,
        file_bytes=file.stat().st_size,
        line_s=on_the_line * BITS / device.board.console.baud,
        flash_s=log.busy_ps / PS_PER_S,
        all_s=port.now() - began,
        pages=sum(len(numbers) for numbers in pages.erased.values()),
        rows=pages.rows(image_size),
    )
