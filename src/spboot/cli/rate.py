"""How fast a file goes over a line."""

from __future__ import annotations

import time

from spboot.cli.progress import Tick


class Rate:
    """Takes the time of each block; as text it is what is said behind the number of bytes, "" for a single block."""

    def __init__(self) -> None:
        self._first = self._last = (0, 0.0)
        """Bytes that were done, and when; of this transfer, which may be the second one."""

    def through(self, tick: Tick | None) -> Tick:
        """A `Tick` that is counted and handed on to *tick*."""

        def count(done: int, total: int) -> None:
            now = (done, time.monotonic())
            if done <= self._last[0] or self._last[0] == 0:
                self._first = now
            self._last = now
            if tick is not None:
                tick(done, total)

        return count

    def __str__(self) -> str:
        count, seconds = self._last[0] - self._first[0], self._last[1] - self._first[1]
        return f" in {seconds:.1f} s, {count / seconds / 1000:.1f} KB/s" if count > 0 and seconds > 0.05 else ""
