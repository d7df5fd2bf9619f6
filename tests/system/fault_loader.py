"""Faults in the engine while the loader takes an update that it must refuse.

A boot without a fault follows, which verifies once more what was committed; with a single slot there is nothing to
install, and SLOT0 is what the engine made it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import unicorn

from spboot.errors import SpbootError
from spboot.link import ymodem
from spboot.twin.condition import condition
from spboot.twin.host.port import TwinPort
from tests.system.fault import KINDS
from tests.system.fault_states import NOW, OLD, Maker, fill
from tests.system.listing import Listing
from tests.system.rig import Rig
from tests.system.striker import Point, Result, Strike, Striker
from tests.system.trace import Trace, sample

ENGINE: Final = re.compile(
    r"engine_data|chunk|accept|fits|shape|floor|vouch|header|permit|misfit|below|journal|match|open_candidate"
)
"""Functions with the decisions; by link-time optimisation most of them are in chunk or spb_engine_data."""
_ACK: Final = 6
_CALLS: Final = b"loader: send"
_EOT: Final = b"\x04"

UPDATES: Final[dict[str, Callable[[Maker], bytes]]] = {
    "unsigned": lambda m: m.update("1.2.0", signer=m.stranger),
    "older": lambda m: m.update(OLD),
    "other product": lambda m: m.update("1.2.0", signer=m.other),
    "other board": lambda m: m.update("1.2.0", target="OTHER-BOARD"),
}


def packets(data: bytes) -> list[bytes]:
    """What is sent for the file *data*, each to be answered by ACK."""
    head = ymodem.packet(0, b"a\0" + str(len(data)).encode() + b"\0", 128)
    blocks = [ymodem.packet(1 + n // 1024, data[n : n + 1024], 1024) for n in range(0, len(data), 1024)]
    return [head, *blocks, _EOT, ymodem.packet(0, b"", 128)]


def answered(port: TwinPort) -> bool:
    """Whether the device takes what was sent."""
    answer = port.read(1, 1.0)
    while answer == b"C":
        answer = port.read(1, 1.0)
    return answer == bytes((_ACK,))


class Loading:
    """A device in its loader, given *update* again and again.  *only*: the functions that faults are in."""

    def __init__(self, maker: Maker, update: bytes, only: re.Pattern[str] = ENGINE) -> None:
        self._only = only
        self.board = maker.board
        self.allowed = maker.slot(NOW)
        self.rig = Rig(maker.shop, None)
        self.twin = self.rig.twin
        fill(self.rig, self.board.slot0, self.allowed)
        fill(self.rig, self.board.slot0.rest, maker.rest)
        self.rig.enter_loader()
        self._packets = packets(update)
        port = TwinPort(self.twin, self.board.console.port)
        port.write(self._packets[0])
        assert answered(port), "the loader does not take the name of a file"
        self.twin.run(seconds=0.01)  # its C
        self._operations = self.twin.log.total
        self._striker = Striker(self.twin.core)
        self.listing = Listing(maker.shop.boot.elf, self.twin)
        self._ready = self.twin.snapshot()
        self._base = self.twin.instructions
        self._fetched = self._strayed = False
        areas = [area for area in (self.board.slot0, self.board.slot1) if area is not None]
        for area in areas:
            self.twin.core.uc.hook_add(unicorn.UC_HOOK_CODE, self._on_fetch, begin=area.address, end=area.end - 1)
        self._follow()

    def _on_fetch(self, _uc: Any, address: int, *_: Any) -> None:
        slot1 = self.board.slot1
        self._fetched, self._strayed = True, slot1 is not None and slot1.address <= address < slot1.end
        self.twin.core.end_slice()

    def _is_allowed(self) -> bool:
        return self.twin.flash_read(self.board.slot0.address, len(self.allowed)) == self.allowed

    def _follow(self) -> None:
        """The transfer without a fault."""
        self.trace = Trace(self.twin, self.listing.named(self._only))
        self._port().write(self._packets[1])
        assert not answered(self._port()), "the device took it"
        self.trace.end()
        assert self.twin.log.total == self._operations, "the device touched flash"
        self.twin.restore(self._ready)
        self._port().write(self._packets[1])
        self.twin.run(instructions=self.trace.indices[0] - 2000, seconds=5.0)
        self._ready = self.twin.snapshot()

    def _port(self) -> TwinPort:
        """The line as it is now."""
        return TwinPort(self.twin, self.board.console.port)

    def _go_on(self) -> None:
        """The first block of the file is on its way: wait for the answer, and send what follows."""
        port = self._port()
        for packet in self._packets[2:]:
            if not answered(port):
                return
            port.write(packet)
        answered(port)

    def points(self) -> list[Point]:
        """The instructions of the decisions, each at its last execution."""
        return sorted((self.trace.point(hits[-1]) for hits in self.trace.executions().values()), key=lambda p: p.index)

    def strikes(self, kind: str, number: int | None = None, seed: int = 0) -> list[Strike]:
        """The faults of a *kind* at all points, or *number* of them."""
        return sample(self.trace.strikes(self.points(), KINDS[kind]), number, seed)

    def struck(self, strike: Strike) -> Result:
        """The transfer with *strike*, and two boots behind it."""
        self.twin.restore(self._ready)
        self._fetched = self._strayed = False
        self._striker.arm(strike, self._base)
        result = Result(strike, "refused")
        try:
            self._go_on()
            self._striker.disarm()
            if self._strayed:
                result.outcome, result.detail = "strayed", "fetched from SLOT1"
            elif self.twin.log.total != self._operations:
                self._boots(result)
        except SpbootError as error:
            result.outcome, result.detail = "unknown", str(error)
        finally:
            self._striker.disarm()
        if self._striker.missed or not self._striker.done:
            result.detail += " (missed)"
        return result

    def sweep(self, strikes: Iterable[Strike]) -> Iterator[Result]:
        """One after the other."""
        return map(self.struck, strikes)

    def _boots(self, result: Result) -> None:
        for nth in range(2):
            if nth:
                self._fetched = False
                self.rig.power_on()
            self._run_up_to(condition(self.twin.uarts, _CALLS))
            if self._fetched and not self._is_allowed():
                result.outcome, result.detail = "accepted", "started"
                return
        if not self._is_allowed():
            result.outcome = "spoilt"

    def _run_up_to(self, called: Callable[[], bool]) -> None:
        self.twin.run(until=lambda: self._fetched or called(), seconds=1.0)

    def place(self, strike: Strike) -> str:
        """Where it is and what it does, in words."""
        return f"{self.listing.place(strike.point.address)}: {strike.fault.words}"
