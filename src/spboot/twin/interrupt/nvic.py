"""System control space: SysTick, NVIC and SCB (PM0214 4.3 to 4.5; ARMv7-M B3)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.interrupt import mpu
from spboot.twin.timeline import NEVER, Order

NMI, HARD_FAULT, MEM_MANAGE, BUS_FAULT, USAGE_FAULT = 2, 3, 4, 5, 6
SVCALL, PENDSV, SYSTICK = 11, 14, 15
_SYSTEM: Final = (1 << NMI) | (1 << PENDSV) | (1 << SYSTICK)
_VECTKEY: Final = 0x05FA
_SCS: Final = 0xE000E000
_SEVONPEND: Final = 0x10

_PLAIN: Final = {
    "ICTR": (0x004, 0), "ACTLR": (0x008, 0x307), "SCR": (0xD10, 0x16), "CCR": (0xD14, 0x31B),
    "SHCSR": (0xD24, 0x7FFFF), "CFSR": (0xD28, 0), "HFSR": (0xD2C, 0), "DFSR": (0xD30, 0), "MMFAR": (0xD34, 0xFFFFFFFF),
    "BFAR": (0xD38, 0xFFFFFFFF), "AFSR": (0xD3C, 0), "CPACR": (0xD88, 0xF00000), "FPCCR": (0xF34, 0xC000017B),
    "FPCAR": (0xF38, 0xFFFFFFF8), "FPDSCR": (0xF3C, 0x07C00000),
}  # fmt: skip
_COMPUTED: Final = {
    "CSR": 0x010, "RVR": 0x014, "CVR": 0x018, "CALIB": 0x01C, "CPUID": 0xD00, "ICSR": 0xD04, "VTOR": 0xD08,
    "AIRCR": 0xD0C, "SHPR1": 0xD18, "SHPR2": 0xD1C, "SHPR3": 0xD20, "STIR": 0xF00, "DHCSR": 0xDF0, "DEMCR": 0xDFC,
    **{f"ID{n}": 0xD40 + 4 * n for n in range(13)},
}  # fmt: skip
_MPU: Final = frozenset(name for core in ("cm4", "cm33") for name in mpu.registers(core))
_RESET: Final = {"CCR": 0x200, "FPCCR": 0xC0000000}
_V6: Final = frozenset(
    {"SCR", "CCR", "SHCSR", "CSR", "RVR", "CVR", "CALIB", "CPUID", "ICSR", "VTOR", "AIRCR", "SHPR2", "SHPR3", "DHCSR"}
    | {"DEMCR", "ACTLR", "DFSR"}
)
"""What ARMv6-M has of them (DDI0419 B3.2); the rest does not exist there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What differs between cores: *lines* are the interrupt lines that most parts have at most."""

    cpuid: int
    lines: int

    @property
    def vectors(self) -> int:
        """The alignment of a vector table with as many lines: the next power of two (DDI0403 B3.2.5)."""
        return 1 << (4 * (16 + self.lines) - 1).bit_length()


_CORES: Final = {
    "cm0p": Core(cpuid=0x410CC601, lines=32),
    "cm4": Core(cpuid=0x410FC241, lines=102),
    "cm7": Core(cpuid=0x411FC271, lines=150),
    "cm33": Core(cpuid=0x410FD214, lines=141),
}


class Nvic(Block):
    """The system control space.  Exceptions are numbered as in ARMv7-M; line n is exception 16 + n."""

    RESET: ClassVar[dict[str, int]] = _RESET
    STATE: ClassVar[tuple[str, ...]] = (
        "enabled", "pending", "lines", "holders", "priorities", "count_flag", "_started", "_left", "_held",
        "protection",
    )  # fmt: skip
    SERVED = frozenset({"SHPR1", "SHPR2", "SHPR3", *_MPU})
    QUIET = frozenset({0x018})
    PAGES = (0, 1, 2, 3)
    DECLARES: ClassVar[frozenset[str]] = frozenset({*_PLAIN, *_COMPUTED, *_MPU})
    READ_ONLY = frozenset({"CPUID", "ICTR", "CALIB"})

    def __init__(self, die: Die) -> None:
        facts = Facts(name="SCS", ip="", address=_SCS, enable=None, reset=None, interrupts={}, pins=())
        super().__init__(die, facts)
        self._core = _CORES[die.chip.core]
        family = die.chip.of_family
        self.priority_mask = 0xFF & ~(0xFF >> family.priority_bits)
        numbers = (number for block in die.chip.blocks.values() for number in block.interrupts.values())
        self._lines = max(self._core.lines, max(numbers, default=0) + 1)
        self._vectors = min(self._core.vectors, family.vector_size)
        self._first_priority = 0xD1C if die.chip.core == "cm0p" else 0xD18
        self.has_fault_status = die.chip.core != "cm0p"
        self._exceptions = 16 + self._lines
        for name, (offset, mask) in _PLAIN.items():
            if self.has_fault_status or name in _V6:
                self._declare(name, offset, {})
                self.masks[name] = mask
        for name, offset in _COMPUTED.items():
            if self.has_fault_status or name in _V6:
                self._declare(name, offset, {})
        self.mpu = mpu.of(die)
        self._mpu_registers = mpu.registers(die.chip.core)
        for name, offset in self._mpu_registers.items():
            self._declare(name, offset, {})
        die.timeline.on("SYSTICK", self._on_tick, Order.TICK)

    def reset(self) -> None:
        super().reset()
        flash = self.die.flash
        self.registers["VTOR"] = flash.address if flash.alias is None else flash.alias
        self.enabled = self.pending = self.lines = 0
        self.holders: dict[int, set[tuple[str, str]]] = {}
        self.priorities = [0] * self._exceptions
        self.priorities[NMI], self.priorities[HARD_FAULT] = -2, -1
        self.count_flag = False
        self._started: int | None = None
        self._held: int | None = None
        self._left = 0
        self.die.timeline.cancel("SYSTICK")
        self.mpu.reset()

    @property
    def protection(self) -> Any:
        """The state of the MPU, for snapshots."""
        return self.mpu.save()

    @protection.setter
    def protection(self, state: Any) -> None:
        self.mpu.load(state)

    # what may interrupt

    def set_line(self, number: int, level: bool, source: tuple[str, str]) -> None:
        """*source*, a block and what of it, holds interrupt line *number* up or lets it go.  Blocks that share a line
        are OR-ed: it is up while one of them holds it."""
        holders = self.holders.get(number, set())
        holders = holders | {source} if level else holders - {source}
        self.holders = {**self.holders, number: holders}
        if not holders:
            del self.holders[number]
        bit, up = 1 << (16 + number), bool(holders)
        if bool(self.lines & bit) == up:
            return
        self.lines = self.lines & ~bit | (bit if up else 0)
        if up:
            if self.registers["SCR"] & _SEVONPEND:
                self.die.cpu.send_event()
            self.die.core.end_slice()

    def release(self, block: str) -> None:
        """*block* was reset: it holds no line any more."""
        held = [
            (number, source) for number, holders in self.holders.items() for source in holders if source[0] == block
        ]
        for number, source in held:
            self.set_line(number, False, source)

    def holders_of(self, exceptions: int) -> Iterator[tuple[str, str]]:
        """Who holds up the lines of *exceptions*, which are bits: block, and what of it."""
        for number, holders in self.holders.items():
            if exceptions >> 16 + number & 1:
                yield from holders

    def pend(self, exception: int) -> None:
        """Make an exception pending.  The slice goes on where it has to wait for the end of another."""
        self.pending |= 1 << exception
        if self.urgent:
            self.die.core.end_slice()

    @property
    def caches_data(self) -> bool:
        """Whether the core has a data cache, and it is on."""
        return False

    def on_drop(self, dropped: Callable[[int | None], None]) -> None:
        """*dropped* is called with each line that a data cache drops, None for all: no cache, no call."""

    @property
    def candidates(self) -> int:
        """Exceptions, as bits, that are pending and enabled."""
        return (self.pending | self.lines) & (self.enabled | _SYSTEM)

    @property
    def sleeps_deep(self) -> bool:
        """Whether a wait for an interrupt is a deep sleep: SLEEPDEEP is set and nothing would end it at once."""
        return bool(self.registers["SCR"] & 4) and not self.candidates

    def best(self) -> tuple[int, int]:
        """Group priority and number of the foremost candidate."""
        rest = self.candidates
        if not rest & rest - 1:
            number = rest.bit_length() - 1
            return self.group(self.priorities[number]), number
        found = []
        while rest:
            number = (rest & -rest).bit_length() - 1
            priority = self.priorities[number]
            found.append((self.group(priority), priority, number))
            rest &= rest - 1
        group, _, number = min(found)
        return group, number

    @property
    def urgent(self) -> bool:
        """Whether a candidate is more urgent than the exceptions that are active: masks alone may keep it waiting."""
        return bool(self.candidates) and self.best()[0] < self.die.cpu.level

    def priority(self, exception: int) -> int:
        """Lower is more urgent; NMI and HardFault are negative."""
        return self.priorities[exception]

    def group(self, priority: int) -> int:
        """The part of a priority that decides about preemption (PRIGROUP)."""
        if priority < 0:
            return priority
        return priority & ~((2 << (self.registers["AIRCR"] >> 8 & 7)) - 1)

    # accesses

    def read(self, offset: int, size: int) -> int:
        self._check_privilege(offset)
        if 0x400 <= offset < 0x400 + self._lines or self._first_priority <= offset < 0xD24:
            first = 16 + offset - 0x400 if offset < 0xD00 else 4 + offset - 0xD18
            return int.from_bytes(bytes((self.priorities + [0] * 4)[first : first + size]), "little")
        if 0x100 <= offset < 0x380:
            bits = {0x200: self.pending | self.lines, 0x280: self.pending | self.lines, 0x300: self._active_bits()}
            word = bits.get(offset & 0x380, self.enabled)
            return word >> 16 >> 8 * (offset & 0x7F) & ((1 << 8 * size) - 1)
        if self.names.get(offset & ~3) in self._mpu_registers:
            return self.mpu.read(offset & ~3) >> 8 * (offset & 3) & ((1 << 8 * size) - 1)
        return super().read(offset, size)

    def write(self, offset: int, size: int, value: int) -> None:
        self._check_privilege(offset)
        if 0x400 <= offset < 0x400 + self._lines or self._first_priority <= offset < 0xD24:
            first = 16 + offset - 0x400 if offset < 0xD00 else 4 + offset - 0xD18
            for i, byte in enumerate(value.to_bytes(size, "little")):
                if first + i < len(self.priorities):
                    self.priorities[first + i] = byte & self.priority_mask
            self.die.core.end_slice()
        elif 0x100 <= offset < 0x300:
            self._write_lines(offset, value)
        elif self.names.get(offset & ~3) in self._mpu_registers:
            shift, mask = 8 * (offset & 3), (1 << 8 * size) - 1
            kept = self.mpu.read(offset & ~3) & ~(mask << shift) if size < 4 else 0
            self.mpu.write(offset & ~3, kept | value << shift)
        else:
            super().write(offset, size, value)

    def _write_lines(self, offset: int, value: int) -> None:
        bits = value << 16 << 8 * (offset & 0x7F) & ((1 << self._exceptions) - 1)
        bank = offset & 0x380
        if bank == 0x100:
            self.enabled |= bits
        elif bank == 0x180:
            self.enabled &= ~bits
        elif bank == 0x200:
            self.pending |= bits
        else:
            self.pending &= ~bits
        self.die.core.end_slice()

    def _active_bits(self) -> int:
        return sum(1 << exception for exception in set(self.die.cpu.active))

    def _check_privilege(self, offset: int) -> None:
        if not self.die.cpu.privileged:
            self.die.cpu.bus_fault_later(_SCS + offset)

    # SysTick (PM0214 4.5)

    def _tick_ps(self) -> int:
        return self.die.timeline.cycle_ps * (1 if self.registers["CSR"] & 4 else 8)

    def _count(self) -> int:
        """The counter now."""
        if self._started is None:
            return self._left
        passed = (self.die.timeline.now - self._started) // self._tick_ps()
        return int(self._left - passed) % (self.registers["RVR"] + 1) if self._left >= passed else self.registers["RVR"]

    def _start(self, count: int) -> None:
        self._left = count
        running = self.registers["CSR"] & 1 and (count or self.registers["RVR"])
        self._started = self.die.timeline.now if running else None
        if running:
            span = count if count else self.registers["RVR"] + 1
            self._left = span
            self.die.timeline.at("SYSTICK", self.die.timeline.now + span * self._tick_ps())
        else:
            self.die.timeline.cancel("SYSTICK")

    def _on_tick(self, when: int) -> None:
        self.count_flag = True
        if self.registers["CSR"] & 2:
            self.pend(SYSTICK)
        if not self.registers["RVR"]:
            self._started, self._left = None, 0
            return
        period = (self.registers["RVR"] + 1) * self._tick_ps()
        missed = (self.die.timeline.now - when) // period
        self._started, self._left = when + missed * period, self.registers["RVR"] + 1
        self.die.timeline.at("SYSTICK", when + (missed + 1) * period)

    def hold(self) -> None:
        """The core clock stops, and SysTick with it."""
        self._held = None if self._started is None else self._count()
        self.die.timeline.cancel("SYSTICK")

    def go_on(self) -> None:
        """The core clock is back."""
        if self._held is not None:
            self._start(self._held)
        self._held = None

    def frequency_will_change(self) -> int:
        """The count to go on from, for `frequency_changed`."""
        return self._count()

    def frequency_changed(self, count: int) -> None:
        if self.die.timeline.next_due != NEVER and self._started is not None:
            self._start(count)

    def read_CSR(self) -> int:
        value = self.registers["CSR"] | self.count_flag << 16
        self.count_flag = False
        return value

    def write_CSR(self, value: int) -> None:
        count = self._count()
        self.registers["CSR"] = value & 7
        self._start(count)

    def write_RVR(self, value: int) -> None:
        self.registers["RVR"] = value & 0xFFFFFF
        if self._started is None and self.registers["CSR"] & 1:
            self._start(0)

    def read_CVR(self) -> int:
        return self._count()

    def write_CVR(self, _value: int) -> None:
        self.count_flag = False
        self._start(0)

    # SCB (PM0214 4.4)

    def read_CPUID(self) -> int:
        return self._core.cpuid

    def read_ICSR(self) -> int:
        candidates = self.candidates
        vector = self.best()[1] if candidates else 0
        active = self.die.cpu.active
        bits = (
            (self.pending >> SYSTICK & 1) << 26 | (self.pending >> PENDSV & 1) << 28 | (self.pending >> NMI & 1) << 31
        )
        external = bool((self.pending | self.lines) >> 16) << 22
        return (active[-1] if active else 0) | (len(active) <= 1) << 11 | vector << 12 | external | bits

    def write_ICSR(self, value: int) -> None:
        for bit, exception, sets in (
            (31, NMI, 1),
            (28, PENDSV, 1),
            (27, PENDSV, 0),
            (26, SYSTICK, 1),
            (25, SYSTICK, 0),
        ):
            if value >> bit & 1 and sets:
                self.pend(exception)
            elif value >> bit & 1:
                self.pending &= ~(1 << exception)

    def write_VTOR(self, value: int) -> None:
        size = self._vectors
        if value & (size - 1):
            self.die.refuse(f"SCB_VTOR = {value:#010x} is not on a {size}-byte boundary", "align it (PM0214 4.4.4)")
        self.registers["VTOR"] = value & 0x3FFFFF00

    def read_AIRCR(self) -> int:
        return 0xFA050000 | self.registers["AIRCR"] & 0x700

    def write_AIRCR(self, value: int) -> None:
        if value >> 16 != _VECTKEY:
            advice = "write 0x05FA in the upper half; it is ignored"
            self.die.forbid(f"SCB_AIRCR written with key {value >> 16:#06x}", advice)
            return
        self.registers["AIRCR"] = value & 0x700
        self.die.core.end_slice()
        if value & 4:
            self.die.request_reset("software")

    def write_SCR(self, value: int) -> None:
        self.registers["SCR"] = value & 0x16

    def write_CFSR(self, value: int) -> None:
        self.registers["CFSR"] &= ~value

    def write_HFSR(self, value: int) -> None:
        self.registers["HFSR"] &= ~value

    def write_STIR(self, value: int) -> None:
        self.pend(16 + (value & 0x1FF))
