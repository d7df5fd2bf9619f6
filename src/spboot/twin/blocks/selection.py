"""Which port each of the sixteen pin lines of EXTI watches: EXTICR, which is in SYSCFG or in EXTI itself."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die

_REGISTER: Final = re.compile(r"EXTICR\d")
_LINES: Final = 4
"""In one register."""


class Selection(Block):
    """Base of the blocks that have EXTICR, or could (RM0351 9.2.3, RM0444 13.5.7)."""

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        of_family = die.chip.of_family.exti
        self._ports = {of_family.port(name[-1]): name for name in die.chip.blocks if re.fullmatch(r"GPIO[A-Z]", name)}
        for offset, name in self.names.items():
            if _REGISTER.fullmatch(name):
                self._writers[offset] = partial(self._write_selection, name)

    @property
    def selects(self) -> bool:
        """Whether the ports are chosen here."""
        return "EXTICR0" in self.registers

    def port(self, line: int) -> str:
        """The port that *line* watches, as "GPIOA"."""
        return self._ports[self.field(f"EXTICR{line // _LINES}", f"EXTI{line % _LINES}")]

    def _write_selection(self, name: str, value: int) -> None:
        value &= self.masks[name]
        for field, (low, width) in self.fields[name].items():
            number = value >> low & ((1 << width) - 1)
            if number not in self._ports:
                self.die.refuse(
                    f"{self.name}_{name}.{field} = {number} is no port of {self.die.chip.name}",
                    f"choose one of {', '.join(f'{code} ({port})' for code, port in sorted(self._ports.items()))}",
                )
        self.registers[name] = value
        self.die.pins.changed()
