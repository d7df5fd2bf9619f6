"""Pins as the driver takes many of them at once: a table of the generated chip header (firmware/driver/pins.h)."""

from __future__ import annotations

from collections.abc import Iterable

from spboot.chips import Chip
from spboot.formats.c_header import define


def pin_table(chip: Chip, name: str, pins: Iterable[tuple[str, int]]) -> list[str]:
    """SPB_*name*_PINS, of *pins* as ("PA5", 10) with their alternate function, and where the first port is."""
    places = ", ".join(f"{(ord(pin[1]) - ord('A')) << 8 | int(pin[2:]) << 4 | function:#06x}" for pin, function in pins)
    return [f"#define SPB_{name}_PINS {{{places}}}", define("GPIO_BASE", chip.block("GPIOA").address)]
