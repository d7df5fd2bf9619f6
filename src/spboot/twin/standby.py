"""Deep sleep: Standby, where core and memories lose their supply, and Stop, where their clocks stand still.

Entered by WFI or WFE with SLEEPDEEP set; PWR says which it is.  Standby leaves the backup domain and what stands in
the `KEPT` of a block, and ends with `wake`, a reset or the watchdog.  Stop keeps everything, and ends with an interrupt
that can still arise: of EXTI, or of a block that has a clock and that EXTI lets through."""

from __future__ import annotations

from typing import Any, Final

from spboot.twin.blocks.exti import Exti
from spboot.twin.die import Die

_YIELD, _WFE, _WFI, _SEV = 0xBF10, 0xBF20, 0xBF30, 0xBF40
HINTS: Final = frozenset({_YIELD, _WFE, _WFI, _SEV})
"""Instructions that the core runs by way of `Standby.hint`."""


class Standby:
    """Whether the chip is in one of them, and the ways between."""

    def __init__(self, die: Die) -> None:
        self.die = die
        self.entered = False
        """Standby."""
        self._levels: dict[str, int] = {}
        """Of the pins that may end it."""
        self.stopped = False
        self._for_event = False
        self._since = self._cycles = 0
        self._frozen: dict[str, int] = {}
        self._still: set[str] = set()
        die.pins.watch(self._look)

    def hint(self, instruction: int) -> None:
        """The core ran one of HINTS.  WFE and YIELD may always complete at once (ARMv7-M A7.7.261).

        The emulator runs SEV without a word, so it counts where it stands right before a WFE, and nowhere else."""
        cpu, core, deep = self.die.cpu, self.die.core, self.die.nvic.sleeps_deep
        if instruction == _WFI:
            cpu.sleeping = True
            if deep:
                self.enter()
        elif instruction == _WFE:
            if deep and not cpu.event and core.halfword(core.pc - 4) != _SEV:
                self.enter(for_event=True)
            cpu.event = False

    def enter(self, *, for_event: bool = False) -> None:
        """The core went to deep sleep, *for_event*: by WFE.  Raises TwinError where PWR has set up what is not
        modelled."""
        die = self.die
        kind = die.pwr.deep_sleep()
        if kind == "shutdown":
            die.refuse("deep sleep with PWR set up for Shutdown", "the twin models Stop and Standby; choose one in PWR")
        die.cpu.sleeping = True
        if not kind:
            self._stop(for_event)
            return
        die.nvic.reset()
        die.cpu.lose_supply()
        for block in sorted(die.blocks.values(), key=lambda b: b.name not in ("RCC", "PWR")):
            if kind == "standby" and block.name != "IWDG":
                block.lose_supply()
            elif kind == "domain" and block.name == "FLASH":  # the registers of domain 1 alone (RM0399 7.4)
                block.reset()
        die.rams.lose()
        die.pwr.slept(kind)
        die.rcc.note_standby(kind)
        die.flash.renew_translations()
        self._levels = {pin: die.pins.get(pin) for pin in die.pwr.wake_pins()}
        self.entered = True

    def _look(self) -> None:
        """A pin changed: an edge that PWR waits for ends Standby."""
        if not self.entered:
            return
        for pin, rising in self.die.pwr.wake_pins().items():
            before, self._levels[pin] = self._levels[pin], self.die.pins.get(pin)
            if self.entered and before != self._levels[pin] == int(rising):
                self.end(pin)

    def end(self, pin: str = "") -> None:
        """*pin*, or with "" the RTC, ends Standby if the chip is in it."""
        if self.entered:
            self.die.pwr.woken_by(pin)
            self.wake()

    def wake(self) -> None:
        """A wake-up pin, the RTC: the core starts from its reset vector.  Raises TwinError when it does not sleep."""
        if not self.entered:
            self.die.refuse("wake() while the chip is not in Standby", "let the firmware enter it first")
        self.entered = False
        self.die.cpu.reset()

    def forget(self) -> None:
        """A reset."""
        self.entered = self.stopped = self._for_event = False
        self._frozen = {}

    # Stop (RM0351 5.3.5 to 5.3.7)

    def _stop(self, for_event: bool) -> None:
        die = self.die
        if die.flash_controller.busy:
            die.refuse("Stop was entered while the flash is busy", "wait for the end of the operation (RM0351 5.3.6)")
        for block in die.blocks.values():
            block.before_stop()
        self.stopped, self._for_event = True, for_event
        self._since, self._cycles = die.timeline.now, die.timeline.cycles
        self._still = {block.name for block in die.blocks.values() if not block.runs_in_stop()}
        die.nvic.hold()
        self._frozen = die.timeline.freeze(lambda key: key.split(".")[0] not in self._still or key.endswith(".rx"))

    def asleep(self, candidates: int) -> bool:
        """Whether the core sleeps on, with the exceptions *candidates* pending and enabled."""
        if self.stopped:
            candidates = candidates if any(map(self._passes, self.die.nvic.holders_of(candidates))) else 0
        return not candidates and not (self._for_event and self.die.cpu.event)

    def _passes(self, holder: tuple[str, str]) -> bool:
        """Whether EXTI lets the interrupt of a block through in Stop.  What has no line needs none."""
        block, signal = holder
        exti = self.die.block("EXTI", Exti)
        line = None if block == exti.name else exti.line_of(block, signal)
        return line is None or exti.unmasked(line)

    def left(self, candidates: int) -> bool:
        """Leave Stop if something of *candidates* or an event ends it.  False while it goes on."""
        if self.asleep(candidates):
            return False
        self._leave()
        return True

    def _leave(self) -> None:
        die = self.die
        self.stopped = die.cpu.sleeping = False
        span = die.timeline.now - self._since
        for name in self._still:
            die.blocks[name].stood_still(span)
        die.timeline.thaw(self._frozen, span, self._cycles)
        die.nvic.go_on()
        die.pwr.slept("stop")
        die.rcc.leave_stop()
        if self._for_event:
            die.cpu.event = False
        self._for_event, self._frozen = False, {}

    def save(self) -> Any:
        times = self._since, self._cycles, dict(self._frozen), set(self._still)
        return self.entered, dict(self._levels), self.stopped, self._for_event, times

    def load(self, state: Any) -> None:
        self.entered, levels, self.stopped, self._for_event, times = state
        self._since, self._cycles, frozen, still = times
        self._levels = dict(levels)
        self._frozen, self._still = dict(frozen), set(still)
