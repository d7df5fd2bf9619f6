"""Which model stands for which IP version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spboot.errors import TwinError
from spboot.twin.block import Block
from spboot.twin.crc_v3 import CrcV3
from spboot.twin.debug import Dbgmcu, Dwt, Exti, SyscfgF4, SyscfgL4
from spboot.twin.flash_f4 import FlashF4
from spboot.twin.flash_f7 import FlashF7
from spboot.twin.flash_g4 import FlashG4, FlashG4C3, FlashG4C4
from spboot.twin.flash_h7 import FlashH7
from spboot.twin.flash_l0 import FlashL0
from spboot.twin.flash_l4 import FlashG0, FlashG0x0, FlashL4, FlashL5, FlashWl
from spboot.twin.gpio import Gpio
from spboot.twin.icache import Icache
from spboot.twin.iwdg import Iwdg
from spboot.twin.pwr_f4 import PwrF4
from spboot.twin.pwr_g4 import PwrG4
from spboot.twin.pwr_h7 import PwrH7, PwrH743
from spboot.twin.pwr_l0 import PwrL0
from spboot.twin.pwr_l4 import PwrG0, PwrL4, PwrL5, PwrWl
from spboot.twin.rcc_f4 import RccF4, RccF7
from spboot.twin.rcc_g0 import RccG0
from spboot.twin.rcc_g4 import RccG4
from spboot.twin.rcc_h7 import RccH7
from spboot.twin.rcc_l0 import RccL0
from spboot.twin.rcc_l4 import RccL4, RccL4Plus, RccL5
from spboot.twin.rcc_wl import RccWl
from spboot.twin.usart_v2 import UsartV2
from spboot.twin.usart_v3 import UsartV3
from spboot.twin.wwdg import Wwdg

if TYPE_CHECKING:
    from spboot.twin.machine import Twin

MODELS: Final[dict[str, type[Block]]] = {
    "crc_v3": CrcV3,
    "dbgmcu_f4": Dbgmcu,
    "dbgmcu_f7": Dbgmcu,
    "dbgmcu_g4": Dbgmcu,
    "dbgmcu_h7": Dbgmcu,
    "dbgmcu_l4": Dbgmcu,
    "exti_v1": Exti,
    "flash_f4": FlashF4,
    "flash_f7": FlashF7,
    "flash_g0x0": FlashG0x0,
    "flash_g0x1": FlashG0,
    "flash_g4c2": FlashG4,
    "flash_g4c3": FlashG4C3,
    "flash_g4c4": FlashG4C4,
    "flash_h7": FlashH7,
    "flash_l0": FlashL0,
    "flash_l4": FlashL4,
    "flash_l5": FlashL5,
    "flash_wl": FlashWl,
    "gpio_v2": Gpio,
    "gpio_v2_l478": Gpio,
    "icache_v1_4crr": Icache,
    "iwdg_v1": Iwdg,
    "iwdg_v2": Iwdg,
    "pwr_f4": PwrF4,
    "pwr_f7": PwrF4,
    "pwr_g0": PwrG0,
    "pwr_g4": PwrG4,
    "pwr_h7rm0399": PwrH7,
    "pwr_h7rm0433": PwrH743,
    "pwr_l0": PwrL0,
    "pwr_l4": PwrL4,
    "pwr_l5": PwrL5,
    "pwr_wl5": PwrWl,
    "rcc_f4": RccF4,
    "rcc_f7": RccF7,
    "rcc_g0x0": RccG0,
    "rcc_g0x1": RccG0,
    "rcc_g4": RccG4,
    "rcc_h7": RccH7,
    "rcc_h7rm0433": RccH7,
    "rcc_l0": RccL0,
    "rcc_l0_v2": RccL0,
    "rcc_l4": RccL4,
    "rcc_l4plus": RccL4Plus,
    "rcc_l5": RccL5,
    "rcc_wl5": RccWl,
    "rcc_wle": RccWl,
    "syscfg_f4": SyscfgF4,
    "syscfg_l4": SyscfgL4,
    "lpuart_v3": UsartV3,
    "lpuart_v4": UsartV3,
    "usart_v2": UsartV2,
    "usart_v3": UsartV3,
    "usart_v4": UsartV3,
    "wwdg_v1": Wwdg,
    "wwdg_v2": Wwdg,
}
_NEEDED: Final = ("RCC", "PWR", "FLASH", "IWDG")

SURVIVORS: Final = (Dbgmcu,)
"""Blocks that only a power-on reset clears."""


def build(twin: Twin) -> dict[str, Block]:
    """A model for every block of the chip that has one, on the bus.  Raises TwinError when a needed one is missing."""
    twin.bus.add(twin.nvic)
    if twin.chip.core != "cm0p":
        twin.bus.add(Dwt(twin))
    blocks: dict[str, Block] = {}
    for name, facts in twin.chip.blocks.items():
        model = MODELS.get(facts.ip)
        if model is None:
            continue
        block = model(twin, facts)
        blocks[name] = block
        twin.bus.add(block)
    if 0xE0001000 >> 10 in twin.bus.blocks:
        blocks["DWT"] = twin.bus.blocks[0xE0001000 >> 10]
    missing = [name for name in _NEEDED if name not in blocks]
    if missing:
        raise TwinError(f"{twin.chip.name}: the twin has no model of its {', '.join(missing)}")
    for block in blocks.values():
        if block.facts.enable is not None:
            register, field = block.facts.enable
            block.gate = register, blocks["RCC"].mask(register, field)
    return blocks
