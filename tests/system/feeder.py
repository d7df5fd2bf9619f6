"""Drives feeder.c on a Rig: every public function, from any context, and back to a snapshot between two tries."""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from spboot import release
from spboot.builder.demo import build_app
from spboot.formats.spec import spec
from spboot.image import Image
from spboot.version import Version
from tests.system.rig import Rig, Workshop

GATES: Final[list[str]] = spec()["abi"]["gates"]
CODES: Final[list[str]] = [name for name, _ in spec()["status"]["codes"]]
SENTENCES: Final[dict[str, str]] = dict(spec()["status"]["codes"])
SUCCESS: Final = 1
IMMEDIATE, NEXT, COMMAND = 0, 1, 0xFFFF

_REQUEST = struct.Struct("<c3B6I")
_REPLY = struct.Struct("<11I")
_STATUS = struct.Struct("<BBxxIIII")
_START_INFO = struct.Struct("<IHxxI")
assert (_REQUEST.size, _REPLY.size, _STATUS.size, _START_INFO.size) == (28, 44, 20, 12)
_INFO, _SE, _OTHER, _LENGTHS, _OUT = 64, 96, 128, 0, 192  # in scratch; lengths stand behind the update


class Mode(IntEnum):
    """Where a call comes from."""

    MAIN = 0
    TASK = 1
    HANDLER = 2
    TWO_TASKS = 3
    UNPRIVILEGED = 4


class Stage(IntEnum):
    IDLE = 0
    UPDATE = 1
    VERIFIED = 2


@dataclass(frozen=True, slots=True)
class Reply:
    """What happened during the call or calls; see feeder.c."""

    result: int
    calls: int
    ticks: int
    cycles: int
    late: int
    stack_used: int
    guards_spoilt: int
    switches: int
    other_calls: int
    other_refused: int
    other_busy: int


@dataclass(frozen=True, slots=True)
class Status:
    """SE_PATCH_Status."""

    completed: int
    error: int
    code: str
    stage: Stage
    accum: int
    total: int


def _ballast(version: str) -> bytes:
    """Something for several pages and many chunks, most of it the same in every version."""
    rnd = random.Random(1)
    words = [rnd.randbytes(rnd.randrange(2, 12)) for _ in range(60)]
    data = b"".join(rnd.choice(words) if rnd.random() < 0.8 else rnd.randbytes(3) for _ in range(600))
    return data[:500] + version.encode() + data[500:2300] + version.encode() + data[2300:2600]


def feeder_app(shop: Workshop, version: str, compiler: str | None = None) -> bytes:
    """The feeder that calls itself *version*, by the compiler of *shop* unless another is named."""
    name = compiler or shop.compiler

    def make() -> bytes:
        source = Path(__file__).with_name("feeder.c").resolve()
        elf = build_app(
            shop.board, [str(source)], shop.folder / f"feeder-{name}-{version}.elf", Version.parse(version), name
        )
        return Image.load(elf, shop.board, "1.0.0").data + _ballast(version)

    return shop._once(("feeder", version, name), make)


