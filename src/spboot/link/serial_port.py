"""A serial port of this machine: COM3, /dev/ttyACM0, a pseudo terminal."""

from __future__ import annotations

import serial

from spboot.errors import LinkError


class SerialPort:
    """An open port, 8N1; a context manager.  Raises LinkError when it cannot be opened or goes away."""

    def __init__(self, name: str, baud: int) -> None:
        try:
            self._serial = serial.Serial(name, baud, timeout=0)
        except (serial.SerialException, ValueError) as error:
            raise LinkError(f"{name}: cannot be opened: {error}") from None
        self.name = name

    def read(self, size: int, timeout_s: float) -> bytes:
        """Up to *size* bytes; b"" when none come within *timeout_s*."""
        try:
            self._serial.timeout = timeout_s
            first: bytes = self._serial.read(1)
            rest: bytes = self._serial.read(min(size - 1, self._serial.in_waiting)) if first and size > 1 else b""
        except (serial.SerialException, OSError) as error:
            raise LinkError(f"{self.name}: went away: {error}") from None
        return first + rest

    def write(self, data: bytes) -> None:
        """Send all of *data*."""
        try:
            self._serial.write(data)
            self._serial.flush()
        except (serial.SerialException, OSError) as error:
            raise LinkError(f"{self.name}: went away: {error}") from None

    def __enter__(self) -> SerialPort:
        return self

    def __exit__(self, *args: object) -> None:
        self._serial.close()
