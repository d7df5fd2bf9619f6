"""Whether an update is for a board, and its image fits there: asked before anything of it is decoded."""

from __future__ import annotations

from spboot.boards import Board
from spboot.errors import AuthenticationError, FormatError
from spboot.formats.manifest import KIND_KEYS, Manifest, name_id


def check(manifest: Manifest, board: Board) -> None:
    """Raise AuthenticationError or FormatError unless *board* is the one that is meant and has the room."""
    if manifest.target != name_id(board.name):
        raise AuthenticationError(
            f"the update is for another board: id {manifest.target:#010x}, expected {name_id(board.name):#010x} "
            f"({board.name})"
        )
    if manifest.kind == KIND_KEYS:
        return
    if (manifest.external is None) != (board.slot0.rest is None):
        found, expected = ("one part", "two parts") if manifest.external is None else ("two parts", "one part")
        raise AuthenticationError(
            f"the update is of {found}, the slots of {board.name} have {expected}: was it made with another file of "
            "that board?"
        )
    sizes = [("", manifest.image_size, board.image_capacity)]
    if manifest.external and board.slot0.rest:
        sizes.append((" in external flash", manifest.external.size, board.slot0.rest.size))
    for where, size, room in sizes:
        if size > room:
            raise FormatError(f"the image of the update has {size:,} bytes{where}, the slot takes {room:,}")
