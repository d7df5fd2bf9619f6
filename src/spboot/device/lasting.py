"""Faults of a whole run of the twin by their ids, told to the part that they are about (docs/faults.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spboot.errors import TwinError
from spboot.twin.memory import ageing
from spboot.twin.nor.swap import Swap

if TYPE_CHECKING:
    from spboot.twin.machine import Twin

_HELD = "held"


def ask(twin: Twin, text: str) -> None:
    """Let *twin* have the fault *text*.  Raises TwinError for one that is none, or not of this part."""
    if text == _HELD:
        twin.held.hold()
        return
    fault = Swap.parse(text) or ageing.parse(text)
    outside = [package.cells for package in twin.external.values()]
    cells = next((c for c in outside if fault is not None and c.holds(fault.page)), None)
    if fault is not None and cells is not None:
        cells.ask(fault)
    elif isinstance(fault, Swap):
        raise TwinError(f"fault {fault}: no external flash at {fault.page:#010x}; other flash shows what it holds")
    else:
        twin.flash.ask(fault)
