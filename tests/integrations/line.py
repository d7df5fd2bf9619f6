"""The YMODEM receiver of the application template, compiled for this machine, on a line in virtual time."""

from __future__ import annotations

import ctypes
import enum
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCE: Final = ROOT / "examples" / "template" / "src"
_HANGS_S: Final = 60
"""Of this machine's time, without anything happening."""
_GET = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32)
_PUT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint8)
_WORD = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p)
_BEGIN = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_uint32)
_DATA = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint8), ctypes.c_uint32)


class End(enum.IntEnum):
    """enum ymodem_end."""

    DONE, NOBODY, CANCELLED, REFUSED, ERRORS, OTHER = range(6)


class _Ymodem(ctypes.Structure):
    """struct ymodem."""

    _fields_ = (
        ("get", _GET), ("put", _PUT), ("now_ms", _WORD), ("begin", _BEGIN), ("data", _DATA), ("wanted", _WORD),
        ("context", ctypes.c_void_p),
    )  # fmt: skip


class Line:
    """Two ends.  Time passes only when both wait and nothing is under way, up to the end of the shorter wait."""

    def __init__(self) -> None:
        self.clock = 0.0
        self._change = threading.Condition()
        self._boxes = (bytearray(), bytearray())
        self._until: list[float | None] = [None, None]
        self._gone = [False, False]

    def write(self, end: int, data: bytes) -> None:
        with self._change:
            self._boxes[1 - end].extend(data)
            self._change.notify_all()

    def read(self, end: int, size: int, timeout_s: float) -> bytes:
        with self._change:
            box, until = self._boxes[end], self.clock + max(timeout_s, 0.0)
            self._until[end] = until
            while not box and self.clock < until:
                self._pass(end, until)
            self._until[end] = None
            self._change.notify_all()
            data = bytes(box[:size])
            del box[:size]
            return data

    def leave(self, end: int) -> None:
        """Whoever is at *end* never writes again."""
        with self._change:
            self._gone[end] = True
            self._change.notify_all()

    def _pass(self, end: int, until: float) -> None:
        other = self._until[1 - end]
        if self._gone[1 - end]:
            self.clock = until
        elif other is not None and not self._boxes[1 - end] and self.clock < other:
            self.clock = min(until, other)
            self._change.notify_all()
        elif not self._change.wait(_HANGS_S):
            raise TimeoutError("nothing happens on the line")


class Sender:
    """The port of a sender at one end of a line."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def read(self, size: int, timeout_s: float) -> bytes:
        return self._line.read(0, size, timeout_s)

    def write(self, data: bytes) -> None:
        self._line.write(0, data)

    def now(self) -> float:
        return self._line.clock


class Taker:
    """Who takes the file: as the engine, which knows the size once 140 bytes are there and refuses what is more."""

    def __init__(self, total: int, *, refuses: str = "") -> None:
        self.total = total
        self.refuses = refuses
        self.size: int | None = None
        self.taken = bytearray()

    def begin(self, size: int) -> bool:
        self.size = size
        return self.refuses != "begin"

    def data(self, data: bytes) -> bool:
        self.taken += data
        return len(self.taken) <= self.total and self.refuses != "data"

    def wanted(self) -> int:
        return self.total - len(self.taken) if len(self.taken) >= 140 else 1


def compiled(folder: Path) -> ctypes.CDLL:
    """ymodem.c with the warnings of our firmware; what C does not define is a trap."""
    out = folder / "ymodem.so"
    flags = "-std=c11 -Wall -Wextra -Wconversion -Wpedantic -Werror -O1 -shared -fPIC"
    trap = "-fsanitize=undefined -fsanitize-undefined-trap-on-error"
    subprocess.run(["gcc", *flags.split(), *trap.split(), str(SOURCE / "ymodem.c"), "-o", str(out)], check=True)
    return ctypes.CDLL(str(out))


def received(
    library: ctypes.CDLL,
    taker: Taker,
    send: Callable[[Sender], object],
    *,
    calls: int = 60,
    counts: bool = True,
    started_ms: int = 0,
) -> tuple[End, float]:
    """How the receiver ended, and when, while *send* sends.  *counts*: whether *taker* tells what it wants yet;
    *started_ms*: what the clock of the receiver shows at the beginning."""
    line = Line()

    def get(_context: object, timeout_ms: int) -> int:
        byte = line.read(1, 1, timeout_ms / 1000)
        return byte[0] if byte else -1

    y = _Ymodem(
        get=_GET(get),
        put=_PUT(lambda _, byte: line.write(1, bytes((byte,)))),
        now_ms=_WORD(lambda _: int(started_ms + line.clock * 1000) & 0xFFFFFFFF),
        begin=_BEGIN(lambda _, size: taker.begin(size)),
        data=_DATA(lambda _, data, size: taker.data(bytes(data[:size]))),
        wanted=_WORD(lambda _: taker.wanted()) if counts else _WORD(0),
    )
    result: list[int] = []

    def receive() -> None:
        result.append(library.ymodem_receive(ctypes.byref(y), calls))
        line.leave(1)

    thread = threading.Thread(target=receive)
    thread.start()
    try:
        send(Sender(line))
    finally:
        line.leave(0)
        thread.join(_HANGS_S)
    return End(result[0]), line.clock
