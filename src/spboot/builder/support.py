"""Which parts we can build a bootloader for, and what is missing for the others."""

from __future__ import annotations

from spboot.boards.draft import consoles
from spboot.boards.plan import plan
from spboot.builder.bootloader import NEEDED, driven
from spboot.builder.compiler import target_of
from spboot.chips import Chip
from spboot.errors import BoardError, BuildError


def missing(chip: Chip) -> str | None:
    """Why there is no bootloader for *chip*: too small, or no driver; None when there is one.

    A board of that part can still ask for what is not there, as a console whose IP version has no driver."""
    try:
        plan(chip)
        target_of(chip.core)
    except (BoardError, BuildError) as error:
        return str(error).removeprefix(f"{chip.name}: ")
    lacks = [f"{name} ({chip.block(name).ip})" for name in NEEDED if chip.block(name).ip not in driven()]
    ports = sorted({chip.block(port).ip for port, _, _ in consoles(chip)})
    if not driven() & set(ports):
        lacks.append(f"any UART ({', '.join(ports)})")
    return f"there is no driver for {', '.join(lacks)}" if lacks else None
