"""Bulk-only transport (Universal Serial Bus Mass Storage Class, Bulk-Only Transport 1.0), the side of the device."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final, Literal

from spboot.twin.usb.packet import ACK, NAK, STALL, HostError, Reply
from spboot.twin.usb.scsi import Disk, Result

_CBW: Final = struct.Struct("<IIIBBB16s")
_CSW: Final = struct.Struct("<IIIB")
assert (_CBW.size, _CSW.size) == (31, 13)
_CBW_SIGNATURE, _CSW_SIGNATURE = 0x43425355, 0x53425355
PACKET: Final = 64
"""Bytes of a bulk packet at full speed."""

Stage = Literal["command", "data", "status", "dead"]


@dataclass
class BulkOnly:
    """One interface.  *luns* is the highest number of a unit, and 1."""

    disk: Disk
    stage: Stage = "command"
    tag: int = 0
    want: int = 0
    """Bytes that the host announced."""
    sent: int = 0
    result: Result = field(default_factory=Result)
    halted: set[str] = field(default_factory=set)
    """Endpoints, "in" and "out", that answer STALL until the host clears that."""
    toggles: dict[str, int] = field(default_factory=lambda: {"in": 0, "out": 0})
    left: dict[str, int] = field(default_factory=dict)
    recoveries: int = 0
    """Bulk-Only Mass Storage Resets since the supply came."""
    begun: bool = False
    """The stage that is under way has had its first packet."""

    def power(self, now: int) -> None:
        """The supply came: all quirks are due again."""
        names = ("short_csw", "long_csw", "wrong_tag", "wrong_signature", "csw_stalls")
        self.left = {name: int(getattr(self.disk.quirks, name)) for name in names}
        self.disk.power(now)
        self.recoveries = 0
        self.bus_reset()

    def bus_reset(self) -> None:
        """The bus was reset."""
        self.disk.reset()
        self.configured()
        self.stage, self.begun = "command", False

    def configured(self) -> None:
        """SET_CONFIGURATION: toggles are DATA0, no endpoint is halted (USB 2.0 9.1.1.5)."""
        self.halted = set()
        self.toggles = {"in": 0, "out": 0}

    def recover(self) -> None:
        """Bulk-Only Mass Storage Reset; toggles and halts stay (3.1)."""
        self.stage, self.begun = "command", False
        self.recoveries += 1

    def clear_halt(self, way: str) -> None:
        """CLEAR_FEATURE(ENDPOINT_HALT).  Without a reset before it a device that lost step stays halted (5.3.4)."""
        self.toggles[way] = 0
        if self.stage != "dead":
            self.halted.discard(way)

    def _due(self, name: str) -> bool:
        self.left[name] -= 1
        return self.left[name] >= 0

    # OUT

    def take(self, data: bytes, toggle: int, now: int) -> Reply:
        """A packet from the host.  Raises HostError where none is due."""
        if self.stage == "dead" or "out" in self.halted:
            return STALL
        if self.stage != "command":
            raise HostError(
                f"{len(data)} bytes were sent to a flash drive that has its {self.stage} to give",
                "read data and CSW first, or reset it (Bulk-Only Transport 5.3.4)",
            )
        if toggle != self.toggles["out"]:
            return ACK  # it takes it for one that comes again
        self.toggles["out"] ^= 1
        self._command(data, now)
        return ACK

    def _command(self, data: bytes, now: int) -> None:
        """A CBW that is not valid or not meaningful makes both endpoints stall until reset recovery (6.2, 6.6.1)."""
        signature, tag, want, flags, unit, length, block = _CBW.unpack(data) if len(data) == 31 else (0,) * 6 + (b"",)
        if signature != _CBW_SIGNATURE or flags & 0x7F or unit > 15 or not 1 <= length <= 16:
            self.stage, self.halted = "dead", {"in", "out"}
            return
        self.tag, self.want, self.sent, self.begun = tag, want, 0, False
        self.result = self.disk.run(unit, block[:length], now)
        if want and not flags >> 7:
            raise HostError(f"command {block[0]:#04x} announces {want} bytes for the flash drive", "it is read alone")
        if self.result.wants_in is None or not want:
            self.stage = "status"
            if want:  # case 4, Hi > Dn
                self.halted.add("in")
            return
        self.stage = "data"

    # IN

    def give(self, now: int) -> Reply:
        """A packet for the host."""
        del now
        if self.stage == "dead" or "in" in self.halted:
            return STALL
        if self.stage == "command":
            return NAK
        self.begun = True
        return self._status() if self.stage == "status" else self._data()

    def _data(self) -> Reply:
        data = self.result.data[: self.want]
        if self.sent >= len(data):  # less than the host wants: cases 4 and 5
            self.stage, self.begun = "status", False
            self.halted.add("in")
            return STALL
        piece = data[self.sent : self.sent + PACKET]
        self.sent += len(piece)
        if self.sent == self.want or (len(piece) < PACKET and not self.result.stalls):
            self.stage, self.begun = "status", False
        elif len(piece) < PACKET:
            self.sent = len(data)
        return self._packet(piece)

    def _status(self) -> Reply:
        if self._due("csw_stalls"):
            self.halted.add("in")
            return STALL
        status = 2 if self.result.phase_error else int(not self.result.good)
        tag = self.tag ^ 1 if self._due("wrong_tag") else self.tag
        signature = 0x53425300 if self._due("wrong_signature") else _CSW_SIGNATURE
        csw = _CSW.pack(signature, tag, self.want - self.sent, status)
        self.stage, self.begun = "command", False
        if self._due("long_csw"):
            csw = csw.ljust(PACKET, b"\xa5")
        return self._packet(csw[:12] if self._due("short_csw") else csw)

    def _packet(self, data: bytes) -> Reply:
        toggle = self.toggles["in"]
        self.toggles["in"] ^= 1
        return Reply(outcome="ack", data=data, toggle=toggle)
