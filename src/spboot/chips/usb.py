"""The USB connector of a board: at which OTG core, and what switches its supply."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from spboot.chips import Chip
from spboot.errors import BoardError

CORE: Final = re.compile(r"USB_OTG_(FS|HS)")
"""Names of those that a connector can be at."""
IP: Final = "otg_v1"
FAMILIES: Final = ("STM32F4", "STM32L4", "STM32L4+")
"""Those whose core and whose clock of 48 MHz are known to driver and twin."""
_NEED: Final = ("core", "dm", "dp", "power")
_MAY: Final = ("active", "overcurrent", "hse", "hse_hz", "at_boot_ms")
MOST_AT_BOOT_MS: Final = 10_000
_HSE: Final = ("crystal", "bypass")
_SENSED: Final = ("STM32F4",)
"""Families whose core looks at VBUS unless NOVBUSSENS is set; others look when VBDEN is set (RM0090 34.16.2, RM0351
47.15).  Both are bit 21 of GCCFG."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usb:
    """A type A connector, or one of type AB with an adapter.  Pins of data with their alternate function.

    *power*: the pin that switches VBUS, on where it has the level *power_high*.  *overcurrent*: the pin that is low
    while too much flows.  *hse_hz*: frequency at OSC_IN, 0 where nothing is there, and whether a crystal makes it, or
    another chip ("bypass").  *at_boot_ms*: how long each boot waits for a stick, unasked; 0: it does not look."""

    core: str
    dm: tuple[str, int]
    dp: tuple[str, int]
    power: str
    power_high: bool
    overcurrent: str | None
    hse_hz: int
    hse_bypass: bool
    at_boot_ms: int = 0

    @property
    def pins(self) -> dict[str, str]:
        """Every pin by its key in the board file."""
        named = {"dm": self.dm[0], "dp": self.dp[0], "power": self.power, "overcurrent": self.overcurrent}
        return {f"usb.{key}": pin for key, pin in named.items() if pin is not None}

    @classmethod
    def parse(cls, table: Mapping[str, Any], part: Chip) -> Usb:
        """What the table `usb` of a board file says.

        Raises BoardError for keys that are unknown or missing, for pins that cannot have their signal, and for parts
        that have no driver."""
        known = (*_NEED, *_MAY)
        if unknown := sorted(table.keys() - set(known)):
            raise BoardError(f"usb.{unknown[0]}: unknown, expected {', '.join(known)}")
        if missing := [key for key in _NEED if key not in table]:
            raise BoardError(f"usb.{missing[0]} is missing")
        core = table["core"]
        if not isinstance(core, str) or not CORE.fullmatch(core):
            raise BoardError(f"usb.core: {core!r}, expected one as USB_OTG_FS")
        block = part.block(core)
        if block.ip != IP or part.family not in FAMILIES or core != "USB_OTG_FS":
            raise BoardError(
                f"usb.core: {core} of {part.name} has no driver, expected USB_OTG_FS of {', '.join(FAMILIES)}"
            )
        hse, hertz = table.get("hse"), table.get("hse_hz", 0)
        if (hse is None) != (hertz == 0) or hse not in (None, *_HSE) or not isinstance(hertz, int):
            raise BoardError(f"usb.hse: {hse!r} of {hertz!r} Hz, expected crystal or bypass, with hse_hz, or neither")
        at_boot = table.get("at_boot_ms", 0)
        if not isinstance(at_boot, int) or isinstance(at_boot, bool) or not 0 <= at_boot <= MOST_AT_BOOT_MS:
            raise BoardError(f"usb.at_boot_ms: {at_boot!r}, expected 0 to {MOST_AT_BOOT_MS:,}; 0: boots do not look")
        if table.get("active", "high") not in ("high", "low"):
            raise BoardError(f"usb.active: {table['active']!r}, expected 'high' or 'low'")
        return cls(
            core=core,
            dm=(table["dm"], block.alternate(table["dm"], "DM")),
            dp=(table["dp"], block.alternate(table["dp"], "DP")),
            power=cls._pin(part, "power", table["power"]),
            power_high=table.get("active", "high") == "high",
            overcurrent=cls._pin(part, "overcurrent", table["overcurrent"]) if "overcurrent" in table else None,
            hse_hz=hertz,
            hse_bypass=hse == "bypass",
            at_boot_ms=at_boot,
        )

    @staticmethod
    def _pin(part: Chip, key: str, pin: object) -> str:
        if not isinstance(pin, str) or pin not in part.pins:
            raise BoardError(f"usb.{key}: {pin!r}, expected a pin of {part.name} as PG6")
        return pin


def senses_vbus(part: Chip) -> bool:
    """Whether bit 21 of GCCFG has to be set for a host that does not look at VBUS, not cleared."""
    return part.family in _SENSED
