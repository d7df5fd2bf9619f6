"""The USB connector of a board: at which OTG core, and what switches its supply."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spboot.chips import Block, Chip
from spboot.errors import BoardError

CORE: Final = re.compile(r"USB_OTG_(FS|HS)")
"""Names of those that a connector can be at."""
IP: Final = "otg_v1"
CORES: Final = {
    "STM32F4": "USB_OTG_FS", "STM32F7": "USB_OTG_HS", "STM32H7": "USB_OTG_FS", "STM32L4": "USB_OTG_FS",
    "STM32L4+": "USB_OTG_FS",
}  # fmt: skip
"""Family -> the core of it that driver and twin know, and with it its clock."""
ULPI_CORE: Final = "USB_OTG_HS"
"""The one that is driven through a PHY beside the chip, and by that alone."""
ULPI: Final = ("ck", *(f"d{bit}" for bit in range(8)), "stp", "nxt", "dir")
"""Lines of such a PHY, as keys of the table `usb.ulpi`; signal ULPI_CK and so on in the facts (UTMI+ Low Pin Interface
1.1)."""
ULPI_CLOCK: Final = ("AHB1ENR", "USB_OTG_HSULPIEN")
"""Register and field of RCC that let the clock of the PHY in."""
_NEED: Final = ("core", "dm", "dp", "power")
_NEED_ULPI: Final = ("core", "ulpi")
_MAY: Final = ("active", "overcurrent", "hse", "hse_hz", "at_boot_ms")
_MAY_ULPI: Final = ("overcurrent", "at_boot_ms")
MOST_AT_BOOT_MS: Final = 10_000
_HSE: Final = ("crystal", "bypass")
_SENSED: Final = (0x413, 0x419, 0x423, 0x431, 0x433)
"""Devices whose core looks at VBUS unless NOVBUSSENS is set: STM32F405 to F439, F401 and F411; all others look when
VBDEN is set, STM32F446 and F469 among them (OTG_GCCFG: RM0090 34.16.2, RM0390 31.15, RM0351 47.15).  Both are
bit 21."""
_LARGE: Final = ("STM32H7",)
"""Families whose USB_OTG_FS is a core for high speed without a way to an ULPI PHY."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usb:
    """A type A connector, or one of type AB with an adapter.

    *lines*: key of a line between the chip and the connector, or its PHY -> pin and alternate function.  *power*: the
    pin that switches VBUS, on where it has the level *power_high*; None where the PHY does it.  *overcurrent*: the pin
    that is low while too much flows.  *hse_hz*: frequency at OSC_IN, 0 where nothing is there, and whether a crystal
    makes it, or another chip ("bypass").  *at_boot_ms*: how long each boot waits for a stick, unasked; 0: it does not
    look."""

    core: str
    lines: Mapping[str, tuple[str, int]]
    power: str | None
    power_high: bool
    overcurrent: str | None
    hse_hz: int
    hse_bypass: bool
    at_boot_ms: int = 0

    @property
    def ulpi(self) -> bool:
        """Whether it is at a PHY beside the chip."""
        return self.core == ULPI_CORE

    @property
    def pins(self) -> dict[str, str]:
        """Every pin by its key in the board file."""
        table = "usb.ulpi" if self.ulpi else "usb"
        named = {"usb.power": self.power, "usb.overcurrent": self.overcurrent}
        return {f"{table}.{key}": pin for key, (pin, _) in self.lines.items()} | {
            key: pin for key, pin in named.items() if pin is not None
        }

    @classmethod
    def parse(cls, table: Mapping[str, Any], part: Chip) -> Usb:
        """What the table `usb` of a board file says.

        Raises BoardError for keys that are unknown or missing, for pins that cannot have their signal, and for parts
        that have no driver."""
        block = _core(table, part)
        ulpi = block.name == ULPI_CORE
        need, may = (_NEED_ULPI, _MAY_ULPI) if ulpi else (_NEED, _MAY)
        _check_keys("usb", table, need, (*need, *may))
        hse, hertz = table.get("hse"), table.get("hse_hz", 0)
        if (hse is None) != (hertz == 0) or hse not in (None, *_HSE) or not isinstance(hertz, int):
            raise BoardError(f"usb.hse: {hse!r} of {hertz!r} Hz, expected crystal or bypass, with hse_hz, or neither")
        at_boot = table.get("at_boot_ms", 0)
        if not isinstance(at_boot, int) or isinstance(at_boot, bool) or not 0 <= at_boot <= MOST_AT_BOOT_MS:
            raise BoardError(f"usb.at_boot_ms: {at_boot!r}, expected 0 to {MOST_AT_BOOT_MS:,}; 0: boots do not look")
        if table.get("active", "high") not in ("high", "low"):
            raise BoardError(f"usb.active: {table['active']!r}, expected 'high' or 'low'")
        return cls(
            core=block.name,
            lines=_ulpi(table["ulpi"], block) if ulpi else _data(table, block),
            power=None if ulpi else _pin(part, "power", table["power"]),
            power_high=table.get("active", "high") == "high",
            overcurrent=_pin(part, "overcurrent", table["overcurrent"]) if "overcurrent" in table else None,
            hse_hz=hertz,
            hse_bypass=hse == "bypass",
            at_boot_ms=at_boot,
        )


def _check_keys(name: str, table: Mapping[str, Any], need: Sequence[str], known: Sequence[str]) -> None:
    if unknown := sorted(table.keys() - set(known)):
        raise BoardError(f"{name}.{unknown[0]}: unknown, expected {', '.join(known)}")
    if missing := [key for key in need if key not in table]:
        raise BoardError(f"{name}.{missing[0]} is missing")


def _core(table: Mapping[str, Any], part: Chip) -> Block:
    if "core" not in table:
        raise BoardError("usb.core is missing")
    core = table["core"]
    if not isinstance(core, str) or not CORE.fullmatch(core):
        raise BoardError(f"usb.core: {core!r}, expected one as USB_OTG_FS")
    block = part.block(core)
    if block.ip != IP or CORES.get(part.family) != core:
        known = ", ".join(f"{name} of {family}" for family, name in CORES.items())
        raise BoardError(f"usb.core: {core} of {part.name} has no driver, expected {known}")
    return block


def _data(table: Mapping[str, Any], block: Block) -> dict[str, tuple[str, int]]:
    """The two lines of a PHY within."""
    return {key: (table[key], block.alternate(table[key], key.upper())) for key in ("dm", "dp")}


def _ulpi(table: object, block: Block) -> dict[str, tuple[str, int]]:
    """The twelve lines of a PHY beside the chip."""
    if not isinstance(table, Mapping):
        raise BoardError(f"usb.ulpi: {table!r}, expected a table with {', '.join(ULPI)}")
    _check_keys("usb.ulpi", table, ULPI, ULPI)
    return {key: (table[key], block.alternate(table[key], f"ULPI_{key.upper()}")) for key in ULPI}


def _pin(part: Chip, key: str, pin: object) -> str:
    if not isinstance(pin, str) or pin not in part.pins:
        raise BoardError(f"usb.{key}: {pin!r}, expected a pin of {part.name} as PG6")
    return pin


def senses_vbus(part: Chip) -> bool:
    """Whether bit 21 of GCCFG has to be set for a host that does not look at VBUS, not cleared."""
    return part.device_id in _SENSED


def is_large(part: Chip, core: str) -> bool:
    """Whether *core* has memory and channels for high speed, 4 KB and 16, and begins with ULPI (RM0410 and RM0399, main
    features of the OTG core and OTG_GUSBCFG)."""
    return core == ULPI_CORE or part.family in _LARGE
