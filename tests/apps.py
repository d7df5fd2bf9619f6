"""Images that can start on a board, and updates signed by force: what `spboot` itself would refuse to sign."""

from __future__ import annotations

import struct
from typing import Any

from spboot import release
from spboot.boards import Board
from spboot.builder.personal import finish
from spboot.formats.manifest import name_id
from spboot.formats.spec import record, spec
from spboot.keys import Keys
from spboot.release import Base
from spboot.version import Version

VECTORS = 8


def startable(board: Board, body: bytes) -> bytes:
    """*body* with its first 8 bytes replaced: a stack at the top of a RAM, a reset vector right behind the two."""
    return struct.pack("<II", board.stacks[-1].end, board.image_address + VECTORS + 1) + body[VECTORS:]


def forced_image(
    app: bytes, *, target: str, capacity: int = 1 << 20, keys: Keys, version: Version, trial: bool = False,
    rest: bytes | None = None,
) -> bytes:  # fmt: skip
    """A full image of whatever *app* and, for external flash, *rest* are, for a board named *target*."""
    return _signed(app, None, target=target, capacity=capacity, keys=keys, version=version, on_trial=trial, rest=rest)


def forced_patch(
    old: Base, new: bytes, *, target: str, capacity: int = 1 << 20, keys: Keys, version: Version, trial: bool = False,
    rest: bytes | None = None,
) -> bytes:  # fmt: skip
    """A patch between whatever the two are, for a board named *target*."""
    return _signed(new, old, target=target, capacity=capacity, keys=keys, version=version, on_trial=trial, rest=rest)


def _signed(new: bytes, old: Base | None, *, keys: Keys, **facts: Any) -> bytes:
    return release._unsigned(new, old, keys=keys, progress=None, **facts).signed(keys)


def bootloader(board: Board, keys: Keys) -> bytes:
    """Enough of one for a factory file: the ABI table, and room for keys and names."""
    facts, table = spec()["abi"], record("abi")
    blank = bytearray(0x1000)
    values: dict[str, int | bytes] = {field.name: bytes(field.size) if field.size > 4 else 0 for field in table.fields}
    values |= {"reserved": bytes(2), "magic": facts["magic"], "target": name_id(board.name)}
    values |= {"personal_size": record("personal").size}
    values |= {"update_format": spec()["format"], "stream_format": spec()["delta"]["format"]}
    blank[facts["offset"] : facts["offset"] + table.size] = table.pack(**values)
    return finish(bytes(blank), keys)
