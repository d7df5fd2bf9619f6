"""General-purpose timers TIM2 to TIM5 (RM0090 chapter 18, RM0399 chapter 41): a basic timer with four compare channels.

A channel sets its flag when the counter comes to its compare value; no pin, trigger or DMA request follows."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from functools import partial
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.blocks.timer_basic import BasicTimer
from spboot.twin.die import Die

_CHANNELS: Final = 4
_CKD: Final = 3 << 8
_OCPE: Final = 1 << 3
_CCIF, _TIF = 0x1E, 1 << 6
_CCG, _TG = 0x1E, 1 << 6
_OUTPUTS: Final = 0x3333
_DMA: Final = 0x5F << 8
_IE: Final = 0x5F
_SILENT: Final = ("SMCR", "ECR", "DCR", "DMAR")
"""Registers that have to stay 0: other clocks and triggers, encoders, DMA bursts."""


class GeneralTimer(BasicTimer, ips=("tim_gp16_l0", "tim_gp16_v1", "tim_gp16_v2", "tim_gp16_v3")):
    """With a counter of 16 bits."""

    OTHER_LAYOUTS: ClassVar[frozenset[str]] = BasicTimer.OTHER_LAYOUTS | {
        *("CNT_DITHER", "CCMR_Input0", "CCMR_Input1"),
        *(f"CCR_DITHER{channel}" for channel in range(_CHANNELS)),
    }
    STATE: ClassVar[tuple[str, ...]] = (*BasicTimer.STATE, "shadow")
    CLEARABLE = BasicTimer.CLEARABLE | _CCIF | _TIF
    DMA = _DMA
    CONTROL = BasicTimer.CONTROL | _CKD
    SECTIONS = "RM0090 18.4, RM0399 41.4"

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        for channel in range(_CHANNELS):
            self._writers[self.offset_of(f"CCR{channel}")] = partial(self._write_compare, channel)
        for name in _SILENT:
            if name in self.names.values():
                self._writers[self.offset_of(name)] = partial(self._write_silent, name)

    def reset(self) -> None:
        self.shadow = {f"CCR{channel}": 0 for channel in range(_CHANNELS)}
        """Compare values in use."""
        super().reset()

    def marks(self) -> list[int]:
        return [self.shadow[f"CCR{channel}"] for channel in range(_CHANNELS)]

    def _preloads(self, channel: int) -> bool:
        """OCPE of *channel* (RM0090 18.4.7)."""
        return bool(self.registers[f"CCMR_Output{channel // 2}"] >> 8 * (channel & 1) & _OCPE)

    def _take(self, channel: int) -> None:
        self.shadow[f"CCR{channel}"] = self.registers[f"CCR{channel}"]

    def load_shadows(self) -> None:
        super().load_shadows()
        for channel in range(_CHANNELS):
            self._take(channel)

    def _write_compare(self, channel: int, value: int) -> None:
        """At once, or with OCPE at the next update event (RM0090 18.4.13)."""
        self.settle()
        self.registers[f"CCR{channel}"] = value & self.counter.most
        if not self._preloads(channel):
            self._take(channel)
        self._appoint()

    def _write_silent(self, name: str, value: int) -> None:
        if value:
            self.die.refuse(
                f"{self.name}_{name} = {value:#x}: external clock, trigger, encoder or DMA burst",
                f"the twin does not model it ({self.SECTIONS})",
            )

    def _write_mode(self, number: int, value: int) -> None:
        self.settle()
        if value & ~(_OCPE | _OCPE << 8):
            self.die.refuse(
                f"{self.name}_CCMR{number + 1} = {value:#x}: a channel other than output compare in frozen mode",
                f"the twin does not model it ({self.SECTIONS})",
            )
        self.registers[f"CCMR_Output{number}"] = value
        for channel in (2 * number, 2 * number + 1):
            if not self._preloads(channel):
                self._take(channel)
        self._appoint()

    def write_CCMR_Output0(self, value: int) -> None:
        """RM0090 18.4.7."""
        self._write_mode(0, value)

    def write_CCMR_Output1(self, value: int) -> None:
        """RM0090 18.4.8."""
        self._write_mode(1, value)

    def write_CCER(self, value: int) -> None:
        """CCxE and CCxP: the output of a frozen channel does not move (RM0090 18.4.9)."""
        if value & ~_OUTPUTS:
            self.die.refuse(
                f"{self.name}_CCER = {value:#x}: CCxNP is for inputs", f"the twin does not model it ({self.SECTIONS})"
            )
        self.registers["CCER"] = value

    def write_DIER(self, value: int) -> None:
        """RM0090 18.4.4."""
        if value & ~(_IE | _DMA):
            self.die.refuse(
                f"{self.name}_DIER = {value:#x}: interrupts of an encoder",
                f"the twin does not model it ({self.SECTIONS})",
            )
        super().write_DIER(value)

    def write_EGR(self, value: int) -> None:
        """CCxG and TG set the flags of their events (RM0090 18.4.6)."""
        self.settle()
        self.registers["SR"] |= value & (_CCG | _TG)
        super().write_EGR(value)


class WideTimer(GeneralTimer, ips=("tim_gp32_v1", "tim_gp32_v2", "tim_gp32_v3")):
    """With a counter of 32 bits."""

    RESET: ClassVar[dict[str, int]] = {"ARR": 0xFFFFFFFF}
    WIDTH = 32
