"""Files that commands read and write: read whole, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from spboot.errors import SpbootError


def read(path: Path) -> bytes:
    """All bytes of *path*.  Raises SpbootError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SpbootError(f"{path}: cannot be read: {error.strerror}") from None


def check_output(path: Path, *inputs: Path) -> None:
    """Refuse, before any work, an output that is one of *inputs*, no plain file, or in no folder: SpbootError."""
    if not path.absolute().parent.is_dir():
        raise SpbootError(f"{path}: there is no folder {path.absolute().parent}: make it first")
    if not path.exists():
        return
    if not path.is_file():
        raise SpbootError(f"{path} exists and is not a file: choose another output")
    for source in inputs:
        if source.exists() and source.samefile(path):
            raise SpbootError(f"{path} is an input of this command: choose another output")


def write(path: Path, data: bytes, *, secret: bool = False) -> None:
    """Put *data* at *path*: a file beside it first, then renamed.  *secret*: only the owner may read it.

    Raises SpbootError when that fails."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(part, flags, 0o600 if secret else 0o666), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise SpbootError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
