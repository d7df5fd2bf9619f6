"""The bytes of a patch, accounted for: what each place of NEW costs, and of what kind the cost is.

Costs are counted in 1/256 byte, so that their sum is the file's size and not nearly so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from spboot.delta import meter
from spboot.delta.meter import Step
from spboot.explanation.places import Place, Places
from spboot.formats import payload
from spboot.formats.delta_file import HEAD_SIZE
from spboot.formats.signature import SIGNATURE_SIZE

PARTS: Final = 256
"""Parts of a byte that costs are counted in."""
HEADER: Final = "header"
OVERHEAD: Final = "overhead"
WHOLE: Final = "whole"
"""The kind of a cost that is no part of the stream."""
_PARTS_OF_A_BIT: Final = PARTS // 8


@dataclass(kw_only=True)
class Row:
    """What one place costs.  *kind*: function, table, literal, header or overhead.  *change*: what happened to it.

    *parts*: 1/256 byte by kind of cost (see delta.meter.KINDS)."""

    name: str
    kind: str
    address: int | None = None
    size: int = 0
    change: str = ""
    parts: dict[str, int] = field(default_factory=dict)

    @property
    def bytes(self) -> float:
        """Its bytes of the file: a multiple of 1/256, so that sums are exact."""
        return sum(self.parts.values()) / PARTS

    def of(self, *kinds: str) -> float:
        """Those of some kinds of cost."""
        return sum(self.parts.get(kind, 0) for kind in kinds) / PARTS


def account(steps: Iterable[Step], *, stream_size: int, old: Places, new: Places, manifest: int) -> list[Row]:
    """Rows for all of the file, the dearest first; their bytes are its size.  *manifest*: its size, 0 in a delta file,
    which has none."""
    parts, start = _by_place(steps, stream_size, new)
    rows = []
    for place, costs in parts.items():
        change = _change(place, old) if old.named and new.named else ""
        row = Row(name=place.name, kind=place.kind, address=new.address(place.start), size=place.size, change=change)
        row.parts = costs
        rows.append(row)
    if manifest:
        rows.append(Row(name="manifest", kind=HEADER, parts={WHOLE: manifest * PARTS}))
        rows.append(Row(name="signature", kind=HEADER, parts={WHOLE: SIGNATURE_SIZE * PARTS}))
        hashes = payload.wire_size(stream_size) - stream_size
        rows.append(Row(name="hashes of chunks", kind=OVERHEAD, parts={WHOLE: hashes * PARTS}))
    else:
        rows.append(Row(name="head of the delta file", kind=HEADER, parts={WHOLE: HEAD_SIZE * PARTS}))
    rows.append(Row(name="start and end of the stream", kind=OVERHEAD, parts={meter.START: start}))
    return sorted((row for row in rows if any(row.parts.values())), key=lambda row: (-row.bytes, row.address or 0))


def _by_place(steps: Iterable[Step], stream_size: int, new: Places) -> tuple[dict[Place, dict[str, int]], int]:
    """Parts by place and kind, and those of the stream's start and end.  What rounding leaves goes to the next."""
    parts: dict[Place, dict[str, int]] = {}
    exact, given, start = 0.0, 0, 0
    for step in steps:
        costs = parts.setdefault(new.at(step.start), {})
        for kind, bits in step.bits.items():
            exact += bits * _PARTS_OF_A_BIT
            share = round(exact) - given
            given += share
            if kind == meter.START:
                start += share
            else:
                costs[kind] = costs.get(kind, 0) + share
    assert given == stream_size * PARTS, "the steps have all bits of the stream"
    return parts, start


def _change(place: Place, old: Places) -> str:
    before = old.by_name.get(place.name)
    if before is None:
        return "new" if place.kind != "literal" else ""
    grown = place.size - before.size
    if grown:
        return f"{before.size:,} -> {place.size:,} bytes"
    moved = place.start - before.start
    return f"moved by {moved:+,}" if moved else "in place"
