"""A file over a link: frames, seconds, energy."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DAY_S = 86_400


@cache
def facts() -> dict[str, Any]:
    """links.toml."""
    return tomllib.loads(Path(__file__).with_name("links.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """*seconds*: until all of it is there, nothing lost.  *millijoules*: while the receiver has something to receive;
    *listening*: when it is on all the time.  None: not known of this link."""

    link: str
    size: int
    frames: int
    seconds: float
    millijoules: float | None = None
    listening: float | None = None


def time_on_air(length: int, factor: int) -> float:
    """Seconds of a downlink frame of *length* bytes (PHYPayload) at a spreading factor: explicit header, no CRC, which
    only uplinks have.  SX1276 data sheet, 4.1.1.7."""
    lora = facts()["lora"]
    symbol_s = 2**factor / lora["bandwidth_hz"]
    optimised = 2 * (symbol_s > lora["optimise_s"])
    groups = math.ceil((8 * length - 4 * factor + 28) / (4 * (factor - optimised)))
    symbols = 8 + max(groups * (lora["coding"] + 4), 0)
    return float((lora["preamble"] + 4.25 + symbols) * symbol_s)


def by_lora(size: int, spread: dict[str, Any]) -> Carried:
    """Fragments of TS004, one a frame, with the pauses that the duty cycle asks for behind each but the last."""
    lora = facts()["lora"]
    room = spread["payload"] - lora["fragment"]
    frames = math.ceil(size / room)
    head = lora["overhead"] + lora["fragment"]
    last = time_on_air(size - (frames - 1) * room + head, spread["factor"])
    full = (frames - 1) * time_on_air(room + head, spread["factor"])
    seconds, power = full / lora["duty"] + last, lora["receive_ma"] * lora["volts"]
    return Carried(
        link=spread["name"], size=size, frames=frames, seconds=seconds,
        millijoules=(full + last) * power, listening=seconds * power,
    )  # fmt: skip


def by_stream(size: int, stream: dict[str, Any]) -> Carried:
    """Blocks, each with its headers, at the rate of the link."""
    frames = math.ceil(size / stream["block"])
    seconds = (size + frames * stream["header"]) / stream["bytes_s"]
    energy = None
    if "active_ma" in stream:
        energy = stream["connect_mj"] + seconds * stream["active_ma"] * stream["volts"]
    return Carried(link=stream["name"], size=size, frames=frames, seconds=seconds, millijoules=energy)


def all_links(size: int) -> tuple[Carried, ...]:
    """A file of *size* bytes over each."""
    streams = {each["name"]: by_stream(size, each) for each in facts()["stream"]}
    first = streams.pop("510 bytes a second")
    return (first, *(by_lora(size, each) for each in facts()["spread"]), *streams.values())
