"""A progress bar on stderr, when that is a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

Tick = Callable[[int, int], None]
"""Is told of what is done, and of how much there is."""


@contextmanager
def progress(label: str, *, of_bytes: bool = False) -> Iterator[Tick | None]:
    """A `Tick` that draws a bar named *label*, *of_bytes* with their rate and the time left; None where nobody would
    see it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = Progress.get_default_columns()
    if of_bytes:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
