"""The Ethernet PHY of a board: which one, at which address of the management interface, and how RMII reaches it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from spboot.chips import Chip
from spboot.errors import BoardError

PHYS: Final = ("LAN8742A",)
FUNCTION: Final = 11
"""Alternate function of all signals (RM0090 33.3, Table of alternate functions)."""
SIGNALS: Final[dict[str, tuple[str, ...]]] = {
    "ref_clk": ("PA1",), "mdio": ("PA2",), "crs_dv": ("PA7",), "mdc": ("PC1",), "rxd0": ("PC4",), "rxd1": ("PC5",),
    "tx_en": ("PB11", "PG11"), "txd0": ("PB12", "PG13"), "txd1": ("PB13", "PG14"),
}  # fmt: skip
"""Signal of RMII -> pins of STM32F4 that have it."""
FAMILY: Final = "STM32F4"
_MOST: Final = 31
_NEED: Final = ("phy", "address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ethernet:
    """A PHY by RMII.  *lines*: signal -> pin."""

    phy: str
    address: int
    lines: Mapping[str, str]

    @property
    def pins(self) -> dict[str, str]:
        """Every pin by its key in the board file."""
        return {f"ethernet.{signal}": pin for signal, pin in self.lines.items()}

    @classmethod
    def parse(cls, table: Mapping[str, Any], part: Chip) -> Ethernet:
        """What the table `ethernet` of a board file says; a signal that has one pin need not be given.

        Raises BoardError for keys that are unknown or missing, and for pins that cannot have their signal."""
        if unknown := sorted(table.keys() - {*_NEED, *SIGNALS}):
            raise BoardError(f"ethernet.{unknown[0]}: unknown, expected {', '.join((*_NEED, *SIGNALS))}")
        if missing := [key for key in _NEED if key not in table]:
            raise BoardError(f"ethernet.{missing[0]} is missing")
        if part.family != FAMILY or "ETH" not in part.others:
            raise BoardError(
                f"ethernet: {part.name} has no MAC that the twin knows, expected a part of {FAMILY} with ETH"
            )
        phy, address = table["phy"], table["address"]
        if phy not in PHYS:
            raise BoardError(f"ethernet.phy: {phy!r}, expected {' or '.join(PHYS)}")
        if not isinstance(address, int) or isinstance(address, bool) or not 0 <= address <= _MOST:
            raise BoardError(f"ethernet.address: {address!r}, expected 0 to {_MOST}")
        return cls(phy=phy, address=address, lines={signal: _pin(signal, table, part) for signal in SIGNALS})


def _pin(signal: str, table: Mapping[str, Any], part: Chip) -> str:
    known = [pin for pin in SIGNALS[signal] if pin in part.pins]
    pin = table.get(signal, known[0] if len(known) == 1 else None)
    if pin is None:
        raise BoardError(f"ethernet.{signal} is missing: {' or '.join(known)}, as the board is wired")
    if pin not in known:
        raise BoardError(f"ethernet.{signal}: {pin!r}, expected {' or '.join(known)}")
    return str(pin)
