"""Facts about parts: memories, block addresses and IP versions, clock and reset bits, pins, registers.

The tables under parts/ and ip/ are made by tools/make_chips.py, those under families/ by hand (family.py).  Addresses
are bus addresses, sizes are in bytes."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from spboot.chips.family import Family
from spboot.chips.family import load as family_facts
from spboot.chips.family import names as family_names
from spboot.errors import BoardError

_HERE = Path(__file__).resolve().parent
_LARGE = {"USB_OTG": 0x40000, "ETH": 0x1400, "FDCANRAM": 0x2800, "GFXMMU": 0x3000, "DSIHOST": 0xC00, "MDMA": 0x1000}
"""Kinds of peripherals with more than 1 KB -> bytes."""
_WINDOWS = [
    *((name, start, start + 0x1000_0000) for name in ("FMC", "FSMC") for start in (0x6000_0000, 0x8000_0000)),
    *((name, 0xC000_0000, 0xE000_0000) for name in ("FMC", "FSMC")),
    *((name, 0x9000_0000, 0xA000_0000) for name in ("QUADSPI", "QUADSPI1", "OCTOSPI1")),
    ("OCTOSPI2", 0x7000_0000, 0x8000_0000),
]
"""(controller, first address, end) of the windows of external memories, the same on all families that have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """One run of memory.  *bank*, *erase_unit*, *program_unit*, *protect_unit* and *erased* (a byte) are 0 for RAM.

    A bank with erase units of several sizes is several runs.  *protect_unit* is what one write protection bit or
    range step covers; it is never less than an erase unit."""

    name: str
    kind: str
    address: int
    size: int
    bank: int
    erase_unit: int
    program_unit: int
    protect_unit: int
    erased: int

    @property
    def end(self) -> int:
        """First address after the memory."""
        return self.address + self.size

    def erase_unit_at(self, address: int) -> range:
        """Addresses of the erase unit that has the byte at *address*, of flash."""
        low = address - (address - self.address) % self.erase_unit
        return range(low, low + self.erase_unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One peripheral instance.  *enable* and *reset* are (RCC register, field), None when it has neither."""

    name: str
    ip: str
    address: int
    clock: str = ""
    """What it runs on: a bus clock, as "PCLK1", or the RCC field that chooses, as "CCIPR.USART2SEL"; "" if unknown."""
    enable: tuple[str, str] | None
    reset: tuple[str, str] | None
    interrupts: dict[str, int]
    """Vector -> its number, as "USART2": 38; of blocks with several signals the signal, as "UP" of a timer."""
    pins: tuple[tuple[str, str, int], ...]
    """(pin, signal, alternate function), as ("PA2", "TX", 7)."""
    dma: tuple[tuple[str, str, int | None], ...] = ()
    """(signal, who serves it, request): a channel, as ("RX", "DMA1_CH6", 2), or whom its requests go to, as
    ("RX", "DMAMUX1", 26); None where the channel knows no other request.  Kept of UARTs."""

    def alternate(self, pin: str, signal: str) -> int:
        """The alternate function number that puts *signal* on *pin*.  Raises BoardError when there is none."""
        for name, role, number in self.pins:
            if (name, role) == (pin, signal):
                return number
        allowed = ", ".join(name for name, role, _ in self.pins if role == signal)
        raise BoardError(f"{self.name} has no {signal} on {pin}; it is on {allowed}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One register.  *fields* maps a name to (lowest bit, width), *values* that of some to what its values mean."""

    name: str
    offset: int
    fields: dict[str, tuple[int, int]]
    values: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One part number, with the flash configuration it is shipped with.

    *alternatives* are the memories with other option bytes, as one bank in place of two.  *pins* are those of all its
    packages, as "PA2"."""

    name: str
    family: str
    line: str
    core: str
    device_id: int
    memories: tuple[Memory, ...]
    alternatives: tuple[tuple[Memory, ...], ...]
    pins: frozenset[str]
    blocks: dict[str, Block]
    others: dict[str, Block]
    """Peripherals whose registers are not known: name, address, enable and reset alone."""

    @property
    def of_family(self) -> Family:
        """What is true of the whole family."""
        return family_facts(self.family)

    @property
    def flash(self) -> tuple[Memory, ...]:
        """The runs of flash, in the order of their addresses."""
        return tuple(sorted((m for m in self.memories if m.kind == "flash"), key=lambda m: m.address))

    @property
    def ram(self) -> tuple[Memory, ...]:
        """The RAMs, each once."""
        return tuple(m for m in self.memories if m.kind == "ram" and m.name not in self.mirrors)

    @property
    def mirrors(self) -> dict[str, str]:
        """RAM at a second address -> its name at the first one, as SRAM2_ICODE where SRAM2 is listed."""
        names = {memory.name for memory in self.memories if memory.kind == "ram"}
        return {second: first for second, first in self.of_family.second_address.items() if {second, first} <= names}

    def memory_at(self, address: int) -> Memory:
        """The memory that holds *address*.  Raises BoardError when none does."""
        for memory in self.memories:
            if memory.address <= address < memory.address + memory.size:
                return memory
        raise BoardError(f"{self.name} has no memory at {address:#010x}")

    def block(self, name: str) -> Block:
        """The peripheral *name*, with its registers.  Raises BoardError when the part lacks it."""
        return self._found(name, self.blocks)

    def peripheral(self, name: str) -> Block:
        """The peripheral *name*, registers or not.  Raises BoardError when the part lacks it."""
        return self._found(name, {**self.others, **self.blocks})

    def _found(self, name: str, among: dict[str, Block]) -> Block:
        try:
            return among[name]
        except KeyError:
            kind = name.rstrip("0123456789")
            have = ", ".join(sorted(b for b in among if b.startswith(kind))) or "none of that kind"
            raise BoardError(f"{self.name} has no {name}; it has {have}") from None

    def peripheral_at(self, address: int) -> Block | None:
        """The peripheral whose registers *address* can be among; None where there is none."""
        return next((b for b in self.blocks_by_address if b.address <= address < b.address + self.extent(b)), None)

    def window_at(self, address: int) -> str | None:
        """The controller of external memory that *address* is mapped to, where the part has it."""
        return next((name for name, first, end in _WINDOWS if first <= address < end and self._has(name)), None)

    def window_of(self, name: str) -> range:
        """The addresses behind which controller *name* shows external flash.  Raises BoardError where it has none."""
        for controller, first, end in _WINDOWS:
            if controller == name and self._has(name):
                return range(first, end)
        raise BoardError(f"{self.name} has no window of {name}")

    def _has(self, name: str) -> bool:
        return name in self.others or name in self.blocks

    @property
    def blocks_by_address(self) -> tuple[Block, ...]:
        """All peripherals, the highest address first."""
        everything = (*self.blocks.values(), *self.others.values())
        return tuple(sorted(everything, key=lambda block: block.address, reverse=True))

    def extent(self, block: Block) -> int:
        """Bytes that the registers of *block* take at most: up to the next peripheral, and 1 KB but for a few kinds."""
        most = next((size for kind, size in _LARGE.items() if block.name.startswith(kind)), 0x400)
        above = [each.address for each in self.blocks_by_address if each.address > block.address]
        return min(most, above[-1] - block.address) if above else most


@cache
def names() -> tuple[str, ...]:
    """Every part we know, sorted."""
    return tuple(sorted(name for family in families() for name in _table(family)["parts"]))


@cache
def load(name: str) -> Chip:
    """The facts of part *name*, as "STM32L476RG".  Raises BoardError when it is unknown."""
    for family in families():
        table = _table(family)
        if name in table["parts"]:
            return _chip(name, family, table)
    raise BoardError(f"unknown part {name!r}; {_hint(name)}")


def families() -> tuple[str, ...]:
    """Every family we know, as "STM32L4"."""
    return family_names()


def part_of(name: str) -> str | None:
    """The part that *name* means: its own name in any case, or an ordering code, which is longer, as STM32L476RGT6."""
    return next((known for known in names() if name.upper().startswith(known)), None)


def _hint(name: str) -> str:
    """What to type in place of *name*."""
    part = part_of(name)
    if part is not None:
        return f"did you mean {part}?"
    if not any(name.upper().startswith(family.rstrip("+")) for family in families()):
        if name.upper().startswith("STM32"):
            return f"it is of a family that we do not have; there are {', '.join(families())}"
        beside = [known for known in names() if known.startswith(f"STM32{name.upper()}")][:4]
        return f"did you mean {' or '.join(beside)}?" if beside else "`spboot chips` lists those we know"
    near = difflib.get_close_matches(name.upper(), names(), n=4)
    return f"did you mean {' or '.join(near)}?" if near else "`spboot chips` lists those we know"


@cache
def registers(ip: str) -> dict[str, Register]:
    """The registers of IP version *ip*, as "flash_l4".  Raises BoardError when it is unknown."""
    path = _HERE / "ip" / f"{ip}.json"
    if not path.is_file():
        raise BoardError(f"unknown IP version {ip!r}")
    return {
        name: Register(
            name=name,
            offset=r["offset"],
            fields={f: (v[0], v[1]) for f, v in r["fields"].items()},
            values={f: v[2] for f, v in r["fields"].items() if len(v) > 2},
        )
        for name, r in json.loads(path.read_text()).items()
    }


@cache
def _table(family: str) -> dict[str, Any]:
    """parts/FAMILY.json; tools/make_chips.py says what is in it."""
    table: dict[str, Any] = json.loads((_HERE / "parts" / f"{family}.json").read_text(encoding="ascii"))
    return table


def _chip(name: str, family: str, table: dict[str, Any]) -> Chip:
    facts = table["parts"][name]
    shipped, *others = (tuple(Memory(**m) for m in memories) for memories in table["memories"][facts["memories"]])
    pins = frozenset(_pins(table["pins"][facts["pins"]]))
    return Chip(
        name=name,
        family=family,
        line=facts["line"],
        core=facts["core"],
        device_id=facts["device_id"],
        memories=shipped,
        alternatives=tuple(others),
        pins=pins,
        blocks={block: _block(block, found, pins) for block, found in _variants(facts, table, "blocks")},
        others={block: _block(block, found, pins) for block, found in _variants(facts, table, "others")},
    )


def _variants(facts: dict[str, Any], table: dict[str, Any], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, facts) of each block that a part names under *key*, as "USART2" or "USART2.1"."""
    for word in facts[key].split():
        name, _, variant = word.partition(".")
        yield name, table[key][name][int(variant or 0)]


def _pins(text: str) -> Iterator[str]:
    """As "A0-1 C13" -> PA0, PA1, PC13."""
    for word in text.split():
        first, _, last = word[1:].partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield f"P{word[0]}{number}"


def _block(name: str, facts: dict[str, Any], pins: frozenset[str]) -> Block:
    return Block(
        name=name,
        ip=facts.get("ip", ""),
        address=facts["address"],
        clock=facts.get("clock", ""),
        enable=tuple(facts["enable"]) if facts["enable"] else None,
        reset=tuple(facts["reset"]) if facts["reset"] else None,
        interrupts=facts.get("interrupts", {}),
        pins=tuple((p[0], p[1], p[2]) for p in facts.get("pins", ()) if p[0] in pins),
        dma=tuple((signal, server, request) for signal, server, request in facts.get("dma", ())),
    )
