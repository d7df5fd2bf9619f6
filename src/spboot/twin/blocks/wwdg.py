"""Window watchdog (RM0351 chapter 38, RM0090 chapter 22): it counts down at its bus clock."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.timeline import PS_PER_S, Order

_WDGA: Final = 0x80
_EARLY: Final = 0x40
"""The count at which EWIF is set; the next one bites."""
_DIVIDED: Final = 4096


class Wwdg(Block, ips=("wwdg_v1", "wwdg_v2")):
    """Once WDGA is set only a reset stops it."""

    RESET: ClassVar[dict[str, int]] = {"CR": 0x7F, "CFR": 0x7F}
    STATE = ("_loaded", "_step")

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self._bus = int(facts.clock[-1]) if facts.clock[-1:].isdigit() else 1
        die.timeline.on("WWDG", lambda _when: die.request_reset("wwdg"), Order.WATCHDOG)
        die.timeline.on("WWDG.early", self._on_early)

    def reset(self) -> None:
        super().reset()
        self._loaded = 0
        self._step = 1
        """Picoseconds of a count."""
        self.die.timeline.cancel("WWDG")
        self.die.timeline.cancel("WWDG.early")
        self.line("WWDG", False)

    # time

    def stood_still(self, span: int) -> None:
        self._loaded += span

    def clocks_changed(self) -> None:
        if self.registers["CR"] & _WDGA:
            self._count_from(self.read_CR())

    def _count_from(self, value: int) -> None:
        """It runs and has *value* now."""
        now, hertz = self.die.timeline.now, self.die.rcc.pclk(self._bus)
        self.registers["CR"] = value | _WDGA
        self._loaded, self._step = now, _DIVIDED * PS_PER_S // hertz << self.field("CFR", "WDGTB")
        left = (value & 0x7F) - _EARLY
        self.die.timeline.at("WWDG", now + max(0, left + 1) * self._step)
        if left >= 0:
            self.die.timeline.at("WWDG.early", now + left * self._step)
        else:
            self.die.timeline.cancel("WWDG.early")

    def _on_early(self, _when: int) -> None:
        self.registers["SR"] = 1
        self._update_line()

    def _update_line(self) -> None:
        self.line("WWDG", bool(self.registers["SR"] and self.field("CFR", "EWI")))

    # registers

    def read_CR(self) -> int:
        if not self.registers["CR"] & _WDGA:
            return self.registers["CR"]
        passed = (self.die.timeline.now - self._loaded) // self._step
        return _WDGA | self.registers["CR"] - passed & 0x7F

    def write_CR(self, value: int) -> None:
        running, left = self.registers["CR"] & _WDGA, self.read_CR() & 0x7F
        if running and left > self.field("CFR", "W"):
            self.die.request_reset("wwdg")
        elif running or value & _WDGA:
            self._count_from(value & 0x7F)
        else:
            self.registers["CR"] = value & 0x7F

    def write_CFR(self, value: int) -> None:
        """The prescaler works at once.  EWI stays set until a reset (RM0351 38.4.2)."""
        left = self.read_CR()
        self.registers["CFR"] = value & self.masks["CFR"] | self.registers["CFR"] & self.mask("CFR", "EWI")
        if left & _WDGA:
            self._count_from(left)
        self._update_line()

    def write_SR(self, value: int) -> None:
        """EWIF is cleared by 0; 1 has no effect."""
        self.registers["SR"] &= value
        self._update_line()
