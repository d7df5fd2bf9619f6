"""Which model stands for which IP version: every class in these folders says so itself, by `ips=`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Final

from spboot.errors import TwinError
from spboot.twin import blocks, clock, flash, power
from spboot.twin.block import Block
from spboot.twin.blocks.debug import Dbgmcu, Dwt
from spboot.twin.bus import Bus
from spboot.twin.die import Die
from spboot.twin.interrupt.nvic import Nvic

_FOLDERS: Final = (blocks, clock, flash, power)


def _served(model: type[Block]) -> Iterator[tuple[str, type[Block]]]:
    """(IP version, class) of *model* and of all that is made from it, in the folders of models."""
    homes = tuple(folder.__name__ for folder in _FOLDERS)
    if model.__module__.startswith(homes):
        yield from ((ip, model) for ip in model.IPS)
    for other in model.__subclasses__():
        yield from _served(other)


def _models() -> dict[str, type[Block]]:
    """IP version -> its model.  Raises TypeError when two classes claim one: a mistake in one of them."""
    for folder in _FOLDERS:
        for module in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}."):
            importlib.import_module(module.name)
    found: dict[str, type[Block]] = {}
    for ip, model in _served(Block):
        if found.setdefault(ip, model) is not model:
            raise TypeError(
                f"{ip} is modelled by {found[ip].__name__} and by {model.__name__}: take it out of one ips="
            )
    return found


MODELS: Final[dict[str, type[Block]]] = _models()
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
