"""Where a device is brought to life from what its flash holds, again and again."""

from __future__ import annotations

import functools
import hashlib
import pickle
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from spboot.device import Device
from spboot.errors import DeviceError, SpbootError
from spboot.rehearsal.subject import Subject
from spboot.twin.memory.cells import FlashArray
from spboot.twin.memory.change import Change
from spboot.twin.memory.oplog import Cut, Kind
from spboot.twin.memory.trace import FlashTrace
from spboot.twin.nor.cells import SparseCells

_START: Final = re.compile(rb"\] starting (\S+)\r|loader: send")
_ON_TRIAL: Final = b"on trial"
LIFE_S: Final = 120.0
"""Virtual seconds within which a device starts something, an install included."""
_RECORD_S: Final = 0.005
"""Virtual seconds from the first operation of a confirmation to its end."""
_BANNER: Final = b"] spboot "
_STARTS: Final = 20
"""A device that starts so often and runs nothing goes on like that."""
_SHOWN: Final = 400

Cells = tuple[Any, ...]
"""What flash holds, with what its ECC says and which bits are frail: `save` of the one within, and of each outside."""


class Operation(NamedTuple):
    """One erase or program: *data* is what it was to store."""

    kind: Kind
    address: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Life:
    """What a device did from one power-on on."""

    outcome: str
    """The version that runs, "loader", or "" when nothing came of it: *words* say what."""
    words: str
    operations: tuple[Operation, ...]
    touched: frozenset[int]
    """The units of the range that was watched which it looked at."""
    end: Cells
    """What flash holds now."""


class Bench:
    """One twin with a *subject*."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.device = Device(subject.board, silence=subject.silence)
        self.device.program(subject.factory)
        twin = self.device.twin
        outside = [package.cells for package in twin.external.values()]
        self._flashes: list[FlashArray | SparseCells] = [twin.flash, *outside]
        self._trace = FlashTrace(twin.core, twin.flash, twin.log)
        for cells in outside:
            cells.on_sense = self._trace.look
        self.factory = self.held()
        self.device.power_on()
        self._new = self.device.snapshot()

    def fresh(self) -> Device:
        """The device as it leaves the factory, without power."""
        self._trace.end()
        self.device.restore(self._new)
        return self.device

    def done(self, cells: Cells, operations: Iterable[Operation]) -> Cells:
        """What flash holds when *operations* were done on *cells*."""
        self._hold(cells)
        for kind, address, data in operations:
            Change(self.device.twin.cells(address), kind, None).put(address, data)
        return self.held()

    def torn(self, cells: Cells, operation: Operation, cut: Cut) -> Cells:
        """What flash holds when *operation* on *cells* was torn by *cut*.  Raises TwinError where it cannot be."""
        self._hold(cells)
        flash = self.device.twin.cells(operation.address)
        Change(flash, operation.kind, None).tear(operation.address, operation.data, cut)
        return self.held()

    def held(self) -> Cells:
        """What flash holds now."""
        return tuple(flash.save() for flash in self._flashes)

    def _hold(self, cells: Cells) -> None:
        for flash, state in zip(self._flashes, cells, strict=True):
            flash.load(state)

    def live(self, cells: Cells, watched: range, *, hasty: bool = False) -> Life:
        """Switch the device on with *cells* in its flash, and let it run until the application it starts has had time
        to confirm itself, or the loader calls; *hasty* as for `start`."""
        self.device.restore(self._new)
        self._hold(cells)
        twin = self.device.twin
        self._trace.watch(twin.cells(watched.start), watched.start, watched.stop)
        first = len(twin.log)
        words = outcome = ""
        try:
            self.device.power_on()
            outcome = self.start(hasty=hasty)
        except SpbootError as error:
            words = str(error)
        return Life(outcome, words, operations(self.device, first), self._trace.touched, self.held())

    def updated(self, update: bytes) -> str:
        """What runs when the device, as it is, is given *update* through its loader.  Raises SpbootError."""
        self.device.reset()
        self.device.call()
        self.device.send(update)
        return self.start()

    def start(self, *, hasty: bool = False) -> str:
        """Run until an application was started and has settled, or the loader calls: which.  Raises DeviceError.

        *hasty*: one on trial has no time to confirm itself, loses its power, and what is started then counts."""
        output = self.device.twin.uart(self.subject.board.console.port).output
        begin = seen = len(output)

        def said() -> bool:
            nonlocal seen
            if len(output) == seen:
                return False
            seen = len(output)
            return _START.search(output, begin) is not None or output.count(_BANNER, begin) > _STARTS

        self.device.twin.run(until=said, seconds=LIFE_S)
        if not _last(output, begin):
            raise _nothing(bytes(output[begin:]))
        if _ON_TRIAL in output[begin:]:
            if hasty:
                self.device.power_on()
                return self.start()
            self._settle()
        return _last(output, begin)

    def _settle(self) -> None:
        """Give the application time to confirm itself."""
        twin = self.device.twin
        first = twin.log.total
        if twin.run(until=lambda: twin.log.total > first, seconds=self.subject.settle):
            twin.run(seconds=_RECORD_S)


def _last(output: bytearray, begin: int) -> str:
    """What was started last."""
    last = ""
    for found in _START.finditer(output, begin):
        last = found[1].decode(errors="replace") if found[1] else "loader"
    return last


def _nothing(said: bytes) -> DeviceError:
    last = said[-_SHOWN:].decode(errors="replace").replace("\r", "").strip()
    return DeviceError(f"nothing was started within {LIFE_S:g} s and {_STARTS} resets, but said: {last or 'nothing'}")


def operations(device: Device, first: int) -> tuple[Operation, ...]:
    """What was done to the flash of *device* since its *first* operation."""
    twin, found = device.twin, list[Operation]()
    for each in (twin.log[number] for number in range(first, len(twin.log))):
        erased = bytes([twin.cells(each.address).erased])
        found.append(Operation(each.kind, each.address, each.data or erased * each.size))
    return tuple(found)


def digest(cells: Cells) -> bytes:
    """Names what flash holds."""
    found = hashlib.sha256()
    content, poisoned, frail, _ = cells[0]
    found.update(content + repr((sorted(poisoned), frail[1:])).encode())
    for blocks, frail, *_ in cells[1:]:
        found.update(repr((sorted(blocks), frail[1:])).encode())
        for _, content in sorted(blocks.items()):
            found.update(content)
    return found.digest()


@functools.lru_cache(maxsize=2)
def _bench(pickled: bytes) -> Bench:
    return Bench(pickle.loads(pickled))


def bench_for(subject: Subject) -> Bench:
    """The bench of this process for *subject*; made once."""
    return _bench(pickle.dumps(subject))
