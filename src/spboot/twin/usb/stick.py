"""A flash drive: endpoint 0 (USB 2.0 chapters 8 and 9), and bulk-only transport behind two others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from spboot import disk
from spboot.twin.timeline import PS_PER_MS, PS_PER_S
from spboot.twin.usb import descriptors
from spboot.twin.usb.descriptors import BULK, BULK_ONLY, HUB_CLASS, MASS_STORAGE, Interface
from spboot.twin.usb.packet import ACK, BABBLE, NAK, SILENCE, STALL, HostError, Packet, Reply
from spboot.twin.usb.quirks import Quirks
from spboot.twin.usb.scsi import Disk
from spboot.twin.usb.storage import BulkOnly

_RESET_RECOVERY_PS: Final = 10 * PS_PER_MS
"""TRSTRCY (USB 2.0 7.1.7.5): it need not listen for so long after a reset,"""
_ADDRESS_PS: Final = 2 * PS_PER_MS
"""nor after SET_ADDRESS (9.2.6.3)."""
_NONE: Final = Quirks()


@dataclass
class Control:
    """A control transfer that is under way."""

    data: bytes
    into_host: bool
    stalls: bool
    sent: int = 0
    toggle: int = 1
    ended: bool = False
    """A packet shorter than the largest was sent."""


@dataclass
class Stick:
    """*image* is what is on it, or the file that has that; it is never written.

    *mps0* is the packet size of endpoint 0."""

    image: bytes | Path
    mps0: int = 64
    interfaces: Sequence[Interface] = descriptors.ONE
    quirks: Quirks = _NONE
    device_descriptor: bytes | None = None
    """In place of the one that would be built,"""
    configuration_descriptor: bytes | None = None
    """and of this."""
    transfers: int = 0
    """Control transfers, and stages of bulk-only transport, that began since the supply came."""
    pulled: bool = False
    storage: BulkOnly = field(init=False)
    address: int = 0
    configuration: int = 0
    _new_address: int = -1
    _resets: int = 0
    _deaf_until: int = 0
    _naks: int = 0
    _silences: int = 0
    _babbles: bool = False
    _bulk_begun: bool = False
    _control: Control | None = None

    def __post_init__(self) -> None:
        image = disk.read(self.image) if isinstance(self.image, Path) else self.image
        self.storage = BulkOnly(Disk(image, self.quirks))
        made = descriptors.device(mps0=self.mps0, kind=HUB_CLASS if self.quirks.hub else 0)
        self.device_descriptor = made if self.device_descriptor is None else self.device_descriptor
        if self.configuration_descriptor is None:
            self.configuration_descriptor = descriptors.configuration(self.interfaces)

    @property
    def speed(self) -> Literal["full", "low"]:
        """By which data line it is pulled up."""
        return "low" if self.quirks.low_speed else "full"

    @property
    def connect_ps(self) -> int:
        """From its supply to the pull-up of its data line."""
        return round(self.quirks.connect_s * PS_PER_S)

    def power(self, now: int) -> None:
        """Its supply comes: everything is as from the factory."""
        self.transfers, self._resets, self._silences = 0, 0, self.quirks.silences
        self.storage.power(now)
        self._forget()

    def _forget(self) -> None:
        self.address, self.configuration, self._new_address, self._control = 0, 0, -1, None
        self._bulk_begun = self._babbles = False
        self._naks = 0

    def bus_reset(self, now: int) -> None:
        """The host ended a reset of the bus."""
        self._resets += 1
        self._deaf_until = now + _RESET_RECOVERY_PS
        self.storage.bus_reset()
        self._forget()

    def gone(self) -> bool:
        """Whether it was pulled out by its quirk."""
        return self.pulled

    # packets

    def transact(self, packet: Packet, now: int) -> Reply:
        """Answer *packet*.  Raises HostError for what no host may do."""
        if now < self._deaf_until:
            raise HostError(
                f"a {packet.token} token came {(self._deaf_until - now) / PS_PER_MS:.1f} ms too early",
                "wait 10 ms after a reset of the bus, 2 ms after SET_ADDRESS (USB 2.0 7.1.7.5, 9.2.6.3)",
            )
        if self.pulled or packet.address != self.address or self._resets < self.quirks.resets:
            return SILENCE
        reply = self._control_packet(packet) if packet.endpoint == 0 else self._bulk(packet, now)
        self._settle_address(reply, now)
        return reply

    def _settle_address(self, reply: Reply, now: int) -> None:
        if self._new_address >= 0 and self._control is None and reply.outcome == "ack":
            self.address, self._new_address = self._new_address, -1
            self._deaf_until = now + _ADDRESS_PS

    def _begin(self) -> None:
        """Another transfer begins."""
        number, self.transfers = self.transfers, self.transfers + 1
        self._naks = 0
        self.pulled = number == self.quirks.pulled_at
        self._babbles = number == self.quirks.babble_at

    def _unanswered(self) -> bool:
        """Whether the transfer that has begun is the silent one."""
        if self.pulled:
            return True
        if self.transfers - 1 != self.quirks.silent_at or self._silences <= 0:
            return False
        self._silences -= 1
        return True

    def _busy(self, naks: int) -> bool:
        """Whether this packet is answered by NAK."""
        if naks < 0:
            return True
        self._naks += 1
        if self._naks <= naks:
            return True
        self._naks = 0
        return False

    # endpoint 0

    def _control_packet(self, packet: Packet) -> Reply:
        if packet.token == "SETUP":
            self._begin()
            if self._unanswered():
                return SILENCE
            self._control = self._request(packet.data)
            return ACK
        control = self._control
        if control is None:
            return STALL
        if self._unanswered():
            return SILENCE
        if self._busy(self.quirks.control_naks):
            return NAK
        if control.stalls:
            self._control = None
            return STALL
        if packet.token == "IN" and control.into_host:
            return self._control_data(control)
        return self._control_status(packet)

    def _control_data(self, control: Control) -> Reply:
        if self._babbles:
            return BABBLE
        if control.ended:
            self._control = None
            return STALL  # more than SETUP asked for
        piece = control.data[control.sent : control.sent + self.mps0]
        control.sent += len(piece)
        control.ended = len(piece) < self.mps0
        toggle, control.toggle = control.toggle, control.toggle ^ 1
        return Reply(outcome="ack", data=piece, toggle=toggle)

    def _control_status(self, packet: Packet) -> Reply:
        """No data, DATA1, against the way of the data stage (USB 2.0 8.5.3)."""
        self._control = None
        if packet.token == "IN":
            return Reply(outcome="ack", toggle=1)
        if packet.data or packet.toggle != 1:
            raise HostError("a status stage with data, or with DATA0", "it is an empty packet, DATA1 (USB 2.0 8.5.3)")
        return ACK

    def _request(self, setup: bytes) -> Control:
        """What SETUP asks for (USB 2.0 9.3, 9.4)."""
        if len(setup) != 8:
            raise HostError(f"a SETUP packet of {len(setup)} bytes", "it has 8 (USB 2.0 9.3)")
        kind, request, value, index, length = (
            setup[0],
            setup[1],
            *(int.from_bytes(setup[at : at + 2], "little") for at in (2, 4, 6)),
        )
        into_host = bool(kind & 0x80 and length)
        answer = self._answer(kind, request, value, index)
        data = b"" if answer is None else answer[:length]
        return Control(data=data, into_host=into_host, stalls=answer is None)

    def _answer(self, kind: int, request: int, value: int, index: int) -> bytes | None:
        """The data, b"" for none, None for a STALL."""
        match kind, request:
            case 0x80, 6:
                return {1: self.device_descriptor, 2: self.configuration_descriptor}.get(value >> 8)
            case 0x00, 5:
                self._new_address = value
                return b""
            case 0x00, 9:
                return self._configure(value)
            case 0x02, 1:
                return self._clear_halt(value, index)
            case 0xA1, 0xFE if self.configuration and index == self._interface.number:
                return None if self.quirks.max_lun_stalls and self.quirks.luns == 1 else bytes([self.quirks.luns - 1])
            case 0x21, 0xFF if self.configuration and index == self._interface.number:
                self.storage.recover()
                return b""
        return None

    def _configure(self, value: int) -> bytes | None:
        if value > 1 or not self.address:
            return None
        self.configuration = value
        self.storage.configured()
        return b""

    @property
    def _interface(self) -> Interface:
        """The one with bulk-only transport."""
        return next((each for each in self.interfaces if each.kind[0::2] == (MASS_STORAGE, BULK_ONLY)), Interface())

    def _endpoint(self, way: str) -> int:
        found = [at for at, kind, _ in self._interface.endpoints if kind == BULK and (at >= 0x80) == (way == "in")]
        return found[0] if found else 0

    def _clear_halt(self, value: int, index: int) -> bytes | None:
        for way in ("in", "out"):
            if value == 0 and self.configuration and index == self._endpoint(way):
                self.storage.clear_halt(way)
                return b""
        return None

    # the other endpoints

    def _bulk(self, packet: Packet, now: int) -> Reply:
        way = "in" if packet.token == "IN" else "out"
        if not self.configuration or packet.endpoint | (0x80 if way == "in" else 0) != self._endpoint(way):
            return SILENCE
        storage = self.storage
        stage = (storage.stage, storage.tag)
        if not self._bulk_begun and not (way == "in" and storage.stage == "command"):
            self._begin()
            self._bulk_begun = True
            if self.transfers - 1 == self.quirks.toggle_error_at and way == "in":
                storage.toggles["in"] ^= 1
            if self.transfers - 1 == self.quirks.halts_at and storage.stage == "data":
                storage.halted.add("in")
                storage.stage = "status"
        if self._unanswered():
            return SILENCE
        if self._busy(self.quirks.naks) and way not in storage.halted:
            return NAK
        if self._babbles and way == "in":
            self._babbles = False
            return BABBLE
        reply = storage.take(packet.data, packet.toggle, now) if way == "out" else storage.give(now)
        if (storage.stage, storage.tag) != stage or reply.outcome == "stall":
            self._bulk_begun = False
        return reply
