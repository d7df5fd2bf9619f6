"""OCTOSPI: one flash on up to eight lines, also with two bits a clock, or two on four (RM0432 19, RM0438, RM0456)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from functools import partial
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.blocks.octospim import Octospim
from spboot.twin.blocks.serial_commands import WRITE
from spboot.twin.blocks.serial_memory import SerialMemory
from spboot.twin.die import Die
from spboot.twin.nor.frame import Frame, Phase
from spboot.twin.nor.lines import signals

_LINES: Final = (0, 1, 2, 4, 8)
"""IMODE, ADMODE, ABMODE or DMODE -> lines."""
_MANAGER: Final = "OCTOSPIM"
_ELSEWHERE: Final = ("HLCR", "WPCCR", "WPTCR", "WPIR", "WPABR")
"""Registers of HyperBus and of wrapped reads.  Those of writes by the window are storage: such writes are refused."""
_MACRONIX: Final = 1
"""MTYP of chips that send the bytes of each half-word in the order of their addresses, in octal double rate."""


class OctoSpi(SerialMemory, ips=("octospi_v1", "octospi_v2")):
    """The block."""

    CONSUMING = frozenset({0x50})
    LOCKED = frozenset(
        ["DCR1", "DCR2", "DCR3", "DCR4", "DLR", "AR", "PSMKR", "PSMAR", "PIR", "CCR", "TCR", "IR", "ABR", "LPTR"]
    )
    STEADY: ClassVar[tuple[str, ...]] = ("TCEN", "DMM", "FSEL", "APMS", "PMM")
    DECLARES = frozenset({"DCR1", "DCR2", "TCR", "IR"})  # QUADSPI, which the base is checked against, lacks them

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        for name in _ELSEWHERE:
            self._writers[self.offset_of(name)] = partial(self._elsewhere, name)

    # what the registers say

    def mode(self) -> int:
        return self.field("CR", "FMODE")

    def depth(self) -> int:
        return 32

    def limit(self) -> int:
        return 2 << self.field("DCR1", "DEVSIZE")

    def prescaler(self) -> int:
        return self.field("DCR2", "PRESCALER") + 1

    def dual(self) -> bool:
        return bool(self.field("CR", "DMM"))

    def once(self) -> bool:
        return bool(self.field("CCR", "SIOO"))

    def strobe(self) -> bool:
        return bool(self.field("CCR", "DQSE"))

    def phase(self, kind: str) -> Phase:
        lines, double = self.field("CCR", f"{kind}MODE"), bool(self.field("CCR", f"{kind}DTR"))
        if lines >= len(_LINES):
            self.die.refuse(f"{self.name}_CCR.{kind}MODE = {lines}", "0 to 4 stand for none and 1 to 8 lines")
        return Phase(lines=_LINES[lines], double=double)

    def opcode(self) -> tuple[int, int]:
        size = self.field("CCR", "ISIZE") + 1
        return self.registers["IR"] & ((1 << 8 * size) - 1), size

    def dummy(self) -> int:
        return self.field("TCR", "DCYC")

    # rules

    def check_lines(self, frame: Frame) -> None:
        """An IO manager brings the lines to its ports; without one they are at the pins."""
        external = self.fitted().external
        if _MANAGER in self.die.blocks:
            manager = self.die.block(_MANAGER, Octospim)
            used = signals(frame, dual=self.dual(), strobe=self.strobe())
            manager.check(self.name, int(self.name[-1]), external.port, frame, used)
        super().check_lines(frame)

    def check_command(self, frame: Frame, count: int) -> None:
        super().check_command(frame, count)
        self._check_double(frame)
        if not frame.data.double or frame.data.lines < 8:
            return
        if count & 1 or (frame.where.lines and frame.address & 1):
            self.die.refuse(
                f"{self.name} moves {count} bytes at {frame.address:#x} with two bits a clock on eight lines",
                "address and length have to be even: a byte stays in the FIFO, and BUSY with it",
            )

    def _check_double(self, frame: Frame) -> None:
        """Two bits a clock need the quarter of a clock of hold, and no shift of the sample (RM0432 TCR)."""
        double = frame.command.double or frame.where.double or frame.data.double
        if double and self.field("TCR", "SSHIFT"):
            self.die.refuse(
                f"{self.name}_TCR.SSHIFT was set with two bits a clock", "clear it: the sample comes too late"
            )
        if self.field("TCR", "DHQC") and double and not self.field("CCR", "DDTR"):
            self.die.refuse(
                f"{self.name} sends {frame} with DHQC and without DDTR", "set DDTR on commands without data as well"
            )
        if double and frame.data.lines == 8 and self.field("DCR1", "MTYP") != _MACRONIX:
            self.die.refuse(
                f"{self.name}_DCR1.MTYP = {self.field('DCR1', 'MTYP')} with two bits a clock",
                "it is 1 for Macronix: bytes come in another order",
            )

    def check_control(self, value: int) -> None:
        changed = (value ^ self.registers["CR"]) & self.mask("CR", "FMODE")
        if changed and self.busy and value & self.mask("CR", "EN"):
            self.die.refuse(f"{self.name}_CR.FMODE was changed while BUSY is 1", "wait for BUSY = 0, or abort")

    # registers

    def _elsewhere(self, name: str, value: int) -> None:
        if value:
            self.die.refuse(f"{self.name}_{name} = {value:#x}", "the twin does not model HyperBus and wrapped reads")

    def _send(self, what: str) -> None:
        frame = self.frame(self.registers["AR"])
        needed = frame.command.lines or frame.where.lines
        if not self.enabled:
            if needed:
                self.die.refuse(f"{self.name} has a command to send while EN is 0", "enable it first")
            return
        self.mode_changed()
        if self.mode() == WRITE and self.once():
            self.die.refuse(f"{self.name}_CCR.SIOO in indirect mode", "the twin has it in memory-mapped mode alone")
        self.trigger(what, frame.where, frame.data)
        self.tell()

    def write_IR(self, value: int) -> None:
        self.registers["IR"] = value
        if self.registers["CCR"] & self.mask("CCR", "IMODE"):
            self._send("command")

    def write_AR(self, value: int) -> None:
        if self.mapped:
            self.die.refuse(f"{self.name}_AR was written in memory-mapped mode", "leave that mode first")
        self.registers["AR"] = value
        if self.registers["CCR"] & self.mask("CCR", "ADMODE"):
            self._send("address")

    def _fixed(self, name: str, value: int) -> None:
        value &= self.masks[name]
        if self.mapped and value != self.registers[name]:
            self.die.refuse(f"{self.name}_{name} was changed while the flash is mapped", "leave that mode first")
        self.registers[name] = value

    def write_DCR1(self, value: int) -> None:
        self._fixed("DCR1", value)

    def write_DCR2(self, value: int) -> None:
        if value & self.mask("DCR2", "WRAPSIZE"):
            self._elsewhere("DCR2.WRAPSIZE", value)
        self._fixed("DCR2", value)
