"""The flash of a twin as a file, so that it survives the process."""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spboot.errors import TwinError

if TYPE_CHECKING:
    from spboot.twin.machine import Twin

_MAGIC: Final = b"SPTW1\n"
_HEAD: Final = struct.Struct("<6sI")
assert _HEAD.size == 10


def save(twin: Twin, path: Path) -> None:
    """Write the flash of *twin* to *path*, whole or not at all.  Raises TwinError."""
    facts = {"part": twin.chip.name, "poisoned": sorted(twin.flash.poisoned), "options": twin.flash_controller.options}
    head = json.dumps(facts).encode()
    cells = zlib.compress(twin.flash_read(twin.flash.address, twin.flash.size), 1)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(_HEAD.pack(_MAGIC, len(head)) + head + cells)
        part.replace(path)
    except OSError as error:
        raise TwinError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


def load(twin: Twin, path: Path) -> None:
    """Put what `save` wrote into the flash of *twin*.  Raises TwinError when it is not the state of such a part."""
    try:
        data = path.read_bytes()
        magic, size = _HEAD.unpack_from(data)
        if magic != _MAGIC:
            raise ValueError("no flash of a twin")
        facts = json.loads(data[_HEAD.size : _HEAD.size + size])
        cells = zlib.decompress(data[_HEAD.size + size :])
        poisoned, part, options = set(facts["poisoned"]), facts["part"], facts["options"]
    except OSError as error:
        raise TwinError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, struct.error, zlib.error) as error:
        raise TwinError(f"{path}: not a state file ({error}); give another file or delete it") from None
    if part != twin.chip.name or len(cells) != twin.flash.size:
        raise TwinError(f"{path}: holds the flash of {part}, expected {twin.chip.name}")
    twin.flash_load(twin.flash.address, cells)
    twin.flash.poisoned = poisoned
    twin.flash_controller.options = options
