"""A serial port of this machine: COM3, /dev/ttyACM0, a pseudo terminal."""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path
from typing import Final

import serial

from spboot.errors import LinkError
from spboot.link import ports
from spboot.link.port import BITS, PortGoneError

STUCK_S: Final = 5.0
"""Seconds, beyond the time that the bytes need on the line, after which a port is said to take nothing."""
_PSEUDO: Final = ("/dev/pts/", "/dev/ttys")
"""Pseudo-terminals of Linux and macOS: one that is claimed stays so when its program is killed, and nobody could open
it again."""


class SerialPort:
    """An open port, 8N1; a context manager.  Raises LinkError when it cannot be opened, PortGoneError later on."""

    def __init__(self, name: str, baud: int) -> None:
        try:
            # Locked where the system has locks: of two programs at one port each gets a part of the bytes.
            exclusive = None if sys.platform == "win32" else True
            self._serial = serial.Serial(name, baud, timeout=0, exclusive=exclusive)
            self._claim(name)
        except _broken() as error:
            raise LinkError(f"{name}: {_why_closed(name, baud, error)}") from None
        self.name = name
        self.baud = baud

    def _claim(self, name: str) -> None:
        """Let nobody else open the port: browsers look at no lock."""
        if sys.platform == "win32" or os.path.realpath(name).startswith(_PSEUDO):
            return
        import fcntl
        import termios

        fcntl.ioctl(self._serial.fileno(), termios.TIOCEXCL)

    def now(self) -> float:
        """This machine's clock, in seconds."""
        return time.monotonic()

    def read(self, size: int, timeout_s: float) -> bytes:
        """Up to *size* bytes; b"" when none come within *timeout_s*."""
        try:
            self._serial.timeout = timeout_s
            first: bytes = self._serial.read(1)
            rest: bytes = self._serial.read(min(size - 1, self._serial.in_waiting)) if first and size > 1 else b""
        except _broken() as error:
            raise self._gone(error) from None
        return first + rest

    def write(self, data: bytes) -> None:
        """Send all of *data*; returns when the last byte is on the line."""
        limit_s = len(data) * BITS / self.baud + STUCK_S
        try:
            deadline = self.now() + limit_s
            self._serial.write_timeout = limit_s
            self._serial.write(data)
            while self._serial.out_waiting:  # flush() would wait without end
                if self.now() > deadline:
                    raise serial.SerialTimeoutException("Write timeout")
                time.sleep(0.001)
        except serial.SerialTimeoutException:
            raise PortGoneError(
                f"{self.name}: takes no bytes for {limit_s:.0f} s: pull the cable and plug it in again"
            ) from None
        except _broken() as error:
            raise self._gone(error) from None

    def _gone(self, error: Exception) -> PortGoneError:
        return PortGoneError(
            f"{self.name}: the port went away{_cause(error)}: plug it in, then begin again from the start"
        )

    def close(self) -> None:
        """Give the port back to the system."""
        self._serial.close()

    def __enter__(self) -> SerialPort:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


def _broken() -> tuple[type[Exception], ...]:
    """Exceptions that pyserial raises or lets pass when a port does not work; that of termios is no OSError."""
    if sys.platform == "win32":
        return (OSError, ValueError)
    import termios

    return (OSError, ValueError, termios.error)


def _cause(error: Exception) -> str:
    """The words of the system, in brackets, without those that pyserial puts around them; "" where it only guesses."""
    code = getattr(error, "errno", None) or next((n for n in error.args if isinstance(n, int)), None)
    return "" if code is None else f" ({os.strerror(code)})"


def _listed() -> str:
    found = ports.listed()
    return f"ports of this machine: {', '.join(map(str, found))}" if found else ports.NONE


def _why_closed(name: str, baud: int, error: Exception) -> str:
    """A sentence that says why a port cannot be opened, and what to do."""
    code, text = getattr(error, "errno", None), str(error)
    if code == errno.ENOENT or "FileNotFoundError" in text:
        return f"there is no such port; {_listed()}"
    if code == errno.EACCES:
        return f"may not be opened by you: {_permission(name)}"
    if code in (errno.EBUSY, errno.EAGAIN) or "PermissionError" in text:
        return "is in use: close the terminal program that has it open"
    if code in (errno.ENOTTY, errno.EINVAL, errno.EISDIR) or "Could not configure port" in text:
        return f"is not a serial port; {_listed()}"
    if isinstance(error, ValueError):
        return f"cannot do {baud} baud: give --baud a rate that the port has"
    return f"cannot be opened{_cause(error)}; {_listed()}"


def _permission(name: str) -> str:
    try:
        group = Path(name).group()
    except (OSError, KeyError, NotImplementedError):
        group = "dialout"
    return f"join group {group} (sudo usermod -aG {group} $USER), then log in again"
