"""CRC unit of STM32F4 (RM0090 chapter 4, RM0390 chapter 4)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from spboot.twin.block import Block
from spboot.twin.blocks.crc_v3 import CrcV3, divide


class CrcV1(Block, ips=("crc_v1",)):
    """The CRC-32 of Ethernet over whole words, nothing turned around: version 3 as it is after a reset."""

    STATE = ("_sum",)

    def reset(self) -> None:
        super().reset()
        self._sum = CrcV3.RESET["INIT"]

    def _check_size(self, size: int) -> None:
        if size != 4:
            self.die.refuse(f"{size}-byte access to {self.name}", "use whole words (RM0090 4.4)")

    def read(self, offset: int, size: int) -> int:
        self._check_size(size)
        return super().read(offset, size)

    def write(self, offset: int, size: int, value: int) -> None:
        self._check_size(size)
        super().write(offset, size, value)

    def read_DR(self) -> int:
        return self._sum

    def write_DR(self, value: int) -> None:
        self._sum = divide(self._sum, f"{value:032b}", 32, CrcV3.RESET["POL"])

    def write_IDR(self, value: int) -> None:
        """Eight bits for the program's own use; RESET leaves them."""
        self.registers["IDR"] = value % 256

    def write_CR(self, value: int) -> None:
        if value & self.mask("CR", "RESET"):
            self._sum = CrcV3.RESET["INIT"]
