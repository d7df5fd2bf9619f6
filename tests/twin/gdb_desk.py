"""A twin with a gdb server in this process, and a raw socket in the place of gdb."""

from __future__ import annotations

import socket
from contextlib import suppress

from spboot.errors import TwinError
from spboot.twin import GdbServer, Halted, PowerCut, Twin
from spboot.twin.host.gdb_packet import framed

COUNTER = """
void __attribute__((noinline)) beat(void) { OUT[0]++; }
void main_(void) { OUT[0] = OUT[1] = 0; for (;;) { beat(); } }
"""


class Desk:
    """A gdb that is asked for by hand; `turn` does what `spboot twin` does between two of its packets."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self.said: list[str] = []
        self.server = GdbServer(twin, 0, power_on=twin.power_on, say=self.said.append)
        self.heard = bytearray()
        self.line = self.connect()

    def connect(self) -> socket.socket:
        """One more client, let in or turned away."""
        line = socket.create_connection(("127.0.0.1", self.server.port), timeout=5)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.serve(1.0)
        line.setblocking(False)
        return line

    def close(self) -> None:
        self.line.close()
        self.server.__exit__()

    def turn(self) -> None:
        """Serve, and run for 1 ms unless gdb has stopped the core."""
        self.server.serve()
        if self.server.stopped:
            return
        try:
            self.twin.run(seconds=0.001)
        except Halted as halt:
            self.server.halted(halt)
        except PowerCut as cut:
            self.twin.power_on()
            self.server.lost_power(cut)
        except TwinError as error:
            if not self.server.refused(error):
                raise

    def put(self, data: bytes, turns: int = 8) -> bytes:
        """Send bytes as they are; all that comes back in some turns."""
        if data:
            self.line.sendall(data)
        out = b""
        for _ in range(turns):
            self.turn()
            with suppress(BlockingIOError, ConnectionError):
                out += self.line.recv(1 << 16)
        return out

    def ask(self, body: str | bytes) -> str:
        """The answer to a packet, by its body."""
        answer = self.put(framed(body.encode() if isinstance(body, str) else body))
        assert answer.startswith(b"+$") and answer[-3:-2] == b"#", answer
        assert answer == b"+" + framed(answer[2:-3])
        return answer[2:-3].decode("latin-1")

    @property
    def pc(self) -> int:
        """The program counter, as gdb gets it."""
        return int.from_bytes(bytes.fromhex(self.ask("pf")), "little")

    def go(self, body: str, turns: int = 200) -> list[str]:
        """Send what lets the core go on; the packets up to its stop."""
        heard = self.put(framed(body.encode()))
        for _ in range(turns):
            if self.server.stopped:
                break
            heard += self.put(b"", 1)
        assert self.server.stopped
        return [part.split(b"#")[0].decode() for part in heard.split(b"$")[1:]]


def text(packet: str) -> str:
    """What an O packet says."""
    assert packet[0] == "O"
    return bytes.fromhex(packet[1:]).decode()
