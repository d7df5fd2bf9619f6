"""The native encoder, loaded: the one that the wheel of this platform brings; otherwise compiled once for this machine
and kept in the user's cache.

The name of a file there says what it was made of (sources, compiler, flags, machine) and what it must contain: one that
is damaged or of other sources is not loaded but made again.  Each appears whole or not at all: processes may race.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import logging
import os
import platform
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from spboot.delta import compilation
from spboot.disk import reason
from spboot.errors import BuildError

_LOG = logging.getLogger(__name__)
_SUFFIX: Final = compilation.suffix(sys.platform)
_PACKAGED: Final = Path(__file__).parent / "native" / f"encoder{_SUFFIX}"
"""What a wheel for one platform brings; a checkout, an sdist and the wheel for all platforms have none."""

Progress = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint64, ctypes.c_uint64)
"""Bytes of work done, and of all; what is not zero stops."""


class Pair(ctypes.Structure):
    """struct spb_pair"""

    _fields_ = (
        ("old_bytes", ctypes.c_char_p),
        ("new_bytes", ctypes.c_char_p),
        ("old_len", ctypes.c_uint32),
        ("new_len", ctypes.c_uint32),
        ("old_code", ctypes.c_uint32),
        ("new_code", ctypes.c_uint32),
        ("rest", ctypes.c_uint32),
        ("base", ctypes.c_uint32),
        ("rest_base", ctypes.c_uint32),
    )


class Encoded(ctypes.Structure):
    """struct spb_encoded"""

    _fields_ = (("stream", ctypes.c_void_p), ("len", ctypes.c_uint32))


@cache
def load() -> ctypes.CDLL:
    """The library, made if need be: the first time on a machine that takes seconds.  Raises BuildError, or ExtraError
    when it has to be made and there is no compiler."""
    library = _packaged() or ctypes.CDLL(str(_file()))
    size, data, counts = ctypes.c_uint32, ctypes.c_char_p, ctypes.POINTER(ctypes.c_uint32)
    encoded, pair = ctypes.POINTER(Encoded), ctypes.POINTER(Pair)
    library.spb_encode.argtypes = (pair, Progress, counts, encoded)
    library.spb_encode_free.argtypes = (encoded,)
    library.spb_encode_free.restype = None
    library.spb_encode_models.argtypes = ()
    library.spb_encode_models.restype = size
    library.spb_decode.argtypes = (pair, data, size, data)
    return library


def cache_folder() -> Path:
    """Where the systems want a program's cache of this user: nothing is made yet."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "spboot"


def _packaged() -> ctypes.CDLL | None:
    """What the wheel brought, if anything; a wheel that was forced onto another system brings what does not load."""
    if not _PACKAGED.exists():
        return None
    try:
        return ctypes.CDLL(str(_PACKAGED))
    except OSError as error:
        _LOG.warning("%s cannot be loaded, compiling it here: %s", _PACKAGED, error)
        return None


def _file() -> Path:
    """The library's file in the cache, checked.  Raises BuildError."""
    sources = compilation.sources()
    folder = _private_folder()
    found = _find(folder, _key(sources))
    if found is None:
        _LOG.warning("compiling the patch encoder for this machine, once: into %s", folder)
        try:
            found = _compile(sources, folder, _key(sources))
        except OSError as error:
            raise BuildError(f"{folder}: the patch encoder cannot be compiled there: {reason(error)}") from None
    return found


def _key(sources: dict[str, bytes]) -> str:
    """What the library is made of, in 32 digits."""
    parts = [compilation.compiler(), *compilation.FLAGS, sys.platform, platform.machine(), str(sys.maxsize)]
    for name, text in sorted(sources.items()):
        parts += [name, hashlib.sha256(text).hexdigest()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _private_folder() -> Path:
    """The cache folder, if nobody else can write there; otherwise one for this process."""
    folder = cache_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_private(folder) and os.access(folder, os.W_OK):
            return folder
        _LOG.warning("%s is not writable, or others may write there: the patch encoder is not kept", folder)
    except OSError as error:
        _LOG.warning("%s: %s: the patch encoder is not kept", folder, error.strerror)
    temporary = Path(tempfile.mkdtemp(prefix="spboot-"))  # 0700
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    return temporary


def _is_private(folder: Path) -> bool:
    if sys.platform == "win32":  # a user's local data is the user's own
        return True
    facts = folder.stat()
    return facts.st_uid == os.getuid() and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _candidates(folder: Path, key: str) -> Iterator[Path]:
    yield from sorted(folder.glob(f"encoder-{key}-*{_SUFFIX}"))


def _find(folder: Path, key: str) -> Path | None:
    """A library of this *key* that contains what its name says."""
    for file in _candidates(folder, key):
        if file == folder / _name(key, file.read_bytes()):
            return file
    return None


def _name(key: str, content: bytes) -> str:
    return f"encoder-{key}-{hashlib.sha256(content).hexdigest()[:32]}{_SUFFIX}"


def _compile(sources: dict[str, bytes], folder: Path, key: str) -> Path:
    """Compile *sources*; returns the new file in *folder*.  Raises BuildError."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="making-") as made:
        output = compilation.compile_library(sources, Path(made), f"library{_SUFFIX}")
        target = folder / _name(key, output.read_bytes())
        output.replace(target)
    return target
