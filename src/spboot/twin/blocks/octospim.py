"""OCTOSPI IO manager: which controller is at which port (RM0432 20, RM0456 29)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

import itertools
from typing import ClassVar, Final

from spboot.twin.block import Block
from spboot.twin.nor.frame import Frame

_PORTS: Final = (1, 2)
_SINGLE: Final = (("CLK", "CLKEN", "CLKSRC"), ("DQS", "DQSEN", "DQSSRC"), ("NCS", "NCSEN", "NCSSRC"))
_HALVES: Final = (("IOLEN", "IOLSRC", 0), ("IOHEN", "IOHSRC", 4))
"""Enable and source of the lines 0 to 3 and 4 to 7 of a port; a source is the controller and its half."""


class Octospim(Block, ips=("octospim_v1",)):
    """The block.  After a reset each controller is at the port of its number."""

    RESET: ClassVar[dict[str, int]] = {"P1CR": 0x03010111, "P2CR": 0x07050333}
    OPTIONAL = True

    def write_CR(self, value: int) -> None:
        if value & self.mask("CR", "MUXEN"):
            self.die.refuse(f"{self.name}_CR.MUXEN was set", "the twin does not model two controllers at one port")
        self.registers["CR"] = value & self.masks["CR"]

    def sources(self, port: int) -> dict[str, tuple[int, str]]:
        """Signal at *port* -> the controller that drives it, and which of its signals that is."""
        register, found = f"P{port}CR", {}
        for signal, enable, source in _SINGLE:
            if self.field(register, enable):
                found[signal] = self.field(register, source) + 1, signal
        for enable, source, first in _HALVES:
            if self.field(register, enable):
                number = self.field(register, source)
                for line in range(4):
                    found[f"IO{first + line}"] = (number >> 1) + 1, f"IO{4 * (number & 1) + line}"
        return found

    def check(self, name: str, number: int, port: int, frame: Frame, used: list[str]) -> None:
        """Refuse *frame* of controller *name* where a line of it does not reach the same line of *port*."""
        here, there = (self.sources(each) for each in (port, *(other for other in _PORTS if other != port)))
        for signal in used:
            if here.get(signal) != (number, signal):
                self.die.refuse(
                    f"{name} sends {frame}, and {self.name}_P{port}CR does not bring its {signal} to port {port}",
                    f"set {self.name}_P{port}CR to {0x03010111 + 0x04040222 * (number - 1):#010x}",
                )
        shared = [signal for signal, source in there.items() if source == here.get(signal)]
        if twice := sorted(set(shared).intersection(itertools.chain(used))):
            self.die.refuse(
                f"{name} sends {frame}, and its {twice[0]} is at both ports",
                "disable it at the other port first: writes work then, reads do not",
            )
