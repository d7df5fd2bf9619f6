"""One flash chip with serial NOR cells: what it makes of a frame.  Its kind is data (spboot.chips.nor_flash).

What a reset of the microcontroller leaves: the protocol, the width of addresses, the write enable latch, volatile
registers, a suspended operation, deep power-down, and an erase or program under way.  Only a power cycle, its reset pin
or its reset command ends them.  A frame that it does not understand is counted in `misread` and does nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from spboot.chips.nor_flash import Choice, Command, NorFlash
from spboot.twin.die import Die
from spboot.twin.nor.frame import Frame
from spboot.twin.nor.operation import Effect, Operation
from spboot.twin.timeline import NEVER, PS_PER_US

_IDLE_LINE: Final = 0xFF
"""What the pulled-up lines read as while no chip drives them."""
_BLIND: Final = frozenset({"wake", "end-continuous", "reset-enable", "reset"})
"""What firmware sends without knowing the state of a chip; it does no harm to one that is busy."""
_WHILE_BUSY: Final = frozenset({"suspend", "reset-enable", "reset"})
_CHANGES: Final = frozenset({"program", "erase", "set", "set-addressed"})
_STATUS: Final = ("SR", "FLAGS")
_BLOCK: Final = 0x10000
"""What protection counts in."""
_FIXED_SHARE: Final = 8
"""A program takes an eighth of the time of a whole page, and the rest by its bytes (SFDP: first and further bytes)."""


class NorChip:
    """Chip *number* of those at one controller; `package.Package` has them all, and their cells."""

    def __init__(self, die: Die, facts: NorFlash, number: int, read: Callable[[int, int, int], bytes]) -> None:
        self._die = die
        self.facts = facts
        self.number = number
        self._read = read
        """Its cells: called with its number, an address within it, and a size."""
        self.id = facts.id
        self.registers = {name: register.value for name, register in facts.registers.items()}
        self.misread: dict[str, int] = {}
        """What it did not understand, in words -> how often since the twin was made."""
        self.refusals: list[str] = []
        """What it refused by a flag, in words."""
        self.running: Operation | None = None
        self.suspended: Operation | None = None
        self._table: dict[tuple[int, str], list[Command]] = {}
        for command in facts.commands:
            self._table.setdefault((command.op, command.shape), []).append(command)
        self.restart(0)

    def restart(self, deaf_until: int) -> None:
        """As after power-on: what is volatile is as shipped.  Whoever calls it has ended what was under way."""
        for name, register in self.facts.registers.items():
            if not register.kept:
                self.registers[name] = register.value
        self.protocol = self.facts.protocol.of(self.registers) if self.facts.protocol else "spi"
        self.address_bytes = self.facts.address
        self.write_enabled = self.asleep = False
        self.failed: set[str] = set()
        self.ready_at = 0
        """When it is done with what is neither erase nor program."""
        self.deaf_until = deaf_until
        """Until then it takes no command, after a reset or a wake-up: its status reads as 0xFF, which is busy."""
        self._reset_enabled = False
        self.continuing: Command | None = None
        """The read that the next frame goes on with, without a command."""
        self.running = self.suspended = None

    # state

    def settle(self) -> None:
        """Note an operation that has ended by now."""
        if self.running is not None and self.running.until <= self._die.timeline.now:
            self.running = None
            self.write_enabled = False

    @property
    def busy(self) -> bool:
        """Whether WIP is 1."""
        self.settle()
        return self.running is not None or self.ready_at > self._die.timeline.now

    @property
    def next_change(self) -> int:
        """When its status changes by itself."""
        self.settle()
        times = [self.running.until] if self.running is not None else []
        return min(
            (time for time in (*times, self.ready_at, self.deaf_until) if time > self._die.timeline.now), default=NEVER
        )

    def _span(self, times: tuple[int, int]) -> int:
        return times[self._die.flash.ageing.slow] * PS_PER_US

    # frames

    def select(self, frame: Frame) -> Command | None:
        """The command that a frame is, None for one that does nothing.

        Raises TwinError for what the data sheet forbids and silicon answers with wrong data or lost cells."""
        command = self._understood(frame)
        if command is None:
            return self._ignore(f"{frame}, in its protocol {self.protocol}")
        if self.asleep and command.does != "wake":
            return self._ignore(f"{frame}, in deep power-down")
        if command.does == "reset" and not self._reset_enabled:
            return self._ignore(f"{frame}, without its enable")
        status = command.does == "get" and command.registers[0] in _STATUS
        if self.deaf_until > self._die.timeline.now:
            return None if status else self._not_yet(command, f"{frame} before it recovered from its reset or wake-up")
        if self.busy and not status and command.does not in _WHILE_BUSY:
            return self._not_yet(command, f"{frame} while it is busy")
        fastest = self._chosen(command.mhz)[0]
        if fastest and frame.hertz > fastest * 1_000_000:
            self._die.forbid(
                f"{self.facts.name}: {frame} at {frame.hertz / 1e6:g} MHz",
                f"at most {fastest} MHz with these dummy clocks: raise the prescaler",
            )
        if (command.does in _CHANGES or command.enable) and not self.write_enabled:
            self._refuse(f"{frame} without write enable", "send WREN first: the command is ignored")
        return command

    def _ignore(self, words: str) -> Command | None:
        self.misread[words] = self.misread.get(words, 0) + 1
        return None

    def _not_yet(self, command: Command, words: str) -> Command | None:
        if command.does not in _BLIND:
            self._refuse(words, "poll its status, or wait: it ignores the command")
        return None

    def _understood(self, frame: Frame) -> Command | None:
        if frame.op is None:
            found = [self.continuing] if self.continuing is not None else []
            fits = f"0-{frame.where}-{frame.data}"
            return next((c for c in found if fits == f"0-{c.shape.split('-', 1)[1]}" and self._fits(c, frame)), None)
        commands = [c for c in self._table.get((frame.op, frame.shape), ()) if c.protocol == self.protocol]
        if self.continuing is not None:
            commands = [c for c in commands if c.does == "end-continuous"]
        return next((command for command in commands if self._fits(command, frame)), None)

    def _fits(self, command: Command, frame: Frame) -> bool:
        width = self.address_bytes if command.address == "mode" else command.address
        clocks = frame.dummy + frame.mode_clocks
        quad = self.facts.quad
        opened = quad is None or "4" not in command.shape or self.protocol != "spi" or bool(self._bit(quad))
        mode = command.mode or not frame.alternate
        return opened and mode and frame.address_bytes == width and clocks in self._chosen(command.dummy)

    def _chosen(self, choice: Choice) -> tuple[int, ...]:
        if isinstance(choice, str):
            return (self.facts.choices[choice].of(self.registers),)
        return choice if isinstance(choice, tuple) else (choice,)

    def _bit(self, place: tuple[str, int]) -> int:
        return self.registers[place[0]] >> place[1] & 1

    def _refuse(self, found: str, advice: str) -> None:
        self._die.refuse(f"{self.facts.name}: {found}", advice)

    # answers

    def answer(self, command: Command | None, frame: Frame, first: int, count: int) -> bytes:
        """Bytes of the data phase from *first* on, as they are now."""
        if command is None:
            return bytes([_IDLE_LINE]) * count
        if command.does == "read":
            return b"".join(self._cells(frame.address + first, count))
        source = self._source(command, frame)
        return bytes(source((first + index) // command.repeat) for index in range(count))

    def _cells(self, start: int, count: int) -> Iterator[bytes]:
        """From *start* on, and on from 0 behind the last one."""
        self.check_read(start, count)
        while count:
            start %= self.facts.size
            part = min(count, self.facts.size - start)
            yield self._read(self.number, start, part)
            start, count = start + part, count - part

    def check_read(self, start: int, count: int) -> None:
        """Refuse a read of what is about to be changed."""
        if self.suspended is not None and self.suspended.meets(start, count):
            self._refuse(
                f"read of {start:#x}, whose {self.suspended.kind} is suspended", "resume it first: it reads as anything"
            )

    def _source(self, command: Command, frame: Frame) -> Callable[[int], int]:
        """Each byte of what a command reads."""
        if command.does == "read-id":
            return lambda index: self.id[index] if index < len(self.id) else 0
        if command.does == "get-addressed":
            name = self.facts.addressed.get(frame.address, "")
            return lambda _index: self.registers.get(name, 0)
        if command.does != "get":
            return lambda _index: _IDLE_LINE
        (name,) = command.registers
        size = self.facts.registers[name].bytes if name in self.facts.registers else 1
        return lambda index: self.register(name) >> 8 * (index % size) & 0xFF

    def register(self, name: str) -> int:
        """What a register reads as now."""
        if name == "FLAGS":
            return self._flags()
        value = self.registers[name]
        if name == "SR":
            value = value & ~3 | self.busy | self.write_enabled << 1
        if self.facts.four_bytes is not None and name == self.facts.four_bytes[0]:
            place = 1 << self.facts.four_bytes[1]
            value = value & ~place | place * (self.address_bytes == 4)
        return value

    def _flags(self) -> int:
        up = {
            *self.failed,
            "" if self.busy else "ready",
            f"{self.suspended.kind}_suspended" if self.suspended is not None else "",
            "four_bytes" if self.address_bytes == 4 else "",
        }
        return sum(1 << bit for name, bit in self.facts.flags.items() if name in up)

    # ends

    def finish(self, command: Command | None, frame: Frame, data: bytes) -> Effect | None:
        """The select line rises behind *data*, which the chip got: what is to happen to its cells.

        Raises TwinError for what would go wrong with them."""
        if command is None:
            return None
        self._reset_enabled = command.does == "reset-enable"
        if command.does == "read":
            self._go_on(command, frame)
        elif command.does == "program":
            return self._program(frame.address, data) if data else None
        elif command.does == "erase":
            return self._erase(command, frame.address - frame.address % command.size)
        elif command.does == "set":
            self._set(command.registers, data)
        elif command.does == "set-addressed":
            self._set_one(self.facts.addressed.get(frame.address, ""), data[0] if data else 0)
            self.write_enabled = False
        else:
            self._switch(command)
        return None

    def _switch(self, command: Command) -> None:
        """Commands without data."""
        does, now = command.does, self._die.timeline.now
        if does in ("write-enable", "write-disable"):
            self.write_enabled = does == "write-enable"
        elif does == "clear-flags":
            self.failed.clear()
        elif does in ("four-bytes", "three-bytes"):
            self.address_bytes = 4 if does == "four-bytes" else 3
            self.write_enabled = self.write_enabled and not command.enable
        elif does == "protocol":
            self.protocol = command.to
        elif does == "sleep":
            self.asleep = True
        elif does == "wake" and self.asleep:
            self.asleep = False
            self.deaf_until = now + self._span(self.facts.times.wake)
        elif does == "end-continuous":
            self.continuing = None
        elif does == "suspend":
            self._suspend(now)
        elif does == "resume" and self.suspended is not None:
            self.running, self.suspended = self.suspended, None
            self.running.since = now

    def _go_on(self, command: Command, frame: Frame) -> None:
        """Whether the next frame may come without its command."""
        self.continuing = None
        if command.mode and frame.alternate:
            mode = frame.alternate[0]
            toggles = self.facts.continuous == "toggle" and mode >> 4 ^ mode & 15 == 15
            confirmed = self.facts.continuous == "xip" and not self.registers["VCR"] & 8 and not mode & 0x10
            if toggles or confirmed:
                self.continuing = command

    def _suspend(self, now: int) -> None:
        """Refresh what is left of the operation: nothing of it was done in too short a time."""
        if self.running is None or self.suspended is not None:
            return
        operation, self.running = self.running, None
        ran = now - operation.since
        operation.left -= ran if ran >= self.facts.times.resume * PS_PER_US else 0
        self.suspended = operation
        self.write_enabled = False
        self.ready_at = now + self._span(self.facts.times.suspend)

    # what changes cells and registers

    def _program(self, start: int, data: bytes) -> Effect | None:
        facts = self.facts
        within = start % facts.page
        if within + len(data) > facts.page:
            self._refuse(
                f"program of {len(data)} bytes at {start:#x}, beyond its page of {facts.page}",
                "end it at the page: the rest lands at the start of the page",
            )
        self._check_suspended("program", start, len(data))
        old = self._read(self.number, start % facts.size, len(data))
        if wrong := [n for n, (was, byte) in enumerate(zip(old, data, strict=True)) if byte & ~was and byte != 0xFF]:
            self._refuse(
                f"program of {data[wrong[0]]:#04x} over {old[wrong[0]]:#04x} at {start + wrong[0]:#x}",
                "erase the sector first: a program makes no 1 of a 0",
            )
        if self._protected("program", start, len(data)):
            return None
        whole = self._span(facts.times.program)
        span = whole // _FIXED_SHARE + whole * (_FIXED_SHARE - 1) * len(data) // (_FIXED_SHARE * facts.page)
        new = bytes(was & byte for was, byte in zip(old, data, strict=True))
        return Effect(kind="program", start=start % facts.size, new=new, span=span)

    def _erase(self, command: Command, start: int) -> Effect | None:
        if command.size == self.facts.size:
            start = 0
        if self.suspended is not None:
            self._refuse(f"erase of {start:#x} while its {self.suspended.kind} is suspended", "resume that first")
        if self._protected("erase", start, command.size):
            return None
        new = b"\xff" * command.size
        return Effect(kind="erase", start=start % self.facts.size, new=new, span=self._span(command.us))

    def _check_suspended(self, what: str, start: int, size: int) -> None:
        if self.suspended is not None and (self.suspended.kind == "program" or self.suspended.meets(start, size)):
            self._refuse(
                f"{what} of {start:#x} while its {self.suspended.kind} at {self.suspended.start:#x} is suspended",
                "resume that first",
            )

    def _protected(self, kind: str, start: int, size: int) -> bool:
        """Whether BP bits protect some of it: flags say so, and nothing happens."""
        protect = self.facts.protect
        if protect is None:
            return False
        level = sum((self.registers[protect.register] >> bit & 1) << n for n, bit in enumerate(protect.bits))
        covered = min(_BLOCK << level - 1, self.facts.size) if level else 0
        low = 0 if self._bit(protect.bottom) else self.facts.size - covered
        if not (start < low + covered and low < start + size):
            return False
        self.failed |= {f"{kind}_failed", "protected"}
        self.refusals.append(f"{kind} of {size} bytes at {start:#x}, which the protection bits cover")
        self.write_enabled = False
        return True

    def _set(self, names: tuple[str, ...], data: bytes) -> None:
        place = 0
        for name in names:
            size = self.facts.registers[name].bytes
            if len(data) - place >= size:
                self._set_one(name, int.from_bytes(data[place : place + size], "little"))
            place += size
        if any(self.facts.registers[name].kept for name in names):
            self.ready_at = self._die.timeline.now + self._span(self.facts.times.register)
        self.write_enabled = False

    def _set_one(self, name: str, value: int) -> None:
        if name == "NVCR" and value != self.facts.registers[name].value:
            self._refuse(f"NVCR = {value:#06x}", "the twin does not model another start than that as shipped")
        if name in self.registers:
            self.registers[name] = value & ~3 if name == "SR" else value
        protocol = self.facts.protocol
        if protocol is not None and name == protocol.register:
            self.protocol = protocol.of(self.registers)

    def save(self) -> Any:
        """All but the operations, which chips share."""
        latches = self.protocol, self.address_bytes, self.write_enabled, self.asleep, self._reset_enabled
        times = self.ready_at, self.deaf_until
        return dict(self.registers), latches, set(self.failed), times, self.continuing, dict(self.misread)

    def load(self, state: Any) -> None:
        registers, latches, failed, times, self.continuing, misread = state
        self.ready_at, self.deaf_until = times
        self.protocol, self.address_bytes, self.write_enabled, self.asleep, self._reset_enabled = latches
        self.registers, self.failed, self.misread = dict(registers), set(failed), dict(misread)
