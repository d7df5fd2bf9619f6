"""USART with FIFOs (RM0440 37.5.4, RM0444 33.5.4, RM0399 48): what they hold, their thresholds and interrupts."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import Final

from spboot.twin.blocks.usart_v3 import UsartV3

_EIGHTHS: Final = (1, 2, 4, 6, 7, 8)
"""Of the depth, by RXFTCFG and TXFTCFG."""
_INTERRUPTS: Final = (("CR1", "RXFF"), ("CR1", "TXFE"), ("CR3", "RXFT"), ("CR3", "TXFT"))
"""Flags, and the register with the bit that lets them interrupt."""
_DEPTH: Final = 8
_DEEP: Final = ("STM32H7",)
_DEEP_DEPTH: Final = 16
_FULL: Final = {0x460: ("USART1", "USART2"), 0x467: ("USART1", "USART2", "USART3")}
"""Device id of STM32G0 -> its USARTs with a FIFO; others have one (RM0444 33.4)."""


class UsartV4(UsartV3, ips=("lpuart_v4", "usart_v4")):
    """The block.  RDR holds one byte more than the receive FIFO."""

    @property
    def depth(self) -> int:
        """Bytes of each FIFO."""
        return _DEEP_DEPTH if self.die.chip.family in _DEEP else _DEPTH

    def _has_fifo(self) -> bool:
        full = _FULL.get(self.die.chip.device_id, ("USART1",))
        return self.die.chip.family != "STM32G0" or self.name.startswith("LPUART") or self.name in full

    def _threshold(self, field: str) -> int:
        """Bytes, by RXFTCFG or TXFTCFG."""
        return self.depth * _EIGHTHS[self.field("CR3", field)] // 8

    def _fifo_flags(self) -> int:
        """RXFF, RXFT, TXFE and TXFT, which follow what is held."""
        if self._room == 1:
            return 0
        holds = {
            "RXFF": len(self._rx) == self._room,
            "RXFT": len(self._rx) >= self._threshold("RXFTCFG"),
            "TXFE": not self._tx,
            "TXFT": self.depth - len(self._tx) >= self._threshold("TXFTCFG"),
        }
        return sum(self.mask("ISR", name) for name, is_set in holds.items() if is_set)

    def read_ISR(self) -> int:
        return super().read_ISR() | self._fifo_flags()

    def interrupts(self) -> int:
        found = super().interrupts()
        if found or self._room == 1:
            return found
        flags = self._fifo_flags()
        return sum(
            flags & self.mask("ISR", flag) for register, flag in _INTERRUPTS if self.field(register, f"{flag}IE")
        )

    def write_CR1(self, value: int) -> None:
        """FIFOEN changes only while UE is clear (RM0440, USART_CR1)."""
        changed = (value ^ self.registers["CR1"]) & self.mask("CR1", "FIFOEN")
        if changed and not self._has_fifo():
            self.die.refuse(f"{self.name}_CR1.FIFOEN was set", f"{self.name} has no FIFO (RM0444 33.4)")
        if changed and self.registers["CR1"] & self.ENABLE:
            self.die.refuse(f"{self.name}_CR1.FIFOEN changed while UE is set", "clear UE first (RM0440, USART_CR1)")
        if changed:
            on = bool(value & changed)
            self._room, self._places = (self.depth + 1, self.depth) if on else (1, 1)
        super().write_CR1(value)

    def write_CR3(self, value: int) -> None:
        for field in ("RXFTCFG", "TXFTCFG"):
            low, width = self.fields["CR3"][field]
            if (value >> low & (1 << width) - 1) >= len(_EIGHTHS):
                self.die.refuse(f"{self.name}_CR3.{field} is reserved", "choose 0 to 5 (RM0440, USART_CR3)")
        super().write_CR3(value)

    def write_PRESC(self, value: int) -> None:
        if self.registers["CR1"] & self.ENABLE and value != self.registers["PRESC"]:
            self.die.refuse(f"{self.name}_PRESC changed while UE is set", "clear UE first (RM0444, USART_PRESC)")
        self.registers["PRESC"] = value & self.masks["PRESC"]
