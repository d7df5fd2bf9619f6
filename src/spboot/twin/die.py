"""What a model may ask of the chip that it is part of.  `machine.Twin` is the one Die; no model knows more of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, Literal, NoReturn, Protocol, TypeVar

from spboot import chips
from spboot.twin.core import Core
from spboot.twin.memory.cells import FlashArray
from spboot.twin.memory.oplog import OperationLog
from spboot.twin.memory.rams import Rams
from spboot.twin.memory.stall import Stalls
from spboot.twin.timeline import Timeline

ResetCause = Literal["pin", "software", "iwdg", "wwdg", "por", "option"]
T = TypeVar("T")


class Neighbour(Protocol):
    """A block as others see it."""

    name: str
    facts: chips.Block
    registers: dict[str, int]
    fields: dict[str, dict[str, tuple[int, int]]]
    gate: tuple[str, int] | None
    clocked: bool

    def reset(self) -> None: ...
    def lose_supply(self) -> None: ...
    def clocks_changed(self) -> None: ...
    def mask(self, register: str, field: str) -> int: ...
    def field(self, register: str, field: str) -> int: ...
    def runs_in_stop(self) -> bool: ...
    def stood_still(self, span: int) -> None: ...
    def power_on(self) -> None: ...


class Clocks(Neighbour, Protocol):
    """RCC."""

    LSI_HZ: ClassVar[int]
    BACKUP_LOCK: ClassVar[str]
    hclk: int
    enabled_at: dict[str, int]

    @property
    def flash_hz(self) -> int: ...
    def kernel(self, field: str, bus: int) -> int: ...
    def timer_hz(self, bus: int) -> int: ...
    def chosen(self, name: str) -> str: ...
    def chosen_hz(self, name: str, bus: int) -> int: ...
    def on(self, name: str) -> bool: ...
    def ready(self, name: str) -> bool: ...
    def start_lsi(self) -> None: ...
    def check_limits(self) -> None: ...
    def note_standby(self, kind: str) -> None: ...
    def leave_stop(self) -> None: ...
    def rtc_hz(self) -> int: ...


class Power(Neighbour, Protocol):
    """PWR; what a voltage allows is between the models of one family."""

    def deep_sleep(self) -> str: ...
    def slept(self, kind: str) -> None: ...
    def wake_pins(self) -> dict[str, bool]:
        """Pins that may end Standby -> whether by a rising edge."""

    def woken_by(self, pin: str) -> None:
        """*pin* ended Standby; "": the RTC did."""


class FlashController(Neighbour, Protocol):
    """FLASH: stores to flash, and the outcome of its operations."""

    ECC: ClassVar[bool]
    """Whether a word that a cut tore fails its ECC when it is read."""
    BUS_ERROR: ClassVar[bool]
    """Such a read is answered with a bus error, otherwise by an NMI."""
    options: dict[str, int]
    """Option registers, which a reset loads."""
    refusals: list[str]
    """What was refused by an error flag, in words."""

    @property
    def busy(self) -> bool: ...
    @property
    def ecc_pending(self) -> bool: ...
    def store(self, address: int, size: int, value: int) -> None: ...
    def takes(self, address: int) -> bool: ...
    def stored_options(self) -> dict[str, int]: ...
    def ecc_detected(self, address: int) -> bool: ...
    def check_latency(self) -> None: ...


class Interrupts(Protocol):
    """NVIC and SysTick."""

    @property
    def sleeps_deep(self) -> bool: ...
    def reset(self) -> None: ...
    def set_line(self, number: int, level: bool, source: tuple[str, str]) -> None: ...
    def release(self, block: str) -> None: ...
    def hold(self) -> None: ...
    def go_on(self) -> None: ...
    def holders_of(self, exceptions: int) -> Iterator[tuple[str, str]]: ...
    def frequency_will_change(self) -> int: ...
    def frequency_changed(self, count: int) -> None: ...


class Exceptions(Protocol):
    """The exception model of the core."""

    active: list[int]
    sleeping: bool
    event: bool

    @property
    def privileged(self) -> bool: ...
    def reset(self) -> None: ...
    def bus_fault_later(self, address: int) -> None: ...
    def send_event(self) -> None: ...


class Addresses(Protocol):
    """The bus."""

    enabled_until: int
    """Up to this instruction a clock may be too young to use."""

    def fed(self) -> None: ...
    def busy(self) -> None: ...


class Pads(Protocol):
    """The pins."""

    def alternate(self, name: str) -> int | None: ...
    def supplied(self, name: str) -> bool: ...
    def get(self, name: str) -> int: ...
    def digital(self, name: str) -> int: ...
    def watch(self, watcher: Callable[[], None]) -> None: ...
    def changed(self) -> None: ...


class Debugger(Protocol):
    """Who is asked between any two slices."""

    def look(self) -> int:
        """The most instructions that the next slice may have.  Raises what ends the run."""


class Die(Protocol):
    """The parts, by what they do; and how to refuse, stop, reset and wait."""

    chip: chips.Chip
    seed: int
    vdd_mv: int
    core_supply: str
    core: Core
    timeline: Timeline
    log: OperationLog
    flash: FlashArray
    stalls: Stalls
    rams: Rams

    @property
    def rcc(self) -> Clocks: ...
    @property
    def pwr(self) -> Power: ...
    @property
    def flash_controller(self) -> FlashController: ...
    @property
    def nvic(self) -> Interrupts: ...
    @property
    def cpu(self) -> Exceptions: ...
    @property
    def bus(self) -> Addresses: ...
    @property
    def pins(self) -> Pads: ...
    @property
    def blocks(self) -> Mapping[str, Neighbour]: ...
    def block(self, name: str, kind: type[T]) -> T:
        """The block *name*, for a model that needs more of it than others may ask: it must be a *kind*."""

    def refuse(self, found: str, advice: str) -> NoReturn:
        """Silicon would not go on like this: raise an error that says what, where, and what to do."""

    def forbid(self, found: str, advice: str) -> None:
        """The manual forbids what silicon bears: an error for strict code, a warning for other; the caller goes on."""

    def refuse_later(self, found: str, advice: str) -> None:
        """The same from a memory hook, through which nothing can be raised."""

    @property
    def in_stop(self) -> bool:
        """Whether the chip is in Stop."""

    def end_standby(self) -> None:
        """A wake-up: the core starts again if the chip is in Standby."""

    def where(self, address: int) -> str: ...
    def stop(self, error: Exception) -> None: ...
    def request_reset(self, cause: ResetCause) -> None: ...
    def wait(self, limit: int | None = None, *, feeding: bool = False) -> None: ...
