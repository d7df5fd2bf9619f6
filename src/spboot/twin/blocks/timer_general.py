"""General-purpose timers with one, two or four compare channels (RM0090 chapters 18 and 19, RM0399 chapter 41).

A channel sets its flag when the counter comes to its compare value; no pin, trigger or DMA request follows."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from functools import partial
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.blocks.timer_basic import BasicTimer
from spboot.twin.die import Die

_MOST: Final = 4
_CKD: Final = 3 << 8
_OCPE: Final = 1 << 3
_CCG: Final = 0x1E
_TG: Final = 1 << 6
_NOT_OF_OUTPUTS: Final = 0x8888
_SILENT: Final = {
    **dict.fromkeys(("SMCR", "ECR", "DCR", "DMAR"), "external clock, trigger, encoder or DMA burst"),
    **dict.fromkeys(("CCMR3", "CCR5", "CCR6"), "a channel without a pin"),
}
"""Registers that have to stay 0, and what they are for."""


class GeneralTimer(
    BasicTimer,
    ips=(
        *("tim_gp16_l0", "tim_gp16_v1", "tim_gp16_v2", "tim_gp16_v3", "tim_1ch_v1", "tim_1ch_v2", "tim_1ch_v3"),
        *("tim_2ch_l0", "tim_2ch_v1", "tim_2ch_v2", "tim_2ch_v3"),
    ),
):
    """With a counter of 16 bits."""

    OTHER_LAYOUTS: ClassVar[frozenset[str]] = BasicTimer.OTHER_LAYOUTS | {
        *("CNT_DITHER", "CCMR_Input", "CCMR_Input0", "CCMR_Input1"),
        *(f"CCR_DITHER{channel}" for channel in range(_MOST)),
    }
    STATE: ClassVar[tuple[str, ...]] = (*BasicTimer.STATE, "shadow")
    CONTROL = BasicTimer.CONTROL | _CKD
    SECTIONS = "RM0090 18.4, RM0399 41.4"

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        have = set(self.names.values())
        self.channels = range(sum(f"CCR{channel}" in have for channel in range(_MOST)))
        self._modes = sorted(name for name in have if name.startswith("CCMR_Output"))
        """Registers with the modes of two channels each."""
        for channel in self.channels:
            self._writers[self.offset_of(f"CCR{channel}")] = partial(self._write_compare, channel)
        for number, name in enumerate(self._modes):
            self._writers[self.offset_of(name)] = partial(self._write_mode, number)
        for name in have.intersection(_SILENT):
            self._writers[self.offset_of(name)] = partial(self._write_silent, name)

    def reset(self) -> None:
        self.shadow = {f"CCR{channel}": 0 for channel in self.channels}
        """Compare values in use."""
        super().reset()

    def marks(self) -> list[int]:
        return list(self.shadow.values())

    def _preloads(self, channel: int) -> bool:
        """OCPE of *channel* (RM0090 18.4.7)."""
        return bool(self.registers[self._modes[channel // 2]] >> 8 * (channel & 1) & _OCPE)

    def _take(self, channel: int) -> None:
        self.shadow[f"CCR{channel}"] = self.registers[f"CCR{channel}"]

    def load_shadows(self) -> None:
        super().load_shadows()
        for channel in self.channels:
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
                f"{self.name}_{name} = {value:#x}: {_SILENT[name]}",
                f"the twin does not model it ({self.SECTIONS})",
            )

    def _write_mode(self, number: int, value: int) -> None:
        """RM0090 18.4.7, 18.4.8: of channels 2 * *number* and the next one."""
        self.settle()
        channels = self.channels[2 * number : 2 * number + 2]
        if value & ~sum(_OCPE << 8 * place for place in range(len(channels))):
            self.die.refuse(
                f"{self.name}_CCMR{number + 1} = {value:#x}: a channel other than output compare in frozen mode",
                f"the twin does not model it ({self.SECTIONS})",
            )
        self.registers[self._modes[number]] = value
        for channel in channels:
            if not self._preloads(channel):
                self._take(channel)
        self._appoint()

    def write_CCER(self, value: int) -> None:
        """CCxE and CCxP: the output of a frozen channel does not move; CCxNP has to be 0 for an output (RM0090
        18.4.9)."""
        if wrong := value & (_NOT_OF_OUTPUTS | ~self.masks["CCER"]):
            self.die.forbid(
                f"{self.name}_CCER: bits {wrong:#x} were set",
                "keep them at 0: CCxNP is for inputs, others are reserved",
            )
        self.registers["CCER"] = value & self.masks["CCER"]

    def write_EGR(self, value: int) -> None:
        """CCxG and TG set the flags of their events (RM0090 18.4.6)."""
        self.settle()
        self.registers["SR"] |= value & self.masks["EGR"] & (_CCG | _TG)
        super().write_EGR(value)


class WideTimer(GeneralTimer, ips=("tim_gp32_v1", "tim_gp32_v2", "tim_gp32_v3")):
    """With a counter of 32 bits."""

    RESET: ClassVar[dict[str, int]] = {"ARR": 0xFFFFFFFF}
    WIDTH = 32
