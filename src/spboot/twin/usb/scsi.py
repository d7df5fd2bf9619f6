"""The disk behind the transport: the few SCSI commands that reading takes (SPC-3, SBC-2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from spboot.twin.usb.packet import HostError
from spboot.twin.usb.quirks import Quirks

TEST_UNIT_READY, REQUEST_SENSE, INQUIRY, MODE_SENSE, READ_CAPACITY, READ_10 = 0x00, 0x03, 0x12, 0x1A, 0x25, 0x28
_WRITES: Final = {0x04: "FORMAT UNIT", 0x15: "MODE SELECT", 0x2A: "WRITE(10)", 0x2E: "WRITE AND VERIFY", 0x42: "UNMAP"}
_NONE, _BECOMING, _NO_MEDIUM, _MEDIUM_ERROR = (0, 0), (2, 0x0401), (2, 0x3A00), (3, 0x1100)
_BAD_COMMAND, _BAD_ADDRESS, _BAD_UNIT = (5, 0x2000), (5, 0x2100), (5, 0x2500)
_INQUIRY: Final = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a command gives: *data* for the host, whether it is good, and how its data end where they are short."""

    data: bytes = b""
    good: bool = True
    stalls: bool = False
    """A STALL ends the data stage."""
    phase_error: bool = False
    wants_in: bool | None = None
    """Which way its data go; None: it has none."""


@dataclass
class Disk:
    """The units, of which those with a medium have the bytes of *image*.  It is read, never written."""

    image: bytes
    quirks: Quirks
    vendor: bytes = b"SPBOOT  "
    product: bytes = b"Twin flash drive"
    powered: int = 0
    attentions: int = 0
    left: dict[str, int] = field(default_factory=dict)
    """How often each quirk that is counted will still show."""
    sense: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Unit -> sense key, and both codes, of the command that failed last."""
    commands: list[int] = field(default_factory=list)
    """What was asked, in its order."""

    @property
    def sectors(self) -> int:
        """Whole ones."""
        return len(self.image) // self.quirks.sector_size

    def power(self, now: int) -> None:
        """The supply came: all quirks are due again."""
        self.powered, self.commands = now, []
        names = ("inquiry_stalls", "read_stalls", "read_fails", "late_fails", "short_read", "phase_error")
        self.left = {name: int(getattr(self.quirks, name)) for name in names}
        self.reset()

    def reset(self) -> None:
        """The bus was reset."""
        self.attentions, self.sense = self.quirks.attentions, {}

    def _due(self, name: str) -> bool:
        self.left[name] -= 1
        return self.left[name] >= 0

    def _fail(self, unit: int, sense: tuple[int, int], *, wants_in: bool | None = None) -> Result:
        self.sense[unit] = sense
        return Result(good=False, stalls=bool(wants_in), wants_in=wants_in)

    def run(self, unit: int, block: bytes, now: int) -> Result:
        """The command *block* for *unit*.  Raises HostError for one that writes."""
        op = block[0]
        self.commands.append(op)
        if op in _WRITES:
            raise HostError(f"{_WRITES[op]} was sent to the flash drive", "a stick is never written: read it alone")
        if op == REQUEST_SENSE:
            return self._request_sense(unit, block)
        if op == INQUIRY:
            return self._inquiry(unit, block)
        if unit >= self.quirks.luns:
            return self._fail(unit, _BAD_UNIT)
        if self.attentions > 0:
            self.attentions -= 1
            return self._fail(unit, (6, self.quirks.attention_code << 8))
        if unit < self.quirks.empty_luns:
            return self._fail(unit, _NO_MEDIUM)
        if now < self.powered + round(self.quirks.ready_s * 1e12):
            return self._fail(unit, _BECOMING)
        if op == TEST_UNIT_READY:
            return Result()
        if op == READ_CAPACITY:
            last = self.sectors - 1
            data = last.to_bytes(4, "big") + self.quirks.sector_size.to_bytes(4, "big")
            return Result(data=data, wants_in=True)
        if op == READ_10:
            return self._read(unit, block)
        return self._fail(unit, _BAD_COMMAND)

    def _request_sense(self, unit: int, block: bytes) -> Result:
        key, codes = self.sense.pop(unit, _NONE)
        data = bytes([0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, codes >> 8, codes & 0xFF, 0, 0, 0, 0])
        return Result(data=data[: block[4]], wants_in=True)

    def _inquiry(self, unit: int, block: bytes) -> Result:
        if self._due("inquiry_stalls"):
            return self._fail(unit, _BAD_COMMAND, wants_in=True)
        kind = self.quirks.kind if unit < self.quirks.luns else 0x7F
        head = bytes([kind, 0x80 if self.quirks.removable else 0, 2, 2, 31, 0, 0, 0])
        data = head + self.vendor + self.product + b"1.00"
        assert len(data) == _INQUIRY
        return Result(data=data[: block[3] << 8 | block[4]], wants_in=True)

    def _read(self, unit: int, block: bytes) -> Result:
        first, count = int.from_bytes(block[2:6], "big"), int.from_bytes(block[7:9], "big")
        if first + count > self.sectors:
            return self._fail(unit, _BAD_ADDRESS, wants_in=True)
        size = self.quirks.sector_size
        data = self.image[first * size : (first + count) * size]
        if self._due("read_fails"):
            return self._fail(unit, _MEDIUM_ERROR, wants_in=True)
        if self._due("late_fails"):
            self.sense[unit] = _MEDIUM_ERROR
            return Result(data=bytes(len(data)), good=False, wants_in=True)
        if self._due("read_stalls"):
            self.sense[unit] = _MEDIUM_ERROR
            return Result(data=data[: len(data) // 2], good=False, stalls=True, wants_in=True)
        if self._due("phase_error"):
            return Result(data=data, phase_error=True, wants_in=True)
        if self._due("short_read"):
            return Result(data=data[: len(data) // 2], wants_in=True)
        return Result(data=data, wants_in=True)
