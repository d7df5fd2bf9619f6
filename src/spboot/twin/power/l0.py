"""Power control of STM32L0 (RM0367 chapter 6)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar

from spboot.twin.power.low import PwrLow


class PwrL0(PwrLow, ips=("pwr_l0",)):
    """VOS 1 is range 1; range 2 after a reset."""

    RESET: ClassVar[dict[str, int]] = {"CR": 0x1000}
    KEPT: ClassVar[dict[str, tuple[str, ...]]] = {"CSR": ("EWUP1", "EWUP2", "EWUP3")}
    STATE = (*PwrLow.STATE, "_woken")
    _woken = False
    """WUF: only a power-on and the firmware clear it."""

    def power_on(self) -> None:
        super().power_on()
        self._woken = False

    def wake_pins(self) -> dict[str, bool]:
        """EWUP1 to EWUP3 (RM0367 6.4.2); the third pin is PE6 on parts that have it, otherwise PA2."""
        third = "PE6" if "PE6" in self.die.chip.pins else "PA2"
        pins = {"EWUP1": "PA0", "EWUP2": "PC13", "EWUP3": third}
        return {pin: True for field, pin in pins.items() if self.field("CSR", field)}

    def woken_by(self, _pin: str) -> None:
        self._woken = True

    def voltage_range(self) -> int:
        """1 is fast, 3 slow."""
        vos = self.field("CR", "VOS")
        return max(vos, 2) if self.settling() else vos

    def write_CR(self, value: int) -> None:
        vos = value >> 11 & 3
        if vos == 0:
            self.die.refuse("PWR_CR.VOS = 0", "use 1, 2 or 3 (RM0367 6.4.1)")
        if value & self.mask("CR", "LPRUN"):
            self.die.refuse("PWR_CR.LPRUN was set", "the twin does not model low-power run")
        if vos != self.field("CR", "VOS"):
            if self.settling():
                self.die.refuse("PWR_CR.VOS changed while VOSF is set", "wait for VOSF = 0 (RM0367 6.1.5)")
            self.settle()
        if value & self.mask("CR", "CSBF"):
            self.standby_flag = False
        if value & self.mask("CR", "CWUF"):
            self._woken = False
        self.registers["CR"] = value & self.masks["CR"] & ~(self.mask("CR", "CSBF") | self.mask("CR", "CWUF"))
        self.die.flash_controller.check_latency()

    def deep_sleep(self) -> str:
        """PDDS (RM0367 6.4.1)."""
        return "standby" if self.registers["CR"] & self.mask("CR", "PDDS") else ""

    def write_CSR(self, value: int) -> None:
        self.registers["CSR"] = value & 0x700

    def read_CSR(self) -> int:
        standby = self.mask("CSR", "SBF") if self.standby_flag else 0
        standby |= self.mask("CSR", "WUF") if self._woken else 0
        return self.registers["CSR"] | standby | (self.mask("CSR", "VOSF") if self.settling() else 0)
