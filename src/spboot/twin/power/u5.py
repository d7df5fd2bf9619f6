"""Power control of STM32U5 (RM0456 chapter 10): four ranges, and a booster that the input of PLL1 clocks."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from spboot.twin.power.low import PwrLow
from spboot.twin.timeline import PS_PER_US

_BOOST_PS: Final = 50 * PS_PER_US
_PULLS: Final = tuple(f"P{way}CR{port}" for way in "UD" for port in range(9))


class PwrU5(PwrLow, ips=("pwr_u5",)):
    """VOS counts upwards, ranges downwards: VOS 0 is range 4, the one after a reset, VOS 3 is range 1."""

    RESET: ClassVar[dict[str, int]] = {"VOSR": 0x8000, "SVMSR": 0x8000}
    READ_ONLY = frozenset({"SVMSR", "BDSR", "WUSR"})
    STATE = (*PwrLow.STATE, "_slower", "_boosted")
    KEPT: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(("APCR", *_PULLS), ())
    LIMIT_MHZ: ClassVar[dict[int, int]] = {1: 160, 2: 110, 3: 55, 4: 25}
    """Range -> the fastest core."""
    UNBOOSTED_MHZ: ClassVar[int] = 55

    booster_hz: Callable[[], int]
    """What RCC feeds the booster with."""

    def reset(self) -> None:
        super().reset()
        self._slower = 4
        self._boosted: int | None = None

    def voltage_range(self) -> int:
        """1 to 4; on its way up the slower range still counts."""
        now = 4 - self.field("VOSR", "VOS")
        return max(now, self._slower) if self.settling() else now

    def booster_clocked(self) -> bool:
        """The booster needs 4 to 16 MHz from the input of PLL1 (RM0456, EPOD booster)."""
        return 4_000_000 <= self.booster_hz() <= 16_000_000

    @property
    def boosted(self) -> bool:
        """BOOSTRDY."""
        return self._boosted is not None and self.die.timeline.now >= self._boosted

    def write_VOSR(self, value: int) -> None:
        before = 4 - self.field("VOSR", "VOS")
        boosting = bool(self.field("VOSR", "BOOSTEN"))
        flags = self.mask("VOSR", "VOSRDY") | self.mask("VOSR", "BOOSTRDY") | self.mask("VOSR", "USBBOOSTRDY")
        self.registers["VOSR"] = value & self.masks["VOSR"] & ~flags | self.mask("VOSR", "VOSRDY")
        if 4 - self.field("VOSR", "VOS") < before:
            self._slower = before
            self.settle()
        if not self.field("VOSR", "BOOSTEN"):
            self._boosted = None
        elif not boosting and self.booster_clocked():
            self._boosted = self.die.timeline.now + _BOOST_PS
            self.die.timeline.at("PWR", max(self._boosted, self._settled))
        self.die.rcc.check_limits()

    def read_VOSR(self) -> int:
        settling = self.mask("VOSR", "VOSRDY") if self.settling() else 0
        return self.registers["VOSR"] & ~settling | (self.mask("VOSR", "BOOSTRDY") if self.boosted else 0)

    def read_SVMSR(self) -> int:
        low, _ = self.fields["SVMSR"]["ACTVOS"]
        ready = 0 if self.settling() else self.mask("SVMSR", "ACTVOSRDY")
        return ready | 4 - self.voltage_range() << low

    def write_CR3(self, value: int) -> None:
        if value & self.mask("CR3", "REGSEL"):
            self.die.refuse("PWR_CR3.REGSEL was set", "the twin does not model the SMPS; stay on the LDO")
        self.registers["CR3"] = value & self.masks["CR3"]

    def deep_sleep(self) -> str:
        """LPMS: 10x is Standby, 11x Shutdown (RM0456, PWR_CR1)."""
        mode = self.field("CR1", "LPMS")
        return "standby" if mode in (4, 5) else "shutdown" if mode > 5 else ""

    def read_SR(self) -> int:
        stopped = self.mask("SR", "STOPF") if self.stop_flag else 0
        return stopped | (self.mask("SR", "SBF") if self.standby_flag else 0)

    def write_SR(self, value: int) -> None:
        if value & self.mask("SR", "CSSF"):
            self.standby_flag = self.stop_flag = False
