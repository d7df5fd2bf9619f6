"""The flash of a twin as a file, external flash included, so that it survives the process."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from spboot import disk
from spboot.errors import TwinError
from spboot.secret import Secret
from spboot.twin.machine import Twin
from spboot.twin.memory.frail import FrailCells
from spboot.twin.nor.cells import BLOCK

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
    cells = twin.flash_read(twin.flash.address, twin.flash.size)
    if outside := twin.external:
        blocks = {name: package.cells.contents() for name, package in outside.items()}
        facts["external"] = {name: {**outside[name].stored(), "blocks": list(found)} for name, found in blocks.items()}
        cells += b"".join(block for found in blocks.values() for block in found.values())
    head = json.dumps(facts).encode()
    disk.write(path, Secret(_HEAD.pack(_MAGIC, len(head)) + head + zlib.compress(cells, 1)), secret=True)


def load(twin: Twin, path: Path) -> list[str]:
    """Put what `save` wrote into the flash of *twin*; its *images*.

    Raises TwinError when it is damaged or of another part, DiskError when it cannot be read."""
    data = disk.read(path)
    try:
        magic, size = _HEAD.unpack_from(data)
        if magic != _MAGIC:
            raise ValueError("no flash of a twin")
        facts = json.loads(data[_HEAD.size : _HEAD.size + size])
        outside = dict(facts.get("external", {}))
        beside = BLOCK * sum(len(found["blocks"]) for found in outside.values())
        whole = zlib.decompressobj().decompress(data[_HEAD.size + size :], twin.flash.size + beside + 1)
        cells, beyond = (whole, b"") if not beside else (whole[:-beside], whole[-beside:])
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
    _load_external(twin, path, outside, beyond)
    twin.flash_load(twin.flash.address, cells)
    twin.flash.poisoned = poisoned
    twin.flash.frail.load(frail)
    controller = twin.flash_controller  # a file of an earlier spboot may know fewer of them, and others
    controller.options = {name: options.get(name, factory) for name, factory in controller.options.items()}
    controller.lost = lost
    return images


def _load_external(twin: Twin, path: Path, outside: dict[str, Any], data: bytes) -> None:
    """The flash beside the part: *outside* by controller, its blocks one after the other in *data*."""
    if outside.keys() - twin.external.keys():
        raise TwinError(f"{path}: holds flash at {', '.join(outside)}, which this board lacks: give another file")
    try:
        for name, found in outside.items():
            package, offsets = twin.external[name], [int(offset) for offset in found["blocks"]]
            if any(offset % BLOCK or offset >= package.size for offset in offsets):
                raise ValueError("blocks outside of external flash")
            parts = [data[BLOCK * n : BLOCK * (n + 1)] for n in range(len(offsets))]
            package.cells.fill(dict(zip(offsets, parts, strict=True)))
            package.restore(found)
            data = data[BLOCK * len(offsets) :]
    except (ValueError, KeyError, TypeError) as error:
        raise TwinError(f"{path}: not a state file ({error}); give another file or delete it") from None
