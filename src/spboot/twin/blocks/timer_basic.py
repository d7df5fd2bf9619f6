"""Basic timers TIM6 and TIM7 (RM0090 chapter 20, RM0440 chapter 32): counter, prescaler, update event."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.upcounter import Upcounter

_CEN, _UDIS, _URS, _OPM, _ARPE, _UIFREMAP = 1, 2, 4, 8, 128, 1 << 11
_UIF: Final = 1
_UG: Final = 1
_UIFCPY: Final = 1 << 31
_HALF: Final = 0xFFFF
_ASKS_FOR_DMA: Final = re.compile(r"[UT]DE|COMDE|CCDE\d")
_OF_ENCODERS: Final = frozenset({"IDXIE", "DIRIE", "IERRIE", "TERRIE"})
"""Fields of DIER."""
_NO_COPY: Final = frozenset({"STM32F4", "STM32L0"})
"""Families whose timers have no UIFREMAP (RM0090 20.4.1, RM0367 TIMx_CR1)."""


class BasicTimer(Block, ips=("tim_basic_l0", "tim_basic_v1", "tim_basic_v2", "tim_basic_v3")):
    """Counts up from 0 to ARR.  Each appointment is for a flag that is clear: nothing happens while all are set."""

    STATE: ClassVar[tuple[str, ...]] = ("counter",)
    RESET: ClassVar[dict[str, int]] = {"ARR": 0xFFFF}
    QUIET = frozenset({0x24})
    OTHER_LAYOUTS: ClassVar[frozenset[str]] = frozenset({"ARR_DITHER"})
    WIDTH: ClassVar[int] = 16
    LINES: ClassVar[dict[str, int]] = {"UP": 0xFFFF}
    """Interrupt -> its flags in SR."""
    CONTROL: ClassVar[int] = _CEN | _UDIS | _URS | _OPM | _ARPE | _UIFREMAP
    """Bits of CR1 that are modelled."""
    SECTIONS: ClassVar[str] = "RM0090 20.4, RM0440 32.4"

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self.counter = Upcounter(self.WIDTH)
        choice = "." in facts.clock  # as "CCIPR.TIM1SEL", where 0 is the clock of its bus
        self._choice = tuple(facts.clock.split(".")) if choice else None
        self._bus = 1 if choice else int(facts.clock[4])  # of "PCLK1_TIM"
        die.timeline.on(self.name, lambda _when: self.settle())

    def reset(self) -> None:
        super().reset()
        self.counter.reset()
        self._take_clock()
        self.counter.change(self.die.timeline.now, top=self.registers["ARR"])
        self.die.timeline.cancel(self.name)
        for interrupt in self.LINES:
            self.line(interrupt, False)

    # the clock

    def clocks_changed(self) -> None:
        self.settle()
        self._take_clock()
        self._appoint()

    def _take_clock(self) -> None:
        """A cycle of the timer is a whole number of cycles of the core, as both come from one clock."""
        rcc, timeline = self.die.rcc, self.die.timeline
        if self.clocked and self._choice is not None and rcc.field(*self._choice):
            self.die.refuse(
                f"{self.name} counts another clock than that of its bus",
                f"the twin does not model it: leave RCC_{'.'.join(self._choice)} at 0",
            )
        hertz = rcc.timer_hz(self._bus) if self.clocked else 0
        self.counter.change(timeline.now, tick=(round(rcc.hclk / hertz) * timeline.cycle_ps if hertz else 0, 1))

    def stood_still(self, span: int) -> None:
        self.counter.shift(span)

    # what happens

    def marks(self) -> list[int]:
        """Counts that set a flag: those of the channels, which are bit 1 and on of SR."""
        return []

    def settle(self) -> None:
        """Make up for the time that passed: flags, shadow registers, the interrupt."""
        counter, now = self.counter, self.die.timeline.now
        if not counter.moves:
            return
        before, returned = self.registers["SR"], False
        while self._round(now):
            returned = True
            if self.skip_rounds(now):
                self._reach(range(len(self.marks())))
        if returned or self.registers["SR"] != before:
            self._update_line()
            self._appoint()

    def skip_rounds(self, now: int) -> bool:
        """Leave out whole rounds, which are all alike; whether there were any."""
        return self.counter.skip(now) > 0

    def _round(self, now: int) -> bool:
        """Count up to *now* or the next return to 0; whether that came."""
        marks = self.marks()
        reached, returned, regular = self.counter.advance(now, marks)
        self._reach(reached)
        if regular:
            self._overflow(marks)
        return returned

    def _reach(self, channels: Iterable[int]) -> None:
        for channel in channels:
            self.registers["SR"] |= 2 << channel

    def _overflow(self, marks: list[int]) -> None:
        """The counter came from ARR to 0; a compare value above ARR counts as reached (RM0090 18.4.5)."""
        self._reach(channel for channel, mark in enumerate(marks) if mark > self.counter.top)
        if not self.registers["CR1"] & _UDIS and self.ends_repetition():
            self.update_event()

    def ends_repetition(self) -> bool:
        """The counter came to 0: whether that is an update event."""
        return True

    def repetitions(self) -> int:
        """Returns to 0 before the one that is an update event."""
        return 0

    def update_event(self) -> None:
        """By the counter (RM0090 20.3.1)."""
        self.load_shadows()
        self.registers["SR"] |= _UIF
        if self.registers["CR1"] & _OPM:
            self.registers["CR1"] &= ~_CEN
            self.counter.change(self.die.timeline.now, running=False)

    def load_shadows(self) -> None:
        """An update event: what was preloaded takes effect (RM0090 20.3.1)."""
        self.counter.divider = self.registers["PSC"] + 1
        self.counter.change(self.die.timeline.now, top=self.registers["ARR"])

    def _appoint(self) -> None:
        """Wake up when the next clear flag is set, or one-pulse mode stops the counter."""
        counter, control = self.counter, self.registers["CR1"]
        status, marks = self.registers["SR"], self.marks()
        wanted = [mark for channel, mark in enumerate(marks) if not status & 2 << channel]
        round_ends = not control & _UDIS and (not status & _UIF or control & _OPM)
        if not counter.moves or not (wanted or round_ends):
            self.die.timeline.cancel(self.name)
            return
        ahead = [mark for mark in wanted if counter.count < mark <= counter.last]
        rounds = 0 if wanted else self.repetitions()
        end = counter.last + 1 + rounds * (counter.top + 1)
        self.die.timeline.at(self.name, counter.when(min(ahead, default=end)))

    def raised(self) -> int:
        """The flags of SR that interrupt: their bits in DIER are set."""
        return self.registers["SR"] & self.registers["DIER"]

    def _update_line(self) -> None:
        raised = self.raised()
        for interrupt, flags in self.LINES.items():
            self.line(interrupt, bool(raised & flags))

    # registers

    def write_CR1(self, value: int) -> None:
        """RM0090 20.4.1, RM0440 32.4.1."""
        self.settle()
        if value & self.masks["CR1"] & ~self.CONTROL:
            self.die.refuse(
                f"{self.name}_CR1 = {value:#x}: other than counting up at the timer's clock",
                f"the twin does not model it ({self.SECTIONS})",
            )
        if value & _UIFREMAP and self.die.chip.family in _NO_COPY:
            family = self.die.chip.family
            self.die.forbid(f"{self.name}_CR1.UIFREMAP was set", f"{family} has no such bit: keep it 0; it is ignored")
            value &= ~_UIFREMAP
        self.registers["CR1"] = value & self.masks["CR1"]
        top = None if value & _ARPE else self.registers["ARR"]
        self.counter.change(self.die.timeline.now, running=bool(value & _CEN), top=top)
        self._appoint()

    def write_CR2(self, value: int) -> None:
        """RM0090 20.4.2: the trigger output."""
        if value & self.masks["CR2"]:
            self.die.refuse(
                f"{self.name}_CR2 = {value:#x}: trigger output, DMA or input selection",
                f"the twin does not model it ({self.SECTIONS})",
            )

    def write_DIER(self, value: int) -> None:
        """RM0090 20.4.3."""
        self.settle()
        fields = [field for field in self.fields["DIER"] if value & self.mask("DIER", field)]
        if any(_ASKS_FOR_DMA.fullmatch(field) for field in fields):
            self.die.refuse(f"{self.name}_DIER = {value:#x} asks for DMA", "the twin does not model DMA of timers")
        if not _OF_ENCODERS.isdisjoint(fields):
            self.die.refuse(
                f"{self.name}_DIER = {value:#x}: interrupts of an encoder",
                f"the twin does not model it ({self.SECTIONS})",
            )
        if unknown := value & ~self.masks["DIER"]:
            self.die.forbid(
                f"{self.name}_DIER: reserved bits {unknown:#x} were set", "keep them at 0; they are ignored"
            )
        self.registers["DIER"] = value & self.masks["DIER"]
        self._update_line()

    def read_SR(self) -> int:
        self.settle()
        return self.registers["SR"]

    def write_SR(self, value: int) -> None:
        """Flags go away by writing 0; 1 leaves them (RM0090 20.4.4)."""
        self.settle()
        self.registers["SR"] &= value
        self._update_line()
        self._appoint()

    def read_EGR(self) -> int:
        return 0

    def write_EGR(self, value: int) -> None:
        """UG: the counter begins anew; an update event, which sets UIF unless URS is set (RM0090 20.3.2, 20.4.5)."""
        self.settle()
        if value & _UG:
            self.counter.restart()
            if not self.registers["CR1"] & _UDIS:
                self.load_shadows()
                if not self.registers["CR1"] & _URS:
                    self.registers["SR"] |= _UIF
        self._update_line()
        self._appoint()

    def read_CNT(self) -> int:
        """With UIFREMAP bit 31 is a copy of UIF (RM0440 32.4.6)."""
        self.settle()
        if not self.registers["CR1"] & _UIFREMAP:
            return self.counter.count
        return self.counter.count & ~_UIFCPY | (self.registers["SR"] & _UIF) << 31

    def write_CNT(self, value: int) -> None:
        self.settle()
        if self.registers["CR1"] & _UIFREMAP:
            value &= ~_UIFCPY
        self.counter.count = value & self.counter.most
        self._appoint()

    def write_PSC(self, value: int) -> None:
        """Taken over at the next update event (RM0090 20.4.7)."""
        self.settle()
        self.registers["PSC"] = value & _HALF

    def write_ARR(self, value: int) -> None:
        """At once, or with ARPE at the next update event; 0 stops the counter (RM0090 20.4.8)."""
        self.settle()
        self.registers["ARR"] = value & self.counter.most
        if not self.registers["CR1"] & _ARPE:
            self.counter.change(self.die.timeline.now, top=self.registers["ARR"])
        self._appoint()
