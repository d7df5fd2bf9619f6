"""Interrupts and events from outside."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from spboot.twin.block import Block


class Exti(Block, ips=("exti_v1",)):
    """RM0351 14.5: storage, software events and their pending bits; pins raise no events."""

    def reset(self) -> None:
        super().reset()
        self.registers.update(self.die.chip.of_family.exti)

    def write_PR0(self, value: int) -> None:
        self.registers["PR0"] &= ~value
        self._update()

    def write_PR1(self, value: int) -> None:
        self.registers["PR1"] &= ~value

    def write_SWIER0(self, value: int) -> None:
        self.registers["PR0"] |= value & self.registers["IMR0"]
        self._update()

    def _update(self) -> None:
        pending = self.registers["PR0"] & self.registers["IMR0"]
        for name, mask in (
            *((f"EXTI{n}", 1 << n) for n in range(5)),
            ("EXTI9_5", 0x3E0),
            ("EXTI15_10", 0xFC00),
        ):
            self.line(name, bool(pending & mask))
