"""QUADSPI: one flash on up to four lines, or two in parallel (RM0351 17, RM0410 14, RM0386 13, RM0399 24)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.blocks.serial_commands import MAPPED, WRITE
from spboot.twin.blocks.serial_memory import SerialMemory
from spboot.twin.die import Die
from spboot.twin.nor.frame import Frame, Phase

_LINES: Final = (0, 1, 2, 4)
"""IMODE, ADMODE, ABMODE or DMODE -> lines."""
_SMALL_FIFO: Final = ("STM32G4", "STM32L4")
_WRONG_AFTER_ADDRESS: Final = ("STM32F4", "STM32F7", "STM32L4")
_FREE_RUNNING: Final = 1 << 29
"""FRCM of CCR, and nothing else, as the sequence of ES0392 writes it."""
_SEQUENCE_CLOCKS: Final = 127


class QuadSpi(SerialMemory, ips=("quadspi_v1",)):
    """The block.  On STM32H7 its timing has to be put right after a reset and after the memory-mapped mode (ES0392 and
    ES0445, QUADSPI internal timing criticality): CR 0, CR with EN, CCR with FRCM twice, CR 0, quickly."""

    STATE: ClassVar[tuple[str, ...]] = (*SerialMemory.STATE, "_settled", "_sequence", "_sequence_at")
    CONSUMING = frozenset({0x20})
    LOCKED = frozenset({"DCR", "DLR", "CCR", "AR", "ABR", "PSMKR", "PSMAR", "PIR", "LPTR"})
    STEADY: ClassVar[tuple[str, ...]] = ("TCEN", "SSHIFT", "DFM", "FSEL", "APMS", "PMM", "PRESCALER")

    def __init__(self, die: Die, facts: Facts) -> None:
        self._h7 = die.chip.family == "STM32H7"
        super().__init__(die, facts)
        if self._h7:  # bit 4 of FTHRES, which the facts lack, works there alone
            self.masks["CR"] |= 1 << 12
            self.fields["CR"] = {**self.fields["CR"], "FTHRES": (8, 5)}

    def clear(self) -> None:
        super().clear()
        self._settled = not self._h7
        self._sequence = 0
        """Steps of the sequence that were done, the first one at"""
        self._sequence_at = 0

    # what the registers say

    def mode(self) -> int:
        return self.field("CCR", "FMODE")

    def depth(self) -> int:
        return 16 if self.die.chip.family in _SMALL_FIFO else 32

    def limit(self) -> int:
        return 2 << self.field("DCR", "FSIZE")

    def prescaler(self) -> int:
        return self.field("CR", "PRESCALER") + 1

    def dual(self) -> bool:
        return bool(self.field("CR", "DFM"))

    def once(self) -> bool:
        return bool(self.field("CCR", "SIOO"))

    def phase(self, kind: str) -> Phase:
        """DDRM is about all but the command."""
        double = kind != "I" and bool(self.field("CCR", "DDRM"))
        return Phase(lines=_LINES[self.field("CCR", f"{kind}MODE")], double=double)

    def opcode(self) -> tuple[int, int]:
        return self.field("CCR", "INSTRUCTION"), 1

    def dummy(self) -> int:
        return self.field("CCR", "DCYC")

    # registers

    def check_control(self, value: int) -> None:
        if value & 1 << 12 and not self._h7:
            self.die.refuse(
                f"{self.name}_CR.FTHRES = {value >> 8 & 31}", "bit 4 cannot be set on this part: at most 15"
            )
        if self._h7:
            self._step_control(value)

    def write_CCR(self, value: int) -> None:
        value &= self.masks["CCR"]
        if value & _FREE_RUNNING:
            self._free_running(value)
            return
        self.registers["CCR"] = value
        if not self.enabled:
            if self.mode() == MAPPED or value & 0xFF:
                self.die.refuse(f"{self.name}_CCR = {value:#010x} while EN is 0", "enable it first: nothing is sent")
            return
        self.mode_changed()
        frame = self.frame(self.registers["AR"])
        if self.mode() != MAPPED and self.once():
            self.die.refuse(f"{self.name}_CCR.SIOO in indirect mode", "the twin has it in memory-mapped mode alone")
        self.trigger("command", frame.where, frame.data)
        self.tell()

    def write_AR(self, value: int) -> None:
        if self.mapped:
            self.die.refuse(f"{self.name}_AR was written in memory-mapped mode", "leave that mode first")
        self.registers["AR"] = value
        frame = self.frame(value)
        if frame.where.lines and self.mode() != WRITE and not self.enabled:
            self.die.refuse(f"{self.name}_AR was written while EN is 0", "enable it first: nothing is sent")
        if self.enabled:
            self.trigger("address", frame.where, frame.data)

    def write_DCR(self, value: int) -> None:
        value &= self.masks["DCR"]
        if self.mapped and value != self.registers["DCR"]:
            self.die.refuse(f"{self.name}_DCR was changed while the flash is mapped", "leave that mode first")
        self.registers["DCR"] = value

    # STM32H7

    def check_command(self, frame: Frame, count: int) -> None:
        super().check_command(frame, count)
        if not self._settled:
            self.die.doubt(
                f"{self.name} sends {frame} after a reset or the memory-mapped mode, and its timing is not put right",
                "CR = 0, CR = 0xFF000001, CCR = 0x20000000 twice, CR = 0, within 127 clocks (ES0392)",
            )

    def _step_control(self, value: int) -> None:
        """CR of the sequence: off, on, and off again."""
        now = self.die.timeline.now
        if value == 0 and self._sequence == 4:
            span = now - self._sequence_at
            most = self.period(_SEQUENCE_CLOCKS / self.prescaler())
            if span > most:
                self.die.doubt(
                    f"the timing sequence of {self.name} took {span / 1e6:g} us, at most {most / 1e6:g} us",
                    "run it without interrupts, from one line of the cache or from TCM (ES0392)",
                )
            self._settled, self._sequence = True, 0
        elif value == 0:
            self._sequence = 1
        elif self._sequence == 1 and value >> 24 == 0xFF and value & 1:
            self._sequence, self._sequence_at = 2, now
        elif self._sequence:
            self._sequence = 0

    def _free_running(self, value: int) -> None:
        if not self._h7 or value != _FREE_RUNNING:
            self.die.refuse(f"{self.name}_CCR.FRCM was set", "it is for tests of the block, and for ES0392 on STM32H7")
        self._sequence = self._sequence + 1 if self._sequence in (2, 3) else 0
        self.registers["CCR"] = value
        self.mode_changed()

    def mode_changed(self) -> None:
        if not (self._sequence > 1 and self.mapped):  # FMODE is still what it was before the sequence
            super().mode_changed()

    def left_mapped(self) -> None:
        self._settled = not self._h7

    def wrong_after_address(self) -> bool:
        """ES0250 and ES0335: after an indirect command with an address."""
        return self.die.chip.family in _WRONG_AFTER_ADDRESS

    def last_bytes_fail(self) -> bool:
        return self._h7
