"""Standby: the core and its memories lose their supply; what is left is the backup domain and a few registers.

Entered by WFI or WFE with SLEEPDEEP set where PWR says so, left by `wake`, a reset or the watchdog.  What a block keeps
stands in its `KEPT`."""

from __future__ import annotations

from spboot.twin.die import Die


class Standby:
    """Whether the chip is in it, and the two ways between."""

    def __init__(self, die: Die) -> None:
        self.die = die
        self.entered = False

    def enter(self) -> None:
        """The core went to deep sleep.  Raises TwinError where that is not Standby."""
        die = self.die
        kind = die.pwr.deep_sleep()
        if kind not in ("standby", "domain"):
            die.refuse(
                f"deep sleep with PWR set up for {kind or 'Stop'}", "the twin models Standby alone; choose it in PWR"
            )
        die.nvic.reset()
        for block in sorted(die.blocks.values(), key=lambda b: b.name not in ("RCC", "PWR")):
            if kind == "standby" and block.name != "IWDG":
                block.lose_supply()
            elif kind == "domain" and block.name == "FLASH":  # the registers of domain 1 alone (RM0399 7.4)
                block.reset()
        die.rams.lose()
        die.pwr.slept(kind)
        die.rcc.note_standby(kind)
        die.flash.renew_translations()
        self.entered = True
        die.cpu.sleeping = True

    def wake(self) -> None:
        """A wake-up pin, the RTC: the core starts from its reset vector.  Raises TwinError when it does not sleep."""
        if not self.entered:
            self.die.refuse("wake() while the chip is not in Standby", "let the firmware enter it first")
        self.entered = False
        self.die.cpu.reset()

    def save(self) -> bool:
        return self.entered

    def load(self, state: bool) -> None:
        self.entered = state
