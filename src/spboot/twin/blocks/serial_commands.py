"""Commands of a controller of serial flash, in time: when they begin, what passes the FIFO, and when they end.

A command begins with the last thing that it needs: the command itself, the address, or the first data to write.  Its
bytes pass by the clock of the lines (RM0351 QUADSPI chapter, RM0432 OCTOSPI chapter: functional modes)."""

from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.errors import TwinError
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.errors import PowerCut
from spboot.twin.nor.frame import Frame, Phase
from spboot.twin.nor.package import Package
from spboot.twin.nor.polling import Polling
from spboot.twin.nor.transfer import Transfer
from spboot.twin.timeline import NEVER, PS_PER_S

WRITE, READ, POLL, MAPPED = range(4)
"""Values of FMODE."""
_INTERRUPTS: Final = (("TEF", "TEIE"), ("TCF", "TCIE"), ("FTF", "FTIE"), ("SMF", "SMIE"), ("TOF", "TOIE"))
_ENDLESS: Final = 0xFFFFFFFF
_MOST_POLLED: Final = 4


class SerialCommands(Block, like="quadspi_v1"):
    """Base of `serial_memory.SerialMemory`, which has the registers."""

    SERVED = frozenset({"DR"})
    LOCKED: ClassVar[frozenset[str]] = frozenset()
    """Registers that take nothing while it is busy."""

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self.package: Package | None = None
        die.timeline.on(self.name, self._on_time)
        self.clear()

    def clear(self) -> None:
        """Nothing goes on, and no flag is up."""
        self.transfer: Transfer | None = None
        self.polling: Polling | None = None
        self.prefetching = False
        """The window was read, and it goes on reading."""
        self.flags: set[str] = set()
        self._last = 0
        """What the last poll read."""

    # what the kinds differ in

    def mode(self) -> int:
        """FMODE."""
        raise NotImplementedError

    def phase(self, kind: str) -> Phase:
        """The lines of one: "I" for the command, "AD", "AB" for what is between, "D" for the data."""
        raise NotImplementedError

    def opcode(self) -> tuple[int, int]:
        """What it is, and its bytes."""
        raise NotImplementedError

    def dummy(self) -> int:
        """Clocks before the data."""
        raise NotImplementedError

    def depth(self) -> int:
        """Bytes of the FIFO."""
        raise NotImplementedError

    def limit(self) -> int:
        """Bytes that it takes the flash to have."""
        raise NotImplementedError

    def prescaler(self) -> int:
        """The clock of the lines is that of the block by so much."""
        raise NotImplementedError

    def dual(self) -> bool:
        """Two chips in parallel."""
        raise NotImplementedError

    def check_command(self, frame: Frame, count: int) -> None:
        """Refuse a frame that this controller gets wrong, or that pins do not carry."""

    def check_dies(self) -> None:
        """Refuse another number of chips than there are."""

    def tell(self) -> None:
        """A flag may have changed."""

    # state

    def fitted(self) -> Package:
        if self.package is None:
            self.die.refuse(
                f"{self.name} is used, and no flash chip is at its lines",
                f"name the chip under [external], or keep it silent (--silent {self.name})",
            )
        return self.package

    @property
    def enabled(self) -> bool:
        return bool(self.field("CR", "EN"))

    @property
    def mapped(self) -> bool:
        """In memory-mapped mode."""
        return self.enabled and self.mode() == MAPPED

    @property
    def busy(self) -> bool:
        """BUSY; `catch_up` has to be called before."""
        return self.transfer is not None or self.polling is not None or self.prefetching

    def period(self, clocks: float = 1) -> int:
        """Picoseconds of so many clocks of the lines."""
        return round(clocks * PS_PER_S * self.prescaler() / self.kernel_hz())

    def kernel_hz(self) -> int:
        """What it runs on."""
        hertz = self.die.rcc.memory_hz(self.facts.clock)
        if not hertz:
            self.die.refuse(f"{self.name} is used while its kernel clock is off", "start the clock that RCC chooses")
        return hertz

    def line_hz(self) -> int:
        """The clock of the lines."""
        return self.kernel_hz() // self.prescaler()

    def frame(self, address: int) -> Frame:
        """What the registers put on the lines."""
        command, where, between = (self.phase(kind) for kind in ("I", "AD", "AB"))
        (op, op_bytes), size = self.opcode(), self.field("CCR", "ABSIZE") + 1
        alternate = self.registers["ABR"] & ((1 << 8 * size) - 1)
        return Frame(
            op=op if command.lines else None,
            op_bytes=op_bytes,
            command=command,
            where=where,
            address=address if where.lines else 0,
            address_bytes=self.field("CCR", "ADSIZE") + 1 if where.lines else 0,
            between=between,
            alternate=alternate.to_bytes(size, "big") if between.lines else b"",
            dummy=self.dummy(),
            data=self.phase("D"),
            hertz=self.line_hz(),
        )

    # commands

    def trigger(self, what: str, address: Phase, data: Phase) -> None:
        """*what* was written: "command", "address" or "data".  The last one that is needed begins the command."""
        mode = self.mode()
        last = "data" if mode == WRITE and data.lines else "address" if address.lines else "command"
        if mode != MAPPED and what == last:
            self._begin(mode)

    def _begin(self, mode: int) -> None:
        package = self.fitted()
        frame = self.frame(self.registers["AR"])
        if not (frame.command.lines or frame.where.lines or frame.data.lines):
            return
        count = self.registers["DLR"] + 1 if frame.data.lines else 0
        self.check(frame, count)
        if count and frame.where.lines and frame.address + count > self.limit():
            self.flags.add("TEF")
            self.tell()
            return
        if mode == POLL:
            self._poll_from(frame, count)
            return
        commands = package.select(frame)
        self.transfer = Transfer(
            frame=frame, commands=commands, reading=mode == READ, total=count, depth=self.depth(),
            step=self.period(frame.data.clocks(1) / (2 if self.dual() else 1)),
            free_at=self.die.timeline.now + self.period(frame.head_clocks),
        )  # fmt: skip
        self.plan()

    def check(self, frame: Frame, count: int) -> None:
        """Refuse a command that silicon would not carry out as it stands there."""
        if not self.enabled:
            self.die.refuse(f"{self.name} has a command to send while EN is 0", "enable it first")
        if frame.data.lines and self.registers["DLR"] == _ENDLESS:
            self.die.refuse(f"{self.name}_DLR = {_ENDLESS:#x}", "the twin does not model data without an end")
        self.check_dies()
        if self.dual() and (count & 1 or (frame.where.lines and frame.address & 1)):
            self.die.refuse(
                f"{self.name} sends {count} bytes at {frame.address:#x} to two chips in parallel",
                "address and length have to be even",
            )
        self.check_command(frame, count)

    # time

    def catch_up(self) -> None:
        """All that has happened by now.  Raises TwinError, PowerCut."""
        transfer = self.transfer
        if transfer is None:
            return
        transfer.advance(self.die.timeline.now)
        if transfer.done and transfer.free_at <= self.die.timeline.now:
            self._complete(transfer)
        else:
            self.plan()

    def _complete(self, transfer: Transfer) -> None:
        if "done" not in self.flags:
            self.flags |= {"TCF", "done"}
            self.fitted().finish(transfer.commands, transfer.frame, bytes(transfer.data))
        if not transfer.reading or not transfer.level:
            self.transfer = None
            self.flags.discard("done")
        self.tell()

    def plan(self) -> None:
        """Come back when the next byte has passed: firmware may wait for any flag or level."""
        transfer = self.transfer
        if transfer is not None:
            when = transfer.free_at if transfer.done else transfer.time_of(1)
            if when != NEVER and when > self.die.timeline.now:
                self.die.timeline.at(self.name, when)
        self.tell()

    def _on_time(self, _when: int) -> None:
        try:
            self.catch_up()
            if self.polling is not None:
                self._poll(self.polling)
        except (TwinError, PowerCut) as error:
            self.die.stop(error)

    # polling of a status

    def _poll_from(self, frame: Frame, count: int) -> None:
        if not 0 < count <= _MOST_POLLED:
            self.die.refuse(f"{self.name} polls {count} bytes", "a status has 1 to 4 bytes: set DLR")
        commands = self.fitted().select(frame)
        bytes_clocks = frame.data.clocks(count) / (2 if self.dual() else 1)
        span = self.period(frame.head_clocks + bytes_clocks)
        pause = self.period(self.registers["PIR"] & 0xFFFF)
        self.polling = Polling(frame=frame, commands=commands, count=count, span=span, pause=pause)
        self.die.timeline.at(self.name, self.die.timeline.now + span)

    def _poll(self, polling: Polling) -> None:
        """One read of the status has come to its end."""
        package, now = self.fitted(), self.die.timeline.now
        polling.commands = package.select(polling.frame)  # it may have woken up meanwhile
        read = package.answer(polling.commands, polling.frame, 0, polling.count)
        self._last = int.from_bytes(read, "little")
        mask, wanted = self.registers["PSMKR"], self.registers["PSMAR"]
        same = ~(self._last ^ wanted) & mask
        if same == mask or (self.field("CR", "PMM") and same):
            self.flags.add("SMF")
            self.tell()
            if self.field("CR", "APMS"):
                self.polling = None
                return
        change = package.next_change
        if change != NEVER:
            self.die.timeline.at(self.name, polling.next_after(now, change))

    # data

    def read(self, offset: int, size: int) -> int:
        if self.names.get(offset & ~3) != "DR":
            return super().read(offset, size)
        self.catch_up()
        transfer = self.transfer
        if self.mode() == POLL:
            return self._last & ((1 << 8 * size) - 1)
        if transfer is None or not transfer.reading or transfer.level < size:
            have = transfer.level if transfer is not None and transfer.reading else 0
            self.die.refuse(
                f"{size} bytes of {self.name}_DR were read, its FIFO has {have}", "wait for FTF, or look at FLEVEL"
            )
        data = self.fitted().answer(transfer.commands, transfer.frame, transfer.used, size)
        transfer.use(size, self.die.timeline.now)
        self.catch_up()
        return int.from_bytes(data, "little")

    def _put(self, size: int, value: int) -> None:
        """A write to DR."""
        self.catch_up()
        if self.transfer is None and self.polling is None and not self.prefetching and self.mode() == WRITE:
            frame = self.frame(self.registers["AR"])
            self.trigger("data", frame.where, frame.data)
        transfer = self.transfer
        if transfer is None or transfer.reading or transfer.used + size > transfer.total:
            self.die.refuse(
                f"{size} bytes were written to {self.name}_DR, which no command takes",
                "choose the indirect write mode, and DLR for all bytes of the command",
            )
        room = transfer.depth - transfer.level
        if room < size:  # the bus waits
            self.die.timeline.skip(max(0, transfer.time_of(size - room) - self.die.timeline.now))
            transfer.advance(self.die.timeline.now)
        transfer.data += value.to_bytes(size, "little")
        transfer.use(size, self.die.timeline.now)
        self.catch_up()

    def write(self, offset: int, size: int, value: int) -> None:
        name = self.names.get(offset & ~3)
        if name == "DR":
            self._put(size, value)
            return
        self.catch_up()
        if name in self.LOCKED and self.busy:
            self.die.forbid(f"{self.name}_{name} was written while BUSY is 1", "wait for BUSY = 0; it is ignored")
            return
        super().write(offset, size, value)

    def threshold(self) -> bool:
        """FTF: as many bytes, or as much room, as FTHRES asks for."""
        transfer, least = self.transfer, self.field("CR", "FTHRES") + 1
        if transfer is None:
            return self.enabled and self.mode() == WRITE and self.depth() >= least
        if transfer.reading:
            return transfer.level >= least or (transfer.done and transfer.level > 0)
        return transfer.depth - transfer.level >= least
