"""The registers of FLASH, which QEMU does not have: there they read as 0 and forget what is written.

The bootloader waits for its wait states to read back, and reads option bytes.  So a debugger watches the registers, and
does in their place what a load or store would have done: the program is the one that ships, without a byte for QEMU.
They are storage that begins with the values after a reset (RM0351 3.7).  Nothing is unlocked, erased or programmed: a
store to another register than ACR is an error."""

from __future__ import annotations

import struct
import threading
from typing import Final

from spboot import chips
from spboot.chips import Block
from spboot.twin.flash.l4 import FlashL4
from tests.qemu.debugger import PC, XPSR, Access, Debugger

_WRITABLE: Final = frozenset(("ACR",))
_WIDE: Final = 0x1D
"""The five bits that the first halfword of an instruction of two begins with, or more (DDI0403 A5.1)."""
_IT: Final = 0x0600_FC00
"""ITSTATE in xPSR (DDI0403 B1.4.2)."""


def moved(instruction: bytes) -> tuple[int, int]:
    """The register that a load or store of one word moves, and the length of the instruction.

    LDR and STR by immediate and by register, encodings T1 and T2, and T3 of an immediate, none of which changes the
    base (DDI0403 A7.7)."""
    first, second = struct.unpack("<HH", instruction)
    if first >> 11 < _WIDE:
        known, register, size = first >> 12 == 0b0110 or first >> 9 in (0b0101000, 0b0101100), first & 7, 2
    else:
        known = first & 0xFFE0 == 0xF8C0 or (first & 0xFFE0 == 0xF840 and second & 0x0FC0 == 0)
        register, size = second >> 12, 4
    assert known, f"FLASH is accessed by {first:04x} {second:04x}, which is no LDR or STR that is known here"
    return register, size


def behind(xpsr: int) -> int:
    """*xpsr* with the ITSTATE that the next instruction has (ITAdvance(), DDI0403 A7.3)."""
    state = xpsr >> 25 & 0b11 | xpsr >> 10 - 2 & 0b1111_1100
    state = state & 0b1110_0000 | state << 1 & 0b1_1111 if state & 0b111 else 0
    return xpsr & ~_IT | (state & 0b11) << 25 | (state & 0b1111_1100) << 10 - 2


class FlashRegisters:
    """Answers for *facts*, those of FLASH, while *debugger* lets the machine run.  `problem`: why it ended."""

    def __init__(self, debugger: Debugger, facts: Block) -> None:
        self._debugger = debugger
        self._names = {facts.address + each.offset: name for name, each in chips.registers(facts.ip).items()}
        self.values = {name: FlashL4.RESET.get(name, 0) for name in self._names.values()}
        self.accesses: list[tuple[Access, str]] = []
        """What the program did, in its order."""
        self.problem: Exception | None = None
        for address in self._names:
            debugger.watch(address, "read")
            debugger.watch(address, "write")

    def start(self) -> None:
        """Let the machine run, beside the caller."""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        try:
            while True:
                stop = self._debugger.go()
                assert stop.access is not None, f"stopped at {self._debugger.register(PC):#x}"
                self._act(stop.access, self._names[stop.address])
        except Exception as problem:
            self.problem = problem

    def _act(self, access: Access, name: str) -> None:
        pc = self._debugger.register(PC)
        register, size = moved(self._debugger.read(pc, 4))
        if access == "read":
            self._debugger.set_register(register, self.values[name])
        else:
            assert name in _WRITABLE, f"FLASH.{name} is written at {pc:#x}, and QEMU has no flash that could obey"
            self.values[name] = self._debugger.register(register)
        self._debugger.set_register(PC, pc + size)
        self._debugger.set_register(XPSR, behind(self._debugger.register(XPSR)))
        self.accesses.append((access, name))
