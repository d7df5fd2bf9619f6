"""Runs a programmer, and says what became of it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Final

from spboot.programmer.search import Found, ProgrammerError

_END_S: Final = 3.0
_LAST: Final = 6
"""Lines of a programmer that failed, in the error."""


def shown(line: Sequence[str]) -> str:
    """*line* as it is typed in the shell of this system."""
    return subprocess.list2cmdline(line) if sys.platform == "win32" else shlex.join(line)


def run(found: Found, probe: str | None = None, *, on_line: Callable[[str], None] = lambda _: None) -> None:
    """Program the board; each line that the programmer prints goes to *on_line*.

    Raises ProgrammerError: there is no probe, or the programmer failed, with its last lines.  Where it is interrupted,
    the programmer is ended first; what flash holds then is not known."""
    line, said = found.line(probe), list[str]()
    try:
        with subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout is not None
            try:
                for text in process.stdout:
                    words = "".join(letter for letter in text.rstrip() if letter.isprintable())
                    if words:
                        said.append(words)
                        on_line(words)
            except BaseException:
                _end(process)
                raise
    except OSError as error:
        raise ProgrammerError(f"{line[0]} cannot be run: {error.strerror}: install it again") from None
    if process.returncode != 0:
        raise ProgrammerError(_why(found, probe, process.returncode, "\n".join(said), said[-_LAST:]))


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _why(found: Found, probe: str | None, code: int, said: str, last: list[str]) -> str:
    title = found.programmer.title
    if any(words in said for words in found.programmer.no_probe):
        which = f"no debug probe {probe}: look at the number on it, or omit --probe" if probe else "no debug probe"
        return (
            f"{title} found {which}: plug in the board at its ST-LINK, with a cable that carries data; on Linux the "
            "probe needs its udev rules"
        )
    reason = "".join(f"\n  {words}" for words in last) or " without a word"
    return f"{title} failed, exit code {code}, its last lines:{reason}"
