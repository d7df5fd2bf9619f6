"""Where a passphrase or a PIN comes from.  Never from a command line, which others can see."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from spboot import disk
from spboot.errors import KeyFolderError
from spboot.secret import Secret

PASSPHRASE: Final = "SPBOOT_PASSPHRASE"
PIN: Final = "SPBOOT_PIN"
ENCRYPTION_KEY: Final = "SPBOOT_ENCRYPTION_KEY"

Source = bytes | str | Callable[[], bytes] | None
"""The secret; or who is asked for it when the environment does not have it."""


def hidden(given: Source) -> Secret | Callable[[], bytes] | None:
    """*given*, in a form that no traceback shows."""
    if isinstance(given, str):
        return Secret(given.encode())
    return Secret(given) if isinstance(given, bytes) else given


def obtained(given: Source, variable: str) -> Secret | None:
    """What was *given*, or else what the environment has as *variable*, or else what *given* answers when it is called.

    None: nobody has it."""
    given = hidden(given)
    if isinstance(given, bytes):
        return given
    if os.environ.get(variable):
        return Secret(os.fsencode(os.environ[variable]))
    return Secret(given()) if given is not None else None


def first_line(path: Path) -> Secret:
    """The secret in a file: its one line, without its end.  Raises DiskError, KeyFolderError: empty, or more lines."""
    text = Secret(Secret(disk.read(path)).removesuffix(b"\n").removesuffix(b"\r"))
    if not text:
        raise KeyFolderError(f"{path} is empty, expected a secret on one line")
    if text.count(b"\n"):
        raise KeyFolderError(f"{path} has more than one line, expected a secret on one line")
    return text
