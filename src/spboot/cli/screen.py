"""The screen of the demo: what the device says, and below it, on a terminal, the file on its way and both slots."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from spboot.device.pages import ERASED, LEFT, WRITTEN, Pages

_STYLES: Final = {WRITTEN: "black on green", ERASED: "black on yellow", LEFT: "dim"}
_BAR: Final = 64


class Screen:
    """A context manager; outside of one, and on no terminal, it prints lines and nothing else.

    *asked_to_stop* is looked at as time passes; then KeyboardInterrupt is raised, which no emulator swallows."""

    def __init__(self, image_size: int, asked_to_stop: Callable[[], bool]) -> None:
        self._image_size = image_size
        self._asked_to_stop = asked_to_stop
        self._console = Console(highlight=False)
        self._live = Live(console=self._console, transient=True) if self._console.is_terminal else None
        self._line = ""
        self._sent = (0, 1)
        self._shown: tuple[object, ...] = ()

    def __enter__(self) -> Screen:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._put("\n" if self._line else "")
        if self._live:
            self._live.stop()

    def hear(self, text: bytes) -> None:
        """What the device says."""
        self._put(text.decode(errors="replace").replace("\r", ""))

    def _put(self, text: str) -> None:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            if self._live:
                self._console.print(Text(line))
            else:
                click.echo(line)

    def progress(self, done: int, total: int) -> None:
        """*done* bytes of the file are sent."""
        self._sent = (done, total)
        if not self._live and done == total:
            self._put(f"  sent: {total} bytes\n")

    @staticmethod
    def print(lines: Iterable[Text]) -> None:
        """*lines*, in colours on a terminal."""
        console = Console(highlight=False)
        for line in lines:
            if console.is_terminal:
                console.print(line)
            else:
                click.echo(line.plain)

    def look(self, pages: Pages) -> None:
        """Show *pages* where they have changed, or the file's progress has."""
        if self._asked_to_stop():
            raise KeyboardInterrupt
        if self._live is None:
            return
        rows = pages.rows(self._image_size)
        shown = (self._sent, str(rows))
        if shown != self._shown:
            self._shown = shown
            done, total = self._sent
            bar = Group(Text(f"sending, {done:,} of {total:,} bytes"), ProgressBar(total, done, width=_BAR))
            self._live.update(Group(Text(), bar, *map_lines(rows)), refresh=True)


def map_lines(rows: dict[str, list[str]]) -> list[Text]:
    """The slots, one below the other, a letter for each page."""
    return [
        Text.assemble(f"  {'' if number else slot.upper():<5} ", *((letter, _STYLES[letter]) for letter in row))
        for slot, letters in rows.items()
        for number, row in enumerate(letters)
    ]
