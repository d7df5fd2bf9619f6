"""DMA with channels (RM0351 11, RM0367 11, RM0440 12, RM0444 10, RM0453 13), and the basic DMA of STM32H7 (RM0399).

Sections named are those of RM0440.  Requests come from a selection register, or from the multiplexer."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.blocks.dma import Controller, Request
from spboot.twin.blocks.dmamux import Dmamux
from spboot.twin.die import Die
from spboot.twin.master import Unreachable

_KINDS: Final = ("TC", "HT", "TE")
"""Of flags, and of the interrupts that they raise."""


@dataclass(slots=True)
class Transfer:
    """What a channel does: how many items in all, and where the next one comes from and goes to."""

    total: int = 0
    memory: int = 0
    peripheral: int = 0
    stale: bool = False
    """It was disabled with something left, and no new number was written since."""


class Channels(Controller, ips=("bdma_v1", "bdma_v2")):
    """The controller.  A channel that has nothing left stays enabled and serves nobody (12.4.5)."""

    READ_ONLY = frozenset({"ISR"})
    STATE: ClassVar[tuple[str, ...]] = (*Controller.STATE, "transfers")

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        others = {name for name in self.names.values() if name.startswith("CH")}
        ours = {f"CH{n}_{what}" for n in range(self.count) for what in ("CR", "NDTR", "PAR", "MAR")}
        self._drop(lambda name: name not in others - ours)
        for n in range(self.count):
            self._handle(f"CH{n}_CR", partial(self._write_control, n))
            self._handle(f"CH{n}_NDTR", partial(self._write_number, n))
            self._handle(f"CH{n}_PAR", partial(self._write_address, f"CH{n}_PAR", n))
            self._handle(f"CH{n}_MAR", partial(self._write_address, f"CH{n}_MAR", n))

    def reset(self) -> None:
        super().reset()
        self.transfers = [Transfer() for _ in range(self.count)]

    # a channel

    def _set(self, n: int, field: str) -> bool:
        return bool(self.field(f"CH{n}_CR", field))

    def _widths(self, n: int) -> tuple[int, int]:
        """Bytes of an item in the memory and in the peripheral."""
        return 1 << self.field(f"CH{n}_CR", "MSIZE"), 1 << self.field(f"CH{n}_CR", "PSIZE")

    def moves(self, n: int) -> bool:
        return self._set(n, "EN") and self.registers[f"CH{n}_NDTR"] > 0

    def from_memory(self, n: int) -> bool:
        return self._set(n, "DIR")

    def source(self, n: int) -> Request | None:
        if self._set(n, "MEM2MEM"):
            return None
        if "CSELR" in self.registers and (n, None) not in self.wires:
            return self.wires.get((n, self.field("CSELR", f"CS{n}")))
        for block in self.die.blocks.values():
            if isinstance(block, Dmamux) and (found := block.source(self.name, n)) is not None:
                return found
        return self.wires.get((n, None))

    def ahead(self, n: int) -> int:
        left, total = self.registers[f"CH{n}_NDTR"], self.transfers[n].total
        half = total - total // 2
        return left - half if left > half else left

    def take(self, n: int) -> None:
        """Sizes may differ: what is too wide is cut, what is too narrow gets zeros in front (12.4.6)."""
        transfer, (inside, outside) = self.transfers[n], self._widths(n)
        try:
            if self._set(n, "DIR"):
                self.master.write(transfer.peripheral, outside, self.master.read(transfer.memory, inside))
            else:
                self.master.write(transfer.memory, inside, self.master.read(transfer.peripheral, outside))
        except Unreachable as error:
            self._fail(n, str(error))
            return
        transfer.memory += inside if self._set(n, "MINC") else 0
        transfer.peripheral += outside if self._set(n, "PINC") else 0
        self.registers[f"CH{n}_NDTR"] -= 1
        self._count(n, self.registers[f"CH{n}_NDTR"])

    def _count(self, n: int, left: int) -> None:
        total = self.transfers[n].total
        if total > 1 and left == total - total // 2:
            self._flag(n, "HT")
        if left == 0:
            if self._set(n, "CIRC"):
                self.registers[f"CH{n}_NDTR"] = total
                self._rewind(n)
            self._flag(n, "TC")

    def _rewind(self, n: int) -> None:
        """Addresses are those that were written; their lowest bits do not count (12.6.5, 12.6.6)."""
        inside, outside = self._widths(n)
        self.transfers[n].memory = self.registers[f"CH{n}_MAR"] & -inside
        self.transfers[n].peripheral = self.registers[f"CH{n}_PAR"] & -outside

    def _fail(self, n: int, error: str) -> None:
        """A transfer error disables the channel, until its flag is cleared (12.4.7)."""
        self.registers[f"CH{n}_CR"] &= ~self.mask(f"CH{n}_CR", "EN")
        self.end_copy(n)
        self._flag(n, "TE")
        self.die.forbid(f"{self.channel(n)} stops with a transfer error: {error}", "correct its addresses")

    def _flag(self, n: int, kind: str) -> None:
        self.registers["ISR"] |= self.mask("ISR", f"{kind}IF{n}") | self.mask("ISR", f"GIF{n}")
        self._update_line(n)

    def _update_line(self, n: int) -> None:
        up = any(self.field("ISR", f"{kind}IF{n}") and self._set(n, f"{kind}IE") for kind in _KINDS)
        self.line(self.vector(n), up)

    # registers

    def write_IFCR(self, value: int) -> None:
        """The global flag is cleared together with the last of the others, and clears all of them (12.6.2)."""
        for n in range(self.count):
            flags = sum(self.mask("ISR", f"{kind}IF{n}") for kind in _KINDS)
            if value & self.mask("IFCR", f"GIF{n}"):
                self.registers["ISR"] &= ~flags
            self.registers["ISR"] &= ~(value & flags)
            if not self.registers["ISR"] & flags:
                self.registers["ISR"] &= ~self.mask("ISR", f"GIF{n}")
            self._update_line(n)

    def _write_control(self, n: int, value: int) -> None:
        """While a channel is enabled its enable and interrupt enables alone can change (12.6.3).  The manual asks to
        leave the latter alone, too; silicon takes them, and the vendor's drivers write them in every transfer."""
        name, enable = f"CH{n}_CR", self.mask(f"CH{n}_CR", "EN")
        if value & ~self.masks[name]:
            self.die.refuse(
                f"{self.name}_{name} = {value:#x}", "the twin does not model double buffers and secure channels"
            )
        was_on = self._set(n, "EN")
        free = enable | sum(self.mask(name, f"{kind}IE") for kind in _KINDS)
        if was_on and value & enable and (value ^ self.registers[name]) & ~free:
            self.die.forbid(
                f"{self.name}_{name} was changed while {self.channel(n)} is enabled", "clear EN first (RM0440 12.6.3)"
            )
            value = self.registers[name] & ~free | value & free
        if not was_on and self.field("ISR", f"TEIF{n}"):
            value &= ~enable
        self.registers[name] = value
        if self._set(n, "EN") and not was_on:
            self._start(n)
        elif was_on and not self._set(n, "EN"):
            self.end_copy(n)
            self.transfers[n].stale = self.registers[f"CH{n}_NDTR"] > 0
        self._update_line(n)

    def _start(self, n: int) -> None:
        name, transfer, number = f"CH{n}_CR", self.transfers[n], self.registers[f"CH{n}_NDTR"]
        reserved = self.mask(name, "MSIZE"), self.mask(name, "PSIZE")
        if any(self.registers[name] & bits == bits for bits in reserved):
            self.die.refuse(f"{self.channel(n)} was enabled with a reserved size", "use 0, 1 or 2 (RM0440 12.6.3)")
        if self._set(n, "MEM2MEM") and self._set(n, "CIRC"):
            self.die.refuse(f"{self.channel(n)} was enabled with MEM2MEM and CIRC", "clear one (RM0440 12.6.3)")
        if transfer.stale:
            self.die.forbid(
                f"{self.channel(n)} was enabled again with {number} items left",
                "write its number of items and its addresses first: it cannot be resumed (RM0440 12.4.5)",
            )
        transfer.total, transfer.stale = number, False
        self._rewind(n)
        (inside, outside), (memory, peripheral) = self._widths(n), (transfer.memory, transfer.peripheral)
        if (memory, peripheral) != (self.registers[f"CH{n}_MAR"], self.registers[f"CH{n}_PAR"]):
            self.die.forbid(
                f"{self.channel(n)} was enabled with an address that is not aligned",
                "align it to its size: the lowest bits are ignored (RM0440 12.6.5)",
            )
        self.check_cache(n, memory, number * inside)
        self.check_cache(n, peripheral, number * outside)
        if number and self._set(n, "MEM2MEM"):
            self.copy(n)
        elif number:
            self.begin(n)

    def _write_number(self, n: int, value: int) -> None:
        name = f"CH{n}_NDTR"
        if self._set(n, "EN"):
            self.die.forbid(
                f"{self.name}_{name} written while {self.channel(n)} is enabled",
                "clear EN first; it is ignored (RM0440 12.6.4)",
            )
            return
        self.registers[name] = value & self.masks[name]
        self.transfers[n].stale = False

    def _write_address(self, name: str, n: int, value: int) -> None:
        if self._set(n, "EN"):
            self.die.refuse(
                f"{self.name}_{name} written while {self.channel(n)} is enabled", "clear EN first (RM0440 12.6.5)"
            )
        self.registers[name] = value

    def write_CSELR(self, value: int) -> None:
        """What each channel listens to (RM0351 11.6.7)."""
        self.registers["CSELR"] = value & self.masks["CSELR"]
        for n in range(self.count):
            self.begin(n)
