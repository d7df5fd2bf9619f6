"""A device on the twin for a browser: it runs in a thread of its own, with its console on a pseudo-terminal."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from spboot.formats.header import HEADER_SIZE, Header
from spboot.formats.manifest import EXTENSION_SIZE
from spboot.twin.host.pty import PtyBridge
from spboot.version import Version
from tests.system.rig import Rig

SPEED: Final = 1.0
"""Of what the firmware waits for: in life the page types twenty times a second, and has a tenth of one for it."""
_LOOK_S: Final = 0.05
_WAIT_S: Final = 120.0
_RESETS: Final = 10
T = TypeVar("T")


class Tap(PtyBridge):
    """A pseudo-terminal that keeps what the host sent."""

    def __init__(self, rig: Rig) -> None:
        self.heard = bytearray()
        super().__init__(rig.twin, rig.board.console.port, SPEED)

    def received(self, data: bytes) -> None:
        self.heard += data
        super().received(data)


class Bench:
    """*rig* at the pseudo-terminal `path`."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._asked: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._bridge = Tap(rig)
        self.path = self._bridge.path
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def do(self, work: Callable[[], T]) -> T:
        """Something with the twin, while it stands."""
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def answer() -> None:
            try:
                done.put((work(), None))
            except Exception as error:
                done.put((None, error))

        self._asked.put(answer)
        found, error = done.get(timeout=_WAIT_S)
        if error is not None:
            raise error
        result: T = found
        return result

    def replug(self) -> None:
        """Pull the cable, and plug it in elsewhere: its pseudo-terminal is hung up, and there is another."""

        def work() -> None:
            self._bridge.close()
            self._bridge = Tap(self.rig)
            self.path = self._bridge.path

        self.do(work)

    def reset(self) -> None:
        self.do(self.rig.reset)

    def reset_to_loader(self) -> None:
        """As often as it takes: on a busy machine nobody types in time."""
        for _ in range(_RESETS):
            start, end = len(self.said()), time.monotonic() + _WAIT_S
            self.reset()
            while not (found := re.search("loader: send|r resets", self.said()[start:])):
                assert time.monotonic() < end, "it neither entered its loader nor started"
                time.sleep(_LOOK_S)
            if found[0] != "r resets":
                return
        raise AssertionError(f"in {_RESETS} resets the loader was not entered")

    def said(self) -> str:
        return self.do(lambda: self.rig.uart.output.decode(errors="replace"))

    def heard(self) -> bytes:
        """All that came over its line, since the cable is where it is."""
        return self.do(lambda: bytes(self._bridge.heard))

    def listened(self) -> bool:
        """Whether a program has its port open."""
        return self.do(lambda: self._bridge.listened())

    def installed(self) -> str:
        """The version in the header of SLOT0, off its flash."""
        address = self.rig.board.slot0.address
        data = self.do(lambda: self.rig.twin.flash_read(address, HEADER_SIZE + EXTENSION_SIZE))
        return str(Version.unpack(Header.parse(data).manifest.version))

    def close(self) -> None:
        self._asked.put(None)
        self._thread.join(_WAIT_S)
        self._bridge.close()

    def _run(self) -> None:
        while True:
            self._bridge.pump(until=lambda: not self._asked.empty(), seconds=_LOOK_S)
            while not self._asked.empty():
                asked = self._asked.get()
                if asked is None:
                    return
                asked()


@contextmanager
def bench(rig: Rig) -> Iterator[Bench]:
    """One that does not outlive its use."""
    made = Bench(rig)
    try:
        yield made
    finally:
        made.close()
