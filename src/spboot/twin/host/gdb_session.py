"""One gdb: what it asks, and the answers.  Knows the protocol's commands, not how their bytes arrive.

Whatever comes is answered: with E and a number where it is malformed, out of bounds or not possible, with an empty
packet where the command is not known, as the protocol has it.  Numbers of errors are those of errno."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from spboot.errors import SpbootError
from spboot.twin.errors import PowerCut
from spboot.twin.host.gdb_debugger import SIGABRT, SIGINT, SIGPWR, SIGTRAP, Debugger, Halted
from spboot.twin.host.gdb_memory import Memory
from spboot.twin.host.gdb_monitor import Monitor
from spboot.twin.host.gdb_packet import LIMIT, escaped, unescaped
from spboot.twin.host.gdb_registers import Registers
from spboot.twin.machine import Twin

_MALFORMED: Final = b"E16"
_NOT_POSSIBLE: Final = b"E0e"
_NUMBER: Final = re.compile(r"[0-9a-fA-F]{1,8}")
_WORDS_LIMIT: Final = LIMIT // 2 - 16
"""Most bytes of text in an answer, where each takes two."""
_WATCHES: Final = {"2": "watch", "3": "rwatch", "4": "awatch"}
_NOTHING: Final = range(0)
_ACTION: Final = re.compile(r"([csCSrt])([0-9a-fA-F]*)(?:,([0-9a-fA-F]+))?(?::(?:p?[0-9a-fA-F.-]+))?")


class _MalformedError(ValueError):
    """A packet that says nothing."""


class Session:
    """One gdb at *twin*, which stands while `stopped`.  *send* takes the body of a packet, its binary data escaped."""

    def __init__(self, twin: Twin, power_on: Callable[[], None], send: Callable[[bytes], None]) -> None:
        self._twin = twin
        self._send = send
        self._debugger = Debugger(twin)
        self._memory = Memory(twin)
        self._registers = Registers(twin)
        self._monitor = Monitor(twin, power_on)
        self._power_on = power_on
        self._last = b"T05thread:1;"
        self.stopped = True
        self.over = False
        """Gdb has detached."""
        self.quiet = False
        """Packets are not acknowledged any more."""
        self.end: SpbootError | None = None
        """What the twin refused: it cannot go on before a reset."""

    def close(self) -> None:
        """Gdb is gone: nothing stops the core any more."""
        self._debugger.detach()

    # what the core did

    def halted(self, halt: Halted) -> None:
        """The core stopped."""
        where = b"%s:%x;" % (halt.watched[0].encode(), halt.watched[1]) if halt.watched else b""
        self._stop(halt.signal, halt.words, where)

    def refused(self, error: SpbootError) -> None:
        """The twin refused what the firmware did: it stands until a reset."""
        self.end = error
        self._stop(SIGABRT, f"{error}\nThe twin stands here: look around, then `monitor reset` or `monitor power`.")

    def lost_power(self, cut: PowerCut) -> None:
        """The power was cut, and is back."""
        self._stop(SIGPWR, f"{cut}; power is back")

    def interrupt(self) -> None:
        """Ctrl-C."""
        if not self.stopped:
            self._stop(SIGINT)

    def _stop(self, signal: int, words: str = "", where: bytes = b"") -> None:
        self.stopped = True
        if words:
            self._send(b"O" + _text(f"{words}\n"))
        self._last = b"T%02x%sthread:1;" % (signal, where)
        self._send(self._last)

    # what gdb asks

    def too_long(self) -> None:
        """A packet came that is longer than what we said that we take."""
        self._send(_MALFORMED)

    def take(self, packet: bytes) -> None:
        """Do what *packet* asks and answer."""
        text = packet.decode("latin-1")
        if not self.stopped:
            return  # gdb asks nothing then, but for Ctrl-C
        try:
            answer = self._answer(text, packet)
        except _MalformedError:
            answer = _MALFORMED
        except PowerCut:  # gdb wrote to the flash controller
            self._power_on()
            answer = _NOT_POSSIBLE
        except SpbootError:
            answer = _NOT_POSSIBLE
        if answer is not None:
            self._send(answer)

    def _answer(self, text: str, packet: bytes) -> bytes | None:
        head, rest = text[:1], text[1:]
        if head == "v":
            return self._on_v(text, packet)
        if head in "qQ":
            return self._on_query(text)
        if head in ("z", "Z"):
            return self._on_point(head == "Z", rest)
        if head in ("c", "s", "C", "S"):
            self._go_from(head, rest)
            return None
        handler = {
            "?": lambda: self._last,
            "!": lambda: b"OK",
            "H": lambda: b"OK",
            "T": lambda: b"OK",
            "g": lambda: self._registers.read_all().hex().encode(),
            "G": lambda: self._write_registers(rest),
            "p": lambda: self._registers.read(_number(rest)).hex().encode(),
            "P": lambda: self._write_register(rest),
            "m": lambda: self._read(rest),
            "M": lambda: self._write(rest),
            "X": lambda: self._write_binary(rest, packet),
            "D": self._detach,
            "k": self._kill,
            "R": self._restart,
        }.get(head)
        return handler() if handler else b""

    # registers and memory

    def _write_registers(self, text: str) -> bytes:
        self._registers.write_all(_bytes(text))
        return b"OK"

    def _write_register(self, text: str) -> bytes:
        number, value = _two(text, "=")
        self._registers.write(_number(number), _bytes(value))
        return b"OK"

    def _read(self, text: str) -> bytes:
        address, size = _place(text)
        return self._memory.read(address, min(size, LIMIT // 2)).hex().encode()

    def _write(self, text: str) -> bytes:
        place, data = _two(text, ":")
        return self._store(_place(place), _bytes(data))

    def _write_binary(self, text: str, packet: bytes) -> bytes:
        place, _ = _two(text, ":")
        return self._store(_place(place), unescaped(packet[packet.index(b":") + 1 :]))

    def _store(self, place: tuple[int, int], data: bytes) -> bytes:
        address, size = place
        if len(data) != size:
            raise _MalformedError
        if data:
            self._memory.write(address, data)
        return b"OK"

    # going on

    def _go_from(self, head: str, text: str) -> None:
        if head in "CS":
            signal, _, text = text.partition(";")
            _number(signal)
        if text:
            self._registers.write(15, _number(text).to_bytes(4, "little"))
        self._go(_NOTHING if head in "sS" else None)

    def _go(self, within: range | None) -> None:
        if self.end is not None:
            self.refused(self.end)
            return
        self._debugger.resume(within)
        self.stopped = False

    def _on_v(self, text: str, packet: bytes) -> bytes | None:
        name, _, rest = text.partition(";")
        if text == "vCont?":
            return b"vCont;c;C;s;S;t;r"
        if name == "vCont":
            return self._on_cont(rest)
        if name == "vRun":
            self._restart()
            return self._last
        if name == "vKill":
            self._twin.reset()
            return b"OK"
        if text.startswith("vFlashErase:"):
            self._memory.erase(*_place(text.removeprefix("vFlashErase:")))
            return b"OK"
        if text.startswith("vFlashWrite:"):
            address, _ = _two(text.removeprefix("vFlashWrite:"), ":")
            data = packet.split(b":", 2)[2]
            self._memory.program(_number(address), unescaped(data))
            return b"OK"
        return b"OK" if text == "vFlashDone" else b""

    def _on_cont(self, actions: str) -> bytes | None:
        match = _ACTION.fullmatch(actions.split(";")[0])
        if match is None:
            raise _MalformedError
        kind, first, end = match.groups()
        if kind == "t":
            return b"OK"
        if kind == "r":
            self._go(range(_number(first), _number(end or "")))
        else:
            self._go(_NOTHING if kind in "sS" else None)
        return None

    def _on_point(self, sets: bool, text: str) -> bytes:
        kind, _, rest = text.partition(",")
        address, size = _place(rest)
        if kind in _WATCHES:
            change = self._debugger.watch if sets else self._debugger.unwatch
            change(_WATCHES[kind], address, size)
        elif kind in ("0", "1"):
            (self._debugger.stop_at if sets else self._debugger.pass_by)(address & ~1)
        else:
            return b""
        return b"OK"

    # ends and beginnings

    def _detach(self) -> bytes:
        self.over = True
        return b"OK"

    def _kill(self) -> None:
        """The board is not gone because gdb is: it begins anew, without gdb."""
        self._begin()
        self.over = True

    def _restart(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._twin.reset()
        self._reborn()

    def _reborn(self) -> None:
        self.end = None
        self._last = b"T%02xthread:1;" % SIGTRAP

    # queries

    def _on_query(self, text: str) -> bytes | None:
        name, _, rest = text.partition(":")
        if name == "qRcmd" or text.startswith("qRcmd,"):
            return self._command(text.partition(",")[2])
        if name == "qXfer":
            return self._transfer(rest)
        if text == "QStartNoAckMode":
            self.quiet = True
            return b"OK"
        parts = f"PacketSize={LIMIT:x};qXfer:features:read+;qXfer:memory-map:read+;QStartNoAckMode+;vContSupported+"
        return {
            "qSupported": parts.encode(),
            "qAttached": b"1",
            "qC": b"QC1",
            "qfThreadInfo": b"m1",
            "qsThreadInfo": b"l",
            "qSymbol": b"OK",
        }.get(name, b"")

    def _command(self, coded: str) -> bytes:
        words, anew = self._monitor.answer(_bytes(coded).decode("utf-8", "replace"))
        if anew:
            self._reborn()
        self._send(b"O" + _text(words))
        return b"OK"

    def _transfer(self, text: str) -> bytes:
        kind, action, annex, span = [*text.split(":", 3), "", "", ""][:4]
        if action != "read":
            return b""
        if kind == "features" and annex == "target.xml":
            document = self._registers.description
        elif kind == "memory-map" and not annex:
            document = self._memory.map
        else:
            return b"" if kind not in ("features", "memory-map") else b"E00"
        start, size = _place(span)
        data = document.encode()
        piece = data[start : start + min(size, LIMIT // 2)]
        return (b"m" if start + len(piece) < len(data) else b"l") + escaped(piece)


def _number(text: str) -> int:
    """A hexadecimal number of 32 bits."""
    if not _NUMBER.fullmatch(text):
        raise _MalformedError
    return int(text, 16)


def _two(text: str, by: str) -> tuple[str, str]:
    first, mark, second = text.partition(by)
    if not mark:
        raise _MalformedError
    return first, second


def _place(text: str) -> tuple[int, int]:
    """Address and size, as "20000000,4"."""
    address, size = _two(text, ",")
    return _number(address), _number(size)


def _bytes(text: str) -> bytes:
    """Bytes of two hexadecimal digits each."""
    if len(text) % 2 or not re.fullmatch(r"[0-9a-fA-F]*", text):
        raise _MalformedError
    return bytes.fromhex(text)


def _text(words: str) -> bytes:
    return words.encode()[:_WORDS_LIMIT].hex().encode()
