"""The state of the whole machine, to come back to."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spboot.twin.machine import Twin


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What `Twin.snapshot` returns; opaque.  Its repr shows no memory: keys are in there."""

    core: Any
    timeline: Any
    cpu: Any
    nvic: Any
    bus: Any
    blocks: dict[str, Any]
    rams: dict[int, bytes] = field(repr=False)
    flash: Any = field(repr=False)
    flags: Any


def take(twin: Twin) -> Snapshot:
    """Between slices only."""
    return Snapshot(
        core=twin.core.save(),
        timeline=twin.timeline.save(),
        cpu=twin.cpu.save(),
        nvic=twin.nvic.save(),
        bus=twin.bus.save(),
        blocks={name: block.save() for name, block in twin.blocks.items()},
        rams={address: bytes(ram) for address, ram in twin.rams.items()},
        flash=twin.flash.save(),
        flags=twin.flags(),
    )


def restore(twin: Twin, snapshot: Snapshot) -> None:
    """Put everything back."""
    twin.core.load(snapshot.core)
    twin.timeline.load(snapshot.timeline)
    twin.cpu.load(snapshot.cpu)
    twin.nvic.load(snapshot.nvic)
    twin.bus.load(snapshot.bus)
    for name, state in snapshot.blocks.items():
        twin.blocks[name].load(state)
    for address, content in snapshot.rams.items():
        ctypes.memmove(twin.rams[address], content, len(content))
        twin.core.forget_code(address, len(content))
    twin.flash.load(snapshot.flash)
    twin.flash.renew_translations()
    twin.flash.watch_poison()
    twin.set_flags(snapshot.flags)
