"""USART of STM32F4 (RM0090 chapter 30): SR and DR, where flags go away by reading the one and then the other."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.twin.blocks.usart_v3 import UsartV3

_PE, _FE, _NE, _ORE, _IDLE, _RXNE, _TC, _TXE, _LBD, _CTS = (1 << bit for bit in range(10))
_BY_READING: Final = frozenset({_PE, _FE, _NE, _ORE, _IDLE})


class UsartV2(UsartV3, ips=("usart_v2",)):
    """The block; its clock is that of its bus."""

    STATUS = "SR"
    ENABLE = 1 << 13
    OTHER_FRAME = 1 << 12 | 1 << 10 | 1 << 9
    ERRORS = UsartV3.ERRORS | 1 << 6  # with DMAR alone (RM0090 30.6.6)
    RESET: ClassVar[dict[str, int]] = {"SR": _TXE | _TC}
    READ_ONLY = frozenset()
    CONSUMING = frozenset({4})
    STATE = (*UsartV3.STATE, "_seen")

    def reset(self) -> None:
        super().reset()
        self._seen = 0

    def read_SR(self) -> int:
        self._seen = self.registers["SR"]
        return self._seen

    def write_SR(self, value: int) -> None:
        self.registers["SR"] &= value | ~(_TC | _LBD | _CTS)
        if not value & _RXNE:
            self.drop_received()
        self.update()

    def read_DR(self) -> int:
        for flag in _BY_READING:
            if self._seen & flag:
                self.registers["SR"] &= ~flag
        self._seen = 0
        return self.take_received()

    def write_DR(self, value: int) -> None:
        self.send(value)

    def write_BRR(self, value: int) -> None:
        self.registers["BRR"] = value & 0xFFFF
