"""Low-power timers (RM0351 34, RM0367 24, RM0440 33; RM0456 on version 2): counting up at their kernel clock."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.timeline import PS_PER_S
from spboot.twin.upcounter import Upcounter

_ENABLE, _SNGSTRT, _CNTSTRT, _COUNTRST, _RSTARE = 1, 2, 4, 8, 16
_ARRM, _ARROK, _UE, _REPOK, _DIEROK = 1 << 1, 1 << 4, 1 << 7, 1 << 8, 1 << 24
_SYNC_TICKS: Final = 3
"""Kernel clock cycles until a value has reached the counter and its OK flag is set."""


class Lptim(Block, ips=("lptim_v1", "lptim_v1a", "lptim_v1b", "lptim_v1b_g4", "lptim_v1b_h7", "lptim_v1c")):
    """Started by software, continuously or once.  The sections named are those of RM0440, revision 8."""

    RESET: ClassVar[dict[str, int]] = {"ARR": 1}
    READ_ONLY = frozenset({"ISR", "CNT"})
    QUIET = frozenset({0x1C})
    STATE: ClassVar[tuple[str, ...]] = ("counter", "shadow", "_once", "_syncing")
    COMPARES: ClassVar[dict[str, tuple[int, int]]] = {"CMP": (1, 1 << 3)}
    """Compare register -> its flag and its OK flag in ISR."""
    ENABLES: ClassVar[str] = "IER"
    """The register of interrupts."""

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        if die.chip.family == "STM32G0":  # RM0444 26.7.9; its relatives have OR
            self._declare("CFGR2", 0x24, {"IN1SEL": (0, 2), "IN2SEL": (4, 2)})
        self.counter = Upcounter(16)
        register = facts.enable[0] if facts.enable else ""
        self._bus = int(next((digit for digit in register if digit.isdigit()), "1"))
        self._sync = f"{self.name}.sync"
        die.timeline.on(self.name, lambda _when: self.settle())
        die.timeline.on(self._sync, lambda _when: self.settle())

    def reset(self) -> None:
        super().reset()
        self.counter.reset()
        self.counter.change(self.die.timeline.now, top=self.registers["ARR"])
        self.shadow = dict.fromkeys(self.COMPARES, 0)
        """Compare values in use."""
        self._once = False
        self._syncing: dict[int, int] = {}
        """OK flag -> when it is set."""
        self.die.timeline.cancel(self.name)
        self.die.timeline.cancel(self._sync)
        self.line("GLOBAL", False)

    # the clock

    def clocks_changed(self) -> None:
        if self.registers["CR"] & _ENABLE:
            self.settle()
            self._take_clock()
            self._appoint()

    def _take_clock(self) -> None:
        """A bus clock is a whole number of cycles of the core; an oscillator's cycle is a fraction of a second."""
        rcc, timeline = self.die.rcc, self.die.timeline
        hertz = rcc.chosen_hz(self.name, self._bus) if self.clocked else 0
        ratio = round(rcc.hclk / hertz) if hertz else 0
        if not hertz:
            tick = (0, 1)
        elif ratio * hertz == rcc.hclk:
            tick = (ratio * timeline.cycle_ps, 1)
        else:
            tick = (PS_PER_S, hertz)
        self.counter.change(timeline.now, tick=tick)

    def runs_in_stop(self) -> bool:
        """On LSI and LSE, which go on."""
        return self.die.rcc.chosen(self.name) in ("LSI", "LSE")

    def stood_still(self, span: int) -> None:
        self.counter.shift(span)
        self._syncing = {flag: due + span for flag, due in self._syncing.items()}

    # what happens

    def settle(self) -> None:
        """Make up for the time that passed: flags, preloaded registers, the interrupt."""
        now, before = self.die.timeline.now, self.registers["ISR"]
        for flag in [flag for flag, due in self._syncing.items() if due <= now]:
            del self._syncing[flag]
            self.registers["ISR"] |= flag
        returned = False
        while self.counter.moves and self._round(now):
            returned = True
            if self.counter.skip(now):
                self._reach(self._marks())
        if returned or self.registers["ISR"] != before:
            self._update_line()
            self._appoint()

    def _marks(self) -> dict[int, int]:
        """Flag -> the count that sets it: ARR, and those compare values that it comes to."""
        compares = ((self.COMPARES[name][0], value) for name, value in self.shadow.items())
        return {_ARRM: self.counter.top} | {flag: value for flag, value in compares if value <= self.counter.top}

    def _reach(self, flags: Iterable[int]) -> None:
        for flag in flags:
            self.registers["ISR"] |= flag

    def _round(self, now: int) -> bool:
        """Count up to *now* or the next return to 0; whether that came."""
        marks = self._marks()
        reached, returned, _ = self.counter.advance(now, marks.values())
        self._reach(flag for place, flag in enumerate(marks) if place in reached)
        if returned:
            self._take()
            if "UE" in self.fields["ISR"]:
                self.registers["ISR"] |= _UE
            if self._once:
                self.counter.change(now, running=False)
        return returned

    def _take(self) -> None:
        """What was written takes effect."""
        self.counter.change(self.die.timeline.now, top=self.registers["ARR"])
        self.shadow = {name: self.registers[name] for name in self.COMPARES}

    def _appoint(self) -> None:
        """Wake up when the next clear flag is set, or the counter stops."""
        counter, timeline = self.counter, self.die.timeline
        if self._syncing:
            timeline.at(self._sync, min(self._syncing.values()))
        clear = [count for flag, count in self._marks().items() if not self.registers["ISR"] & flag]
        if not counter.moves or not (clear or self._once):
            timeline.cancel(self.name)
            return
        ahead = [mark for mark in clear if counter.count < mark <= counter.last]
        timeline.at(self.name, counter.when(min(ahead, default=counter.last + 1)))

    def _update_line(self) -> None:
        self.line("GLOBAL", bool(self.registers["ISR"] & self.registers[self.ENABLES]))

    # registers

    def _write_synced(self, name: str, value: int, flag: int) -> None:
        """ARR and compare values: while ENABLE is set, one at a time; the OK flag says that it arrived (33.4.10)."""
        self.settle()
        if not self.registers["CR"] & _ENABLE:
            self.die.refuse(f"{self.name}_{name} written while ENABLE is clear", "set ENABLE first (RM0440 33.7)")
        if flag in self._syncing:
            self.die.refuse(
                f"{self.name}_{name} written while the value before is on its way",
                "wait for its OK flag in ISR first (RM0440 33.4.10)",
            )
        self.registers[name] = value & self.masks[name]
        if not self.field("CFGR", "PRELOAD") or not self.counter.running:
            self._take()
        self._begin_sync(flag)

    def _begin_sync(self, flag: int) -> None:
        length, parts = self.counter.tick or (0, 1)
        self._syncing[flag] = self.die.timeline.now + _SYNC_TICKS * length // parts
        self._appoint()

    def read_ISR(self) -> int:
        self.settle()
        return self.registers["ISR"]

    def write_ICR(self, value: int) -> None:
        self.settle()
        self.registers["ISR"] &= ~value
        self._update_line()
        self._appoint()

    def write_IER(self, value: int) -> None:
        """Only while ENABLE is clear (33.7.3); it lets flags through, which are on the side of the bus."""
        self.settle()
        if self.registers["CR"] & _ENABLE:
            advice = "clear ENABLE first; it is taken at once (RM0440 33.7.3)"
            self.die.forbid(f"{self.name}_IER written while ENABLE is set", advice)
        self.registers["IER"] = value & self.masks["IER"]
        self._update_line()

    def write_CFGR(self, value: int) -> None:
        """Only while ENABLE is clear (33.7.4); what counts or triggers from outside is not modelled."""
        if self.registers["CR"] & _ENABLE:
            self.die.refuse(f"{self.name}_CFGR written while ENABLE is set", "clear ENABLE first (RM0440 33.7.4)")
        for field in ("CKSEL", "COUNTMODE", "ENC", "TIMOUT", "TRIGEN", "WAVE"):
            if value & self.mask("CFGR", field):
                self.die.refuse(
                    f"{self.name}_CFGR.{field} was set", "the twin models an internal clock and start alone"
                    " (RM0440 33.7.4)"
                )  # fmt: skip
        self.registers["CFGR"] = value & self.masks["CFGR"]
        self.counter.divider = 1 << self.field("CFGR", "PRESC")

    def write_CR(self, value: int) -> None:
        """ENABLE first, then SNGSTRT or CNTSTRT, which are ignored before (33.4.7, 33.7.5)."""
        self.settle()
        enabled = self.registers["CR"] & _ENABLE
        if value & _RSTARE & self.masks["CR"]:
            self.die.refuse(f"{self.name}_CR.RSTARE was set", "the twin does not model it (RM0440 33.7.5)")
        self.registers["CR"] = value & _ENABLE
        if value & _ENABLE and not enabled:
            self._enable()
        elif enabled and not value & _ENABLE:
            self.counter.change(self.die.timeline.now, running=False)
            self.counter.restart()
            self._syncing.clear()
            self.die.timeline.cancel(self._sync)
        elif enabled and value & (_SNGSTRT | _CNTSTRT):
            self._once = not value & _CNTSTRT
            self.counter.change(self.die.timeline.now, running=True)
        if enabled and value & _COUNTRST & self.masks["CR"]:
            self.counter.restart()
        self._appoint()

    def _enable(self) -> None:
        self._take_clock()
        if self.counter.tick is None:
            self.die.refuse(
                f"{self.name}_CR.ENABLE set while its kernel clock is off",
                "start the clock that RCC chooses for it first",
            )

    def write_ARR(self, value: int) -> None:
        self._write_synced("ARR", value, _ARROK)

    def write_CMP(self, value: int) -> None:
        self._write_synced("CMP", value, self.COMPARES["CMP"][1])

    def write_RCR(self, value: int) -> None:
        if value:
            self.die.refuse(f"{self.name}_RCR = {value:#x}", "the twin does not model repetition (RM0453 LPTIM_RCR)")
        self._begin_sync(_REPOK)

    def read_CNT(self) -> int:
        self.settle()
        return self.counter.count


