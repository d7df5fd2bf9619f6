"""What the factory wrote: unique id, flash size, package (device electronic signature in the manuals)."""

from __future__ import annotations

import ctypes
import random
from dataclasses import dataclass
from typing import Final

from spboot.chips import Chip
from spboot.errors import TwinError

_SIZE: Final = 0x1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """Addresses of the unique id, the flash size in KB and the package code, 0 where there is none."""

    uid: int
    flash_kb: int
    package: int = 0


_FAMILIES: Final = {
    "STM32F4": _Places(uid=0x1FFF7A10, flash_kb=0x1FFF7A22),  # RM0090 39
    "STM32F7": _Places(uid=0x1FF0F420, flash_kb=0x1FF0F442, package=0x1FF0F7E0),  # RM0410 45
    "STM32H7": _Places(uid=0x1FF1E800, flash_kb=0x1FF1E880),  # RM0399 65, RM0433 61
    "STM32G0": _Places(uid=0x1FFF7590, flash_kb=0x1FFF75E0, package=0x1FFF7500),  # RM0444 41
    "STM32G4": _Places(uid=0x1FFF7590, flash_kb=0x1FFF75E0, package=0x1FFF7500),  # RM0440 48
    "STM32L0": _Places(uid=0x1FF80050, flash_kb=0x1FF8007C),  # RM0367 33
    "STM32L4": _Places(uid=0x1FFF7590, flash_kb=0x1FFF75E0, package=0x1FFF7500),  # RM0351 49
    "STM32L4+": _Places(uid=0x1FFF7590, flash_kb=0x1FFF75E0, package=0x1FFF7500),  # RM0432 58
    "STM32L5": _Places(uid=0x0BFA0590, flash_kb=0x0BFA05E0, package=0x0BFA0500),  # RM0438 53
    "STM32WL": _Places(uid=0x1FFF7590, flash_kb=0x1FFF75E0, package=0x1FFF7500),  # RM0453 40
}


def content(chip: Chip, seed: int, flash_size: int) -> tuple[int, ctypes.Array[ctypes.c_ubyte]]:
    """A page of system memory and its address; what we do not know of it reads as erased."""
    places = _FAMILIES.get(chip.family)
    if places is None:
        raise TwinError(f"the twin does not know where {chip.family} keeps its unique id")
    base = places.uid - places.uid % _SIZE
    page = (ctypes.c_ubyte * _SIZE)(*([0xFF] * _SIZE))
    for address, data in (
        (places.uid, random.Random(seed ^ 0x51D).randbytes(12)),
        (places.flash_kb, (flash_size // 1024).to_bytes(2, "little")),
        (places.package, bytes(4)),
    ):
        if not address:
            continue
        page[address - base : address - base + len(data)] = list(data)
    return base, page
