"""What the controllers of serial flash share, QUADSPI and OCTOSPI: flags, control, and the memory-mapped mode.

RM0351 and RM0432, chapters QUADSPI and OCTOSPI: registers, memory-mapped mode, busy bit and abort."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import Any, ClassVar, Final

from spboot.chips import Block as Facts
from spboot.chips.external import External
from spboot.twin.blocks.serial_commands import SerialCommands
from spboot.twin.die import Die
from spboot.twin.nor.frame import Frame
from spboot.twin.nor.lines import check_ahead, check_pins, signals
from spboot.twin.nor.package import Package
from spboot.twin.nor.view import View

_INTERRUPTS: Final = (("TEF", "TEIE"), ("TCF", "TCIE"), ("FTF", "FTIE"), ("SMF", "SMIE"), ("TOF", "TOIE"))
_LAST_BYTES: Final = 32
_KB: Final = 0x400


class SerialMemory(SerialCommands, like="quadspi_v1"):
    """Base of them.  Without flash chips it takes no command, and gives way to silence."""

    READ_ONLY = frozenset({"SR"})
    OPTIONAL = True
    STATE: ClassVar[tuple[str, ...]] = (
        "transfer",
        "polling",
        "prefetching",
        "flags",
        "_last",
        "_open",
        "_wrong",
        "_wrong_once",
        "_raised",
    )
    STEADY: ClassVar[tuple[str, ...]] = ()
    """Fields of CR that stay as they are while it is busy."""

    def __init__(self, die: Die, facts: Facts) -> None:
        self.view: View | None = None
        super().__init__(die, facts)
        self._enables = sum(self.mask("CR", enable) for _, enable in _INTERRUPTS)
        die.timeline.on(f"{self.name}.timeout", self._on_timeout)

    def fit(self, external: External, span: range) -> Package:
        """*external* is at its lines from now on; the core sees it in *span*."""
        package = self.package = Package(self.die, external, span.start)
        self.view = View(self.die, self, package, span)
        return package

    def clear(self) -> None:
        super().clear()
        self._raised = False
        """The interrupt line is up."""
        self._open = False
        """The window was opened by a command that the chips understand, or not:"""
        self._wrong = self._wrong_once = False
        """all reads of it are wrong, or the next one is."""

    def reset(self) -> None:
        self._break_off()
        super().reset()
        self.clear()

    def power_on(self) -> None:
        self.transfer = None
        if self.package is not None:
            self.package.power_on()

    def pin_reset(self) -> None:
        """The reset pin of the part was low."""
        if self.package is not None:
            self.package.reset()

    def before_stop(self) -> None:
        if self.transfer is not None or self.polling is not None:
            self.die.refuse(f"Stop was entered while {self.name} is busy", "wait for the end of its command")

    # flags

    def read_SR(self) -> int:
        self.catch_up()
        value = sum(self.mask("SR", flag) for flag in self.flags if flag in self.fields["SR"])
        if self.threshold():
            value |= self.mask("SR", "FTF")
        if self.busy:
            value |= self.mask("SR", "BUSY")
        level = self.transfer.level if self.transfer is not None else 0
        return value | level << self.fields["SR"]["FLEVEL"][0]

    def write_FCR(self, value: int) -> None:
        for flag in ("TEF", "TCF", "SMF", "TOF"):
            if value & self.mask("FCR", f"C{flag}"):
                self.flags.discard(flag)
        self.tell()

    def tell(self) -> None:
        if not (self._raised or self.registers["CR"] & self._enables):
            return
        up = {*self.flags, "FTF"} if self.threshold() else self.flags
        level = any(flag in up and self.field("CR", enable) for flag, enable in _INTERRUPTS)
        if level != self._raised:
            self._raised = level
            self.line(next(iter(self.facts.interrupts)), level)

    # control

    def write_CR(self, value: int) -> None:
        self.check_control(value)
        value &= self.masks["CR"]
        changed = value ^ self.registers["CR"]
        if value & self.mask("CR", "DMAEN"):
            self.die.refuse(f"{self.name}_CR.DMAEN was set", "the twin does not model DMA of this block")
        if value & self.mask("CR", "FSEL"):
            self.die.refuse(f"{self.name}_CR.FSEL was set", "the chip is at the first bank: clear it")
        steady = [field for field in self.STEADY if changed & self.mask("CR", field)]
        if steady and value & self.mask("CR", "EN") and (self.busy or self._open):
            self.die.refuse(
                f"{self.name}_CR.{steady[0]} was changed while BUSY is 1 or the flash is mapped",
                "wait for BUSY = 0 and leave the memory-mapped mode",
            )
        if value & self.mask("CR", "ABORT"):
            self._abort()
        self.registers["CR"] = value & ~self.mask("CR", "ABORT")
        if changed & self.mask("CR", "EN") and not self.enabled:
            self._break_off()
        self.mode_changed()
        self.plan()
        self.tell()

    def check_control(self, value: int) -> None:
        """Refuse what CR cannot be."""

    def _abort(self) -> None:
        if not self.busy:
            self.die.forbid(
                f"{self.name}_CR.ABORT was set while BUSY is 0", "abort what goes on alone: an idle block can hang"
            )
            return
        self._break_off()
        self.flags.add("TCF")

    def _break_off(self) -> None:
        """What goes on ends now: the select line rises.  A chip programs the whole bytes that it got."""
        self.die.timeline.cancel(self.name)
        self.die.timeline.cancel(f"{self.name}.timeout")
        transfer, self.transfer, self.polling = self.transfer, None, None
        self.prefetching = False
        self.flags.discard("done")
        if self.view is not None:
            self.view.close()
        if transfer is not None and transfer.data and self.package is not None:
            transfer.advance(self.die.timeline.now)
            self.package.finish(transfer.commands, transfer.frame, bytes(transfer.data[: transfer.passed]))

    def check_command(self, frame: Frame, count: int) -> None:
        self.check_lines(frame)
        self._check_ahead(0)

    def check_lines(self, frame: Frame) -> None:
        """Refuse a frame whose signals do not reach the chip."""
        used = signals(frame, dual=self.dual(), strobe=self.strobe())
        check_pins(self.die, self.name, self.fitted().external, frame, used)

    def strobe(self) -> bool:
        """Whether the chip's DQS is used."""
        return False

    def _check_ahead(self, size: int) -> None:
        if self.view is not None:
            check_ahead(self.die, self.name, range(self.view.span.start + size, self.view.span.stop))

    # memory-mapped mode

    def mode_changed(self) -> None:
        """CR or the command was written: the window opens or closes."""
        if self.mapped and not self._open:
            self._open_window()
        elif self._open and not self.mapped:
            self._open = self._wrong_once = self.prefetching = False
            self.left_mapped()
            if self.view is not None:
                self.view.close()

    def left_mapped(self) -> None:
        """The memory-mapped mode ended."""

    def _open_window(self) -> None:
        package = self.fitted()
        frame = self.frame(0)
        self.check_lines(frame)
        self.check_dies()
        self._check_ahead(min(package.size, self.limit()))
        commands = package.select(frame)
        if any(command is not None and command.does != "read" for command in commands):
            self.die.refuse(f"{self.name} maps {frame}, which is no read", "choose a command that reads")
        package.finish(commands, frame, b"")
        self._check_continuous(frame)
        self._wrong = any(command is None for command in commands)
        self._wrong_once = self.wrong_after_address() and self.registers["AR"] != 0
        self._open = True

    def wrong_after_address(self) -> bool:
        """Whether the first read of the window is wrong unless AR is 0."""
        return False

    def _check_continuous(self, frame: Frame) -> None:
        """A chip that goes on without a command, and a controller that sends one, or the other way round."""
        goes_on = any(chip.continuing is not None for chip in self.fitted().chips)
        if goes_on != self.once():
            self.die.refuse(
                f"{self.name} maps {frame} with SIOO {int(self.once())}, and its alternate bytes say "
                f"{'that no command follows' if goes_on else 'that each read has its command'}",
                "set SIOO and the alternate bytes together",
            )

    def once(self) -> bool:
        """SIOO: the command is sent only once."""
        raise NotImplementedError

    def check_dies(self) -> None:
        """Refuse another number of chips than there are."""
        package = self.fitted()
        if self.dual() != (package.count > 1):
            self.die.refuse(
                f"{self.name} sends to {1 + self.dual()} chips, there are {package.count}", "correct DFM or DMM"
            )

    def admits(self, address: int, size: int) -> bool:
        """The core, or another master, reads the window."""
        self.catch_up()
        if not self._open or self.view is None:
            return False
        package = self.fitted()
        offset = address - self.view.span.start
        end = min(package.size, self.limit())
        if offset + size > end:
            if self.die.chip.core == "cm7":
                self.die.refuse(
                    f"read of {address:#010x}, beyond the {end:#x} bytes behind {self.name}",
                    "it locks the bus of this part until power-off: forbid it by the MPU",
                )
            return False
        if offset + size > end - _LAST_BYTES and self.last_bytes_fail():
            self.die.refuse(
                f"read of {address:#010x}, the last bytes behind {self.name}",
                "they lock the bus (ES0392, memory-mapped read of last memory byte fails): keep away from them",
            )
        package.check_read(offset, size)
        self._check_ahead(end)
        if not self.prefetching:
            self.prefetching = True
            if self.field("CR", "TCEN"):
                span = self.period(self.registers["LPTR"] & 0xFFFF)
                self.die.timeline.at(f"{self.name}.timeout", self.die.timeline.now + span)
        return True

    def last_bytes_fail(self) -> bool:
        """Whether reads of the last bytes hang this part."""
        return False

    def careful(self, page: int) -> bool:
        if self.view is None:
            return False
        offset, package = page - self.view.span.start, self.fitted()
        last = offset + _KB >= min(package.size, self.limit())
        return self._wrong or (last and self.last_bytes_fail()) or package.suspended_in(offset, _KB)

    def reads_wrong(self) -> bool:
        wrong, self._wrong_once = self._wrong or self._wrong_once, False
        return wrong

    def refuse_store(self, address: int) -> None:
        self.die.refuse(f"store to {address:#010x}, the window of {self.name}", "program flash by commands")

    def _on_timeout(self, _when: int) -> None:
        """The window was not read for some time: the select line rises."""
        self.prefetching = False
        self.flags.add("TOF")
        if self.view is not None:
            self.view.close()
        self.tell()

    def save(self) -> Any:
        return super().save(), None if self.package is None else self.package.save()

    def load(self, state: Any) -> None:
        mine, package = state
        if self.view is not None:
            self.view.close()
        super().load(mine)
        if self.package is not None:
            self.package.load(package)
