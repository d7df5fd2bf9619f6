"""Direct memory access: who asks for it, and what all its controllers have in common.

A block that asks goes on asking while it has something to move; a controller moves one item for it whenever an enabled
channel listens to that request.  Copies from memory to memory need nobody who asks: they take their time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.master import Master

Request = tuple[str, str]
"""Block and signal, as ("USART2", "RX")."""
_COPY_CYCLES: Final = 5
"""Cycles of the bus that an item takes from memory to memory: a read, a write, and arbitration."""


class Requester(Block, like="usart_v3"):
    """Base of blocks that ask for DMA."""

    SIGNALS: ClassVar[tuple[str, ...]] = ("RX", "TX")
    _asking = False

    def wants(self, signal: str) -> int:
        """How many items could be moved for *signal* now."""
        raise NotImplementedError

    def ask(self) -> None:
        """Ask for all that could be moved."""
        if self._asking:
            return
        self._asking = True
        try:
            for signal in self.SIGNALS:
                while (wanted := self.wants(signal)) and self._served(signal, wanted):
                    pass
        finally:
            self._asking = False

    def _served(self, signal: str, wanted: int) -> bool:
        request = self.name, signal
        takers = [(block, n) for block in self._controllers for n in block.listeners(request)]
        if len(takers) > 1:
            names = " and ".join(block.channel(n) for block, n in takers)
            self.die.refuse(
                f"{names} both listen to {self.name} {signal}",
                "disable one: what happens is unpredictable (RM0451 10.3.2, RM0440 13.4.4)",
            )
        for block, n in takers:
            if block.from_memory(n) != (signal == "TX"):
                self.die.refuse(
                    f"{block.channel(n)} moves data the wrong way for {self.name} {signal}", "correct its direction"
                )
            block.take(n)
            if block.moves(n) and self.wants(signal) == wanted:
                self.die.refuse(
                    f"{block.channel(n)} answers {self.name} {signal}, but at another address than its data register",
                    "correct the address of the peripheral: the request stays up",
                )
        return bool(takers)

    @cached_property
    def _controllers(self) -> list[Controller]:
        return [block for block in self.die.blocks.values() if isinstance(block, Controller)]


class Controller(Block, like="dma_v2"):
    """Base of controllers with channels, which count from 0 here."""

    STATE: ClassVar[tuple[str, ...]] = ("copying",)

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self.master = Master(die, facts.name)
        self.count = len(facts.interrupts)
        self.first = 0 if "CH0" in facts.interrupts else 1
        """The number of the first channel in the manual's words."""
        self.wires = self._find_wires()
        """(channel, or -1 for any; number of the request, None where it has no choice) -> what it is wired to."""
        self._listening: dict[Request, list[int]] | None = None
        for n in range(self.count):
            die.timeline.on(f"{self.name}.{n}", partial(self._on_copied, n))

    def _find_wires(self) -> dict[tuple[int, int | None], Request]:
        wires: dict[tuple[int, int | None], Request] = {}
        for block in self.die.chip.blocks.values():
            for signal, server, number in block.dma:
                name, _, channel = server.partition("_CH")
                if name == self.name:
                    wires[int(channel) - self.first if channel else -1, number] = block.name, signal
        return wires

    def _handle(
        self, name: str, write: Callable[[int], None] | None = None, read: Callable[[], int] | None = None
    ) -> None:
        offset = self.offset_of(name)
        if write is not None:
            self._writers[offset] = write
        if read is not None:
            self._readers[offset] = read

    def _drop(self, wanted: Callable[[str], bool]) -> None:
        """Forget registers that the part lacks."""
        self.names = {offset: name for offset, name in self.names.items() if wanted(name)}

    def reset(self) -> None:
        super().reset()
        self.copying: dict[int, int] = {}
        """Channel that copies memory -> the time up to which it has."""
        self._listening = None
        for n in range(self.count):
            self.die.timeline.cancel(f"{self.name}.{n}")
            self.line(self.vector(n), False)

    def load(self, state: Any) -> None:
        super().load(state)
        self._listening = None

    def vector(self, n: int) -> str:
        """The name of a channel's interrupt."""
        return f"CH{n + self.first}"

    def channel(self, n: int) -> str:
        """A channel in words."""
        return f"{self.name} channel {n + self.first}"

    # what a kind of controller says of a channel

    def moves(self, n: int) -> bool:
        """Whether it is enabled and has something left to move."""
        raise NotImplementedError

    def source(self, n: int) -> Request | None:
        """The request that it listens to."""
        raise NotImplementedError

    def from_memory(self, n: int) -> bool:
        """Whether a peripheral is where the data goes."""
        raise NotImplementedError

    def take(self, n: int) -> None:
        """Move an item."""
        raise NotImplementedError

    def ahead(self, n: int) -> int:
        """How many items are left until it sets its next flag."""
        raise NotImplementedError

    # requests

    def listeners(self, request: Request) -> list[int]:
        """Channels that would take *request* now.  In Stop a controller has no clock."""
        if not self.clocked or self.die.in_stop:
            return []
        if self._listening is None:
            self._listening = {}
            for n in range(self.count):
                if self.moves(n) and n not in self.copying and (source := self.source(n)) is not None:
                    self._listening.setdefault(source, []).append(n)
        return [n for n in self._listening.get(request, ()) if self.moves(n)]

    def rewire(self) -> None:
        """What channels listen to may be something else from now on."""
        self._listening = None

    def write(self, offset: int, size: int, value: int) -> None:
        self._listening = None
        super().write(offset, size, value)

    def begin(self, n: int) -> None:
        """A channel was enabled, or can go on: serve who asks already."""
        self._listening = None
        source = self.source(n)
        if source is not None and self.moves(n):
            self.die.block(source[0], Requester).ask()

    def stood_still(self, span: int) -> None:
        """After Stop, what was asked for meanwhile is served."""
        self.copying = {n: since + span for n, since in self.copying.items()}
        for n in range(self.count):
            if n not in self.copying:
                self.begin(n)

    def check_cache(self, n: int, address: int, size: int) -> None:
        """Data that the core may have in its cache: the contents of caches are not modelled (decision 0018)."""
        if size and (self.master.cached(address) or self.master.cached(address + size - 1)):
            self.die.doubt(
                f"{self.channel(n)} uses {address:#010x} while the data cache is on",
                "write its lines back before and drop them behind the transfer, or keep the buffer where no cache is"
                " (PM0253 4.8)",
            )

    # from memory to memory

    def copy(self, n: int) -> None:
        """Begin to move all that a channel has."""
        self.copying[n] = self.die.timeline.now
        self._listening = None
        self._appoint(n)

    def end_copy(self, n: int) -> None:
        """Nothing more is moved."""
        if self.copying.pop(n, None) is not None:
            self.die.timeline.cancel(f"{self.name}.{n}")

    def _item_ps(self) -> int:
        return _COPY_CYCLES * self.die.timeline.cycle_ps

    def _appoint(self, n: int) -> None:
        self.die.timeline.at(f"{self.name}.{n}", self.copying[n] + self.ahead(n) * self._item_ps())

    def _on_copied(self, n: int, _when: int) -> None:
        self._catch_up(n)

    def settle(self) -> None:
        """Move what is due by now."""
        for n in list(self.copying):
            self._catch_up(n)

    def _catch_up(self, n: int) -> None:
        item = self._item_ps()
        while n in self.copying and self.copying[n] + item <= self.die.timeline.now:
            self.copying[n] += item
            self.take(n)
            if not self.moves(n):
                self.end_copy(n)
        if n in self.copying:
            self._appoint(n)

    def read(self, offset: int, size: int) -> int:
        if self.copying:
            self.settle()
        return super().read(offset, size)
