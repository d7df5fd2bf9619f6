"""Options of `spboot board new` for external flash."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from spboot.boards.wiring import Wiring

_SIZE = re.compile(r"(0x[0-9a-fA-F]+|[0-9]+)([kKmM]?)")
_SCALE = {"": 1, "k": 1 << 10, "m": 1 << 20}
_EXTERNAL = re.compile(r"([A-Za-z]+\d?)(?:/([12]))?:(2x)?([^:]+)")
_PIN = re.compile(r"([A-Z]+\d?)=(P[A-Z]\d+)")


def size(text: str) -> int:
    """4K, 2M, 4096 or 0x1000."""
    match = _SIZE.fullmatch(text)
    if not match:
        raise click.BadParameter(f"{text!r} is not a number of bytes, as 4K, 2M, 4096 or 0x1000")
    return int(match[1], 0) * _SCALE[match[2].lower()]


def external(text: str) -> Wiring:
    """QUADSPI:N25Q128A, QUADSPI:2xMT25QL512, OCTOSPI1/2:MINE.toml."""
    match = _EXTERNAL.fullmatch(text)
    if not match:
        raise click.BadParameter(
            f"{text!r} is not CONTROLLER:CHIP, as QUADSPI:N25Q128A, QUADSPI:2xMT25QL512 for two in parallel, or "
            "OCTOSPI1/2:MINE.toml for port 2 of the IO manager and a chip of your own"
        )
    count = 2 if match[3] else 1
    return Wiring(controller=match[1].upper(), port=int(match[2] or 1), count=count, chip=match[4], pins={})


def pins(text: str) -> dict[str, str]:
    """CLK=PE10,NCS=PE11."""
    found = [_PIN.fullmatch(word.strip().upper()) for word in text.split(",")]
    named = {match[1]: match[2] for match in found if match}
    if len(named) != len(found):
        raise click.BadParameter(f"{text!r} is not SIGNAL=PIN,..., each once, as CLK=PE10,NCS=PE11,IO0=PE12")
    return named


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the options, and what they say as its argument *wiring*, None without --external."""

    @click.option("--external", type=external, metavar="CONTROLLER:CHIP", help="External flash, for SLOT1.")
    @click.option("--external-pins", type=pins, metavar="PINS", help="Its pins, as CLK=PE10,NCS=PE11.")
    @click.option("--external-slot0", type=size, metavar="SIZE", help="Bytes of it that SLOT0 has, too, as 4M.")
    @functools.wraps(command)
    def wrapped(
        *args: Any,
        external: Wiring | None,
        external_pins: dict[str, str] | None,
        external_slot0: int | None,
        **others: Any,
    ) -> Any:
        if external is None and (external_pins or external_slot0 is not None):
            raise click.UsageError("--external-pins and --external-slot0 are of the flash that --external names")
        wiring = external and replace(external, pins=external_pins or {}, slot0=external_slot0 or 0)
        return command(*args, wiring=wiring, **others)

    return wrapped
