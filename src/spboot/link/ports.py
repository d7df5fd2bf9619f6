"""The serial ports of this machine, and which of them is probably a board."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from spboot.errors import LinkError

_LOOKS: Final = 3
ST: Final = 0x0483
_STLINK: Final = frozenset({0x374A, 0x374B, 0x374D, 0x374E, 0x374F, 0x3752, 0x3753, 0x3754, 0x3755, 0x3757})
"""USB products of ST that are an ST-LINK with a virtual COM port: V2-1 and V3."""
_ADAPTERS: Final = {0x0403: "FTDI", 0x067B: "Prolific", 0x10C4: "Silicon Labs", 0x1A86: "WCH"}
"""USB vendors of chips that are a UART and nothing else."""
NONE: Final = (
    "this machine has no serial port: plug in the board or its adapter, with a cable that carries data; on Windows the "
    "Device Manager tells whether its driver is there, on Linux `dmesg` whether it was seen, and only group dialout "
    "may open it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialPortInfo:
    """A port and what the system knows of it; numbers of USB are None for a port that is on no USB.

    *likely*: how likely it is a board, 2 for an ST-LINK, which nothing else has, 1 for other USB, 0 for the rest."""

    name: str
    description: str
    vid: int | None
    pid: int | None
    serial_number: str | None
    what: str
    likely: int

    def __str__(self) -> str:
        told = self.what or self.description
        return f"{self.name} ({told})" if told else self.name


def listed(found: Iterable[ListPortInfo] | None = None) -> list[SerialPortInfo]:
    """The ports of this machine, or what pyserial *found*, by name.  Raises LinkError."""
    return [_info(port) for port in sorted(_present() if found is None else found)]


def _present() -> list[ListPortInfo]:
    """What pyserial finds; it stumbles over a port that is unplugged while it looks."""
    for _ in range(_LOOKS):
        with contextlib.suppress(OSError, TypeError, ValueError):
            return list(list_ports.comports())
    raise LinkError("the system does not tell its serial ports: name the port of the board")


def _info(port: ListPortInfo) -> SerialPortInfo:
    what, likely = "", 0
    if port.vid == ST and port.pid in _STLINK:
        what, likely = "ST-LINK virtual COM port", 2
    elif port.vid in _ADAPTERS:
        what, likely = f"USB adapter, {_ADAPTERS[port.vid]}", 1
    elif port.vid is not None:
        what, likely = "USB", 1
    return SerialPortInfo(
        name=port.device,
        description="" if port.description in ("n/a", None) else str(port.description),
        vid=port.vid,
        pid=port.pid,
        serial_number=port.serial_number,
        what=what,
        likely=likely,
    )


def only(ports: list[SerialPortInfo]) -> SerialPortInfo:
    """The one of *ports* that is probably the board.  Raises LinkError when there is none, or more than one."""
    if not ports:
        raise LinkError(NONE)
    best = max(port.likely for port in ports)
    if best == 0:
        raise LinkError(f"no port of this machine is on USB: name the one of the board: {_names(ports)}")
    found = [port for port in ports if port.likely == best]
    if len(found) > 1:
        raise LinkError(f"{len(found)} ports may be the board: name one: {_names(found)}")
    return found[0]


def _names(ports: list[SerialPortInfo]) -> str:
    return ", ".join(map(str, ports))
