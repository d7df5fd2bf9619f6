"""The flash drive packet by packet, with a host in Python: chapters 8 and 9 of USB 2.0, Bulk-Only Transport, SPC-3."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from spboot.twin.timeline import PS_PER_MS
from spboot.twin.usb import descriptors
from spboot.twin.usb.packet import HostError, Packet, Reply
from spboot.twin.usb.quirks import Quirks
from spboot.twin.usb.stick import Stick

IMAGE = bytes(range(256)) * 32
CBW = struct.Struct("<4sIIBBB16s")
INQUIRY, CAPACITY = bytes([0x12, 0, 0, 0, 36, 0]), bytes([0x25]).ljust(10, b"\0")


class Host:
    """Does what a host may, and what none may."""

    def __init__(self, stick: Stick) -> None:
        self.stick, self.now, self.address = stick, 0, 0
        self.toggles = {"in": 0, "out": 0}
        stick.power(0)
        self.reset()

    def reset(self) -> None:
        self.stick.bus_reset(self.now)
        self.now, self.address = self.now + 11 * PS_PER_MS, 0

    def send(self, token: Any, endpoint: int, data: bytes = b"", toggle: int = 0) -> Reply:
        self.now += 1_000_000
        packet = Packet(token=token, address=self.address, endpoint=endpoint, data=data, toggle=toggle)
        return self.stick.transact(packet, self.now)

    def control(self, kind: int, request: int, value: int = 0, index: int = 0, length: int = 0) -> bytes | None:
        """The data, None where it is a STALL."""
        assert self.send("SETUP", 0, struct.pack("<BBHHH", kind, request, value, index, length)).outcome == "ack"
        got, toggle = b"", 1
        while kind & 0x80 and len(got) < length:
            reply = self.send("IN", 0)
            if reply.outcome == "stall":
                return None
            assert reply.toggle == toggle
            got, toggle = got + reply.data, toggle ^ 1
            if len(reply.data) < self.stick.mps0:
                break
        end = self.send("OUT" if kind & 0x80 and length else "IN", 0, b"", 1)
        return None if end.outcome == "stall" else got

    def configure(self) -> None:
        assert self.control(0, 5, 7) == b""
        self.address, self.now = 7, self.now + 3 * PS_PER_MS
        assert self.control(0, 9, 1) == b""

    def out(self, data: bytes) -> Reply:
        reply = self.send("OUT", 2, data, self.toggles["out"])
        self.toggles["out"] ^= reply.outcome == "ack"
        return reply

    def in_(self) -> Reply:
        reply = self.send("IN", 1)
        if reply.outcome == "ack":
            assert reply.toggle == self.toggles["in"]
            self.toggles["in"] ^= 1
        return reply

    def command(self, block: bytes, size: int, *, tag: int = 9, into: int = 0x80, unit: int = 0) -> Reply:
        return self.out(CBW.pack(b"USBC", tag, size, into, unit, len(block), block))

    def status(self) -> tuple[int, int]:
        """Residue and status."""
        signature, _tag, residue, status = struct.unpack("<4sIIB", self.in_().data)
        assert signature == b"USBS"
        return residue, status


def host(**how: Any) -> Host:
    mine = {key: how.pop(key) for key in list(how) if key in Stick.__dataclass_fields__}
    made = Host(Stick(IMAGE, quirks=Quirks(**{"attentions": 0, **how}), **mine))
    made.configure()
    return made


@pytest.mark.parametrize("mps0", [8, 64])
def test_descriptors(mps0: int) -> None:
    made = Host(Stick(IMAGE, mps0=mps0, interfaces=descriptors.WITH_UAS))
    whole = made.control(0x80, 6, 0x100, 0, 64)
    assert whole is not None
    assert len(whole) == 18
    assert whole[7] == mps0
    made.configure()
    head = made.control(0x80, 6, 0x200, 0, 9)
    assert head is not None
    (total,) = struct.unpack_from("<H", head, 2)
    assert made.control(0x80, 6, 0x200, 0, 255) == made.stick.configuration_descriptor
    assert total == len(made.stick.configuration_descriptor or b"")
    assert made.control(0x80, 6, 0x300, 0, 255) is None  # no strings


def test_a_sector() -> None:
    made = host()
    assert made.command(bytes([0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0]), 512).outcome == "ack"
    assert b"".join(made.in_().data for _ in range(8)) == IMAGE[1536:2048]
    assert made.status() == (0, 0)
    assert made.in_().outcome == "nak"


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "drive.img").write_bytes(IMAGE)
    assert Stick(tmp_path / "drive.img").storage.disk.image == IMAGE


def test_capacity() -> None:
    made = host()
    made.command(CAPACITY, 8)
    assert made.in_().data == struct.pack(">II", len(IMAGE) // 512 - 1, 512)
    assert made.status() == (0, 0)


def test_less_than_was_asked_for() -> None:
    """Cases 4 and 5: data, a STALL, and the residue behind it."""
    made = host()
    made.command(INQUIRY, 128)
    assert len(made.in_().data) == 36
    assert made.status() == (128 - 36, 0)  # a short packet ends the data
    made.command(bytes(6), 20)  # TEST UNIT READY has none
    assert made.in_().outcome == "stall"
    assert made.in_().outcome == "stall"
    assert made.control(2, 1, 0, 0x81) == b""
    made.toggles["in"] = 0
    assert made.status() == (20, 0)


def test_a_command_that_is_not_valid() -> None:
    """6.6.1: both endpoints stall, until a reset and two cleared halts, in that order."""
    made = host()
    assert made.out(b"USBC").outcome == "ack"
    assert made.in_().outcome == "stall"
    assert made.out(bytes(31)).outcome == "stall"
    assert made.control(2, 1, 0, 0x81) == b""
    assert made.in_().outcome == "stall"
    assert made.control(0x21, 0xFF, 0, 0) == b""
    assert made.control(2, 1, 0, 0x81) == b""
    assert made.control(2, 1, 0, 0x02) == b""
    made.toggles = {"in": 0, "out": 0}
    made.command(CAPACITY, 8)
    assert len(made.in_().data) == 8


def test_a_toggle_that_is_not_due() -> None:
    """The packet counts as one that comes again: it is acknowledged, and nothing else."""
    made = host()
    made.toggles["out"] = 1
    assert made.command(CAPACITY, 8).outcome == "ack"
    assert made.in_().outcome == "nak"


def test_requests_that_are_refused() -> None:
    made = Host(Stick(IMAGE))
    assert made.control(0, 9, 1) is None  # no address yet
    assert made.control(0xA1, 0xFE, 0, 0, 1) is None  # not configured
    made.configure()
    assert made.control(0, 9, 2) is None  # no such configuration
    assert made.control(0x21, 0xFF, 0, 1) is None  # another interface
    assert made.control(2, 1, 0, 0x85) is None  # another endpoint
    assert made.control(0xC0, 1, 0, 0, 4) is None  # a vendor's
    assert made.control(0xA1, 0xFE, 0, 0, 1) is None  # one unit
    assert host(max_lun_stalls=False, luns=3).control(0xA1, 0xFE, 0, 0, 1) == b"\2"
    assert made.send("IN", 5).outcome == "silence"
    made.address = 3
    assert made.send("IN", 1).outcome == "silence"


def test_failures_have_a_reason() -> None:
    """Until it was asked for, once; a sector behind the end, a command that nobody knows, a unit that is not there."""
    made = host()
    cases = ((bytes([0x28, 0, 0, 0, 0, 99, 0, 0, 1, 0]), 512, 0, 0x21), (bytes([0x1B]) + bytes(5), 0, 0, 0x20))
    for block, size, unit, code in (*cases, (bytes(6), 0, 5, 0x25)):
        made.command(block, size, unit=unit)
        if size:
            assert made.in_().outcome == "stall"
            made.control(2, 1, 0, 0x81)
            made.toggles["in"] = 0
        assert made.status() == (size, 1)
        for expected in (code, 0):
            made.command(bytes([3, 0, 0, 0, 18, 0]), 18, unit=unit)
            assert made.in_().data[12] == expected
            assert made.status() == (0, 0)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (lambda made: made.command(bytes([0x2A]) + bytes(9), 512, into=0), r"WRITE\(10\) was sent"),
        (lambda made: made.command(bytes(6), 512, into=0), "announces 512 bytes"),
        (lambda made: [made.command(CAPACITY, 8), made.command(CAPACITY, 8)], "has its data to give"),
        (lambda made: [made.command(CAPACITY, 8), made.in_(), made.command(CAPACITY, 8)], "has its status to give"),
        (lambda made: [made.stick.bus_reset(made.now), made.send("IN", 1)], "ms too early"),
        (lambda made: made.send("SETUP", 0, bytes(7)), "a SETUP packet of 7 bytes"),
        (lambda made: [made.send("SETUP", 0, bytes.fromhex("8006000100001200")), made.send("IN", 0),
                       made.send("OUT", 0, b"", 0)], "with data, or with DATA0"),
    ],
)  # fmt: skip
def test_what_no_host_may_do(what: Any, said: str) -> None:
    with pytest.raises(HostError, match=said):
        what(host())


def test_transfers_are_counted() -> None:
    """Control transfers, and stages: what a quirk counts by."""
    made = host()
    before = made.stick.transfers
    made.control(0x80, 6, 0x100, 0, 18)
    made.command(CAPACITY, 8)
    made.in_()
    made.in_()
    assert made.stick.transfers == before + 4
    pulled = host(pulled_at=before + 1)
    pulled.control(0x80, 6, 0x100, 0, 18)
    assert pulled.command(CAPACITY, 8).outcome == "silence"
    assert pulled.stick.gone()
