"""A peripheral: named registers at offsets, and what reading and writing them does."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Final

from spboot.chips import Block as Facts
from spboot.chips import registers
from spboot.twin.die import Die

_HANDLER: Final = re.compile(r"(?:read|write)_(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Registers of one class at one IP version: what all its blocks begin with."""

    names: dict[int, str]
    masks: dict[str, int]
    fields: dict[str, dict[str, tuple[int, int]]]
    readers: dict[int, str]
    writers: dict[int, str]


@cache
def _layout(model: type[Block], ip: str) -> _Layout:
    found = {name: each for name, each in (registers(ip) if ip else {}).items() if name not in model.OTHER_LAYOUTS}
    return _Layout(
        names={each.offset: name for name, each in found.items()},
        masks={name: _mask_of(each.fields) for name, each in found.items()},
        fields={name: each.fields for name, each in found.items()},
        readers={each.offset: f"read_{name}" for name, each in found.items() if hasattr(model, f"read_{name}")},
        writers={each.offset: f"write_{name}" for name, each in found.items() if hasattr(model, f"write_{name}")},
    )


def _mask_of(fields: dict[str, tuple[int, int]]) -> int:
    """All of them; two parts' fields may share a bit."""
    mask = 0
    for low, width in fields.values():
        mask |= ((1 << width) - 1) << low
    return mask or 0xFFFFFFFF


