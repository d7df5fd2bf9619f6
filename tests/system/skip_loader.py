"""One instruction of the engine left out while the loader takes an update that it must refuse.

A boot without a fault follows, which verifies once more what was committed; with a single slot there is nothing to
install, and SLOT0 is what the engine made it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any, Final

import unicorn

from spboot.errors import SpbootError
from spboot.link import ymodem
from spboot.twin.condition import condition
from spboot.twin.host.port import TwinPort
from tests.system.rig import Rig
from tests.system.skip import Omission, Point, Result, functions_of
from tests.system.skip_states import NOW, OLD, Maker, fill

ENGINE: Final = re.compile(
    r"engine_data|chunk|accept|fits|shape|floor|vouch|header|permit|misfit|below|journal|match|open_candidate"
)
"""Functions with the decisions; by link-time optimisation most of them are in spb_engine_data."""
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
    """A device in its loader, given *update* again and again."""

    def __init__(self, maker: Maker, update: bytes, *, width: int = 1) -> None:
        self.board = maker.board
        self.allowed = maker.slot(NOW)
        self.rig = Rig(maker.shop, None)
        self.twin = self.rig.twin
        fill(self.rig, self.board.slot0, self.allowed)
        self.rig.enter_loader()
        self._packets = packets(update)
        port = TwinPort(self.twin, self.board.console.port)
        port.write(self._packets[0])
        assert answered(port), "the loader does not take the name of a file"
        self.twin.run(seconds=0.01)  # its C
        self._operations = self.twin.log.total
        self._omission = Omission(self.twin, width)
        self.functions = functions_of(maker.shop.boot.elf)
        self._ready = self.twin.snapshot()
        self._base = self.twin.instructions
        self._fetched = False
        areas = [area for area in (self.board.slot0, self.board.slot1) if area is not None]
        for area in areas:
            self.twin.core.uc.hook_add(unicorn.UC_HOOK_CODE, self._on_fetch, begin=area.address, end=area.end - 1)
        self._follow()

    def _on_fetch(self, *_: Any) -> None:
        self._fetched = True
        self.twin.core.end_slice()

    def _is_allowed(self) -> bool:
        return self.twin.flash_read(self.board.slot0.address, len(self.allowed)) == self.allowed

    def _follow(self) -> None:
        """The transfer without a fault."""
        self._trace: list[tuple[int, int]] = []

        def seen(_uc: Any, address: int, *_: Any) -> None:
            self._trace.append((self.twin.core.executed - 1 - self._base, address))

        uc = self.twin.core.uc
        wanted = [f for f in self.functions if ENGINE.search(f.name)]
        hooks = [uc.hook_add(unicorn.UC_HOOK_CODE, seen, begin=f.start, end=f.end - 1) for f in wanted]
        uc.ctl_flush_tb()
        self._port().write(self._packets[1])
        assert not answered(self._port()), "the device took it"
        for hook in hooks:
            uc.hook_del(hook)
        uc.ctl_flush_tb()
        assert self.twin.log.total == self._operations, "the device touched flash"
        self.twin.restore(self._ready)
        self._port().write(self._packets[1])
        self.twin.run(instructions=self._trace[0][0] - 2000, seconds=5.0)
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

    def points(self, number: int, seed: int = 0) -> list[Point]:
        """*number* of the instructions of the decisions, each once, at its last execution."""
        last = {address: index for index, address in self._trace if not self._in_it_block(address)}
        points = [Point(index, address) for address, index in last.items()]
        if len(points) > number:
            points = random.Random(seed).sample(points, number)
        return sorted(points, key=lambda point: point.index)

    def _in_it_block(self, address: int) -> bool:
        """Whether an IT stands within the four instructions before *address*, or what looks like it."""
        words = [self.twin.core.halfword(address - back) for back in range(2, 18, 2)]
        return self.twin.chip.core != "cm0p" and any(w & 0xFF00 == 0xBF00 and w & 0xF for w in words)

    def without(self, point: Point) -> Result:
        """The transfer with *point* left out, and two boots behind it."""
        self.twin.restore(self._ready)
        self._fetched = False
        self._omission.arm(point, self._base)
        result = Result(point, "refused")
        try:
            self._go_on()
            if self.twin.log.total != self._operations:
                self._boots(result)
        except SpbootError as error:
            result.outcome, result.detail = "unknown", str(error)
        finally:
            self._omission.point = None
        if self._omission.missed or not self._omission.done:
            result.detail += " (missed)"
        return result

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

    def place(self, address: int) -> str:
        """An address as function and offset."""
        function = next(f for f in self.functions if f.start <= address < f.end)
        return f"{function.name}+{address - function.start:#x}"