class Feeder:
    """A device that runs feeder.c as 1.0.0, and the updates that fit it."""

    def __init__(
        self, shop: Workshop, *, compiler: str | None = None, boot: bytes | None = None, stack: int | None = None
    ) -> None:
        """*stack*: where that of main ends, instead of the end of its RAM."""
        self.shop = shop
        self.app = feeder_app(shop, "1.0.0", compiler)
        if stack is not None:
            self.app = stack.to_bytes(4, "little") + self.app[4:]
        self.rig = Rig(shop, app=self.app)
        if boot is not None:
            self.rig.twin.flash_load(shop.board.bootloader.address, boot)
        self.twin, self.uart = self.rig.twin, self.rig.uart
        self.rig.power_on()
        self.greeting = self.rig.listen(b"feeder 1.0.0 ready\r\n")
        self.facts = self._hello()
        self.buffer, _, self.scratch, _, self.feeding, self.tick_cycles = self.facts[:6]
        self.last = Reply(*[0] * 11)
        self.after_boot = self.twin.snapshot()

    # updates

    def image(self, version: str = "1.1.0") -> bytes:
        """The .sfb of the feeder as *version*: several chunks."""
        return self.shop._once(
            ("feeder image", version), lambda: self.shop.wrap(feeder_app(self.shop, version), version)
        )

    def patch(self, new: bytes | None = None) -> bytes:
        """The .sfbp from the running feeder to itself as 1.1.0, or to *new*."""
        target = feeder_app(self.shop, "1.1.0") if new is None else new
        old, made = self.shop.made(self.app, "1.0.0"), self.shop.made(target, "1.1.0")
        return release.patch(old, made, keys=self.shop.keys)

    # the line

    def _ask(self, request: bytes, seconds: float = 5.0) -> bytes:
        """Send *request*, and what is answered up to a whole reply."""
        start = len(self.uart.output)
        self.uart.send(request)
        wanted = start + _REPLY.size
        assert self.twin.run(until=lambda: len(self.uart.output) >= wanted, seconds=seconds), "the feeder is silent"
        return bytes(self.uart.output[start:])

    def _request(self, op: bytes, gate: int = 0, mode: int = 0, other: int = 0, args: Sequence[int] = ()) -> bytes:
        return _REQUEST.pack(op, gate, mode, other, *args, *[0] * (6 - len(args)))

    def _hello(self) -> tuple[int, ...]:
        start = len(self.uart.output)
        self.uart.send(self._request(b"h"))
        size = 0
        self.twin.run(until=lambda: len(self.uart.output) >= start + 4)
        size = 4 + 4 * int.from_bytes(self.uart.output[start : start + 4], "little")
        assert self.twin.run(until=lambda: len(self.uart.output) >= start + size + _REPLY.size)
        return struct.unpack(f"<{size // 4 - 1}I", self.uart.output[start + 4 : start + size])

    def write(self, address: int, data: bytes) -> None:
        """Write RAM, as a debug probe does: over the line that would be most of a test's time.  The application itself
        writes a register."""
        if self.twin.rams.holds(address, len(data)):
            self.twin.core.store(address, data)
        else:
            self._ask(self._request(b"w", args=(address, len(data))) + data)

    def call(
        self,
        name: str,
        *args: int,
        mode: Mode = Mode.MAIN,
        other: tuple[str, int, int] = ("SE_PATCH_Poll", 0, 0),
    ) -> int:
        """Call the public function *name*; what it returned.  *last* tells the rest."""
        words = (*args, *[0] * (3 - len(args)), self.scratch + _OTHER, *other[1:])
        self.last = Reply(
            *_REPLY.unpack(self._ask(self._request(b"c", GATES.index(name), mode, GATES.index(other[0]), words)))
        )
        return self.last.result

    def call_without_return(self, name: str, *args: int) -> None:
        """Begin a call that resets the chip."""
        self.uart.send(self._request(b"c", GATES.index(name), args=args))

    def printed(self, name: str, size: int, *, mode: Mode = Mode.MAIN) -> bytes:
        """What the call *name*(status) prints: *size* bytes before its reply."""
        start = len(self.uart.output)
        self.uart.send(self._request(b"c", GATES.index(name), mode, args=(self.scratch,)))
        wanted = start + size + _REPLY.size
        assert self.twin.run(until=lambda: len(self.uart.output) >= wanted)
        self.last = Reply(*_REPLY.unpack(self.uart.output[start + size :]))
        return bytes(self.uart.output[start : start + size])

    # the update functions; each returns what is in *status afterwards

    @property
    def status(self) -> Status:
        return self._status(0)

    @property
    def other_status(self) -> Status:
        """Of the second task."""
        return self._status(_OTHER)

    def _status(self, at: int) -> Status:
        done, error, code, stage, accum, total = _STATUS.unpack(self.twin.ram_read(self.scratch + at, _STATUS.size))
        return Status(done, error, CODES[code], Stage(stage), accum, total)

    def init(self, *, kind: int = 0, delay: int = COMMAND, total: int = 0, mode: Mode = Mode.MAIN) -> Status:
        self.write(self.scratch + _INFO, _START_INFO.pack(kind, delay, total))
        self.call("SE_PATCH_Init", self.scratch, self.scratch + _INFO, mode=mode)
        return self.status

    def load(self, data: bytes) -> None:
        """Put *data* where `feed` takes it from: at an odd address."""
        self.write(self.buffer + 1, data)

    def feed(
        self, start: int, size: int, *, mode: Mode = Mode.MAIN, other: tuple[str, int, int] | None = None
    ) -> Status:
        """One SE_PATCH_Data with bytes loaded before."""
        self.call(
            "SE_PATCH_Data",
            self.scratch,
            self.buffer + 1 + start,
            size,
            mode=mode,
            other=other or ("SE_PATCH_Poll", 0, 0),
        )
        return self.status

    def data(self, data: bytes, *, mode: Mode = Mode.MAIN) -> Status:
        self.load(data)
        return self.feed(0, len(data), mode=mode)

    def divided(self, data: bytes, cuts: Sequence[int], *, mode: Mode = Mode.MAIN) -> Status:
        """*data* by one SE_PATCH_Data for each piece between *cuts*."""
        lengths = [end - start for start, end in itertools.pairwise((0, *cuts, len(data)))]
        behind = self.buffer + (len(data) + 3) // 2 * 2
        self.load(data)
        self.write(behind, struct.pack(f"<{len(lengths)}H", *lengths))
        words = (self.buffer + 1, behind, len(lengths), self.scratch + _OTHER, 0, 0)
        request = self._request(b"p", GATES.index("SE_PATCH_Data"), mode, GATES.index("SE_PATCH_Poll"), words)
        self.last = Reply(*_REPLY.unpack(self._ask(request)))
        return self.status

    def simple(self, name: str, *, mode: Mode = Mode.MAIN) -> Status:
        """SE_PATCH_<name>(status)."""
        self.call(f"SE_PATCH_{name}", self.scratch, mode=mode)
        return self.status

    def sentence(self, code: int) -> str:
        """SE_PATCH_GetStatusCodeString."""
        address = self.call("SE_PATCH_GetStatusCodeString", code)
        ram = self.rig.board.ram
        assert ram.address <= address < ram.end
        return self.twin.ram_read(address, ram.end - address).split(b"\0")[0].decode()

    def query(self, name: str, fill: int, *args: int, null: bool = False) -> tuple[int, int, bytes]:
        """SE_APP_<name>(status, out[, size]) with *out* filled before: result, *status, *out."""
        out = self.scratch + _OUT
        self.write(out, bytes([fill]) * 256)
        result = self.call(f"SE_APP_{name}", self.scratch + _SE, 0 if null else out, *args)
        status = int.from_bytes(self.twin.ram_read(self.scratch + _SE, 4), "little")
        return result, status, self.twin.ram_read(out, 256)

    # the device

    def again(self) -> None:
        """Back to just after the boot."""
        self.twin.restore(self.after_boot)

    def flash(self) -> bytes:
        """All of it."""
        return self.twin.flash_read(self.twin.flash.address, self.twin.flash.size)

    def reset(self) -> bytes:
        """Reset, and what is said until an application is ready."""
        self.uart.queue.clear()
        self.twin.reset()
        return self.rig.listen(b"ready\r\n")

    def assert_old_boots(self) -> None:
        assert b"feeder 1.0.0 ready" in self.reset()
        assert self.twin.flash_read(self.shop.board.image_address, len(self.app)) == self.app
