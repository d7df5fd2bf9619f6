"""Power control of STM32L0 (RM0367 chapter 6)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.timeline import PS_PER_US

if TYPE_CHECKING:
    from spboot.twin.machine import Twin

_VOS_PS: Final = 20 * PS_PER_US


class PwrL0(Block):
    """VOS 1 is range 1; range 2 after a reset."""

    RESET: ClassVar[dict[str, int]] = {"CR": 0x1000}
    STATE = ("_settled",)

    def __init__(self, twin: Twin, facts: Facts) -> None:
        super().__init__(twin, facts)
        twin.timeline.on("PWR", lambda _when: None)

    def reset(self) -> None:
        super().reset()
        self._settled = 0

    def voltage_range(self) -> int:
        """1 is fast, 3 slow."""
        now, vos = self.twin.timeline.now, self.field("CR", "VOS")
        return max(vos, 2) if now < self._settled else vos

    def write_CR(self, value: int) -> None:
        vos = value >> 11 & 3
        if vos == 0:
            raise self.twin.refusal("PWR_CR.VOS = 0", "use 1, 2 or 3 (RM0367 6.4.1)")
        if value & self.mask("CR", "LPRUN"):
            raise self.twin.refusal("PWR_CR.LPRUN was set", "the twin does not model low-power run")
        if vos != self.field("CR", "VOS"):
            if self.twin.timeline.now < self._settled:
                raise self.twin.refusal("PWR_CR.VOS changed while VOSF is set", "wait for VOSF = 0 (RM0367 6.1.5)")
            self._settled = self.twin.timeline.now + _VOS_PS
            self.twin.timeline.at("PWR", self._settled)
        self.registers["CR"] = value & self.masks["CR"]
        self.twin.check_latency()

    def write_CSR(self, value: int) -> None:
        self.registers["CSR"] = value & 0x700

    def read_CSR(self) -> int:
        settling = self.twin.timeline.now < self._settled
        return self.registers["CSR"] | (self.mask("CSR", "VOSF") if settling else 0)
