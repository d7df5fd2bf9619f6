"""Where keys go that devices get in the field: erase units that the rest of a plan leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from spboot.boards.model import LEAST_KEYS, Area
from spboot.boards.plan import Plan, plan
from spboot.chips import Chip
from spboot.errors import BoardError
from spboot.formats.spec import record

_WANTED: Final = 5
"""Keys that there should be room for: each rotation takes one, and each whose writing was cut."""
assert _WANTED >= LEAST_KEYS


def plan_with_keys(chip: Chip, *, single_slot: bool = False, keep_free: int = 0) -> tuple[Plan, Area]:
    """A plan as `plan` makes it, and an area for keys.  Raises BoardError."""
    return with_keys(chip, lambda free: plan(chip, single_slot=single_slot, keep_free=free), keep_free)


def with_keys(chip: Chip, make: Callable[[int], Plan], keep_free: int) -> tuple[Plan, Area]:
    """What *make* makes of the bytes that are kept free, and an area for keys: where something is left, else the slots
    give it up.

    Raises BoardError."""
    found = make(keep_free)
    area = _left(chip, found, keep_free)
    if area is None:
        found = make(keep_free + _size(chip.flash[-1].erase_unit))
        area = _left(chip, found, keep_free)
    if area is None:
        raise BoardError(f"{chip.name}: there is no place for keys; keep less of its flash free")
    size = f"{area.size // 1024} KB" if area.size % 1024 == 0 else f"{area.size} bytes"
    reason = f"keys {size}: room for those that devices get later; do not write protect it"
    return replace(found, reasons=(*found.reasons, reason)), area


def _size(unit: int) -> int:
    """Bytes of whole erase units for the keys that are wanted."""
    return -(-_WANTED * record("keys").size // unit) * unit


def _left(chip: Chip, found: Plan, keep_free: int) -> Area | None:
    """The smallest area that is left, the highest of these: the bootloader may grow into what is behind it."""
    stop = chip.flash[-1].end - keep_free
    areas = [area for area in (found.bootloader, found.slot0, found.slot1, found.journal) if area is not None]
    fits: list[Area] = []
    for run in chip.flash:
        size = _size(run.erase_unit)
        for piece in _without(Area(address=run.address, size=max(min(run.end, stop) - run.address, 0)), areas):
            start = run.address - (run.address - piece.address) // run.erase_unit * run.erase_unit
            if start + size <= piece.end:
                at = start + (piece.end - start - size) // run.erase_unit * run.erase_unit
                fits.append(Area(address=at, size=size))
    return min(fits, key=lambda area: (area.size, -area.address), default=None)


def _without(whole: Area, taken: list[Area]) -> Iterator[Area]:
    pieces = [whole] if whole.size else []
    for area in taken:
        pieces = [piece for each in pieces for piece in each.without(area)]
    yield from pieces
