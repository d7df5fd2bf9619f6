"""How a command ends that did not do its work: one sentence on stderr, and an exit code.

0 done; 1 something that a person can mend; 2 the command line; 130 interrupted.  Anything else is our bug and shows its
traceback."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from typing import Final, NoReturn

import click

from spboot.disk import NO_SPACE, reason
from spboot.errors import SpbootError

MENDABLE: Final = 1
INTERRUPTED: Final = 130
_BUGS: Final = frozenset({None, errno.EBADF, errno.EINVAL, errno.EFAULT})


class OutputError(SpbootError):
    """What a command prints cannot be written."""


def sentence(error: OSError) -> str:
    """What the system refused, with the file's name; without one it was our own output."""
    if error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {reason(error)}"
    if error.errno == errno.EPIPE:
        return "the output was closed before all was said"
    if error.errno in NO_SPACE:
        return f"the output cannot be written: {reason(error)}"
    return f"input or output failed: {reason(error)}"


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What the system refuses inside is an error that a person can mend; a descriptor of ours that is none is a bug."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in _BUGS:
            raise
        raise OutputError(sentence(error)) from error


def end(text: str, code: int) -> NoReturn:
    """Say *text* if anybody can hear it, and end with *code*; what could not be printed is dropped."""
    with contextlib.suppress(OSError, ValueError):
        click.echo(text, err=True)
    drop_output()
    sys.exit(code)


def end_usage(error: click.ClickException) -> NoReturn:
    """The same for what click found wrong with the command line."""
    with contextlib.suppress(OSError, ValueError):
        error.show()
    drop_output()
    sys.exit(error.exit_code)


def drop_output() -> None:
    """Let nothing be written any more when the interpreter ends: it would fail again, with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, stream.fileno())
                os.close(null)


def forgive_letters() -> None:
    """A terminal or pipe that cannot show a letter gets a question mark for it, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
