"""Models that users add: classes that an installed package names in the entry-point group `spboot.twin`.

In the package's pyproject.toml:

    [project.entry-points."spboot.twin"]
    lcd = "my_package:Lcd"

The class is a `spboot.twin.block.Block`; FOR says which peripherals it models, REGISTERS where its registers are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from spboot.chips import Chip
from spboot.errors import TwinError
from spboot.twin.block import Block

GROUP: Final = "spboot.twin"


@cache
def _named(of_packages: Callable[..., Iterable[EntryPoint]]) -> tuple[EntryPoint, ...]:
    """What is named in the group: looked up once, as that reads a file of each installed package."""
    return tuple(of_packages(group=GROUP))


def of(chip: Chip) -> dict[str, type[Block]]:
    """Peripheral of *chip* -> the class that models it.

    Raises TwinError when what is named there cannot be imported or is no such class, and when two model one."""
    found: dict[str, type[Block]] = {}
    for entry in _named(entry_points):
        try:
            model = entry.load()
        except Exception as error:  # whatever the user's module does
            raise TwinError(f"{entry.name} of {GROUP}: {entry.value} cannot be imported: {error}") from error
        if not (isinstance(model, type) and issubclass(model, Block) and model.FOR):
            raise TwinError(f"{entry.name} of {GROUP}: {entry.value} is no Block with FOR, the peripherals it models")
        for name in model.FOR:
            if name not in chip.blocks and name not in chip.others:
                continue
            if found.setdefault(name, model) is not model:
                raise TwinError(f"{found[name].__name__} and {model.__name__} both model {name}: remove one of them")
    return found
