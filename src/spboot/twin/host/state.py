"""The flash of a twin as a file, so that it survives the process."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from spboot import disk
from spboot.errors import TwinError
from spboot.secret import Secret
from spboot.twin.machine import Twin
from spboot.twin.memory.frail import FrailCells

_MAGIC: Final = b"SPTW1\n"
_HEAD: Final = struct.Struct("<6sI")
assert _HEAD.size == 10


def save(twin: Twin, path: Path, images: Sequence[str] = ()) -> None:
    """Write the flash of *twin* to *path*, whole or not at all, for its owner alone: a bootloader's key is in it.

    *images*: SHA-256 of the files that it was programmed with.  Raises DiskError."""
    facts = {
        "part": twin.chip.name,
        "poisoned": sorted(twin.flash.poisoned),
        "frail": twin.flash.frail.save(),
        "options": twin.flash_controller.stored_options(),
        "lost": twin.flash_controller.lost,
        "images": list(images),
    }
    head = json.dumps(facts).encode()
    cells = zlib.compress(twin.flash_read(twin.flash.address, twin.flash.size), 1)
    disk.write(path, Secret(_HEAD.pack(_MAGIC, len(head)) + head + cells), secret=True)


def load(twin: Twin, path: Path) -> list[str]:
    """Put what `save` wrote into the flash of *twin*; its *images*.

    Raises TwinError when it is damaged or of another part, DiskError when it cannot be read."""
    data = disk.read(path)
    try:
        magic, size = _HEAD.unpack_from(data)
        if magic != _MAGIC:
            raise ValueError("no flash of a twin")
        facts = json.loads(data[_HEAD.size : _HEAD.size + size])
        cells = zlib.decompressobj().decompress(data[_HEAD.size + size :], twin.flash.size + 1)
        poisoned, part, options = set(facts["poisoned"]), facts["part"], dict(facts["options"])
        lost = [(str(name), int(bits)) for name, bits in facts.get("lost", ())]
        images = [str(image) for image in facts.get("images", ())]
        frail = facts.get("frail", [0, [], [], []])
        FrailCells(twin.flash.unit, twin.flash.erased, 0).load(frail)
    except (ValueError, KeyError, TypeError, struct.error, zlib.error) as error:
        raise TwinError(f"{path}: not a state file ({error}); give another file or delete it") from None
    if part == twin.chip.name and len(cells) != twin.flash.size:
        raise TwinError(
            f"{path}: not a state file ({len(cells)} bytes of flash or more, expected {twin.flash.size}); "
            "give another file or delete it"
        )
    if part != twin.chip.name:
        raise TwinError(
            f"{path}: holds the flash of {part}, expected {twin.chip.name}: run its board, or give another file"
        )
    twin.flash_load(twin.flash.address, cells)
    twin.flash.poisoned = poisoned
    twin.flash.frail.load(frail)
    controller = twin.flash_controller  # a file of an earlier spboot may know fewer of them, and others
    controller.options = {name: options.get(name, factory) for name, factory in controller.options.items()}
    controller.lost = lost
    return images
