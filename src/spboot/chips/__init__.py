"""Facts about parts: memories, block addresses and IP versions, clock and reset bits, pins, registers.

The tables under parts/ and ip/ are made by tools/make_chips.py.  Addresses are bus addresses, sizes are in bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from spboot.errors import BoardError

_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """One memory.  *erase_unit*, *program_unit* and *erased* (a byte) are 0 for RAM."""

    name: str
    kind: str
    address: int
    size: int
    erase_unit: int
    program_unit: int
    erased: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One peripheral instance.  *enable* and *reset* are (RCC register, field), None when it has neither."""

    name: str
    ip: str
    address: int
    enable: tuple[str, str] | None
    reset: tuple[str, str] | None
    interrupts: dict[str, int]
    pins: tuple[tuple[str, str, int], ...]
    """(pin, signal, alternate function), as ("PA2", "TX", 7)."""

    def alternate(self, pin: str, signal: str) -> int:
        """The alternate function number that puts *signal* on *pin*.  Raises BoardError when there is none."""
        for name, role, number in self.pins:
            if (name, role) == (pin, signal):
                return number
        allowed = ", ".join(name for name, role, _ in self.pins if role == signal)
        raise BoardError(f"{self.name} has no {signal} on {pin}; it is on {allowed}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One register.  *fields* maps a name to (lowest bit, width)."""

    name: str
    offset: int
    fields: dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One part number."""

    name: str
    family: str
    line: str
    core: str
    memories: tuple[Memory, ...]
    blocks: dict[str, Block]

    def memory_at(self, address: int) -> Memory:
        """The memory that holds *address*.  Raises BoardError when none does."""
        for memory in self.memories:
            if memory.address <= address < memory.address + memory.size:
                return memory
        raise BoardError(f"{self.name} has no memory at {address:#010x}")

    def block(self, name: str) -> Block:
        """The peripheral *name*.  Raises BoardError when the part lacks it."""
        try:
            return self.blocks[name]
        except KeyError:
            kind = name.rstrip("0123456789")
            have = ", ".join(b for b in self.blocks if b.startswith(kind)) or "none of that kind"
            raise BoardError(f"{self.name} has no {name}; it has {have}") from None


def names() -> list[str]:
    """Every part we know, sorted."""
    return sorted(path.stem for path in (_HERE / "parts").glob("*.json"))


@cache
def load(name: str) -> Chip:
    """The facts of part *name*, as "STM32L476RG".  Raises BoardError when it is unknown."""
    path = _HERE / "parts" / f"{name}.json"
    if name not in names():
        raise BoardError(f"unknown part {name!r}; known: {', '.join(names())}")
    facts = json.loads(path.read_text())
    blocks = {key: _block(key, value) for key, value in facts["blocks"].items()}
    return Chip(
        name=facts["name"],
        family=facts["family"],
        line=facts["line"],
        core=facts["core"],
        memories=tuple(_memory(m) for m in facts["memories"]),
        blocks=blocks,
    )


@cache
def registers(ip: str) -> dict[str, Register]:
    """The registers of IP version *ip*, as "flash_l4".  Raises BoardError when it is unknown."""
    path = _HERE / "ip" / f"{ip}.json"
    if not path.is_file():
        raise BoardError(f"unknown IP version {ip!r}")
    return {
        name: Register(name=name, offset=r["offset"], fields={f: (v[0], v[1]) for f, v in r["fields"].items()})
        for name, r in json.loads(path.read_text()).items()
    }


def _memory(facts: dict[str, Any]) -> Memory:
    return Memory(
        name=facts["name"],
        kind=facts["kind"],
        address=facts["address"],
        size=facts["size"],
        erase_unit=facts.get("erase_size", 0),
        program_unit=facts.get("write_size", 0),
        erased=facts.get("erase_value", 0),
    )


def _block(name: str, facts: dict[str, Any]) -> Block:
    return Block(
        name=name,
        ip=facts["ip"],
        address=facts["address"],
        enable=tuple(facts["enable"]) if facts["enable"] else None,
        reset=tuple(facts["reset"]) if facts["reset"] else None,
        interrupts=facts["interrupts"],
        pins=tuple((p[0], p[1], p[2]) for p in facts["pins"]),
    )
