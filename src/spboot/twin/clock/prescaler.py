"""What the prescalers of a clock tree make of a frequency: the codes are the same on every family."""

from __future__ import annotations


def ahb(hertz: int, code: int) -> int:
    """Divided by HPRE: from 8 on by 2, 4, 8, 16, 64, 128, 256, 512."""
    return hertz >> (0 if code < 8 else code - 7 if code < 12 else code - 6)


def apb(hertz: int, code: int) -> int:
    """Divided by PPRE: from 4 on by 2, 4, 8, 16."""
    return hertz >> (code - 3 if code >= 4 else 0)
