"""The person at a twin: keys that are the host's and not the firmware's, and what the host says.

Host lines stand on stderr behind `twin: `, dim on a terminal; what stands there without it the firmware said."""

from __future__ import annotations

import os
import select
import sys
from typing import Final

import click

from spboot.cli.keyboard import LEAVE, attended
from spboot.twin import LineBridge, Twin

PREFIX: Final = 0x14
HELP: Final = (
    "Ctrl-] leaves; Ctrl-T and r: reset, p: power cycle, b: press the button, l: reset with it held, "
    "f: write the frame, ?: help"
)
_NAMES: Final = {
    ord("r"): "reset",
    ord("p"): "power",
    ord("b"): "button",
    ord("l"): "loader",
    ord("f"): "frame",
    ord("?"): "help",
}


class Keys:
    """Takes the host's keys out of what is typed: Ctrl-] leaves, Ctrl-T and a letter does what HELP says, Ctrl-T twice
    is one Ctrl-T for the firmware."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """What to do, in order: "leave", or a value of _NAMES."""
        self.closed = False
        """Nobody will type any more."""
        self._prefixed = False

    def take(self, data: bytes) -> bytes:
        """The bytes of *data* that are for the firmware."""
        out = bytearray()
        for byte in data:
            if self._prefixed:
                self._prefixed = False
                if byte == PREFIX:
                    out.append(byte)
                else:
                    self.asked.append("leave" if byte == LEAVE else _NAMES.get(byte | 0x20, _NAMES.get(byte, "help")))
            elif byte == PREFIX:
                self._prefixed = True
            elif byte == LEAVE:
                self.asked.append("leave")
                break
            else:
                out.append(byte)
        return bytes(out)


class Terminal(LineBridge):
    """The terminal, or a pipe, at the console."""

    def __init__(self, twin: Twin, port: str, speed: float, keys: Keys) -> None:
        super().__init__(twin, port, sys.stdin.fileno(), sys.stdout.fileno(), speed)
        self._keys = keys

    def received(self, data: bytes) -> None:
        super().received(self._keys.take(data))


def say(text: str, bridge: LineBridge | None = None) -> None:
    """One line of the host's; on a new line when the firmware shares the screen and is within one of its own."""
    within = isinstance(bridge, Terminal) and bytes(bridge.uart.output[-1:]) not in (b"", b"\n")
    click.echo(("\r\n" if within else "") + click.style(f"twin: {text}", dim=True) + "\r", err=True)


def listen(keys: Keys) -> None:
    """Take keys from a terminal, or a pipe, that is not the firmware's: all are the host's, with or without Ctrl-T."""
    if keys.closed or (sys.stdin.isatty() and not attended()) or not select.select([sys.stdin], [], [], 0)[0]:
        return
    data = os.read(sys.stdin.fileno(), 64)
    keys.closed = not data
    keys.asked += ["leave" if byte == LEAVE else _NAMES[byte] for byte in data if byte == LEAVE or byte in _NAMES]
