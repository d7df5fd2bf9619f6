"""Which model stands for which IP version: every class in these folders says so itself, by `ips=`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from spboot.chips.external import External
from spboot.chips.silence import ALL, Silence
from spboot.chips.usb import Usb
from spboot.errors import TwinError
from spboot.twin import blocks, clock, flash, guests, power
from spboot.twin.block import Block
from spboot.twin.blocks.debug import Dbgmcu, Dwt
from spboot.twin.blocks.otg import Otg
from spboot.twin.blocks.serial_memory import SerialMemory
from spboot.twin.bus import Bus
from spboot.twin.clock.rcc import Rcc
from spboot.twin.die import Die
from spboot.twin.interrupt.nvic import Nvic
from spboot.twin.nor.package import Package
from spboot.twin.silent import Silent

_FOLDERS: Final = (blocks, clock, flash, power)


def _classes(model: type[Block] = Block) -> Iterator[type[Block]]:
    """*model* and all that is made from it, in the folders of models."""
    homes = tuple(folder.__name__ for folder in _FOLDERS)
    if model.__module__.startswith(homes):
        yield model
    for other in model.__subclasses__():
        yield from _classes(other)


def _models() -> dict[str, type[Block]]:
    """IP version -> its model.  Raises TypeError when two classes claim one: a mistake in one of them."""
    for folder in _FOLDERS:
        for module in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}."):
            importlib.import_module(module.name)
    found: dict[str, type[Block]] = {}
    for ip, model in ((ip, each) for each in _classes() for ip in each.IPS):
        if found.setdefault(ip, model) is not model:
            raise TypeError(
                f"{ip} is modelled by {found[ip].__name__} and by {model.__name__}: take it out of one ips="
            )
    return found


MODELS: Final[dict[str, type[Block]]] = _models()
"""IP version -> its model."""
NAMED: Final[dict[str, type[Block]]] = {name: model for model in _classes() for name in model.FOR}
"""Peripheral that the chip facts have no IP version of -> its model, which has a part of it and gives way to one of a
user's, and to silence."""
_NEEDED: Final = ("RCC", "PWR", "FLASH", "IWDG")

SURVIVORS: Final = (Dbgmcu,)
"""Blocks that only a power-on reset clears."""


def build(die: Die, bus: Bus, nvic: Nvic, silence: Silence) -> dict[str, Block]:
    """A model for every block of the chip that has one, on the bus, and what is to be silent.

    Raises TwinError when a needed one is missing, or when one that has a model is to be silent."""
    chip, own = die.chip, guests.of(die.chip)
    taken = {*own, *silence.names}
    known = {name: (MODELS[facts.ip], facts) for name, facts in chip.blocks.items() if facts.ip in MODELS}
    blocks = {
        name: model(die, facts) for name, (model, facts) in known.items() if not model.OPTIONAL or name not in taken
    }
    named = {name: (NAMED[name], facts) for name, facts in chip.others.items() if name in NAMED and name not in taken}
    blocks |= {
        name: model(die, facts)
        for name, (model, facts) in named.items()
        if not model.FAMILIES or chip.family in model.FAMILIES
    }
    if both := sorted(own.keys() & blocks.keys()):
        raise TwinError(f"{own[both[0]].__name__} is a model of {both[0]}, which the twin models itself: take it out")
    blocks |= {name: model(die, chip.peripheral(name)) for name, model in own.items()}
    quiet = _silent(die, blocks.keys(), silence)
    if die.chip.core != "cm0p":
        blocks["DWT"] = Dwt(die)
    missing = [name for name in _NEEDED if name not in blocks]
    if missing:
        raise TwinError(f"{die.chip.name}: the twin has no model of its {', '.join(missing)}")
    for block in (nvic, *blocks.values()):
        bus.add(block)
    for silent in quiet.values():
        bus.add_among(silent, chip.extent(silent.facts))
    for block in (nvic, *blocks.values(), *quiet.values()):
        if block.facts.enable is not None:
            register, field = block.facts.enable
            block.gate = register, blocks["RCC"].mask(register, field)
    return blocks | quiet


def fit(die: Die, external: Iterable[External]) -> dict[str, Package]:
    """Put flash chips at their controllers; by controller.  Raises TwinError where there is none to put them at."""
    packages = {}
    for each in external:
        controller = die.blocks[each.controller]
        if not isinstance(controller, SerialMemory):
            raise TwinError(
                f"{each.controller} has flash chips at it, and a model of yours or silence: omit one of them"
            )
        packages[each.controller] = controller.fit(each, die.chip.window_of(each.controller))
    return packages


def connect(die: Die, socket: Usb | None) -> Otg | None:
    """Put the USB connector of a board at its core, unless silence or a model of a user has taken the place of that."""
    core = None if socket is None else die.blocks[socket.core]
    if socket is None or not isinstance(core, Otg):
        return None
    core.fit(socket)
    if socket.hse_hz:
        die.block("RCC", Rcc).hse_hz = socket.hse_hz
    return core


def _silent(die: Die, modelled: Collection[str], silence: Silence) -> dict[str, Block]:
    """The blocks that *silence* asks for."""
    chip, names = die.chip, set(silence.names)
    if ALL in names:
        names = names - {ALL} | (chip.blocks.keys() | chip.others.keys()) - set(modelled)
    if heard := sorted(names.intersection(modelled)):
        raise TwinError(f"{', '.join(heard)} cannot be silent: the twin has a model; omit what asks for it")
    ready = {name: {at: bits for (of, at), bits in silence.ready.items() if of == name} for name in names}
    return {name: Silent(die, chip.peripheral(name), ready[name]) for name in sorted(names)}
