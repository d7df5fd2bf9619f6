"""Power control of STM32L4 (RM0351 chapter 5) and its relatives: voltage scaling, the lock of the backup domain."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.die import Die
from spboot.twin.power.low import PwrLow

_LOW_POWER_RUN: Final = 1 << 14
_VOSF: Final = 1 << 10
_PULLS: Final = tuple(f"P{way}CR{port}" for way in "UD" for port in range(9))


class PwrL4(PwrLow, ips=("pwr_l4",)):
    """VOS 1 is range 1, VOS 2 is range 2."""

    RESET: ClassVar[dict[str, int]] = {"CR1": 0x200, "CR3": 0x8000}
    READ_ONLY = frozenset({"SR1", "SR2"})
    RANGES: ClassVar[tuple[int, ...]] = (1, 2)
    """Legal values of VOS, which are the ranges."""
    MANUAL: ClassVar[str] = "RM0351 5.4.1"
    KEPT: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(("CR3", "CR4", *_PULLS), ())
    SR1: ClassVar[int] = 0
    STANDBY: ClassVar[tuple[str, str, str]] = ("SR1", "SBF", "CSBF")
    """Register of SBF and its name; the other one is that of the facts of L4 and L5, which exchange the two,"""
    CLEAR: ClassVar[tuple[str, str, str]] = ("SCR", "CSBF", "SBF")
    """and of what clears it."""
    SR2: ClassVar[int] = 0x100
    STOP_2: ClassVar[bool] = True
    """Whether LPMS may be 2."""
    WAKE_PINS: ClassVar[tuple[str, ...]] = ("PA0", "PC13", "PE6", "PA2", "PC5")
    """What EWUP1 and so on stand for (RM0351 5.4.3)."""
    STATE: ClassVar[tuple[str, ...]] = (*PwrLow.STATE, "_woken")
    _woken = 0
    """WUF1 and so on: only a power-on and the firmware clear them."""
    DECLARES: ClassVar[frozenset[str]] = frozenset({"CR5"})

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        if facts.ip == "pwr_l4" and die.chip.family == "STM32L4+":  # RM0432 5.4.5; STM32L4 has none
            self._declare("CR5", 0x80, {"R1MODE": (8, 1)})
        self._boosts = "R1MODE" in self.fields.get("CR5", {})
        if self._boosts:
            self._writers[self.offset_of("CR5")] = self._write_mode

    def reset(self) -> None:
        super().reset()
        if self._boosts:
            self.registers["CR5"] = self.mask("CR5", "R1MODE")

    def _write_mode(self, value: int) -> None:
        self.registers["CR5"] = value & self.masks["CR5"]
        self.die.rcc.check_limits()

    def voltage_range(self) -> int:
        """1 is fast, 2 slow, 0 faster still: on L5 a range, on G4 and L4+ range 1 in boost mode."""
        if self.settling():  # on its way up the slower range still counts
            return max(self.RANGES)
        vos = self.registers["CR1"] >> 9 & 3
        return 0 if vos == 1 and self._boosts and not self.field("CR5", "R1MODE") else vos

    def write_CR1(self, value: int) -> None:
        vos = value >> 9 & 3
        if vos not in self.RANGES:
            self.die.refuse(f"PWR_CR1.VOS = {vos}", f"use {', '.join(map(str, self.RANGES))} ({self.MANUAL})")
        if value & _LOW_POWER_RUN:
            self.die.refuse("PWR_CR1.LPR was set", "the twin does not model low-power run")
        if vos < self.registers["CR1"] >> 9 & 3:
            self.settle()
        self.registers["CR1"] = value & self.masks["CR1"]
        self.die.flash_controller.check_latency()

    def deep_sleep(self) -> str:
        """LPMS (RM0351 5.4.1)."""
        mode = self.field("CR1", "LPMS")
        if mode == 2 and not self.STOP_2:
            self.die.refuse("deep sleep with PWR_CR1.LPMS = 2", f"{self.die.chip.name} has no Stop 2: choose 0 or 1")
        return "standby" if mode == 3 else "shutdown" if mode > 3 else ""

    def sbf(self, register: str) -> int:
        """What SBF adds to *register*."""
        return self._bit(*self.STANDBY) if self.standby_flag and register == self.STANDBY[0] else 0

    def _bit(self, register: str, name: str, other: str) -> int:
        return self.mask(register, name if name in self.fields[register] else other)

    def power_on(self) -> None:
        super().power_on()
        self._woken = 0

    def wake_pins(self) -> dict[str, bool]:
        """EWUPn, by a rising edge, or with WPn by a falling one."""
        enabled, falling = self.registers["CR3"], self.registers["CR4"]
        pins = {pin: 1 << place for place, pin in enumerate(self.WAKE_PINS) if pin in self.die.chip.pins}
        return {pin: not falling & bit for pin, bit in pins.items() if enabled & bit}

    def woken_by(self, pin: str) -> None:
        if pin:
            self._woken |= 1 << self.WAKE_PINS.index(pin)

    def read_SR1(self) -> int:
        return self.SR1 | self.sbf("SR1") | self._woken

    def write_SCR(self, value: int) -> None:
        self._woken &= ~value
        self._clear("SCR", value)

    def _clear(self, register: str, value: int) -> None:
        if register == self.CLEAR[0] and value & self._bit(*self.CLEAR):
            self.standby_flag = False

    def read_SR2(self) -> int:
        return self.SR2 | (_VOSF if self.settling() else 0)
