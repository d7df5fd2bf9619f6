"""Timers with complementary outputs: TIM1, TIM8 and TIM20 (RM0090 chapter 17, RM0440 chapter 28), TIM15, TIM16 and
TIM17 (RM0453 chapter 27).  As general-purpose timers, with a repetition counter and breaks by software.

The outputs are not there: dead times, idle states and MOE are kept and read back."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.blocks.timer_general import GeneralTimer
from spboot.twin.die import Die

_UDIS, _OPM = 1 << 1, 1 << 3
_UIF, _CCIF, _COMIF, _TIF, _BIF = 1, 0x1E, 1 << 5, 1 << 6, 1 << 7
_BIF2: Final = 1 << 8
_COMG: Final = 1 << 5
_BG: Final = 1 << 7 | 1 << 8
_BIE: Final = 1 << 7
_AOE, _MOE = 1 << 14, 1 << 15
_IDLE: Final = "OIS"
"""How the fields of CR2 begin that are of outputs."""
_OF_OUTPUTS: Final = frozenset({"MOE", "AOE", "OSSI", "OSSR", "DTG", "BKP0", "BKP1", "BKF0", "BKF1"})
"""Fields of BDTR that may be set; the others are breaks from outside, and the lock."""
_LATER: Final = frozenset({"CCMR3", "CCR5", "CCR6", "AF1", "AF2", "TISEL"})
"""Registers that STM32F4 has not (RM0090 17.4.21)."""


class ComplementaryTimer(
    GeneralTimer, ips=("tim_1ch_cmp_v1", "tim_1ch_cmp_v2", "tim_1ch_cmp_v3", "tim_2ch_cmp_v1", "tim_2ch_cmp_v3")
):
    """TIM15 to TIM17: one vector for all interrupts."""

    RESET: ClassVar[dict[str, int]] = {**GeneralTimer.RESET, "AF1": 1}
    STATE: ClassVar[tuple[str, ...]] = (*GeneralTimer.STATE, "left", "repeat")
    SECTIONS = "RM0453 27"

    def reset(self) -> None:
        self.left = self.repeat = 0
        """Returns to 0 before the next update event, and RCR in use."""
        super().reset()

    # the repetition counter (RM0090 17.3.3)

    def ends_repetition(self) -> bool:
        if self.left:
            self.left -= 1
            return False
        return True

    def repetitions(self) -> int:
        return self.left

    def load_shadows(self) -> None:
        """RCR, too; and AOE sets MOE (RM0090 17.4.13, 17.4.18)."""
        super().load_shadows()
        self.left = self.repeat = self.registers["RCR"]
        if self.registers["BDTR"] & _AOE:
            self.registers["BDTR"] |= _MOE

    def _settled(self) -> bool:
        """What is written is in use: one update event is like the next."""
        compares = all(self.registers[name] == value for name, value in self.shadow.items())
        return compares and (self.counter.divider - 1, self.counter.top, self.repeat) == tuple(
            self.registers[name] for name in ("PSC", "ARR", "RCR")
        )

    def skip_rounds(self, now: int) -> bool:
        if not self._settled() or self.registers["CR1"] & _OPM:
            rounds = self.counter.skip(now, self.left)
            self.left -= rounds
            return rounds > 0
        left, rounds = self.left, self.counter.skip(now)
        if rounds > left and not self.registers["CR1"] & _UDIS:
            self.update_event()
        self.left = (left - rounds) % (self.repeat + 1)
        return rounds > 0

    def _check_repetition(self, control: int, repeat: int) -> None:
        if control & _UDIS and repeat:
            self.die.refuse(
                f"{self.name}: UDIS together with a repetition counter of {repeat}",
                "the manual does not say how it counts then: leave one of them 0 (RM0090 17.3.3)",
            )

    def write_RCR(self, value: int) -> None:
        """Taken over at the next update event (RM0090 17.4.13)."""
        self.settle()
        self._check_repetition(self.registers["CR1"], value & self.masks["RCR"])
        self.registers["RCR"] = value & self.masks["RCR"]

    def write_CR1(self, value: int) -> None:
        """RM0090 17.4.1."""
        self.settle()
        self._check_repetition(value, self.registers["RCR"] | self.left)
        super().write_CR1(value)

    # outputs and breaks

    def raised(self) -> int:
        """BIE lets both breaks interrupt (RM0090 17.4.4)."""
        both = self.registers["SR"] & _BIF2 if self.registers["DIER"] & _BIE else 0
        return super().raised() | both

    def write_CR2(self, value: int) -> None:
        """The levels of idle outputs are kept (RM0090 17.4.2)."""
        idle = sum(self.mask("CR2", field) for field in self.fields["CR2"] if field.startswith(_IDLE))
        super().write_CR2(value & ~idle)
        self.registers["CR2"] = value & idle

    def write_CCER(self, value: int) -> None:
        """CCxNE and CCxNP are of the complementary outputs (RM0090 17.4.9)."""
        if unknown := value & ~self.masks["CCER"]:
            self.die.forbid(
                f"{self.name}_CCER: reserved bits {unknown:#x} were set", "keep them at 0; they are ignored"
            )
        self.registers["CCER"] = value & self.masks["CCER"]

    def write_BDTR(self, value: int) -> None:
        """Kept, as there are no outputs (RM0090 17.4.18)."""
        self.settle()
        outputs = sum(self.mask("BDTR", field) for field in self.fields["BDTR"] if field in _OF_OUTPUTS)
        if value & ~outputs:
            self.die.refuse(
                f"{self.name}_BDTR = {value:#x}: a break from outside, or LOCK",
                f"the twin models breaks by software alone, and no lock ({self.SECTIONS})",
            )
        self.registers["BDTR"] = value

    def write_EGR(self, value: int) -> None:
        """BG and B2G are breaks whatever BKE says: MOE goes (RM0090 17.3.12, 17.4.6)."""
        self.settle()
        value &= self.masks["EGR"]
        if value & _COMG:
            self.die.refuse(f"{self.name}_EGR.COMG was set", f"the twin does not model it ({self.SECTIONS})")
        if value & _BG:
            self.registers["SR"] |= value & _BG
            self.registers["BDTR"] &= ~_MOE
        super().write_EGR(value)


class ComplementaryPairTimer(ComplementaryTimer, ips=("tim_2ch_cmp_v2",)):
    """The facts have a second register of modes, which is none (RM0440, TIM15_CCMR1)."""

    OTHER_LAYOUTS = ComplementaryTimer.OTHER_LAYOUTS | {"CCMR_Output1"}


class AdvancedTimer(ComplementaryTimer, ips=("tim_adv_v1", "tim_adv_v2", "tim_adv_v3")):
    """TIM1, TIM8 and TIM20: four channels, and vectors of their own for kinds of interrupts."""

    OTHER_LAYOUTS = ComplementaryTimer.OTHER_LAYOUTS | {"CCR5_DITHER", "CCR6_DITHER"}
    RESET: ClassVar[dict[str, int]] = {**ComplementaryTimer.RESET, "AF2": 1}
    LINES: ClassVar[dict[str, int]] = {
        "UP": _UIF, "CC": _CCIF, "BRK": _BIF | _BIF2, "TRG": _TIF, "COM": _COMIF,
    }  # fmt: skip
    SECTIONS = "RM0090 17.4, RM0440 28.6"

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        if die.chip.family == "STM32F4":
            self.masks["RCR"] = 0xFF  # RM0090 17.4.13
            self.names = {offset: name for offset, name in self.names.items() if name not in _LATER}
