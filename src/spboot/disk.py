"""Files of this machine: read whole, written whole or not at all, one program at a time where it matters."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from spboot.errors import SpbootError

NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Numbers of an OSError that mean: it does not fit."""
_FULL: Final = re.compile(r"no ?space ?left|disk ?quota|file too (large|big)", re.IGNORECASE)
_LEAST_SPACE: Final = 16 * 1024
_LOOK_S: Final = 0.05


class DiskError(SpbootError):
    """A file that this machine does not let us read or write."""


class InUseError(DiskError):
    """Somebody else works on the same file."""


def reason(error: OSError) -> str:
    """Why, in words, and what to do about it where that is known."""
    said = error.strerror or str(error) or type(error).__name__
    if error.errno in NO_SPACE:
        return f"{said}: free some space, or choose another place"
    if error.errno == errno.EROFS:
        return f"{said}: choose a folder that can be written"
    return said


def is_full(said: str, *folders: Path) -> bool:
    """Whether a tool failed for want of space: by what it *said*, or as one of the *folders* has none left."""
    return bool(_FULL.search(said)) or min(shutil.disk_usage(folder).free for folder in folders) < _LEAST_SPACE


def read(path: Path) -> bytes:
    """All bytes of *path*.  Raises DiskError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DiskError(f"{path}: cannot be read: {reason(error)}") from None


def write(path: Path, data: bytes, *, secret: bool = False) -> None:
    """Put *data* at *path*: a file beside it first, then renamed.  *secret*: only the owner may read it.

    Raises DiskError when that fails."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(part, flags, 0o600 if secret else 0o666)
    except OSError as error:
        raise DiskError(f"{path}: cannot be written: {reason(error)}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise DiskError(f"{path}: cannot be written: {reason(error)}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def write_changed(path: Path, data: bytes) -> bool:
    """`write` where *path* is not there or has other content: whether it was written.  Raises DiskError.

    A build tool makes nothing again for a file that it did not touch."""
    if path.is_file() and read(path) == data:
        return False
    write(path, data)
    return True


def make_folder(path: Path) -> None:
    """Make the folder *path*, and those above it, where they are not there.  Raises DiskError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(f"{path}: cannot be made: {reason(error)}") from None


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """An empty folder that becomes *path* at the end, in the place of a folder that is there: old or new, never mixed.

    Nothing is left of it when what is inside fails.  Raises DiskError; InUseError when another makes the same."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(f"{path}: cannot be written: {reason(error)}") from None
    with alone(path):
        _heal(path)
        try:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            yield part
            if path.exists():
                path.rename(_old(path))
            part.rename(path)
        except OSError as error:
            raise DiskError(f"{error.filename or path}: cannot be written: {reason(error)}") from None
        finally:
            try:
                _tidy(part, path)
            except KeyboardInterrupt:
                _tidy(part, path)
                raise


def heal(folder: Path) -> None:
    """Finish what a program that died in `new_folder` left in *folder*.  Raises DiskError."""
    for old in folder.glob(".*.old"):
        path = old.with_name(old.name[1 : -len(".old")])
        with alone(path, wait=True):
            _heal(path)


def _old(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


def _tidy(part: Path, path: Path) -> None:
    shutil.rmtree(part, ignore_errors=True)
    _heal(path)


def _heal(path: Path) -> None:
    """Back to the old folder where no new one is."""
    if path.exists():
        shutil.rmtree(_old(path), ignore_errors=True)
    elif _old(path).exists():
        _old(path).rename(path)


@contextlib.contextmanager
def alone(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Nobody else is inside `alone` with *path* meanwhile; the system forgets the claim of a program that died.

    Raises InUseError when somebody is and we do not *wait*, DiskError when there can be no lock file beside *path*."""
    lock, descriptor = path.with_name(f".{path.name}.lock"), None
    try:
        while (descriptor := _claim(lock, path)) is None:
            if not wait:
                raise InUseError(f"{path}: another spboot works on it: wait for it to end, or choose another file")
            time.sleep(_LOOK_S)
        yield
    finally:
        if descriptor is not None:
            with contextlib.suppress(OSError):  # Windows removes no file that is open: it stays there, empty
                lock.unlink(missing_ok=True)
            os.close(descriptor)


def _claim(lock: Path, path: Path) -> int | None:
    """The descriptor of the locked file *lock*; None when somebody else has it."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DiskError(f"{path}: cannot be written: {reason(error)}") from None
    try:
        _lock(descriptor)
        if os.fstat(descriptor).st_ino == lock.stat().st_ino:
            return descriptor
    except OSError:
        pass  # locked by another; or its owner removed the file between our two steps
    os.close(descriptor)
    return None


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
