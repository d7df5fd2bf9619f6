"""Memory as gdb sees it: read and written where a debug port of silicon would, flash programmed as programmers do.

A read of a peripheral changes nothing, which is less than silicon promises: there a read of a data register takes the
byte.  A write to one is that of the firmware, with all that follows.  A peripheral without a clock reads as zero and
takes no write; where the twin has no register there is an error.  Flash takes no stores, only `load`: that is factory
programming, no operation of the log (docs/debugging.md)."""

from __future__ import annotations

from typing import Final

import unicorn
from unicorn.unicorn_py3 import UcError

from spboot.errors import SpbootError, TwinError
from spboot.twin.block import Block
from spboot.twin.bus import REGISTERS
from spboot.twin.machine import Twin

_PIECE: Final = 0x400
"""No memory and no block begins or ends within as many bytes."""
_END: Final = 1 << 32


class Memory:
    """The address space of *twin*."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._uc = twin.core.uc

    def read(self, address: int, size: int) -> bytes:
        """Up to *size* bytes: those before the first that cannot be read.  Raises TwinError when that is the first."""
        out = bytearray()
        size = min(size, _END - address)
        while len(out) < size:
            at = address + len(out)
            count = min(size - len(out), _PIECE - at % _PIECE)
            try:
                out += self._registers(at, count) if _is_register(at) else bytes(self._uc.mem_read(at, count))
            except (SpbootError, UcError) as error:
                if not out:
                    raise TwinError(f"nothing can be read at {at:#010x}: {error}") from None
                break
        return bytes(out)

    def write(self, address: int, data: bytes) -> None:
        """Write *data* to RAM or to registers.  Raises TwinError elsewhere, and what the model of a block raises."""
        if _is_register(address):
            self._write_registers(address, data)
            return
        if not self._writable(address, len(data)):
            raise TwinError(
                f"{len(data)} bytes at {address:#010x} are not RAM: flash takes no stores of a debugger, use `load`"
            )
        self._uc.mem_write(address, data)
        self._twin.core.forget_code(address, len(data))

    def _writable(self, address: int, size: int) -> bool:
        return any(
            start <= address and address + size <= end + 1 and allowed & unicorn.UC_PROT_WRITE
            for start, end, allowed in self._uc.mem_regions()
        )

    # registers of blocks

    def _registers(self, address: int, size: int) -> bytes:
        out, at = bytearray(), address & ~3
        while at < address + size:
            try:
                out += self._register(at).to_bytes(4, "little")
            except SpbootError:
                if len(out) <= address & 3:
                    raise
                return bytes(out[address & 3 :])
            at += 4
        return bytes(out[address & 3 :][:size])

    def _register(self, address: int) -> int:
        """What a read of the word would give; the state of the chip is put back to what it was before."""
        twin = self._twin
        block = self._block(address)
        if not block.clocked:
            return 0
        state, bus, lines = Block.save(block), twin.bus.save(), (twin.nvic.lines, twin.nvic.holders)
        twin.cpu.inspected = True
        try:
            return block.read(address - block.address, 4)
        finally:
            twin.cpu.inspected = False
            Block.load(block, state)
            twin.bus.load(bus)
            twin.nvic.lines, twin.nvic.holders = lines

    def _write_registers(self, address: int, data: bytes) -> None:
        twin, size = self._twin, len(data)
        if size not in (1, 2, 4) or address % size:
            raise TwinError(f"{size} bytes at {address:#010x}: write a register by 1, 2 or 4 bytes, aligned")
        block = self._block(address)
        if not block.clocked:
            raise TwinError(f"the clock of {block.name} is off: set its bit in RCC first")
        twin.cpu.inspected = True
        try:
            block.write(address - block.address, size, int.from_bytes(data, "little"))
        finally:
            twin.cpu.inspected = False

    def _block(self, address: int) -> Block:
        block = self._twin.bus.block_at(address)
        if block is None:
            raise TwinError(f"the twin has no block at {address:#010x}")
        return block

    # flash

    def erase(self, address: int, size: int) -> None:
        """Erase flash as a programmer does.  Raises TwinError outside of flash."""
        if size > self._twin.flash.size:
            raise TwinError(f"{size} bytes at {address:#010x} are more than flash has")
        self._twin.flash.put(address, bytes([self._twin.flash.erased]) * size)

    def program(self, address: int, data: bytes) -> None:
        """Program flash as a programmer does.  Raises TwinError outside of flash."""
        self._twin.flash_load(address, data)

    @property
    def map(self) -> str:
        """The memory map, in XML: what is flash, by its erase units, what is RAM, and what can only be read."""
        runs = self._twin.chip.flash
        lines = ['<?xml version="1.0"?>']
        lines.append('<!DOCTYPE memory-map PUBLIC "+//IDN gnu.org//DTD GDB Memory Map V1.0//EN" "memory-map.dtd">')
        lines.append("<memory-map>")
        for run in runs:
            size = f'<property name="blocksize">{run.erase_unit:#x}</property>'
            lines.append(f'<memory type="flash" start="{run.address:#x}" length="{run.size:#x}">{size}</memory>')
        for start, end, allowed in sorted(self._uc.mem_regions()):
            if not any(run.address <= start < run.end for run in runs):
                kind = "ram" if allowed & unicorn.UC_PROT_WRITE else "rom"
                lines.append(f'<memory type="{kind}" start="{start:#x}" length="{end - start + 1:#x}"/>')
        return "\n".join([*lines, "</memory-map>", ""])


def _is_register(address: int) -> bool:
    return any(start <= address < start + size for start, size in REGISTERS)
