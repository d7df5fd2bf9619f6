"""The side of gdb in the GDB remote serial protocol, as far as a program needs it that looks into QEMU."""

from __future__ import annotations

import re
import socket
import struct
from collections import deque
from typing import Final, Literal, NamedTuple

from spboot.twin.host.gdb_packet import Reader, framed

Access = Literal["read", "write"]
SP, LR, PC, XPSR = 13, 14, 15, 25
"""Numbers of registers; those of r0 to r12 are 0 to 12 (QEMU, gdb-xml/arm-m-profile.xml)."""

_POINT: Final[dict[Access, int]] = {"write": 2, "read": 3}
_WATCH: Final = re.compile(r"(r?)watch:([0-9a-f]+);")
_CHUNK: Final = 1024


class Stop(NamedTuple):
    """Why the core stopped: before it reads or writes a watched *address*, or at no such."""

    access: Access | None = None
    address: int = 0


class Debugger:
    """Talks to the gdb server at the other end of *line*.  Raises TimeoutError when it is silent for *seconds*."""

    def __init__(self, line: socket.socket, seconds: float) -> None:
        self._line = line
        self._line.settimeout(seconds)
        self._reader = Reader()
        self._heard: deque[str] = deque()

    def ask(self, body: str) -> str:
        """The answer to a packet, by its body."""
        self._line.sendall(framed(body.encode()))
        return self._packet()

    def _packet(self) -> str:
        while not self._heard:
            data = self._line.recv(1 << 16)
            if not data:
                raise EOFError("the gdb server has gone")
            self._heard += [event.data.decode("latin-1") for event in self._reader.feed(data) if event.kind == "packet"]
        self._line.sendall(b"+")
        return self._heard.popleft()

    def _order(self, body: str) -> None:
        answer = self.ask(body)
        assert answer == "OK", f"{body} was answered by {answer!r}"

    def register(self, number: int) -> int:
        return int.from_bytes(bytes.fromhex(self.ask(f"p{number:x}")), "little")

    def set_register(self, number: int, value: int) -> None:
        self._order(f"P{number:x}={struct.pack('<I', value).hex()}")

    def read(self, address: int, length: int) -> bytes:
        """Memory, that of peripherals included."""
        out = b""
        while len(out) < length:
            out += bytes.fromhex(self.ask(f"m{address + len(out):x},{min(_CHUNK, length - len(out)):x}"))
        return out

    def write(self, address: int, data: bytes) -> None:
        """Memory, read-only memory included."""
        for at in range(0, len(data), _CHUNK):
            piece = data[at : at + _CHUNK]
            self._order(f"M{address + at:x},{len(piece):x}:{piece.hex()}")

    def watch(self, address: int, access: Access) -> None:
        """Stop before an instruction that reads or writes the word at *address*."""
        self._order(f"Z{_POINT[access]},{address:x},4")

    def break_at(self, address: int) -> None:
        """Stop before the instruction at *address*."""
        self._order(f"Z1,{address:x},2")

    def go(self) -> Stop:
        """Let the core run until it stops."""
        stop = self.ask("c")
        assert stop.startswith("T05"), f"the core stopped by {stop!r}"
        found = _WATCH.search(stop)
        return Stop("read" if found[1] else "write", int(found[2], 16)) if found else Stop()
