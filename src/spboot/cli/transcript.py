"""What a device says, as people read it: whole letters, no control characters of the line, a time in front of each line
where that is asked for, and a copy in a file."""

from __future__ import annotations

import codecs
import sys
import time
from typing import IO, Final

_TEXT: Final = dict.fromkeys(range(32), "") | {ord("\n"): "\n", ord("\t"): "\t", 0x1B: "\x1b"}
_SCREEN: Final[dict[int, str]] = _TEXT | {ord("\r"): "\r", ord("\b"): "\b", 0x07: "\x07"}
"""What moves the cursor of a terminal stays as well."""


class Transcript:
    """Writes to stdout, or *to*, and to *log* as well; a context manager.

    *stamped*: each line begins with the time of its first letter.  *raw*: stdout is a terminal, the device draws there.

    *whole*: a line is written when it is complete, as its reader is a program; its rest comes at the end."""

    def __init__(
        self,
        *,
        stamped: bool = False,
        raw: bool = False,
        whole: bool = False,
        log: IO[str] | None = None,
        to: IO[str] | None = None,
    ) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._stamped = stamped
        self._whole = whole
        self._outputs: list[tuple[IO[str], dict[int, str]]] = [(to or sys.stdout, _SCREEN if raw else _TEXT)]
        if log is not None:
            self._outputs.append((log, _TEXT))
        self._held = ""
        self._at_start = True

    def __enter__(self) -> Transcript:
        return self

    def __exit__(self, *_: object) -> None:
        self._write(self._held + ("\n" if self._held else ""))
        self._held = ""

    def show(self, data: bytes) -> None:
        """The next bytes, divided anywhere."""
        text = self._decoder.decode(data)
        text = self._with_times(text) if self._stamped else text
        if self._whole:
            done, end, self._held = (self._held + text).rpartition("\n")
            text = done + end
        self._write(text)

    def _with_times(self, text: str) -> str:
        """A line of nothing but what moves the cursor is none."""
        out = []
        for letter in text:
            if self._at_start and letter not in "\r\n":
                out.append(_time())
                self._at_start = False
            self._at_start = self._at_start or letter == "\n"
            out.append(letter)
        return "".join(out)

    def _write(self, text: str) -> None:
        for output, table in self._outputs if text else ():
            output.write(text.translate(table))
            output.flush()


def _time() -> str:
    now = time.time()
    return f"[{time.strftime('%H:%M:%S', time.localtime(now))}.{int(now * 1000) % 1000:03}] "
