"""Writes down which registers firmware reads or writes on a twin, by wrapping its blocks as they join the bus."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from spboot import twin
from spboot.twin.block import Block
from spboot.twin.bus import Bus

_NVIC: Final = {2: "ISER", 3: "ICER", 4: "ISPR", 5: "ICPR", 6: "IABR", **dict.fromkeys(range(8, 14), "IPR")}
"""Offset in the system control space, in units of 128 bytes -> the array of registers there, which the model of it
handles as one (PM0214 4.3)."""
NVIC: Final = tuple(f"NVIC_{name}" for name in dict.fromkeys(_NVIC.values()))

Note = Callable[[Block, str], None]
"""Called with a block and the name of the register that was accessed, once the access has succeeded."""


def key(block: Block) -> str:
    """What the model is of: an IP version, or a part of the core."""
    return block.facts.ip or f"{block.name} {block.die.chip.core}"


@contextlib.contextmanager
def recording(note: Note) -> Iterator[None]:
    """Every twin that is made meanwhile reports its accesses to *note*, but for those to models of somebody else's.  An
    access that is refused is none."""
    add = Bus.add

    def add_wrapped(bus: Bus, block: Block) -> None:
        if type(block).__module__.startswith(f"{twin.__name__}."):
            for name in ("read", "write"):
                setattr(block, name, _wrapped(block, getattr(block, name), note))
        add(bus, block)

    setattr(Bus, "add", add_wrapped)  # noqa: B010 - mypy knows it as a method
    try:
        yield
    finally:
        setattr(Bus, "add", add)  # noqa: B010


def _wrapped(block: Block, access: Callable[..., Any], note: Note) -> Callable[..., Any]:
    def accessed(offset: int, *rest: int) -> Any:
        value = access(offset, *rest)
        note(block, block.names.get(offset & ~3) or f"NVIC_{_NVIC[offset >> 7]}")
        return value

    return accessed
