"""Power control of STM32H5 (RM0481 chapter 10): four scales of voltage."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar

from spboot.twin.power.low import PwrLow


class PwrH5(PwrLow, ips=("pwr_h5",)):
    """VOS counts upwards, scales downwards: VOS 0 is scale 3, the one after a reset, VOS 3 is scale 0."""

    RESET: ClassVar[dict[str, int]] = {"PMCR": 0x0C, "VOSSR": 0x2008}
    READ_ONLY = frozenset({"VOSSR", "PMSR", "BDSR", "VMSR", "WUSR"})
    STATE = (*PwrLow.STATE, "_slower")
    LIMIT_MHZ: ClassVar[dict[int, int]] = {0: 250, 1: 200, 2: 150, 3: 100}
    """Scale -> the fastest core and buses."""

    def reset(self) -> None:
        super().reset()
        self._slower = 3

    def voltage_range(self) -> int:
        """The scale, 0 to 3; on its way up the slower one still counts."""
        now = 3 - self.field("VOSCR", "VOS")
        return max(now, self._slower) if self.settling() else now

    def write_VOSCR(self, value: int) -> None:
        before = 3 - self.field("VOSCR", "VOS")
        self.registers["VOSCR"] = value & self.masks["VOSCR"]
        if 3 - self.field("VOSCR", "VOS") < before:
            self._slower = before
            self.settle()
        self.die.rcc.check_limits()

    def read_VOSSR(self) -> int:
        low, _ = self.fields["VOSSR"]["ACTVOS"]
        ready = 0 if self.settling() else self.mask("VOSSR", "VOSRDY") | self.mask("VOSSR", "ACTVOSRDY")
        return ready | 3 - self.voltage_range() << low

    def write_SCCR(self, value: int) -> None:
        self.die.refuse(f"PWR_SCCR = {value:#x}", "the package decides between LDO and SMPS; leave it alone")

    def deep_sleep(self) -> str:
        """LPMS (RM0481, PWR_PMCR)."""
        return "standby" if self.field("PMCR", "LPMS") else ""

    def read_PMSR(self) -> int:
        stopped = self.mask("PMSR", "STOPF") if self.stop_flag else 0
        return stopped | (self.mask("PMSR", "SBF") if self.standby_flag else 0)

    def write_PMCR(self, value: int) -> None:
        if value & self.mask("PMCR", "CSSF"):
            self.standby_flag = self.stop_flag = False
        self.registers["PMCR"] = value & self.masks["PMCR"] & ~self.mask("PMCR", "CSSF")
