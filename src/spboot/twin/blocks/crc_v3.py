"""CRC unit of STM32L4 (RM0351 chapter 15)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar

from spboot.twin.block import Block


def _reverse(value: int, bits: int) -> int:
    return int(f"{value:0{bits}b}"[::-1], 2)


def divide(remainder: int, bits: str, width: int, polynomial: int) -> int:
    """The remainder of *width* bits after *bits*, the first one first."""
    mask = (1 << width) - 1
    for bit in bits:
        out = (remainder >> (width - 1) & 1) ^ int(bit)
        remainder = remainder << 1 & mask
        if out:
            remainder ^= polynomial & mask
    return remainder


class CrcV3(Block, ips=("crc_v3",)):
    """Polynomial, size and reversal are programmable; the data register takes 8, 16 and 32 bits."""

    RESET: ClassVar[dict[str, int]] = {"DR32": 0xFFFFFFFF, "INIT": 0xFFFFFFFF, "POL": 0x04C11DB7}
    SERVED = frozenset({"DR8", "DR16", "DR32"})
    STATE = ("_sum",)

    def reset(self) -> None:
        super().reset()
        self._sum = 0xFFFFFFFF

    def _size(self) -> int:
        return (32, 16, 8, 7)[self.field("CR", "POLYSIZE")]

    def read(self, offset: int, size: int) -> int:
        if offset:
            return super().read(offset, size)
        value = _reverse(self._sum, self._size()) if self.field("CR", "REV_OUT") else self._sum
        return value & ((1 << 8 * size) - 1)

    def write(self, offset: int, size: int, value: int) -> None:
        if offset:
            super().write(offset, size, value)
            return
        unit = (0, 8, 16, 32)[self.field("CR", "REV_IN")]
        bits = f"{value:0{8 * size}b}"
        if unit:
            unit = min(unit, 8 * size)
            bits = "".join(bits[i : i + unit][::-1] for i in range(0, len(bits), unit))
        self._sum = divide(self._sum, bits, self._size(), self.registers["POL"])

    def write_CR(self, value: int) -> None:
        self.registers["CR"] = value & self.masks["CR"] & ~1
        if value & 1:
            self._sum = self.registers["INIT"] & ((1 << self._size()) - 1)

    def write_INIT(self, value: int) -> None:
        self.registers["INIT"] = value
        self._sum = value & ((1 << self._size()) - 1)
