"""The multiplexer of DMA requests (RM0440 13, RM0444 11, RM0432 12, RM0399): what each channel of DMA listens to."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from functools import partial
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.blocks.dma import Controller, Request
from spboot.twin.die import Die

_FEEDS: Final = {"DMAMUX1": ("DMA1", "DMA2"), "DMAMUX2": ("BDMA", "BDMA2")}
"""Whose channels its outputs are, one after the other."""
_GENERATORS: Final = {"STM32G0": 4, "STM32G4": 4, "STM32L4+": 4, "STM32WL": 4}
"""Family -> how many it has of the facts' eight request generators (RM0444 11.2, RM0432 12.3.1, RM0453 14.3.1; of G4 by
the vendor's header)."""


class Dmamux(Block, ips=("dmamux_v1",)):
    """The block.  Without a gate of its own it has a clock while one of its controllers has (RM0444, RCC_AHBENR)."""

    READ_ONLY: ClassVar[frozenset[str]] = frozenset({"CSR", "RGSR"})
    _has_clock = True

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self._requests: dict[int, Request] = {}
        self._outputs: dict[tuple[str, int], str] = {}
        """Controller and channel -> the register that chooses for it."""
        for block in die.chip.blocks.values():
            for signal, server, number in block.dma:
                if server == self.name and number is not None:
                    self._requests[number] = block.name, signal
        fed = [(name, n) for name in _FEEDS[self.name] if name in die.chip.blocks
               for n in range(len(die.chip.blocks[name].interrupts))]  # fmt: skip
        for place, output in enumerate(fed):
            self._outputs[output] = f"CCR{place}"
        generators = _GENERATORS.get(die.chip.family, 8)
        ours = set(self._outputs.values()) | {f"RGCR{n}" for n in range(generators)}
        for offset, name in list(self.names.items()):
            if name.startswith(("CCR", "RGCR")) and name not in ours:
                del self.names[offset]
            elif name.startswith("CCR"):
                self._writers[offset] = partial(self._write_channel, name)
            elif name.startswith("RGCR"):
                self._writers[offset] = partial(self._write_generator, name)

    @property
    def clocked(self) -> bool:
        if self.gate is not None:
            return self._has_clock
        return any(controller.clocked for controller in self._controllers())

    @clocked.setter
    def clocked(self, value: bool) -> None:
        self._has_clock = value

    def _controllers(self) -> list[Controller]:
        names = {name for name, _ in self._outputs}
        return [block for name, block in self.die.blocks.items() if name in names and isinstance(block, Controller)]

    def source(self, controller: str, channel: int) -> Request | None:
        """What *channel* of *controller* listens to."""
        register = self._outputs.get((controller, channel))
        if register is None or not self.clocked:
            return None
        return self._requests.get(self.field(register, "DMAREQ_ID"))

    def _store(self, name: str, value: int) -> None:
        if unknown := value & ~self.masks[name]:
            self.die.forbid(
                f"{self.name}_{name}: reserved bits {unknown:#x} were set", "keep them at 0; they are ignored"
            )
        self.registers[name] = value & self.masks[name]

    def write_CFR(self, value: int) -> None:
        """It clears flags, which nothing sets here: nothing of it stays (RM0440 13.6.3)."""

    def write_RGCFR(self, value: int) -> None:
        """The same of the generators (RM0440 13.6.6)."""

    def _write_channel(self, name: str, value: int) -> None:
        for field in ("SE", "EGE", "SOIE"):
            if value & self.mask(name, field):
                self.die.refuse(
                    f"{self.name}_{name}.{field} was set", "the twin does not model synchronisation (RM0440 13.6.1)"
                )
        self._store(name, value)
        for controller in self._controllers():
            controller.rewire()
            for n in range(controller.count):
                controller.begin(n)

    def _write_generator(self, name: str, value: int) -> None:
        if value & self.mask(name, "GE"):
            self.die.refuse(
                f"{self.name}_{name}.GE was set", "the twin does not model generated requests (RM0440 13.6.4)"
            )
        self._store(name, value)
