"""Every register of every model: what reading and writing it does, which manual says so, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from spboot import boards, chips
from spboot.boards import Board
from spboot.twin import Twin
from spboot.twin.block import Block
from spboot.twin.models import MODELS
from tools.fidelity import sources
from tools.fidelity.recorder import NVIC, key

_CORES: Final = {"cm0p": "STM32G0B1RE", "cm4": "STM32L476RG", "cm7": "STM32H745XI", "cm33": "STM32L562QE"}
"""A part of each core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One register of a model.  *reads* is "stored" or "computed"; *writes* is "stored", "acts" or "refused"."""

    name: str
    reads: str
    writes: str
    manual: str
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One IP version, or a part of a core, as it is on *part*."""

    ip: str
    part: str
    manual: str
    every: tuple[str, ...]
    """What is refused at any of its registers."""
    gaps: tuple[str, ...]
    """What is refused because silicon has it and the twin does not."""
    registers: tuple[Register, ...]


@cache
def models() -> tuple[Model, ...]:
    """All models, sorted by IP version."""
    return tuple(sorted((_model(ip, block) for ip, block in blocks().items()), key=lambda model: model.ip))


def unmodelled() -> list[str]:
    """IP versions that parts have and the twin has no model of."""
    return sorted({block.ip for name in chips.names() for block in chips.load(name).blocks.values()} - MODELS.keys())


def blocks() -> dict[str, Block]:
    """A block of each IP version that has a model, on a part that the twin can be; of those on the parts of the boards
    the one with the most registers."""
    found: dict[str, Block] = {}
    wanted = set(MODELS)
    first = dict.fromkeys((*_CORES.values(), *(Board.load(name).chip.name for name in boards.names())))
    for name in (*first, *chips.names()):
        have = {block.ip for block in chips.load(name).blocks.values()}
        if name not in first and (not have & wanted or not _can_be_a_twin(name)):
            continue
        wanted -= have
        twin = Twin(name)
        for block in (twin.nvic, *twin.blocks.values()):
            before = found.setdefault(key(block), block)
            if len(block.names) > len(before.names):
                found[key(block)] = block
    return found


def _can_be_a_twin(name: str) -> bool:
    chip = chips.load(name)
    return all(chip.blocks[block].ip in MODELS for block in ("RCC", "PWR", "FLASH", "IWDG"))


def _model(ip: str, block: Block) -> Model:
    registers = [_register(block, name) for _, name in sorted(block.names.items())]
    if ip.startswith("SCS"):
        registers += [Register(name=name, reads="computed", writes="acts", manual="", refused=()) for name in NVIC]
    return Model(
        ip=ip,
        part=block.die.chip.name,
        manual=", ".join(dict.fromkeys(_manuals(block))),
        every=tuple(_refused(block, *_overrides(block))),
        gaps=tuple(_gaps(block)),
        registers=tuple(registers),
    )


def _manuals(block: Block) -> Iterator[str]:
    """Of the class that is the model, and of those it builds on."""
    for kind in type(block).__mro__:
        if issubclass(kind, Block) and kind is not Block:
            yield from sources.manuals(sources.of_class(kind))


def _overrides(block: Block) -> Iterator[Callable[..., object]]:
    """`read` and `write` where a class has its own, in front of those of `Block`."""
    for kind in type(block).__mro__:
        if kind is Block:
            return
        yield from (vars(kind)[name].__get__(block) for name in ("read", "write") if name in vars(kind))


def _register(block: Block, name: str) -> Register:
    reader, writer = block.handlers(name)
    served = name in block.SERVED
    handlers = [handler for handler in (reader, writer) if handler]
    reads = "computed" if reader or served else "stored"
    writes = "refused" if name in block.READ_ONLY else "acts" if writer or served else "stored"
    return Register(
        name=name,
        reads=reads,
        writes=writes,
        manual=", ".join(dict.fromkeys(section for handler in handlers for section in sources.cited(handler))),
        refused=tuple(_refused(block, *handlers)),
    )


def _refused(block: Block, *handlers: Callable[..., object]) -> list[str]:
    """What handlers refuse, in words."""
    found = [refusal.found.replace("<name>", _kind(block)) for each in handlers for refusal in sources.refusals(each)]
    return list(dict.fromkeys(found))


def _kind(block: Block) -> str:
    """USART of usart_v3."""
    return (block.facts.ip or block.name).split("_")[0].upper()


def _gaps(block: Block) -> list[str]:
    """What the handlers of a block refuse because the twin does not model it."""
    handlers = (handler for name in block.names.values() for handler in block.handlers(name) if handler)
    found = (refusal for handler in handlers for refusal in sources.refusals(handler) if refusal.unmodelled)
    return list(
        dict.fromkeys(f"{refusal.found}: {refusal.advice}".replace("<name>", _kind(block)) for refusal in found)
    )
