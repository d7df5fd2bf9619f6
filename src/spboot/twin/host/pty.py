"""Bridges between a UART of the twin and the host: file descriptors, and a pseudo-terminal for real clients."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from spboot.errors import TwinError
from spboot.twin.condition import Condition, condition
from spboot.twin.machine import Twin

_QUANTUM_S: Final = 0.005
_LOOK_S: Final = 0.05
_READ: Final = 1024


class Wire(Protocol):
    """What moves beside the UART, as frames of Ethernet."""

    @property
    def waiting(self) -> bool:
        """Whether the chip has sent something that is not taken yet."""

    def exchange(self) -> bool:
        """Take and give what is there; whether anything was."""

    def readers(self) -> Sequence[int]:
        """Descriptors at which something may come."""


class LineBridge:
    """Moves bytes between a UART and two file descriptors, and keeps the twin from running away from the host.

    While bytes flow or the firmware computes, virtual time runs as fast as it can; the time that the firmware waits for
    bytes passes *speed* times as fast as the host's."""

    def __init__(self, twin: Twin, port: str, reader: int, writer: int, speed: float = 1.0) -> None:
        self.twin = twin
        self.wire: Wire | None = None
        """What else is moved."""
        self.uart = twin.uart(port)
        self.speed = speed
        self._reader = reader
        self._writer = writer
        self._written = len(self.uart.output)
        self._ahead = 0.0

    def pump(self, until: Condition = None, seconds: float | None = None) -> bool:
        """Run until *until* holds; False after *seconds* of the host's time.  Raises what `Twin.run` raises."""
        met = condition(self.twin.uarts, until)
        start = time.monotonic()
        while True:
            began = time.monotonic()
            if seconds is not None and began - start > seconds:
                return False
            moved = self._come()
            idle = self.twin.idle
            try:
                over = self.twin.run(until=lambda: met() or self._answered(), seconds=_QUANTUM_S)
            finally:
                moved = self._give_out() or moved or self._frames()
            if over and met():
                return True
            self._pace(moved, self.twin.idle - idle, began)

    def _answered(self) -> bool:
        """The firmware said something and has nothing left to read."""
        said = len(self.uart.output) > self._written and not self.uart.queue
        return said or self._frames()

    def _frames(self) -> bool:
        return self.wire is not None and self.wire.waiting

    def _pace(self, moved: bool, idle: float, began: float) -> None:
        if moved or self.uart.queue:
            self._ahead = 0.0
            return
        self._ahead = max(0.0, self._ahead + idle / self.speed - (time.monotonic() - began))
        if self._ahead > _QUANTUM_S:
            waited = time.monotonic()
            self._sleep(min(self._ahead, _LOOK_S))
            self._ahead = max(0.0, self._ahead - (time.monotonic() - waited))

    def _sleep(self, seconds: float) -> None:
        """Until the host sends something, or *seconds* passed."""
        readers = list(self.wire.readers()) if self.wire is not None else []
        if self.listened():
            readers.append(self._reader)
        if readers:
            select.select(readers, [], [], seconds)
        else:
            time.sleep(seconds)

    def _take_in(self) -> bool:
        """Queue what the host sent, unless plenty is queued."""
        if len(self.uart.queue) >= _READ or not select.select([self._reader], [], [], 0)[0]:
            return False
        try:
            data = os.read(self._reader, _READ)
        except OSError:
            return False  # nobody has the other side open
        self.received(data)
        return bool(data)

    def exchange(self) -> None:
        """Take and give what is there, while the twin stands."""
        self._come()
        self._give_out()

    def _come(self) -> bool:
        """Take in what is there on all lines; whether anything was."""
        frames = self.wire is not None and self.wire.exchange()
        return self._take_in() or frames

    def received(self, data: bytes) -> None:
        """Bytes from the host."""
        self.uart.send(data)

    def listened(self) -> bool:
        """Whether there is anybody to hear; otherwise what the chip sends is lost, as on a real line."""
        return True

    def _give_out(self) -> bool:
        data = bytes(self.uart.output[self._written :])
        if not self.listened():
            self._written += len(data)
            return False
        while data:
            try:
                count = os.write(self._writer, data)
            except BlockingIOError:
                break  # a client that does not read: keep the rest for later
            except OSError:
                count = len(data)
            self._written += count
            data = data[count:]
            if not data:
                return True
        return False


class PtyBridge(LineBridge):
    """A pseudo-terminal at a UART: give `path` to a terminal program or to `sb`.

    *link* becomes a symbolic link to it while it is there, so that its name is the same each time."""

    def __init__(self, twin: Twin, port: str, speed: float = 1.0, *, link: Path | None = None) -> None:
        if sys.platform == "win32":
            raise TwinError("Windows has no pseudo-terminals: run the twin without --pty, on the terminal itself")
        import tty

        self._master, slave = os.openpty()
        self.path = os.ttyname(slave)
        tty.setraw(slave)
        os.close(slave)
        os.set_blocking(self._master, False)
        self._link = link
        if link is not None:
            self._make_link(link)
        self._poll = select.poll()
        self._poll.register(self._master, 0)
        super().__init__(twin, port, self._master, self._master, speed)

    def _make_link(self, link: Path) -> None:
        """Point *link* to the device; one of an earlier run, whose device is gone, is replaced."""
        device, part = self.path, link.with_name(f".{link.name}.{os.getpid()}.part")
        try:
            if link.exists():  # a link whose device is gone does not
                raise TwinError(f"{link} exists already: give a name that is free, or end the twin that has it")
            part.symlink_to(device)
            part.replace(link)
            self.path = str(link)
        except OSError as error:
            raise TwinError(f"{link}: cannot be made: {error.strerror}") from None
        finally:
            if self.path == device:
                self.close()

    def close(self) -> None:
        """Take the device away."""
        with contextlib.suppress(OSError):
            if self._link is not None and self.path == str(self._link):
                self._link.unlink()
            os.close(self._master)

    def listened(self) -> bool:
        return not any(event & select.POLLHUP for _, event in self._poll.poll(0))

    def __enter__(self) -> PtyBridge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
