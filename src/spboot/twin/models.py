"""Which model stands for which IP version."""

from __future__ import annotations

from typing import Final

from spboot.errors import TwinError
from spboot.twin.block import Block
from spboot.twin.blocks.crc_v3 import CrcV3
from spboot.twin.blocks.debug import Dbgmcu, Dwt
from spboot.twin.blocks.exti import Exti
from spboot.twin.blocks.gpio import Gpio
from spboot.twin.blocks.iwdg import Iwdg
from spboot.twin.blocks.syscfg import SyscfgF4, SyscfgL4
from spboot.twin.blocks.usart_v2 import UsartV2
from spboot.twin.blocks.usart_v3 import UsartV3
from spboot.twin.blocks.wwdg import Wwdg
from spboot.twin.bus import Bus
from spboot.twin.clock.f4 import RccF4
from spboot.twin.clock.f7 import RccF7
from spboot.twin.clock.g0 import RccG0
from spboot.twin.clock.g4 import RccG4
from spboot.twin.clock.h7 import RccH7
from spboot.twin.clock.l0 import RccL0
from spboot.twin.clock.l4 import RccL4, RccL4Plus
from spboot.twin.clock.l5 import RccL5
from spboot.twin.clock.wl import RccWl
from spboot.twin.die import Die
from spboot.twin.flash.f4 import FlashF4
from spboot.twin.flash.f7 import FlashF7
from spboot.twin.flash.g0 import FlashG0, FlashG0x0
from spboot.twin.flash.g4 import FlashG4, FlashG4C3, FlashG4C4
from spboot.twin.flash.h7 import FlashH7
from spboot.twin.flash.icache import Icache
from spboot.twin.flash.l0 import FlashL0
from spboot.twin.flash.l4 import FlashL4
from spboot.twin.flash.l5 import FlashL5
from spboot.twin.flash.wl import FlashWl
from spboot.twin.interrupt.nvic import Nvic
from spboot.twin.power.f4 import PwrF4
from spboot.twin.power.g0 import PwrG0
from spboot.twin.power.g4 import PwrG4
from spboot.twin.power.h7 import PwrH7, PwrH743
from spboot.twin.power.l0 import PwrL0
from spboot.twin.power.l4 import PwrL4
from spboot.twin.power.l5 import PwrL5
from spboot.twin.power.wl import PwrWl

_CLASSES: Final = (
    CrcV3,
    Dbgmcu,
    Exti,
    SyscfgF4,
    SyscfgL4,
    FlashF4,
    FlashF7,
    FlashG4,
    FlashG4C3,
    FlashG4C4,
    FlashH7,
    FlashL0,
    FlashG0,
    FlashG0x0,
    FlashL4,
    FlashL5,
    FlashWl,
    Gpio,
    Icache,
    Iwdg,
    PwrF4,
    PwrG4,
    PwrH7,
    PwrH743,
    PwrL0,
    PwrG0,
    PwrL4,
    PwrL5,
    PwrWl,
    RccF4,
    RccF7,
    RccG0,
    RccG4,
    RccH7,
    RccL0,
    RccL4,
    RccL4Plus,
    RccL5,
    RccWl,
    UsartV2,
    UsartV3,
    Wwdg,
)
MODELS: Final[dict[str, type[Block]]] = {ip: model for model in _CLASSES for ip in model.IPS}
"""IP version -> its model."""
_NEEDED: Final = ("RCC", "PWR", "FLASH", "IWDG")

SURVIVORS: Final = (Dbgmcu,)
"""Blocks that only a power-on reset clears."""


def build(die: Die, bus: Bus, nvic: Nvic) -> dict[str, Block]:
    """A model for every block of the chip that has one, on the bus.  Raises TwinError when a needed one is missing."""
    blocks = {name: MODELS[facts.ip](die, facts) for name, facts in die.chip.blocks.items() if facts.ip in MODELS}
    if die.chip.core != "cm0p":
        blocks["DWT"] = Dwt(die)
    missing = [name for name in _NEEDED if name not in blocks]
    if missing:
        raise TwinError(f"{die.chip.name}: the twin has no model of its {', '.join(missing)}")
    for block in (nvic, *blocks.values()):
        bus.add(block)
        if block.facts.enable is not None:
            register, field = block.facts.enable
            block.gate = register, blocks["RCC"].mask(register, field)
    return blocks
