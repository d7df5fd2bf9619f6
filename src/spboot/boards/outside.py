"""What holds of areas in external flash: which can be there, and how large its pages are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from spboot.boards.model import Area, BoardFacts
from spboot.chips import Chip, Memory
from spboot.chips.external import External
from spboot.errors import BoardError
from spboot.formats.spec import spec

AREAS: Final = ("slot0[1]", "slot1", "slot1[1]")
"""Areas that can be in external flash."""
_UNREAD: Final = 0x1000
"""Bytes at the end of external flash that a Cortex-M7 is kept from, as a read ahead behind the end locks the bus."""
_LEAF: Final = 1 << int(spec()["extension"]["leaf_log2"])
"""Bytes that are hashed together; whole pages, so that a device can check what a page belongs to."""


def usable(chip: Chip, external: External) -> Memory:
    """The memory at *external* of *chip*, as far as areas can be there."""
    unread = _UNREAD if chip.core == "cm7" else 0
    return replace(external.memory, size=external.size - unread)


def expected(board: BoardFacts, key: str, runs: Sequence[Memory]) -> str:
    """Where the area *key* of a board file can be, in words: in one of *runs*."""
    if not runs:
        return "one area: a second part is in external flash, and without [external] there is none"
    where = ", ".join(str(Area(address=run.address, size=run.size)) for run in runs)
    if board.external is None:
        return f"a place in the flash of {board.chip.name}: {where}"
    if key.endswith("]"):
        return f"a place in external flash, as a second part: {where}"
    if key == "slot1":
        return f"a place in the flash of {board.chip.name} or in external flash: {where}"
    return f"a place in the flash of {board.chip.name}, {where}: in external flash are SLOT1 and second parts alone"


def check(board: BoardFacts) -> None:
    """Refuse what a bootloader cannot have beside second parts.  Raises BoardError, with the key."""
    if board.slot0.rest is None:
        return
    if board.keys is not None:
        raise BoardError("flash.keys is there, and slots have two parts: expected one of both; leave flash.keys out")
    page = board.rest_page_size
    if _LEAF % page:
        raise BoardError(
            f"pages of the second parts have {page:#x} bytes, expected {_LEAF:#x} or an even part of it, which are "
            "hashed together: choose a chip with smaller erase units"
        )
