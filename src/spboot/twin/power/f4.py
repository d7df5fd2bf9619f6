"""Power control of STM32F4 and STM32F7 (RM0090 5.4, RM0410 4.4): voltage scaling and over-drive."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.timeline import PS_PER_US

_VOS, _ODEN, _ODSWEN, _DBP = 3 << 14, 1 << 16, 1 << 17, 1 << 8
_OD_PS: Final = 20 * PS_PER_US

# Device id -> VOS after a reset, MHz of SYSCLK by VOS, by VOS with over-drive.  RM0090 5.1.3, RM0386 5.1.4,
# RM0368 5.1.3, RM0383 5.1.3, RM0390 5.1.3, RM0402 5.1.3, RM0430 5.1.3, RM0401 5.1.2, RM0410 4.1.4, RM0385 4.1.4.
_Limits = tuple[int, dict[int, int], dict[int, int]]
_F405: Final[_Limits] = (1, {0: 144, 1: 168}, {})
_F42X: Final[_Limits] = (3, {1: 120, 2: 144, 3: 168}, {2: 168, 3: 180})
_F401: Final[_Limits] = (2, {1: 60, 2: 84}, {})
_F411: Final[_Limits] = (2, {1: 64, 2: 84, 3: 100}, {})
_F7: Final[_Limits] = (3, {1: 144, 2: 168, 3: 180}, {2: 180, 3: 216})
_LIMITS: Final[dict[int, _Limits]] = {
    0x413: _F405, 0x419: _F42X, 0x434: _F42X, 0x421: _F42X, 0x423: _F401, 0x433: _F401, 0x431: _F411, 0x441: _F411,
    0x463: _F411, 0x458: _F411, 0x449: _F7, 0x451: _F7, 0x452: _F7,
}  # fmt: skip


class PwrF4(Block, ips=("pwr_f4", "pwr_f7")):
    """CR1 and CSR1 are the PWR_CR and PWR_CSR of the F4 manuals."""

    READ_ONLY = frozenset({"CSR2"})
    STATE = ("_over_drive_at", "_switched_at", "standby_flag", "_woken")
    KEPT: ClassVar[dict[str, tuple[str, ...]]] = {
        "CSR1": ("BRE", "EWUP", "EWUP2", "EIWUP"),
        "CSR2": tuple(f"EWUP{pin}" for pin in range(6)),
    }
    standby_flag = False
    """SBF: only a power-on and the firmware clear it."""
    _woken = False
    """WUF, likewise."""

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self._reset_vos, self._plain, self._driven = _LIMITS[die.chip.device_id]
        die.timeline.on("PWR", lambda _when: None)

    def reset(self) -> None:
        super().reset()
        self.registers["CR1"] = self._reset_vos << 14
        self._over_drive_at = self._switched_at = 0

    def power_on(self) -> None:
        self.standby_flag = self._woken = False

    RUNS_IN_STOP = True

    def slept(self, kind: str) -> None:
        """Standby or Stop was entered; Stop ends over-drive (RM0090 5.4.2, ODEN)."""
        if kind == "stop":
            self.registers["CR1"] &= ~(_ODEN | _ODSWEN)
        else:
            self.standby_flag = True

    def wake_pins(self) -> dict[str, bool]:
        """EWUP: PA0 (RM0090 5.4.3).  Those of STM32F7 and others than the first are not modelled."""
        single = "EWUP" in self.fields["CSR1"] and self.field("CSR1", "EWUP")
        return {"PA0": True} if single else {}

    def woken_by(self, _pin: str) -> None:
        """WUF, where there is one for all."""
        self._woken = True

    def deep_sleep(self) -> str:
        """PDDS (RM0090 5.4.1): "standby", or "" for Stop."""
        return "standby" if self.registers["CR1"] & self.mask("CR1", "PDDS") else ""

    @property
    def limit_mhz(self) -> int:
        """The fastest SYSCLK that the regulator carries."""
        vos = self.registers["CR1"] >> 14 & 3
        return (self._driven if self.over_drive else self._plain).get(vos, 0)

    @property
    def over_drive(self) -> bool:
        """Whether the regulator runs in over-drive."""
        return bool(self.registers["CR1"] & _ODSWEN) and self.die.timeline.now >= self._switched_at

    def write_CR1(self, value: int) -> None:
        old = self.registers["CR1"]
        vos = value >> 14 & 3
        if vos not in self._plain:
            self.die.refuse(f"PWR_CR1.VOS = {vos}", f"use one of {', '.join(map(str, self._plain))}")
        if (value ^ old) & _VOS and self.die.rcc.on("PLL"):
            advice = "stop the PLL first (RM0090 5.4.1); it is ignored"
            self.die.forbid("PWR_CR1.VOS changed while the PLL is on", advice)
            value = value & ~_VOS | old & _VOS
        if value & ~old & (_ODEN | _ODSWEN):
            self._check_over_drive(value, old)
        if value & ~old & _ODEN:
            self._over_drive_at = self.die.timeline.now + _OD_PS
            self.die.timeline.at("PWR", self._over_drive_at)
        if value & ~old & _ODSWEN:
            self._switched_at = self.die.timeline.now + _OD_PS
            self.die.timeline.at("PWR", self._switched_at)
        clears = self.mask("CR1", "CSBF")
        if "CWUF" in self.fields["CR1"]:
            clears |= self.mask("CR1", "CWUF")
            self._woken = self._woken and not value & self.mask("CR1", "CWUF")
        if value & self.mask("CR1", "CSBF"):
            self.standby_flag = False
        self.registers["CR1"] = value & self.masks["CR1"] & ~clears
        self.die.rcc.check_limits()

    def _check_over_drive(self, value: int, old: int) -> None:
        if not self._driven:
            self.die.refuse("PWR_CR1.ODEN or ODSWEN set", f"{self.die.chip.name} has no over-drive")
        ready = old & _ODEN and self.die.timeline.now >= self._over_drive_at
        if value & ~old & _ODSWEN and not ready:
            self.die.refuse("PWR_CR1.ODSWEN set before ODRDY", "wait for ODRDY first (RM0090 5.1.4)")
        if self.die.rcc.registers["CFGR"] >> 2 & 3 == 2:
            self.die.refuse(
                "over-drive entered while the PLL is the system clock", "do it on HSI or HSE (RM0090 5.1.4)"
            )

    def read_CSR1(self) -> int:
        value = self.registers["CSR1"] | (1 << 14 if self.die.rcc.ready("PLL") else 0)
        value |= self.mask("CSR1", "SBF") if self.standby_flag else 0
        if self._woken and "WUF" in self.fields["CSR1"]:
            value |= self.mask("CSR1", "WUF")
        if self.registers["CR1"] & _ODEN and self.die.timeline.now >= self._over_drive_at:
            value |= 1 << 16
        return value | (1 << 17 if self.over_drive else 0)

    def write_CSR1(self, value: int) -> None:
        self.registers["CSR1"] = value & self.masks["CSR1"] & ~(1 << 14 | 3 << 16)
