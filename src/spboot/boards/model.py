"""What a board's file says, as values: its part, pins, clock and places in memory; and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spboot.boards.labels import Labels
from spboot.chips import Chip, Memory
from spboot.chips.ethernet import Ethernet
from spboot.chips.external import EXTERNAL, VERIFY, External
from spboot.chips.silence import Silence
from spboot.chips.usb import Usb
from spboot.formats.spec import record, spec

_SMALLEST_PAGE = 2048
"""Smaller erase units are taken together: a page costs a bit of RAM and a record in the journal."""

DEBUG_PINS: Final = {"PA13": "SWDIO", "PA14": "SWCLK"}
"""Pins that a debugger needs, and what it calls them."""
VDD_MV: Final = 3300
"""Supply voltage of a board that does not say."""
_BLOCK_GAIN: Final = 2
"""How much longer the pages of a block take one by one, where the firmware has what looks for whole blocks."""
SPARE_STEPS: Final = 16
"""Steps that a journal has room for beyond one every so many bytes; journal.c asserts them."""
LEAST_KEYS: Final = 3
"""Records that an area for keys has room for, at least."""
MOST_STARTS: Final = 4
"""Starts without a confirmation, at most: each is a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A range of memory: bus address and size in bytes."""

    address: int
    size: int

    @property
    def end(self) -> int:
        """First address after the area."""
        return self.address + self.size

    def without(self, other: Area) -> list[Area]:
        """What is left of the area, in order, where *other* is taken out of it."""
        pieces = ((self.address, min(self.end, other.address)), (max(self.address, other.end), self.end))
        return [Area(address=start, size=end - start) for start, end in pieces if start < end]

    def __str__(self) -> str:
        return f"{self.address:#010x}+{self.size:#x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot(Area):
    """A slot: its first part, and the *rest* of it, which is in external flash; None where it has one part.

    Offsets count through the parts, the whole of each."""

    rest: Area | None = None

    @property
    def parts(self) -> tuple[Area, ...]:
        """In their order."""
        first = Area(address=self.address, size=self.size)
        return (first,) if self.rest is None else (first, self.rest)

    @property
    def whole(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts)

    def address_at(self, offset: int) -> int:
        """Where the byte at *offset* of the slot is."""
        behind = offset - self.size
        return self.address + offset if self.rest is None or behind < 0 else self.rest.address + behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A pin, as "PC13", and the level at which it is active."""

    port: str
    number: int
    active_high: bool

    @property
    def name(self) -> str:
        """The pin's name, as "PC13"."""
        return f"P{self.port}{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The UART that people and YMODEM use."""

    port: str
    tx: Pin
    rx: Pin
    baud: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFacts:
    """A board's part and how we use it.  With a single slot, *slot1* and *journal* are None."""

    name: str
    chip: Chip
    clock_hz: int
    vdd_mv: int
    core_supply: str
    """How the core gets its voltage: "ldo", or "smps" on parts that have one."""
    console: Console
    button: Pin | None
    led: Pin | None
    bootloader: Area
    slot0: Slot
    slot1: Slot | None
    journal: Area | None
    keys: Area | None
    """Where keys go that come after the first; None: the first is the only one."""
    ram: Area
    trial_starts: int
    """Starts that an update on trial has until it confirms itself; 0: no update is on trial."""
    external: External | None
    """Flash chips outside of the microcontroller."""
    usb: Usb | None
    """The USB connector for flash drives."""
    ethernet: Ethernet | None
    """The PHY, for applications."""
    silence: Silence
    """What a twin of the board keeps silent."""
    labels: Labels

    @property
    def vector_size(self) -> int:
        """Bytes the installed header takes before an image: the alignment of its vector table."""
        return vector_size(self.chip)

    def memory_at(self, address: int) -> Memory:
        """The memory that holds *address*, in the microcontroller or outside.  Raises BoardError when none does."""
        if self.external is not None and self.external.memory.address <= address < self.external.memory.end:
            return self.external.memory
        return self.chip.memory_at(address)

    @property
    def page_size(self) -> int:
        """Bytes of a page, what an update changes or leaves: whole erase units of both slots, of their first parts."""
        return page_size(*(self.memory_at(slot.address).erase_unit for slot in self.slots))

    @property
    def rest_page_size(self) -> int:
        """The same of the second parts; where there are none, that of the first."""
        rests = [slot.rest for slot in self.slots if slot.rest is not None]
        return page_size(*(self.memory_at(rest.address).erase_unit for rest in rests)) if rests else self.page_size

    @property
    def block(self) -> int:
        """Bytes of external flash that are erased at once where all of them are (SPB_BLOCK); 0: none, or nothing of the
        slots is as large."""
        block = self.external.block if self.external is not None else 0
        outside = [slot for slot in self.slots if self.memory_at(slot.address).kind == EXTERNAL]
        return block if block and (self.block_pages or (outside and self.page_size >= block)) else 0

    @property
    def block_pages(self) -> int:
        """Pages of a second part that make up a block, where as many are a batch of an install, both parts are whole
        blocks, and a block takes half the time of its pages at most; 0: pages are erased one by one."""
        rests, external = [slot.rest for slot in self.slots if slot.rest is not None], self.external
        if not rests or external is None or not external.block:
            return 0
        whole = not any(rest.address % external.block or rest.size % external.block for rest in rests)
        pages = external.block // self.rest_page_size
        batch = journal_batch(rests[0].size // self.rest_page_size, self.rest_page_size)
        quick = external.chip.block_gain(external.block // external.count) >= _BLOCK_GAIN
        return pages if whole and quick and 1 < pages == batch else 0

    @property
    def slots(self) -> tuple[Slot, ...]:
        """One, or both."""
        return (self.slot0,) if self.slot1 is None else (self.slot0, self.slot1)

    @property
    def outside(self) -> bool:
        """Whether some of a slot is in external flash, which the bootloader then drives."""
        parts = (part for slot in self.slots for part in slot.parts)
        return any(self.memory_at(part.address).kind == EXTERNAL for part in parts)

    @property
    def sealed(self) -> bool:
        """Whether code waits in external flash for its installation, where it is encrypted (firmware/core/seal.h)."""
        return self.slot1 is not None and self.memory_at(self.slot1.address).kind == EXTERNAL

    @property
    def verify_at_boot(self) -> bool:
        """Whether all of an image is verified at each boot, not its part in internal flash alone."""
        return self.external is None or self.external.verify == VERIFY[0]

    @property
    def pages(self) -> int:
        """Pages of a slot."""
        return self.slot0.size // self.page_size + (self.slot0.whole - self.slot0.size) // self.rest_page_size

    def page_at(self, number: int) -> tuple[int, int]:
        """Offset in a slot, and size, of page *number*.

        Pages count through the parts, the whole of each."""
        first = self.slot0.size // self.page_size
        if number < first:
            return number * self.page_size, self.page_size
        return self.slot0.size + (number - first) * self.rest_page_size, self.rest_page_size

    @property
    def image_address(self) -> int:
        """Where an application is linked."""
        return self.slot0.address + self.vector_size

    @property
    def image_capacity(self) -> int:
        """Bytes of the largest image that fits, of its part in internal flash; both slots have one size."""
        return self.slot0.size - self.vector_size

    @property
    def whole_capacity(self) -> int:
        """Bytes of the largest image that fits, of all its parts."""
        return self.slot0.whole - self.vector_size

    @property
    def ram_top(self) -> int:
        """First address after the RAM that goes on from the reserved area, memory behind memory."""
        top = self.ram.end
        for memory in sorted(self.chip.memories, key=lambda memory: memory.address):
            if memory.kind == "ram" and memory.address <= top < memory.end:
                top = memory.end
        return top

    @property
    def key_records(self) -> int:
        """Keys that there is room for after the first; one whose writing is cut counts, too."""
        return min(self.keys.size // record("keys").size, spec()["keys"]["most"]) if self.keys else 0

    @property
    def stacks(self) -> tuple[Area, ...]:
        """Where a stack may begin: an initial stack pointer is above the start of one of these, and at most at its
        end (a stack grows downwards, and its first word goes below the pointer).

        All RAM of the part, its second addresses included, without the reserved area; RAM behind RAM is one."""
        taken = [self.ram]
        known = {memory.name: memory for memory in self.chip.memories}
        for second, first in self.chip.mirrors.items():
            at, first_at = known[second].address, known[first].address
            if first_at <= self.ram.address < known[first].end:
                taken.append(Area(address=self.ram.address - first_at + at, size=self.ram.size))
        joined: list[Area] = []
        for memory in sorted(self.chip.memories, key=lambda memory: memory.address):
            if memory.kind != "ram":
                continue
            start = joined.pop().address if joined and joined[-1].end == memory.address else memory.address
            joined.append(Area(address=start, size=memory.end - start))
        for area in taken:
            joined = [piece for whole in joined for piece in whole.without(area)]
        return tuple(joined)

    @property
    def areas(self) -> dict[str, Area]:
        """The areas in flash by name, in the order of their addresses; "slot0[1]" is the second part of SLOT0."""
        named = {
            "bootloader": self.bootloader,
            "slot0": self.slot0,
            "slot0[1]": self.slot0.rest,
            "slot1": self.slot1,
            "slot1[1]": self.slot1.rest if self.slot1 is not None else None,
            "journal": self.journal,
            "keys": self.keys,
        }
        found = {name: area for name, area in named.items() if area is not None}
        return dict(sorted(found.items(), key=lambda item: item[1].address))

    @property
    def pins(self) -> dict[str, Pin]:
        """Every pin we drive or read, by its key in the board file."""
        named = {
            "console.tx": self.console.tx,
            "console.rx": self.console.rx,
            "button.pin": self.button,
            "led.pin": self.led,
        }
        return {key: pin for key, pin in named.items() if pin is not None}

    @property
    def needs_vddio2(self) -> bool:
        """Whether one of our pins is dead until PWR is told that VDDIO2 is there: PG2 to PG15 (RM0351 5.1.5)."""
        ports = self.chip.of_family.ports
        names = [pin.name for pin in self.pins.values()]
        if self.external is not None:
            names += [name for name, _ in self.external.pins.values()]
        if self.usb is not None:
            names += self.usb.pins.values()
        return any(ports.vddio2_supplies(name[1], int(name[2:])) for name in names)


def core_supplies(chip: Chip) -> tuple[str, ...]:
    """What Board.core_supply can be on *chip*: RM0399 7.4.1 has both.  So have some of STM32H72x, H73x and H7A3, which
    have no driver yet."""
    return ("ldo", "smps") if chip.block("PWR").ip == "pwr_h7rm0399" else ("ldo",)


def has_second_core(chip: Chip) -> bool:
    """Whether a Cortex-M4 begins at the start of bank 2 at a reset, unless an option bit keeps it off (RM0399 2.6)."""
    return chip.block("PWR").ip == "pwr_h7rm0399"


def vector_size(chip: Chip) -> int:
    """What Board.vector_size is on *chip*."""
    return chip.of_family.vector_size


def page_size(*erase_units: int) -> int:
    """What Board.page_size is with slots of these erase units."""
    return max(_SMALLEST_PAGE, *erase_units)


def journal_size(pages: int, page_size: int, program_unit: int, *, rest: tuple[int, int] = (0, 1)) -> int:
    """Bytes that the records of an update of *pages* pages can take: pages, mark, steps (firmware/core/journal.c).

    *rest*: pages of a second part, and their size."""

    def units(size: int) -> int:
        return -(-size // program_unit) * program_unit

    entry, mark = record("journal", "entry_").size, record("journal", "mark_").size
    steps = pages // journal_batch(pages, page_size) + SPARE_STEPS
    if rest[0]:
        pages, steps = pages + rest[0], steps + rest[0] // journal_batch(*rest) + 1
    return units(mark) + (pages + steps) * units(entry)


def journal_batch(pages: int, page_size: int) -> int:
    """Pages that are installed from one step to the next, in a slot of *pages* (firmware/core/journal.h).

    >>> journal_batch(224, 2048)
    16
    """
    facts: dict[str, int] = spec()["journal"]
    return max(1, min(facts["step_every"] // page_size, pages // facts["steps"]))
