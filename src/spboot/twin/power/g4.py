"""Power control of STM32G4 (RM0440 chapter 6)."""

from __future__ import annotations

from typing import ClassVar

from spboot.twin.power.l4 import PwrL4


class PwrG4(PwrL4, ips=("pwr_g4",)):
    """Range 1 has a boost mode, which only a power-on reset leaves by itself (6.4.22)."""

    RESET: ClassVar[dict[str, int]] = {"CR1": 0x200, "CR3": 0x8000, "CR5": 0x100}
    STOP_2 = False
    MANUAL = "RM0440 6.4.1"
    SR2 = 0x180
    """The flash is ready, the low-power regulator has started."""

    def power_on(self) -> None:
        super().power_on()
        self.registers.clear()

    def reset(self) -> None:
        mode = self.registers.get("CR5", self.RESET["CR5"])
        super().reset()
        self.registers["CR5"] = mode
