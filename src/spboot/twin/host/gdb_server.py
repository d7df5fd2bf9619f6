"""Lets one gdb at a time in, from this machine only, and moves packets between its socket and the session."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Callable
from typing import Final

from spboot.errors import SpbootError, TwinError
from spboot.twin.errors import PowerCut
from spboot.twin.host.gdb_debugger import Halted
from spboot.twin.host.gdb_packet import Event, Reader, framed
from spboot.twin.host.gdb_session import Session
from spboot.twin.machine import Twin

_HERE: Final = "127.0.0.1"
_READ: Final = 4096
_UNSENT: Final = 1 << 20
"""A gdb that has not taken so many bytes of our answers does not read them."""


class GdbServer:
    """Listens on *port* of this machine for a gdb; 0 is any that is free.  *power_on* switches the supply of *twin* off
    and on; *say* is told in a line who comes and goes.  A context manager.  Raises TwinError when the port is taken.

    While `stopped` nobody runs the twin.  Who runs it tells `halted`, `refused` and `lost_power` what ended the run."""

    def __init__(self, twin: Twin, port: int, *, power_on: Callable[[], None], say: Callable[[str], None]) -> None:
        self._twin = twin
        self._power_on = power_on
        self._say = say
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind((_HERE, port))
            self._listener.listen()
        except OSError as error:
            self._listener.close()
            raise TwinError(f"port {port} of {_HERE} cannot be had: {error.strerror}: choose another one") from None
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._client: socket.socket | None = None
        self._session: Session | None = None
        self._reader = Reader()
        self._unsent = bytearray()
        self._last = b""

    def __enter__(self) -> GdbServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()
        self._listener.close()

    @property
    def attached(self) -> bool:
        """Whether there is a gdb."""
        return self._session is not None

    @property
    def stopped(self) -> bool:
        """Whether it has stopped the core."""
        return self._session is not None and self._session.stopped

    # what the core did

    def halted(self, halt: Halted) -> None:
        """A run ended by the debugger."""
        if self._session is not None:
            self._session.halted(halt)
            self._flush()

    def refused(self, error: SpbootError) -> bool:
        """A run ended as the twin refused something; whether there is a gdb to look at it."""
        if self._session is None:
            return False
        self._session.refused(error)
        self._flush()
        return True

    def lost_power(self, cut: PowerCut) -> None:
        """A run ended by a power cut, and the power is back."""
        if self._session is not None:
            self._session.lost_power(cut)
            self._flush()

    # what gdb does

    def serve(self, seconds: float = 0.0) -> None:
        """Answer what came, or comes within *seconds*.  Raises what the twin had refused when gdb leaves it there."""
        waits = [self._listener, *([self._client] if self._client else [])]
        writes = [self._client] if self._client and self._unsent else []
        ready, _, _ = select.select(waits, writes, [], seconds)
        if self._listener in ready:
            self._let_in()
        if self._client in ready:
            self._receive()
        self._flush()

    def _let_in(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return  # it is gone already
        if self._client is not None:
            client.close()
            self._say("gdb: a second one was turned away: there is one already")
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client, self._reader, self._last = client, Reader(), b""
        self._unsent.clear()
        self._session = Session(self._twin, self._power_on, self._send)
        self._say(f"gdb: connected; stopped at {self._twin.where(self._twin.core.pc)}")

    def _receive(self) -> None:
        assert self._client is not None
        try:
            data = self._client.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        for event in self._reader.feed(data):
            self._take(event)
            if self._session is None or self._session.over:
                break
        if not data or (self._session is not None and self._session.over):
            self._flush()
            self._leave()

    def _take(self, event: Event) -> None:
        session = self._session
        assert session is not None
        acknowledged = not session.quiet
        if event.kind == "interrupt":
            session.interrupt()
        elif event.kind == "again":
            self._unsent += self._last
        elif event.kind == "damaged":
            self._unsent += b"-" if acknowledged else b""
        else:
            self._unsent += b"+" if acknowledged else b""
            if event.kind == "too long":
                session.too_long()
            else:
                session.take(event.data)

    def _send(self, body: bytes) -> None:
        self._last = framed(body)
        self._unsent += self._last

    def _flush(self) -> None:
        """Send what the socket takes; who takes nothing is let go."""
        if self._client is None or not self._unsent:
            return
        try:
            sent = self._client.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            sent = len(self._unsent)  # the next read tells that it is gone
        del self._unsent[:sent]
        if len(self._unsent) > _UNSENT:
            self._leave()

    def _leave(self) -> None:
        """Gdb is gone: the core goes on, unless it cannot."""
        end = self._session.end if self._session is not None else None
        self._drop()
        self._say("gdb: gone; running on" if end is None else "gdb: gone")
        if end is not None:
            raise end

    def _drop(self) -> None:
        if self._session is not None:
            self._session.close()
        if self._client is not None:
            with contextlib.suppress(OSError):
                self._client.close()
        self._session = self._client = None
