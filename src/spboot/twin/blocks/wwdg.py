"""Window watchdog (RM0351 chapter 38, RM0090 chapter 22).  The clock of its bus is taken for that of the core."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.timeline import PS_PER_S, Order

_WDGA: Final = 0x80
_BITES_AT: Final = 0x3F
_DIVIDED: Final = 4096


class Wwdg(Block, ips=("wwdg_v1", "wwdg_v2")):
    """Once WDGA is set only a reset stops it.  The early wake-up interrupt is not modelled."""

    RESET: ClassVar[dict[str, int]] = {"CR": 0x7F, "CFR": 0x7F}
    STATE = ("_loaded",)

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        die.timeline.on("WWDG", lambda _when: die.request_reset("wwdg"), Order.WATCHDOG)

    def reset(self) -> None:
        super().reset()
        self._loaded = 0
        self.die.timeline.cancel("WWDG")

    def stood_still(self, span: int) -> None:
        self._loaded += span

    def _step_ps(self) -> int:
        return _DIVIDED * PS_PER_S // self.die.rcc.hclk << self.field("CFR", "WDGTB")

    def read_CR(self) -> int:
        if not self.registers["CR"] & _WDGA:
            return self.registers["CR"]
        passed = (self.die.timeline.now - self._loaded) // self._step_ps()
        return _WDGA | self.registers["CR"] - passed & 0x7F

    def write_CR(self, value: int) -> None:
        running, left = self.registers["CR"] & _WDGA, self.read_CR() & 0x7F
        self.registers["CR"] = value & 0xFF | running
        if running and left > self.field("CFR", "W"):
            self.die.request_reset("wwdg")
        elif self.registers["CR"] & _WDGA:
            self._loaded = self.die.timeline.now
            steps = max(0, (value & 0x7F) - _BITES_AT)
            self.die.timeline.at("WWDG", self._loaded + steps * self._step_ps())

    def write_CFR(self, value: int) -> None:
        if value & 1 << 9:
            self.die.refuse("WWDG_CFR.EWI was set", "the twin does not model the early wake-up interrupt")
        self.registers["CFR"] = value & self.masks["CFR"]
