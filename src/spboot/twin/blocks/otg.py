"""The OTG core as a host: channels, FIFOs and what passes over the bus (RM0090 34.17.4, RM0351 47.16.4)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from functools import partial
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.blocks.otg_port import OtgPort
from spboot.twin.die import Die
from spboot.twin.timeline import PS_PER_US
from spboot.twin.usb.fifo import HALTED, IN_DATA, IN_DONE, QUEUE, TOGGLE_ERROR, Entry, Fifos, Partial, Request, words_of
from spboot.twin.usb.packet import HostError, Packet, Reply, Token

_CHANNELS: Final = {True: 12, False: 8}
"""Of a core for high speed those that the facts know, of 16 (RM0410, main features); of others all (RM0090 34.2.2)."""
_LEAST_WORDS: Final = 16
"""Of a FIFO (OTG_FS_GRXFSIZ, HNPTXFSIZ)."""
_CONTROL, _BULK = 0, 2
_SETUP, _DATA1 = 3, 2
"""DPID of HCTSIZ."""
_BYTE_PS: Final = 8 * PS_PER_US // 12
_AROUND: Final = 15
"""Bytes of sync, token, handshake and turn-around of a transaction."""
_ERRORS: Final = ("STALL", "TXERR", "BBERR", "DTERR")
"""After one of these a channel is halted before it goes on."""
_CLOCKS: Final = {False: (1, 48_000), True: (0, 60_000)}
"""With ULPI or not: HCFG.FSLSPCS, and HFIR for frames of 1 ms."""
_FRAME_OFF: Final = 0.0005
"""What these may be wrong (USB 2.0 7.1.12)."""
_FIFO: Final = 0x1000
_FLAGS: Final = {"ack": "ACK", "nak": "NAK", "stall": "STALL", "silence": "TXERR", "babble": "BBERR"}
_PACKET: Final = 64


class Otg(OtgPort, ips=("otg_v1",)):
    """The block."""

    READ_ONLY = frozenset({"HFNUM", "HNPTXSTS", "HPTXSTS", "HAINT", "GRXSTSR", "GRXSTSP"})
    STATE: ClassVar[tuple[str, ...]] = (*OtgPort.STATE, "fifos", "hung", "lost_halts", "frames_seen")
    CONSUMING = frozenset({0x20, *range(_FIFO, 0x11000, 0x1000)})
    QUIET = frozenset({0x408})

    def __init__(self, die: Die, facts: Facts) -> None:
        self.fifos = Fifos()
        self.hung: set[int] = set()
        self.lost_halts = 0
        """Fault: so many halts of a channel are never told, as silicon may when they meet a request."""
        self.frames_seen = 0
        super().__init__(die, facts)
        die.timeline.on(f"{self.name}.bus", lambda _when: self._pass_on())
        for number in (n for n in range(16) if f"HCCHAR{n}" in self.fields):
            for name, handler in (("HCCHAR", self._write_channel), ("HCINT", self._write_flags)):
                self._writers[self.offset_of(f"{name}{number}")] = partial(handler, number)
            self._writers[self.offset_of(f"HCTSIZ{number}")] = partial(self._write_size, number)
            for name in ("HCDMA", "HCSPLT", "HCDMAB"):
                self._writers[self.offset_of(f"{name}{number}")] = partial(self._no_dma, f"{name}{number}")

    @property
    def channels(self) -> int:
        """How many there are."""
        return _CHANNELS[self.large]

    def core_reset(self) -> None:
        super().core_reset()
        self.fifos, self.hung = Fifos(), set()
        self.frames_seen = 0
        self.die.timeline.cancel(f"{self.name}.bus")

    def flush(self, *, rx: bool) -> None:
        if self.fifos.queue or (rx and self.fifos.unread):
            self.die.refuse(f"{self.name} flushes a FIFO that is in use", "halt all channels first")
        if rx:
            self.fifos.received.clear()

    def hang(self) -> None:
        """Whoever was enabled as the device went away is never told of its end; a core reset helps."""
        self.hung = {n for n in range(self.channels) if self._enabled(n)}
        self.fifos.queue.clear()

    # accesses

    def read(self, offset: int, size: int) -> int:
        self.check_access(offset if offset < _FIFO else offset & ~0xFFF, size, write=False)
        self._check_between(offset)
        if offset < _FIFO:
            return super().read(offset, size)
        if not self.fifos.unread:
            self.die.refuse(f"{self.name} FIFO read at {offset:#x}, and it is empty", "read as many words as BCNT says")
        return self.fifos.unread.popleft()

    def write(self, offset: int, size: int, value: int) -> None:
        self.check_access(offset if offset < _FIFO else offset & ~0xFFF, size, write=True)
        self._check_between(offset)
        if offset < _FIFO:
            super().write(offset, size, value)
        else:
            self._push((offset >> 12) - 1, value)

    def _check_between(self, offset: int) -> None:
        """Between the words of a packet no other register is touched: the FIFO gets corrupted (ES0287 and others: data
        FIFO gets corrupted if the write sequence is interleaved with other register access)."""
        part = self.fifos.partial
        if part is not None and (offset < _FIFO or (offset >> 12) - 1 != part.channel):
            self.die.refuse(
                f"{self.name} accessed at {offset:#x} with {len(part.data)} of {part.size} bytes of a packet written",
                "write all its words first: they get corrupted",
            )

    # flags

    def read_GINTSTS(self) -> int:
        held, mask = self.registers["GINTSTS"], partial(self.mask, "GINTSTS")
        value = held & mask("SOF")
        if self.frames > self.frames_seen:
            value |= mask("SOF")
        for on, name in (
            (self.host, "CMOD"), (bool(self.fifos.received), "RXFLVL"), (not self.fifos.sending, "NPTXFE"),
            (bool(self.changes), "HPRTINT"), (bool(self.read_HAINT()), "HCINT"), (self.disconnected, "DISCINT"),
            (self.host, "PTXFE"),
        ):  # fmt: skip
            value |= mask(name) if on else 0
        return value

    def write_GINTSTS(self, value: int) -> None:
        if value & self.mask("GINTSTS", "DISCINT"):
            self.disconnected = False
        if value & self.mask("GINTSTS", "SOF"):
            self.frames_seen = self.frames

    def read_HAINT(self) -> int:
        pending = (n for n in range(self.channels) if self.registers[f"HCINT{n}"] & self.registers[f"HCINTMSK{n}"])
        return sum(1 << n for n in pending)

    def read_HNPTXSTS(self) -> int:
        free = self.field("HNPTXFSIZ", "FD") - self.fifos.sending
        return (QUEUE - len(self.fifos.queue)) << 16 | free

    def read_GRXSTSR(self) -> int:
        return self.fifos.received[0].status if self.fifos.received else 0

    def read_GRXSTSP(self) -> int:
        if self.fifos.unread:
            self.die.refuse(
                f"{self.name}_GRXSTSP read with {len(self.fifos.unread)} words of a packet left", "read them first"
            )
        if not self.fifos.received:
            self.die.refuse(f"{self.name}_GRXSTSP read with an empty FIFO", "look at GINTSTS.RXFLVL first")
        entry = self.fifos.pop()
        flag = {IN_DONE: "XFRC", TOGGLE_ERROR: "DTERR", HALTED: "CHH"}.get(entry.kind)
        if flag is not None:
            self._flag(entry.channel, flag)
        return entry.status

    # channels

    def _enabled(self, number: int) -> bool:
        return bool(self.field(f"HCCHAR{number}", "CHENA"))

    def _flag(self, number: int, name: str) -> None:
        self.registers[f"HCINT{number}"] |= self.mask("HCINT0", name)

    def _no_dma(self, name: str, value: int) -> None:
        if value:
            self.die.refuse(f"{self.name}_{name} = {value:#x}", "the twin has no DMA and no split transactions")

    def _write_flags(self, number: int, value: int) -> None:
        self.registers[f"HCINT{number}"] &= ~value

    def _write_size(self, number: int, value: int) -> None:
        if self._enabled(number):
            self.die.refuse(f"{self.name}_HCTSIZ{number} was written while CHENA is 1", "halt the channel first")
        if value & self.mask("HCTSIZ0", "DOPING"):
            self.die.refuse(f"{self.name}_HCTSIZ{number}.DOPING was set", "it is for high speed alone")
        self.registers[f"HCTSIZ{number}"] = value

    def _write_channel(self, number: int, value: int) -> None:
        name, old = f"HCCHAR{number}", self.registers[f"HCCHAR{number}"]
        if number >= self.channels:
            self.die.refuse(f"{self.name}_{name} was written", f"this core has {self.channels} channels")
        ena, dis = self.mask("HCCHAR0", "CHENA"), self.mask("HCCHAR0", "CHDIS")
        if value & dis:
            self._write_halt(number, value)
            return
        if not value & ena:
            if old & ena:
                self.die.refuse(f"{self.name}_{name}.CHENA was cleared", "set CHDIS and wait for CHH")
            self.registers[name] = value
            return
        if old & ena and (old ^ value) & ~dis:
            self.die.refuse(f"{self.name}_{name} was changed while CHENA is 1", "halt the channel first")
        self._check_channel(number, value)
        self.registers[name] = value
        if value & self.mask("HCCHAR0", "EPDIR"):
            self._request(Request(kind="in", channel=number))
        elif not self.registers[f"HCTSIZ{number}"] & self.mask("HCTSIZ0", "XFRSIZ"):
            self._request(Request(kind="out", channel=number))

    def _write_halt(self, number: int, value: int) -> None:
        """Requests of the channel that wait are gone, and a halt takes their place."""
        name = f"HCCHAR{number}"
        if not self._enabled(number):
            self.registers[name] = value & ~(self.mask("HCCHAR0", "CHENA") | self.mask("HCCHAR0", "CHDIS"))
            return
        self.registers[name] |= self.mask("HCCHAR0", "CHDIS")
        if number in self.hung:
            return
        self.fifos.forget(number)
        self._request(Request(kind="halt", channel=number))

    def _check_channel(self, number: int, value: int) -> None:
        die, name = self.die, f"{self.name}_HCCHAR{number}"
        if self.enabled_at is None:
            die.refuse(f"{name}.CHENA was set and the port is not enabled", "reset the bus and wait for PENA")
        pending = [flag for flag in _ERRORS if self.field(f"HCINT{number}", flag)]
        if pending:
            die.refuse(f"{name}.CHENA was set with {pending[0]} in HCINT", "halt it and clear its flags first")
        self._check_speed(f"{name}.CHENA was set with")
        if value >> 18 & 3 not in (_CONTROL, _BULK) or value >> 20 & 3 != 1 or value & self.mask("HCCHAR0", "LSDEV"):
            die.refuse(f"{name} = {value:#x}", "EPTYP control or bulk, MCNT 1, LSDEV 0: the twin has no others")
        if not 1 <= value & 0x7FF <= _PACKET or not self.field(f"HCTSIZ{number}", "PKTCNT"):
            die.refuse(f"{name} = {value:#x}, HCTSIZ {self.registers[f'HCTSIZ{number}']:#x}", "MPSIZ 1..64, PKTCNT > 0")
        self._check_fifos()
        self.check_supply()

    def _check_speed(self, name: str) -> None:
        die, (choice, clocks) = self.die, _CLOCKS[self.ulpi]
        if self.field("HCFG", "FSLSPCS") != choice:
            die.refuse(f"{name} HCFG.FSLSPCS {self.field('HCFG', 'FSLSPCS')}", f"{choice} is {clocks // 1000} MHz")
        if self.large and not self.field("HCFG", "FSLSS"):
            die.refuse(f"{name} HCFG.FSLSS 0", "set it before the port is reset: the twin has no high speed")
        if abs(self.registers["HFIR"] - clocks) > clocks * _FRAME_OFF:
            die.refuse(f"{name} HFIR {self.registers['HFIR']}", f"a frame is {clocks} clocks")

    def _check_fifos(self) -> None:
        """Each has 16 words, also the transmit FIFO of a host that reads alone, and none overlaps another."""
        rx = self.registers["GRXFSIZ"]
        places = [(0, rx)] + [
            (self.registers[name] & 0xFFFF, self.registers[name] >> 16) for name in ("HNPTXFSIZ", "HPTXFSIZ")
        ]
        if any(size < _LEAST_WORDS for _, size in places):
            self.die.refuse(
                f"{self.name} has FIFOs {places}", "each has 16 words, those for OUT as well where only IN is used"
            )
        ends = [start + size for start, size in places]
        if any(end > start for end, (start, _) in zip(ends, places[1:], strict=False)) or ends[-1] > self.words:
            self.die.refuse(f"{self.name} has FIFOs {places}", f"one behind the other, in {self.words} words")
        if words_of(_PACKET) + 2 > rx:
            self.die.refuse(f"{self.name}_GRXFSIZ = {rx}", "room for a packet and two status words")

    # the queue, and the bus

    def _request(self, request: Request) -> None:
        if len(self.fifos.queue) >= QUEUE:
            self.die.refuse(f"{self.name} has {QUEUE} requests waiting", "look at HNPTXSTS.NPTQXSAV first")
        self.fifos.queue.append(request)
        self._plan()

    def _plan(self) -> None:
        """The first request of the queue is under way; one of IN for as long as a whole packet takes."""
        key = f"{self.name}.bus"
        if self.fifos.queue:
            first = self.fifos.queue[0]
            size = self.field(f"HCCHAR{first.channel}", "MPSIZ") if first.kind == "in" else len(first.data)
            span = (_AROUND + size) * _BYTE_PS
            self.die.timeline.at(key, self.die.timeline.now + span)
        else:
            self.die.timeline.cancel(key)

    def _push(self, number: int, word: int) -> None:
        """A word of an OUT packet."""
        part = self.fifos.partial
        if part is None:
            if not self._enabled(number) or self.field(f"HCCHAR{number}", "EPDIR"):
                self.die.refuse(f"{self.name} FIFO {number} was written", "enable the channel, for OUT, first")
            queued = sum(len(request.data) for request in self.fifos.queue if request.channel == number)
            size = min(self.field(f"HCCHAR{number}", "MPSIZ"), self.field(f"HCTSIZ{number}", "XFRSIZ") - queued)
            if size <= 0:
                self.die.refuse(f"{self.name} FIFO {number} was written", "HCTSIZ announced no more bytes")
            if len(self.fifos.queue) >= QUEUE:
                self.die.refuse(f"{self.name} FIFO {number} was written", "its request has no place in the queue")
            part = self.fifos.partial = Partial(channel=number, size=size)
        if self.fifos.sending >= self.field("HNPTXFSIZ", "FD"):
            self.die.refuse(f"{self.name} transmit FIFO overflows", "look at HNPTXSTS.NPTXFSAV first")
        part.data += word.to_bytes(4, "little")
        if len(part.data) >= part.size:
            self.fifos.partial = None
            self._request(Request(kind="out", channel=number, data=bytes(part.data[: part.size])))

    def _pass_on(self) -> None:
        """The first request is done."""
        if not self.fifos.queue:
            return
        request = self.fifos.queue.popleft()
        if request.kind == "halt":
            self._halted(request.channel)
        elif self.enabled_at is not None:
            self._transaction(request)
        self._plan()

    def _halted(self, number: int) -> None:
        if self.lost_halts > 0:
            self.lost_halts -= 1
            return
        into_host = self.field(f"HCCHAR{number}", "EPDIR")
        self.registers[f"HCCHAR{number}"] &= ~(self.mask("HCCHAR0", "CHENA") | self.mask("HCCHAR0", "CHDIS"))
        if into_host:
            self._receive(Entry(kind=HALTED, channel=number))
        else:
            self._flag(number, "CHH")

    def _transaction(self, request: Request) -> None:
        number, device = request.channel, self.device
        if device is None:
            return
        if not self.field(f"HCTSIZ{number}", "PKTCNT"):
            self.die.refuse(f"{self.name} channel {number} asks for more than PKTCNT", "enable it once a packet")
        pid = self.field(f"HCTSIZ{number}", "DPID")
        token: Token = "IN" if request.kind == "in" else "SETUP" if pid == _SETUP else "OUT"
        packet = Packet(
            token=token,
            address=self.field(f"HCCHAR{number}", "DAD"),
            endpoint=self.field(f"HCCHAR{number}", "EPNUM"),
            data=request.data,
            toggle=int(pid == _DATA1),
        )
        try:
            reply = device.transact(packet, self.die.timeline.now)
        except HostError as wrong:
            self.die.refuse(wrong.found, wrong.advice)
        if device.gone():
            self.pull()
            return
        if reply.outcome == "ack":
            self._acknowledged(number, request, reply)
        else:
            self._flag(number, _FLAGS[reply.outcome])

    def _acknowledged(self, number: int, request: Request, reply: Reply) -> None:
        name = f"HCTSIZ{number}"
        size, count = self.field(name, "XFRSIZ"), self.field(name, "PKTCNT")
        if not count:
            self.die.refuse(
                f"{self.name} channel {number} asks for more packets than PKTCNT", "enable it once a packet"
            )
        most = self.field(f"HCCHAR{number}", "MPSIZ")
        pid = self.field(name, "DPID")
        into_host = request.kind == "in"
        if into_host and reply.toggle != int(pid == _DATA1):
            self._receive(Entry(kind=TOGGLE_ERROR, channel=number, pid=pid))
            return
        moved = len(reply.data) if into_host else len(request.data)
        if moved > min(size, most):
            self._flag(number, "BBERR")
            return
        self._flag(number, "ACK")
        turned = 0 if pid == _DATA1 else _DATA1
        self.registers[name] = turned << 29 | count - 1 << 19 | size - moved
        if into_host:
            self._receive(Entry(kind=IN_DATA, channel=number, data=reply.data, pid=pid))
            if count == 1 or moved < most:
                self._receive(Entry(kind=IN_DONE, channel=number))
        elif count == 1:
            self.registers[f"HCCHAR{number}"] &= ~self.mask("HCCHAR0", "CHENA")
            self._flag(number, "XFRC")

    def _receive(self, entry: Entry) -> None:
        if self.fifos.held + entry.words > self.registers["GRXFSIZ"]:
            self.die.refuse(f"{self.name} receive FIFO overflows", "read what came first")
        self.fifos.received.append(entry)
