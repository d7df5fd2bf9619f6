"""What flash controllers of the low-power families share: wait states by voltage range."""

from __future__ import annotations

from typing import ClassVar

from spboot.twin.flash.controller import Controller
from spboot.twin.power.low import PwrLow


class FlashLow(Controller, like="flash_l4"):
    """Base of their models."""

    LATENCY_MHZ: ClassVar[dict[int, tuple[int, ...]]]
    """Voltage range -> highest HCLK in MHz by wait states."""
    MOST_STATES: ClassVar[int] = 0
    """Wait states that LATENCY can ask for, where it can ask for more than that table needs."""
    LATENCY_SOURCE: ClassVar[str]
    """Where the manual has that table."""

    def wait_states(self) -> int:
        """What ACR says."""
        return self.field("ACR", "LATENCY")

    def check_latency(self) -> None:
        """Refuse a clock that the flash cannot follow."""
        voltage = self.die.block("PWR", PwrLow).voltage_range()
        limits = self.LATENCY_MHZ[voltage]
        states, mhz = self.wait_states(), self.die.rcc.hclk / 1e6
        if states > max(self.MOST_STATES, len(limits) - 1) or mhz > limits[min(states, len(limits) - 1)]:
            needed = next((i for i, limit in enumerate(limits) if mhz <= limit), None)
            advice = f"stay below {limits[-1]} MHz" if needed is None else f"set FLASH_ACR.LATENCY to {needed} first"
            self.die.refuse(
                f"HCLK {mhz:g} MHz with {states} wait states in voltage range {voltage}",
                f"{advice} ({self.LATENCY_SOURCE})",
            )
