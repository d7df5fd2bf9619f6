"""DMA with streams and FIFOs (RM0090 10, RM0410 8, RM0399 16).  Sections named are those of RM0090."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.blocks.dma import Controller, Request
from spboot.twin.blocks.dmamux import Dmamux
from spboot.twin.die import Die
from spboot.twin.dma_stream import FIFO_BYTES, TO_PERIPHERAL, WITHIN_MEMORY, Stream
from spboot.twin.master import Unreachable

_KINDS: Final = ("TC", "HT", "TE", "DME", "FE")
"""Of flags, and of the interrupts that they raise."""
_FREE: Final = ("EN", "TCIE", "HTIE", "TEIE", "DMEIE")
"""Fields of CR that can be written while a stream is enabled (10.5.5)."""
_BEATS: Final = (1, 4, 8, 16)
"""Of a burst, by MBURST."""


class Streams(Controller, ips=("dma_v1", "dma_v2")):
    """The controller.  A stream that is done is disabled, but for circular mode and two buffers."""

    READ_ONLY = frozenset({"ISR0", "ISR1"})
    STATE: ClassVar[tuple[str, ...]] = (*Controller.STATE, "streams")

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        for n in range(self.count):
            self._handle(f"ST{n}_CR", partial(self._write_control, n))
            self._handle(f"ST{n}_NDTR", partial(self._write_number, n))
            self._handle(f"ST{n}_PAR", partial(self._write_fixed, f"ST{n}_PAR", n))
            self._handle(f"ST{n}_M0AR", partial(self._write_buffer, 0, n))
            self._handle(f"ST{n}_M1AR", partial(self._write_buffer, 1, n))
            self._handle(f"ST{n}_FCR", partial(self._write_fifo, n), partial(self._read_fifo, n))
        for word in range(2):
            self._handle(f"IFCR{word}", partial(self._clear, word))

    def reset(self) -> None:
        super().reset()
        self.streams = [Stream() for _ in range(self.count)]
        for n in range(self.count):
            self.registers[f"ST{n}_FCR"] = 1 << self.fields[f"ST{n}_FCR"]["FTH"][0]

    # a stream

    def channel(self, n: int) -> str:
        return f"{self.name} stream {n}"

    def _get(self, n: int, field: str) -> int:
        return self.field(f"ST{n}_CR", field)

    def moves(self, n: int) -> bool:
        return bool(self._get(n, "EN")) and self.registers[f"ST{n}_NDTR"] > 0

    def from_memory(self, n: int) -> bool:
        return self._get(n, "DIR") == TO_PERIPHERAL

    def source(self, n: int) -> Request | None:
        if self._get(n, "DIR") == WITHIN_MEMORY:
            return None
        if "CHSEL" in self.fields[f"ST{n}_CR"]:
            return self.wires.get((n, self._get(n, "CHSEL")))
        found = (block.source(self.name, n) for block in self.die.blocks.values() if isinstance(block, Dmamux))
        return next((request for request in found if request is not None), None)

    def ahead(self, n: int) -> int:
        left, total = self.registers[f"ST{n}_NDTR"], self.streams[n].total
        half = total - total // 2
        return left - half if left > half else left

    def take(self, n: int) -> None:
        stream = self.streams[n]
        try:
            stream.move(self.master)
            self.registers[f"ST{n}_NDTR"] -= 1
            if not self.registers[f"ST{n}_NDTR"]:
                stream.flush(self.master)
        except Unreachable as error:
            self._fail(n, str(error))
            return
        self._count(n, self.registers[f"ST{n}_NDTR"])

    def _count(self, n: int, left: int) -> None:
        total = self.streams[n].total
        if total > 1 and left == total - total // 2:
            self._flag(n, "HT")
        if left:
            return
        if self._get(n, "CIRC") or self._get(n, "DBM"):
            self.registers[f"ST{n}_NDTR"] = total
            if self._get(n, "DBM"):
                self.registers[f"ST{n}_CR"] ^= self.mask(f"ST{n}_CR", "CT")
            self._rewind(n)
        else:
            self.registers[f"ST{n}_CR"] &= ~self.mask(f"ST{n}_CR", "EN")
        self._flag(n, "TC")

    def _rewind(self, n: int) -> None:
        """To the start of the buffer in use; data for a peripheral is fetched before it is asked for (10.3.12)."""
        buffer = self.registers[f"ST{n}_M{self._get(n, 'CT') if self._get(n, 'DBM') else 0}AR"]
        try:
            self.streams[n].rewind(buffer, self.registers[f"ST{n}_PAR"], self.master)
        except Unreachable as error:
            self._fail(n, str(error))

    def _fail(self, n: int, error: str) -> None:
        """A bus error disables the stream (10.3.18)."""
        self._stop(n)
        self._flag(n, "TE")
        self.die.forbid(f"{self.channel(n)} stops with a transfer error: {error}", "correct its addresses")

    def _stop(self, n: int) -> None:
        self.registers[f"ST{n}_CR"] &= ~self.mask(f"ST{n}_CR", "EN")
        self.end_copy(n)

    # flags

    def _flags(self, n: int, *kinds: str) -> int:
        """The flags of a stream in ISR0 or ISR1."""
        return sum(self.mask(f"ISR{n >> 2}", f"{kind}IF{n & 3}") for kind in kinds)

    def _flag(self, n: int, kind: str) -> None:
        self.registers[f"ISR{n >> 2}"] |= self._flags(n, kind)
        self._update_line(n)

    def _update_line(self, n: int) -> None:
        enabled = [kind for kind in _KINDS[:-1] if self._get(n, f"{kind}IE")]
        if self.field(f"ST{n}_FCR", "FEIE"):
            enabled.append("FE")
        self.line(self.vector(n), bool(self.registers[f"ISR{n >> 2}"] & self._flags(n, *enabled)))

    def _clear(self, word: int, value: int) -> None:
        self.registers[f"ISR{word}"] &= ~value
        for n in range(4 * word, 4 * word + 4):
            self._update_line(n)

    # registers

    def _protected(self, n: int, name: str) -> bool:
        """Whether *name* may not be written as its stream is enabled."""
        if self._get(n, "EN"):
            self.die.forbid(
                f"{self.name}_{name} written while {self.channel(n)} is enabled",
                "clear EN and wait until it reads 0; the write is ignored (RM0090 10.5.5 to 10.5.10)",
            )
        return bool(self._get(n, "EN"))

    def _write_control(self, n: int, value: int) -> None:
        name, old = f"ST{n}_CR", self.registers[f"ST{n}_CR"]
        free, enable = sum(self.mask(name, field) for field in _FREE), self.mask(name, "EN")
        value &= self.masks[name]
        if old & enable and (value ^ old) & ~free and self._protected(n, name):
            value = old & ~free | value & free
        self.registers[name] = value
        if value & ~old & enable:
            self._start(n)
        elif old & ~value & enable:
            self._disable(n)
        self._update_line(n)

    def _disable(self, n: int) -> None:
        """What is in the FIFO on its way to memory is written, and TCIF tells the end (10.3.13, 10.3.14)."""
        self.end_copy(n)
        if not self.registers[f"ST{n}_NDTR"]:
            return
        try:
            self.streams[n].flush(self.master)
        except Unreachable as error:
            self._fail(n, str(error))
        else:
            self._flag(n, "TC")

    def _start(self, n: int) -> None:
        self._check(n)
        if self.registers[f"ISR{n >> 2}"] & self._flags(n, *_KINDS):
            self.die.forbid(
                f"{self.channel(n)} was enabled while flags of its last transfer are set",
                "clear them first (RM0090 10.3.17)",
            )
        stream, name = self.streams[n], f"ST{n}_CR"
        if self._get(n, "DIR") == WITHIN_MEMORY:  # no direct mode (10.3.12)
            self.registers[f"ST{n}_FCR"] |= self.mask(f"ST{n}_FCR", "DMDIS")
        direct = not self.field(f"ST{n}_FCR", "DMDIS")
        if direct:  # 10.5.5: sizes are the same
            low, _ = self.fields[name]["MSIZE"]
            self.registers[name] = self.registers[name] & ~self.mask(name, "MSIZE") | self._get(n, "PSIZE") << low
        if not self.registers[f"ST{n}_NDTR"]:  # the number before is loaded again (10.5.6)
            self.registers[f"ST{n}_NDTR"] = stream.total
        stream.total = self.registers[f"ST{n}_NDTR"]
        stream.set_up(
            direction=self._get(n, "DIR"),
            inside=(1 << self._get(n, "MSIZE"), bool(self._get(n, "MINC"))),
            outside=(1 << self._get(n, "PSIZE"), bool(self._get(n, "PINC"))),
            threshold=0 if direct else (self.field(f"ST{n}_FCR", "FTH") + 1) * FIFO_BYTES // 4,
        )
        if not self._burst_fits(n, direct):
            self._stop(n)
            self._flag(n, "FE")
            return
        self._check_addresses(n)
        if stream.total:
            self._rewind(n)
        if self._get(n, "DIR") == WITHIN_MEMORY and self.moves(n):
            self.copy(n)
        else:
            self.begin(n)

    def _burst_fits(self, n: int, direct: bool) -> bool:
        """Whether whole bursts make up what is in the FIFO at its threshold (10.3.12)."""
        burst = _BEATS[self._get(n, "MBURST")] << self._get(n, "MSIZE")
        threshold = (self.field(f"ST{n}_FCR", "FTH") + 1) * FIFO_BYTES // 4
        return direct or self._get(n, "MBURST") == 0 or threshold % burst == 0

    def _check(self, n: int) -> None:
        """What the manual forbids, and what is not modelled."""
        direction, who = self._get(n, "DIR"), self.channel(n)
        reserved = ("MSIZE", "PSIZE", "DIR")
        if any(self.registers[f"ST{n}_CR"] & (bits := self.mask(f"ST{n}_CR", field)) == bits for field in reserved):
            self.die.refuse(f"{who} was enabled with a reserved size or direction", "use 0, 1 or 2 (RM0090 10.5.5)")
        for field in ("PFCTRL", "PINCOS", "PBURST"):
            if self._get(n, field):
                self.die.refuse(f"{who} was enabled with {field}", "the twin does not model it (RM0090 10.5.5)")
        if direction == WITHIN_MEMORY and (self._get(n, "CIRC") or self._get(n, "DBM")):
            self.die.refuse(f"{who} copies memory in circles", "clear CIRC and DBM (RM0090 10.3.6)")
        if direction == WITHIN_MEMORY and self.facts.ip == "dma_v2" and self.name != "DMA2":
            self.die.refuse(f"{who} copies memory to memory", "use DMA2: no other one can (RM0090 10.3.6)")
        source = self.source(n)
        if source and "TRBUFF" in self.fields[f"ST{n}_CR"] and not self._get(n, "TRBUFF"):
            self.die.forbid(
                f"{who} serves {source[0]} without TRBUFF", "set it: the stream may lock up (RM0399, DMA_SxCR)"
            )

    def _check_addresses(self, n: int) -> None:
        stream, number = self.streams[n], self.streams[n].total
        buffers = (0, 1) if self._get(n, "DBM") else (0,)
        if number * stream.outside % stream.inside:
            self.die.refuse(
                f"{self.channel(n)} has {number} items of {stream.outside} bytes for memory of {stream.inside}",
                "choose a number that fills whole items of memory (RM0090 10.3.10)",
            )
        for buffer in buffers:
            self.check_cache(n, self.registers[f"ST{n}_M{buffer}AR"], number * stream.outside)
        aligned = [(f"ST{n}_M{buffer}AR", stream.inside) for buffer in buffers] + [(f"ST{n}_PAR", stream.outside)]
        for name, size in aligned:
            if self.registers[name] % size:
                self.die.refuse(f"{self.name}_{name} is not aligned to {size} bytes", "align it (RM0090 10.3.10)")

    def _write_number(self, n: int, value: int) -> None:
        name = f"ST{n}_NDTR"
        if not self._protected(n, name):
            self.registers[name] = self.streams[n].total = value & self.masks[name]

    def _write_fixed(self, name: str, n: int, value: int) -> None:
        if not self._protected(n, name):
            self.registers[name] = value

    def _write_buffer(self, buffer: int, n: int, value: int) -> None:
        """With two buffers the one that is not in use can get another address; the other one is an error (10.3.9)."""
        name = f"ST{n}_M{buffer}AR"
        if self._get(n, "EN") and self._get(n, "DBM"):
            if self._get(n, "CT") == buffer:
                self._fail(n, f"{self.name}_{name} was written while that buffer is in use")
                return
            self.registers[name] = value
        elif not self._protected(n, name):
            self.registers[name] = value

    def _write_fifo(self, n: int, value: int) -> None:
        name, free = f"ST{n}_FCR", self.mask(f"ST{n}_FCR", "FEIE")
        value &= self.masks[name] & ~self.mask(name, "FS")
        if (value ^ self.registers[name]) & ~free and self._protected(n, name):
            value = self.registers[name] & ~free | value & free
        self.registers[name] = value
        self._update_line(n)

    def _read_fifo(self, n: int) -> int:
        """FS: how full the FIFO is, in quarters; 4 is empty, 5 full (10.5.10)."""
        return self.registers[f"ST{n}_FCR"] | self.streams[n].fill_level << self.fields[f"ST{n}_FCR"]["FS"][0]
