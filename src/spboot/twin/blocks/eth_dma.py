"""The DMA of the Ethernet MAC of STM32F4 (RM0090 33.6, 33.8.4): rings of descriptors, frames out of memory and into it.

A frame takes the time that it takes on the wire.  Not modelled, and refused where a register asks for it: time stamps,
checksums by the MAC, receive frames that are held in its FIFO."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final, NoReturn

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.ethernet import descriptors as desc
from spboot.twin.ethernet.cable import LEAST, MOST
from spboot.twin.ethernet.descriptors import WORD, Descriptor, Ring
from spboot.twin.ethernet.registers import DMA
from spboot.twin.master import Master, Unreachable
from spboot.twin.timeline import PS_PER_S, PS_PER_US

_NORMAL: Final = ("TS", "TBUS", "RS", "ERS")
_ABNORMAL: Final = ("TPSS", "TJTS", "ROS", "TUS", "RBUS", "RPSS", "RWTS", "ETS", "FBES")
_STOPPED, _WAITING, _SUSPENDED = 0, 3, 6
"""TPS; RPS has 4 for suspended."""
_RX_SUSPENDED: Final = 4
_RESET_PS: Final = 2 * PS_PER_US
"""That DMABMR.SR stays set: some clock periods of both sides."""
_AROUND: Final = 24
"""Bytes of preamble, FCS and gap around a frame (IEEE 802.3 4.4.2)."""
_BPS: Final = 100_000_000
"""Of the partner, which sends its frames one behind the other."""
_FCS: Final = 4
_COUNTED: Final = 0xFFFF
_VECTOR: Final = 61
"""Of the global interrupt; the facts have no vectors of blocks without an IP version (RM0090 Table 62)."""


def _accesses(address: int, size: int) -> Iterator[tuple[int, int]]:
    """Aligned accesses that cover *size* bytes at *address*: where, and how many bytes."""
    end = address + size
    while address < end:
        width = next(n for n in (4, 2, 1) if not address % n and address + n <= end)
        yield address, width
        address += width


class EthDma(Block):
    """Base of the MAC."""

    DECLARES = frozenset(DMA)

    def __init__(self, die: Die, facts: Facts) -> None:
        self.transmitter, self.receiver = Ring(transmit=True), Ring(transmit=False)
        self._under_way = False
        """A frame is on the cable, towards the chip."""
        super().__init__(die, facts)
        self._master = Master(die, self.name)
        for what in ("reset", "smi"):  # who waits for these looks at a bit
            die.timeline.on(f"{self.name}.{what}", lambda _when: None)
        die.timeline.on(f"{self.name}.tx", lambda _when: self._transmitted())
        die.timeline.on(f"{self.name}.rx", lambda _when: self._received())

    def reset(self) -> None:
        super().reset()
        self.transmitter, self.receiver = Ring(transmit=True), Ring(transmit=False)
        self.reset_until = 0
        self.sending: list[tuple[int, int]] = []
        """Descriptors of the frame on the wire: address and TDES0."""
        self.die.timeline.cancel(f"{self.name}.tx")
        self._drive()

    # what the MAC below has

    def wire_bps(self, what: str) -> int:
        """Bits a second of the link; 0 without one.  Refuses *what* where the MAC is set up for another."""
        raise NotImplementedError

    def put_on_wire(self, frame: bytes) -> None:
        """*frame* has left, with its FCS taken off."""
        raise NotImplementedError

    def next_arrived(self) -> bytes | None:
        """The frame that has arrived, if the MAC takes it; with its FCS unless that is stripped."""
        raise NotImplementedError

    def arriving(self) -> int:
        """Bytes of the next frame on the cable, 0 for none."""
        raise NotImplementedError

    def check_start(self, what: str) -> None:
        """Refuse to start the DMA where clocks, pins or interface are not there."""
        raise NotImplementedError

    # registers

    def refuse(self, found: str, advice: str) -> NoReturn:
        """Silicon would not go on."""
        self.die.refuse(f"{self.name}: {found}", advice)

    @property
    def resetting(self) -> bool:
        """DMABMR.SR has not cleared itself yet."""
        return self.die.timeline.now < self.reset_until

    def read_DMABMR(self) -> int:
        return self.registers["DMABMR"] | self.resetting

    def write_DMABMR(self, value: int) -> None:
        if value & 1:
            self.check_start("DMABMR.SR set")
            self.reset()
            self.reset_until = self.die.timeline.now + _RESET_PS
            self.die.timeline.at(f"{self.name}.reset", self.reset_until)
            return
        if self.field("DMAOMR", "ST") or self.field("DMAOMR", "SR"):
            self.refuse("DMABMR written while the DMA runs", "clear DMAOMR.ST and SR first")
        self.registers["DMABMR"] = value & self.masks["DMABMR"]

    def write_DMATDLAR(self, value: int) -> None:
        self._set_list("DMATDLAR", value, "ST")

    def write_DMARDLAR(self, value: int) -> None:
        self._set_list("DMARDLAR", value, "SR")

    def _set_list(self, name: str, value: int, runs: str) -> None:
        if self.field("DMAOMR", runs):
            self.refuse(f"{name} written while DMAOMR.{runs} is set", "stop the DMA first (RM0090 33.8.4)")
        if value & 3:
            self.refuse(f"{name} = {value:#x}", "align descriptors to 4 bytes")
        self.registers[name] = value
        (self.transmitter if runs == "ST" else self.receiver).start(value)

    def write_DMAOMR(self, value: int) -> None:
        """FTF clears itself; ST and SR start from where they are."""
        if value & self.mask("DMAOMR", "DFRF"):
            self.refuse("DMAOMR.DFRF set", "the twin does not model frames that wait in the FIFO: leave it 0")
        before = self.registers["DMAOMR"]
        self.registers["DMAOMR"] = value & self.masks["DMAOMR"] & ~self.mask("DMAOMR", "FTF")
        for runs, name in (("ST", "DMATDLAR"), ("SR", "DMARDLAR")):
            started = self.field("DMAOMR", runs) and not before & self.mask("DMAOMR", runs)
            if started and not self.registers[name]:
                self.refuse(f"DMAOMR.{runs} set with {name} 0", "write the address of its descriptors first")
            if started:
                self.check_start(f"DMAOMR.{runs} set")
        self._state("TPS", _STOPPED if not self.field("DMAOMR", "ST") else _WAITING)
        self._state("RPS", _STOPPED if not self.field("DMAOMR", "SR") else _WAITING)
        for runs, flag in (("ST", "TPSS"), ("SR", "RPSS")):
            if before & self.mask("DMAOMR", runs) and not self.field("DMAOMR", runs):
                self._flag(flag)
        self.follow()
        if self.field("DMAOMR", "ST") and not before & self.mask("DMAOMR", "ST"):
            self._poll()  # it looks at its first descriptor by itself

    def write_DMATPDR(self, _value: int) -> None:
        self._poll()

    def write_DMARPDR(self, _value: int) -> None:
        if self.field("DMAOMR", "SR"):
            self._state("RPS", _WAITING)
            self.follow()

    def read_DMATPDR(self) -> int:
        return 0

    def read_DMARPDR(self) -> int:
        return 0

    def write_DMASR(self, value: int) -> None:
        """Flags are cleared by 1, the summaries as well (RM0090, ETH_DMASR)."""
        clear = sum(self.mask("DMASR", flag) for flag in (*_NORMAL, *_ABNORMAL, "AIS", "NIS"))
        self.registers["DMASR"] &= ~(value & clear)
        self._drive()

    def write_DMAIER(self, value: int) -> None:
        self.registers["DMAIER"] = value & self.masks["DMAIER"]
        self._summarise()

    def read_DMAMFBOCR(self) -> int:
        value = self.registers["DMAMFBOCR"]
        self.registers["DMAMFBOCR"] = 0
        return value

    def write_DMAMFBOCR(self, _value: int) -> None:
        """It is cleared by reading."""

    def write_DMARSWTR(self, value: int) -> None:
        if value:
            self.refuse(f"DMARSWTR = {value:#x}", "the twin does not model the watchdog of RS")

    # flags

    def _state(self, field: str, value: int) -> None:
        low, width = self.fields["DMASR"][field]
        self.registers["DMASR"] = self.registers["DMASR"] & ~(((1 << width) - 1) << low) | value << low

    def _flag(self, name: str) -> None:
        self.registers["DMASR"] |= self.mask("DMASR", name)
        self._summarise()

    def _summarise(self) -> None:
        """NIS and AIS are of the flags whose interrupt is enabled (RM0090, ETH_DMASR)."""
        for summary, flags in (("NIS", _NORMAL), ("AIS", _ABNORMAL)):
            if any(self.registers["DMASR"] & self.registers["DMAIER"] & self.mask("DMASR", flag) for flag in flags):
                self.registers["DMASR"] |= self.mask("DMASR", summary)
        self._drive()

    def _drive(self) -> None:
        asked = self.registers["DMASR"] & self.registers["DMAIER"]
        both = self.mask("DMASR", "NIS") | self.mask("DMASR", "AIS")
        self.die.nvic.set_line(_VECTOR, bool(asked & both), (self.name, self.name))

    # memory

    def _word(self, address: int) -> int:
        return self._master.read(address, WORD)

    def _look(self, ring: Ring, name: str) -> Descriptor:
        """The next descriptor of *ring*.  Nothing answering is a fatal bus error, after which the DMA stands still."""
        try:
            found = ring.look(self._word)
        except Unreachable as error:
            self.die.refuse(f"{name} at {ring.at:#010x}: {error}", "put descriptors into SRAM (RM0090 2.1)")
        self.registers["DMACHTDR" if ring.transmit else "DMACHRDR"] = ring.at
        return found

    def _move(self, ring: Ring, descriptor: Descriptor) -> None:
        ring.move(descriptor, enhanced=bool(self.field("DMABMR", "EDFE")), skip=self.field("DMABMR", "DSL"))

    # transmission

    def _poll(self) -> None:
        """Begin with the next frame, unless one is on the wire."""
        if not self.field("DMAOMR", "ST") or self.sending:
            return
        frame, words = self._gather()
        if not words:
            self._state("TPS", _SUSPENDED)
            self._flag("TBUS")
            return
        self._state("TPS", _WAITING)
        bits = (max(len(frame), LEAST) + _AROUND) * 8
        self.sending, self._frame = words, frame
        bps = self.wire_bps("a frame is sent") or _BPS
        self.die.timeline.at(f"{self.name}.tx", self.die.timeline.now + bits * PS_PER_S // bps)

    def _gather(self) -> tuple[bytes, list[tuple[int, int]]]:
        """The next frame and its descriptors; none where the DMA does not own the first one."""
        frame, words = bytearray(), list[tuple[int, int]]()
        while True:
            found = self._look(self.transmitter, "TX descriptor")
            if not found.owned:
                if words:
                    self.refuse(
                        f"the TX descriptor at {found.address:#010x} in the middle of a frame has OWN 0",
                        "give OWN of the first descriptor of a frame last",
                    )
                return b"", []
            head = found.words[0]
            self._check_head(found, first=not words)
            for address, size in found.buffers():
                self.registers["DMACHTBAR"] = address
                frame += self._bytes(address, size, "TX")
            words.append((found.address, head))
            self._move(self.transmitter, found)
            if head & desc.TX_LAST:
                break
        self._check_frame(frame)
        return bytes(frame), words

    def _check_head(self, found: Descriptor, *, first: bool) -> None:
        head = found.words[0]
        if bool(head & desc.TX_FIRST) != first:
            self.refuse(
                f"TDES0 {head:#010x} at {found.address:#010x} with FS {int(not first)}",
                "FS is set in the first descriptor of a frame, and there alone",
            )
        if head & desc.TX_CHECKSUM or head & desc.TX_STAMP:
            self.refuse(f"TDES0 {head:#010x}", "the twin has no checksums by the MAC and no time stamps")
        if head & (desc.TX_NO_CRC | desc.TX_NO_PAD):
            self.refuse(f"TDES0 {head:#010x}", "the twin does not model DC and DP: leave padding and FCS to the MAC")

    def _check_frame(self, frame: bytes | bytearray) -> None:
        if not 14 <= len(frame) <= MOST:
            self.refuse(f"a frame of {len(frame)} bytes", f"14 to {MOST}, without padding and FCS")
        if not self.field("DMAOMR", "TSF") and len(frame) > 64:
            self.die.forbid(
                f"{self.name}: a frame is sent with DMAOMR.TSF 0", "its FIFO may run empty: set TSF (store and forward)"
            )

    def _bytes(self, address: int, size: int, way: str) -> bytes:
        try:
            return b"".join(self._master.read(at, n).to_bytes(n, "little") for at, n in _accesses(address, size))
        except Unreachable as error:
            self.die.refuse(f"{way} buffer at {address:#010x}: {error}", "put buffers into SRAM (RM0090 2.1)")

    def _transmitted(self) -> None:
        """It has left: its descriptors go back, the last one with a status."""
        words, self.sending = self.sending, []
        for address, head in words:
            self._master.write(address, WORD, head & ~(desc.OWN | desc.TX_STATUS))
        self.put_on_wire(self._frame.ljust(LEAST, b"\0"))
        if words[-1][1] & desc.TX_IC:
            self._flag("TS")
        self._poll()

    # reception

    def follow(self) -> None:
        """The next frame on the cable arrives when its time is over."""
        key, size = f"{self.name}.rx", self.arriving()
        if not size:
            self._under_way = False
            self.die.timeline.cancel(key)
        elif not self._under_way:
            self._under_way = True
            self.die.timeline.at(key, self.die.timeline.now + (size + _AROUND) * 8 * PS_PER_S // _BPS)

    def _received(self) -> None:
        self._under_way = False
        frame = self.next_arrived()
        if frame is not None and self.field("DMAOMR", "SR"):
            self._store(frame)
        self.follow()

    def _store(self, frame: bytes) -> None:
        """Into as many descriptors as it takes; without one it is lost, and counted."""
        first, rest = True, frame
        while True:
            found = self._look(self.receiver, "RX descriptor")
            if not found.owned:
                self._lost(found, first=first)
                return
            rest = self._fill(found, rest)
            status = (desc.RX_FIRST if first else 0) | (0 if rest else desc.RX_LAST)
            if not rest:
                kind = int.from_bytes(frame[12:14], "big") >= 0x600
                status |= (desc.RX_TYPE if kind else 0) | len(frame) << 16
            self._master.write(found.address, WORD, status)
            self._move(self.receiver, found)
            first = False
            if not rest:
                break
        self._state("RPS", _WAITING)
        if not found.words[1] & desc.RX_QUIET:
            self._flag("RS")

    def _lost(self, found: Descriptor, *, first: bool) -> None:
        if not first:
            self.refuse(
                f"the RX descriptor at {found.address:#010x} in the middle of a frame has OWN 0",
                "the twin does not model frames that are cut: use buffers of 1,524 bytes",
            )
        self._state("RPS", _RX_SUSPENDED)
        count = self.registers["DMAMFBOCR"] & _COUNTED
        self.registers["DMAMFBOCR"] = count + 1 if count < _COUNTED else self.mask("DMAMFBOCR", "OMFC")
        self._flag("RBUS")

    def _fill(self, found: Descriptor, rest: bytes) -> bytes:
        """What of *rest* its buffers do not hold."""
        buffers = list(found.buffers())
        if not buffers:
            self.refuse(f"the RX descriptor at {found.address:#010x} has no buffer", "give RBS1 a multiple of 4")
        for address, size in buffers:
            if size & 3:
                self.refuse(f"RDES1 of {found.address:#010x} has a buffer of {size} bytes", "a multiple of 4 (RDES1)")
            part, rest = rest[:size], rest[size:]
            self.registers["DMACHRBAR"] = address
            try:
                for at, n in _accesses(address, len(part)):
                    self._master.write(at, n, int.from_bytes(part[at - address : at - address + n], "little"))
            except Unreachable as error:
                self.die.refuse(f"RX buffer at {address:#010x}: {error}", "put buffers into SRAM (RM0090 2.1)")
        return rest

    @staticmethod
    def fcs(frame: bytes) -> bytes:
        """The frame check sequence, as it is on the wire (IEEE 802.3 3.2.9)."""
        return zlib.crc32(frame).to_bytes(_FCS, "little")