class LptimV2(Lptim, ips=("lptim_v2a",)):
    """Two compare channels; interrupts are enabled in DIER, while ENABLE is set, and arrive late (RM0456, LPTIM)."""

    COMPARES: ClassVar[dict[str, tuple[int, int]]] = {"CCR0": (1, 1 << 3), "CCR1": (1 << 9, 1 << 19)}
    ENABLES = "DIER"

    def write_CCR0(self, value: int) -> None:
        self._write_synced("CCR0", value, self.COMPARES["CCR0"][1])

    def write_CCR1(self, value: int) -> None:
        self._write_synced("CCR1", value, self.COMPARES["CCR1"][1])

    def write_CCMR0(self, value: int) -> None:
        """CCxSEL: a channel may compare, not capture."""
        if value & (self.mask("CCMR0", "CCSEL0") | self.mask("CCMR0", "CCSEL1")):
            self.die.refuse(f"{self.name}_CCMR1 = {value:#x}: input capture", "the twin does not model it (RM0456)")
        self.registers["CCMR0"] = value & self.masks["CCMR0"]

    def write_DIER(self, value: int) -> None:
        """Only while ENABLE is set; DIEROK says that it arrived (RM0456, LPTIMx_DIER)."""
        self.settle()
        if not self.registers["CR"] & _ENABLE:
            self.die.refuse(f"{self.name}_DIER written while ENABLE is clear", "set ENABLE first (RM0456, LPTIMx_DIER)")
        if value & (self.mask("DIER", "CCDE0") | self.mask("DIER", "CCDE1")):
            self.die.refuse(f"{self.name}_DIER = {value:#x} asks for DMA", "the twin does not model DMA of timers")
        self.registers["DIER"] = value & self.masks["DIER"]
        self._begin_sync(_DIEROK)
        self._update_line()
