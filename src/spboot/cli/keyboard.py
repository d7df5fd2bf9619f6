"""The keys of a terminal, one by one."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from serial.tools.miniterm import Console

LEAVE: Final = 0x1D
"""Ctrl-], which leaves."""


@contextlib.contextmanager
def raw_terminal(*, all_keys: bool = False) -> Iterator[None]:
    """Keys come one by one, and the terminal is as before at the end.  Ctrl-C still ends the program, unless *all_keys*
    are taken as they are."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield
        return
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        if all_keys:
            now = termios.tcgetattr(descriptor)
            now[0] &= ~(termios.IXON | termios.ICRNL)
            now[3] &= ~(termios.ISIG | termios.IEXTEN)
            termios.tcsetattr(descriptor, termios.TCSADRAIN, now)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def attended() -> bool:
    """Whether somebody sits at a terminal; a job in the background may not touch it, or it is stopped."""
    if sys.platform == "win32":
        return sys.stdin.isatty()
    return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()


class Keyboard:
    """What is typed, or comes through a pipe; a context manager, inside of which all keys are taken as they are."""

    def __init__(self) -> None:
        self.closed = False
        """Nobody will type any more."""
        self._stack = contextlib.ExitStack()
        self._console: Console | None = None

    def __enter__(self) -> Keyboard:
        self.closed = sys.stdin is None or sys.stdin.closed or (sys.stdin.isatty() and not attended())
        if sys.platform == "win32":
            self._open_windows()
        elif not self.closed:
            self._stack.enter_context(raw_terminal(all_keys=True))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open_windows(self) -> None:
        """pyserial's console, which makes the sequences of a terminal of function keys; no pipe is read there."""
        self.closed = self.closed or not sys.stdin.isatty()
        if not self.closed:
            from serial.tools.miniterm import Console

            self._console = Console()
            self._stack.callback(self._console.cleanup)

    def read(self) -> bytes:
        """What was typed since the last time, without waiting."""
        if self.closed:
            return b""
        if sys.platform == "win32":
            import msvcrt

            assert self._console is not None
            return self._console.getkey().encode() if msvcrt.kbhit() else b""
        if not select.select([sys.stdin], [], [], 0)[0]:
            return b""
        data = os.read(sys.stdin.fileno(), 256)
        self.closed = not data
        return data
