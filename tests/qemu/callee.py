"""Calls functions of an image in QEMU, as `spboot.twin.measure.callee.Callee` does in unicorn; counts nothing."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from spboot.formats import elf
from spboot.twin.measure.callee import CallResult
from tests.crypto.verifier import Crypto
from tests.qemu.debugger import LR, PC, SP, XPSR, Debugger
from tests.qemu.machine import FLASH, FLASH_SIZE, Qemu

_RAM_END: Final = 0x2001_8000
_STACK_TOP: Final = 0x2000_8000
"""The image's own data are far below, arguments above."""
_ARGUMENTS: Final = _STACK_TOP + 0x1000
_RETURN: Final = FLASH + FLASH_SIZE - 0x100
_THUMB: Final = 0x0100_0000


class QemuCallee:
    """The image *path*, put into the memory of *qemu*."""

    def __init__(self, qemu: Qemu, path: Path) -> None:
        self._debugger: Debugger = qemu.debugger
        data = path.read_bytes()
        self._symbols = {each.name: each.value for each in elf.symbols(path.name, data)}
        for segment in elf.read(path.name, data).segments:
            self.write(segment.address, segment.data)
        self._debugger.break_at(_RETURN)
        self.release()

    def allocate(self, data: bytes | int) -> int:
        """Put *data*, or so many zero bytes, in RAM; its address, a multiple of 8.  Valid until `release`."""
        content, address = bytes(data), self._next
        assert address + len(content) <= _RAM_END, f"no room for {len(content)} bytes"
        self.write(address, content)
        self._next += (len(content) + 7) & ~7
        return address

    def release(self) -> None:
        """Take back everything that was allocated."""
        self._next = _ARGUMENTS

    def read(self, address: int, length: int) -> bytes:
        return self._debugger.read(address, length)

    def write(self, address: int, data: bytes) -> None:
        self._debugger.write(address, data)

    def call(self, function: str, *arguments: int) -> CallResult:
        """Call *function* with 32-bit *arguments*: four in registers, the others on the stack (AAPCS)."""
        sp = _STACK_TOP - (4 * max(0, len(arguments) - 4) + 7 & ~7)
        self.write(sp, struct.pack(f"<{len(arguments[4:])}I", *arguments[4:]))
        values = {SP: sp, LR: _RETURN | 1, PC: self._symbols[function] & ~1, XPSR: _THUMB}
        for register, value in {**dict(enumerate(arguments[:4])), **values}.items():
            self._debugger.set_register(register, value)
        self._debugger.go()
        stopped_at = self._debugger.register(PC)
        assert stopped_at == _RETURN, f"{function} stopped at {stopped_at:#x}"
        return CallResult(r0=self._debugger.register(0), instructions=0, cycles=0, stack=0)


class QemuCrypto(Crypto):
    """The crypto functions of the image *path* in QEMU."""

    def __init__(self, qemu: Qemu, path: Path) -> None:
        self.callee = QemuCallee(qemu, path)  # type: ignore[assignment]
