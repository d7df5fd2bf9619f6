"""Power control of STM32L4 (RM0351 chapter 5): voltage scaling and the lock of the backup domain."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.timeline import PS_PER_US

if TYPE_CHECKING:
    from spboot.twin.machine import Twin

_VOS_PS: Final = 20 * PS_PER_US
_LOW_POWER_RUN: Final = 1 << 14
_VOSF: Final = 1 << 10


class PwrL4(Block):
    """VOS 1 is range 1, VOS 2 is range 2."""

    RESET: ClassVar[dict[str, int]] = {"CR1": 0x200, "CR3": 0x8000}
    READ_ONLY = frozenset({"SR1", "SR2"})
    STATE = ("_settled",)

    def __init__(self, twin: Twin, facts: Facts) -> None:
        super().__init__(twin, facts)
        twin.timeline.on("PWR", lambda _when: None)

    def reset(self) -> None:
        super().reset()
        self._settled = 0

    @property
    def range(self) -> int:
        """The voltage range, 1 or 2."""
        return self.registers["CR1"] >> 9 & 3

    def write_CR1(self, value: int) -> None:
        vos = value >> 9 & 3
        if vos not in (1, 2):
            raise self.twin.refusal(f"PWR_CR1.VOS = {vos}", "use 1 (range 1) or 2 (range 2) (RM0351 5.4.1)")
        if value & _LOW_POWER_RUN:
            raise self.twin.refusal("PWR_CR1.LPR was set", "the twin does not model low-power run")
        if vos == 1 and self.range == 2:
            self._settled = self.twin.timeline.now + _VOS_PS
            self.twin.timeline.at("PWR", self._settled)
        self.registers["CR1"] = value & self.masks["CR1"]
        self.twin.check_latency()

    def read_SR2(self) -> int:
        return 0x100 | (_VOSF if self.twin.timeline.now < self._settled else 0)
