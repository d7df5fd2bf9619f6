"""Standby: the core and its memories lose their supply; what is left is the backup domain and a few registers.

Entered by WFI or WFE with SLEEPDEEP set where PWR says so, left by `wake`, a reset or the watchdog.  What a block keeps
stands in its `KEPT`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spboot.twin.machine import Twin


def enter(twin: Twin) -> None:
    """The core went to deep sleep.  Raises TwinError where that is not Standby."""
    kind = twin.pwr.deep_sleep()
    if kind not in ("standby", "domain"):
        raise twin.refusal(
            f"deep sleep with PWR set up for {kind or 'Stop'}", "the twin models Standby alone; choose it in PWR"
        )
    twin.nvic.reset()
    for block in sorted(twin.blocks.values(), key=lambda b: b.name not in ("RCC", "PWR")):
        if kind == "standby" and block.name != "IWDG":
            block.lose_supply()
        elif kind == "domain" and block.name == "FLASH":  # the registers of domain 1 alone (RM0399 7.4)
            block.reset()
    twin.lose_ram()
    twin.pwr.slept(kind)
    twin.rcc.note_standby(kind)
    twin.flash.renew_translations()
    twin.in_standby = True
    twin.cpu.sleeping = True


def wake(twin: Twin) -> None:
    """A wake-up pin, the RTC: the core starts from its reset vector.  Raises TwinError when it does not sleep."""
    if not twin.in_standby:
        raise twin.refusal("wake() while the chip is not in Standby", "let the firmware enter it first")
    twin.in_standby = False
    twin.cpu.reset()