class Block:
    """Base of all models.  A register REG is plain storage, limited to its known fields, unless the model has
    `read_REG() -> int` or `write_REG(value)`.  *RESET* has the reset values that are not 0."""

    IPS: ClassVar[tuple[str, ...]] = ()
    """The IP versions that a class models; none of a base."""
    DECLARES: ClassVar[frozenset[str]] = frozenset()
    """Registers that the facts lack."""
    FOR: ClassVar[tuple[str, ...]] = ()
    """Peripherals without an IP version in the facts that a class models, as ("LCD",); those of users: guests.py."""
    FAMILIES: ClassVar[tuple[str, ...]] = ()
    """Families on which such a class models it; none named: on all."""
    REGISTERS: ClassVar[dict[str, int]] = {}
    """Registers of such a class -> their offsets; all bits of them are storage."""
    PAGES: ClassVar[tuple[int, ...]] = (0,)
    """Pages of 1 KB that it answers in, counted from its address."""
    RESET: ClassVar[dict[str, int]] = {}
    READ_ONLY: ClassVar[frozenset[str]] = frozenset()
    STATE: ClassVar[tuple[str, ...]] = ()
    """Attributes that belong to the state beside the registers."""
    OPTIONS: ClassVar[tuple[str, ...]] = ()
    """Registers with option bytes: the idle detector ignores them, as nobody waits for one to change."""
    QUIET: ClassVar[frozenset[int]] = frozenset()
    """Offsets that the idle detector ignores (free-running counters, watchdog reload).
    One that is read is a counter."""

    KEPT: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Register -> the fields that outlive Standby; none named: all of it."""

    SERVED: ClassVar[frozenset[str]] = frozenset()
    """Registers that `read` and `write` of a subclass answer by themselves, without `read_REG` and `write_REG`."""

    OTHER_LAYOUTS: ClassVar[frozenset[str]] = frozenset()
    """Names of a register in modes that are not modelled, where it has another one as well."""

    CONSUMING: ClassVar[frozenset[int]] = frozenset()
    """Offsets whose reading changes something, as a data register: reading one again and again is no wait."""

    OPTIONAL: ClassVar[bool] = False
    """Whether it gives way to silence and to a model of a user, as it models nothing without what a board adds."""

    RUNS_IN_STOP: ClassVar[bool] = False
    """Whether it has a clock in Stop; what is due for others waits until the chip is awake."""

    def __init_subclass__(cls, ips: tuple[str, ...] = (), like: str | None = None) -> None:
        """A class models the IP versions *ips*; a base says with *like* which one has all registers it handles.  A
        handler that no register answers to would never be called: an error, not silence."""
        super().__init_subclass__()
        cls.IPS = ips
        ips = ips if like is None else (*ips, like)
        handled = {found[1] for name in vars(cls) if (found := _HANDLER.fullmatch(name))}
        if unknown := handled.difference(cls.DECLARES, cls.REGISTERS, *map(registers, ips)):
            raise TypeError(
                f"{cls.__name__} handles {', '.join(sorted(unknown))}, not registers of {', '.join(ips) or 'any IP'}:"
                " correct the name of the handler, or name an IP version that has it in ips="
            )

    def __init__(self, die: Die, facts: Facts) -> None:
        self.die = die
        self.name = facts.name
        self.address = facts.address
        self.facts = facts
        model: Any = type(self)
        layout = _layout(model, facts.ip)
        self.names: dict[int, str] = dict(layout.names)
        self._offsets: dict[str, int] = {}
        self.masks: dict[str, int] = dict(layout.masks)
        self.fields: dict[str, dict[str, tuple[int, int]]] = dict(layout.fields)
        self._readers: dict[int, Callable[[], int]] = {at: getattr(self, name) for at, name in layout.readers.items()}
        self._writers: dict[int, Callable[[int], None]] = {
            at: getattr(self, name) for at, name in layout.writers.items()
        }
        for name, offset in self.REGISTERS.items():
            self._declare(name, offset, {})
        self.registers: dict[str, int] = {}
        self.steady = frozenset(offset for offset, name in self.names.items() if name in self.OPTIONS)
        self.gate: tuple[str, int] | None = None
        """The RCC enable register and mask that clock this block."""
        self.clocked = True

    def _declare(self, name: str, offset: int, fields: dict[str, tuple[int, int]]) -> None:
        self.names[offset] = name
        self.fields[name] = fields
        self.masks[name] = _mask_of(fields)
        if reader := getattr(self, f"read_{name}", None):
            self._readers[offset] = reader
        if writer := getattr(self, f"write_{name}", None):
            self._writers[offset] = writer

    def reset(self) -> None:
        """To the state after a reset of the block."""
        self.registers = {name: self.RESET.get(name, 0) for name in self.names.values()}

    def lose_supply(self) -> None:
        """Standby: to the state after a reset, but for what is `KEPT`."""
        kept = {
            name: (sum(self.mask(name, field) for field in fields if field in self.fields[name]) or self.masks[name])
            for name, fields in self.KEPT.items()
            if name in self.registers
        }
        before = dict(self.registers)
        self.reset()
        for name, mask in kept.items():
            self.registers[name] = self.registers[name] & ~mask | before[name] & mask

    def power_on(self) -> None:
        """Power was applied; `reset` follows."""

    def pin_reset(self) -> None:
        """The reset pin was low, as in every reset but one by power: for what hangs on it."""

    def before_stop(self) -> None:
        """Stop is about to begin.  Refuses what is set up in a way in which it would not end."""

    def runs_in_stop(self) -> bool:
        """Whether it goes on in the Stop that begins now."""
        return self.RUNS_IN_STOP

    def stood_still(self, span: int) -> None:
        """It had no clock for *span* picoseconds: times that it keeps are later by so much."""

    def offset_of(self, register: str) -> int:
        """Where *register* is in the block."""
        if len(self._offsets) != len(self.names):  # a class takes some out, or declares more
            self._offsets = {name: offset for offset, name in reversed(self.names.items())}
        return self._offsets[register]

    def handlers(self, register: str) -> tuple[Callable[[], int] | None, Callable[[int], None] | None]:
        """What runs when *register* is read and when it is written; None where it is plain storage."""
        offset = self.offset_of(register)
        return self._readers.get(offset), self._writers.get(offset)

    def mask(self, register: str, field: str) -> int:
        """The bits of *field* in *register*."""
        low, width = self.fields[register][field]
        return ((1 << width) - 1) << low

    def bus_fault(self, register: str) -> None:
        """The access to *register* that is under way is answered with an error."""
        self.die.cpu.bus_fault_later(self.address + self.offset_of(register))

    def field(self, register: str, field: str) -> int:
        """The value that *field* of *register* has."""
        low, width = self.fields[register][field]
        return self.registers[register] >> low & ((1 << width) - 1)

    def read(self, offset: int, size: int) -> int:
        """A bus read.  *size* is 1, 2 or 4; *offset* is aligned to it."""
        word = offset & ~3
        name = self.names.get(word)
        if name is None:
            self.die.refuse(f"{self.name} has no register at offset {offset:#x}", "read a register it has")
        reader = self._readers.get(word)
        value = reader() if reader else self.registers[name]
        if size == 4:
            return value
        return value >> 8 * (offset & 3) & ((1 << 8 * size) - 1)

    def write(self, offset: int, size: int, value: int) -> None:
        """A bus write; narrow ones change only their part of the register."""
        word = offset & ~3
        name = self.names.get(word)
        if name is None:
            self.die.refuse(f"{self.name} has no register at offset {offset:#x}", "write a register it has")
        if name in self.READ_ONLY:
            self.die.forbid(
                f"{self.name}_{name} is read-only, {value:#x} was written", "do not write it; it is ignored"
            )
            return
        if size != 4:
            shift = 8 * (offset & 3)
            keep = self.registers[name] & ~(((1 << 8 * size) - 1) << shift)
            value = keep | value << shift
        writer = self._writers.get(word)
        if writer:
            writer(value)
        else:
            self.registers[name] = value & self.masks[name]

    def clocks_changed(self) -> None:
        """RCC was written or an oscillator became ready: clocks may have other frequencies from now on."""

    def line(self, interrupt: str, level: bool) -> None:
        """Drive an interrupt line, by its name in the chip facts.  A block with one vector has that one by any name: a
        vector that blocks share is named after all of them, as USART2_LPUART2."""
        vectors = self.facts.interrupts
        number = vectors[interrupt] if interrupt in vectors or len(vectors) != 1 else next(iter(vectors.values()))
        self.die.nvic.set_line(number, level, (self.name, interrupt))

    def save(self) -> Any:
        return dict(self.registers), {name: deepcopy(getattr(self, name)) for name in self.STATE}

    def load(self, state: Any) -> None:
        registers_, rest = state
        self.registers = dict(registers_)
        for name, value in rest.items():
            setattr(self, name, deepcopy(value))
