"""What flash controllers share: options, the time that operations take, words for what was refused."""

from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.memory.ageing import Span

_LEVELS: Final = {0xAA: 0, 0xCC: 2}
"""RDP byte -> level of read protection, of every family; any other value is level 1."""


class Controller(Block, like="flash_l4"):
    """Base of the models."""

    STATE: ClassVar[tuple[str, ...]] = ("options", "refusals", "busy_until")
    ECC: ClassVar[bool] = False
    """A word that does not fit its ECC can be noticed, by `ecc_detected`."""
    BUS_ERROR = False
    OPTIONS: ClassVar[tuple[str, ...]] = ()
    """Option registers: a reset loads them."""

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self.options = {name: self.RESET.get(name, 0) for name in self.OPTIONS}
        self.refusals: list[str] = []
        """What the controller refused by an error flag, in words."""
        self.busy_until = 0
        die.timeline.on("FLASH", self.on_done)
        die.flash.on_corrected, die.flash.on_failure = self.ecc_corrected, self.failed

    def reset(self) -> None:
        super().reset()
        self.registers.update(self.options)
        self.busy_until = 0
        self.die.timeline.cancel("FLASH")

    # option bytes

    def takes(self, _address: int) -> bool:
        """Whether a store outside of flash is one to option bytes, for `store`."""
        return False

    def stored_options(self) -> dict[str, int]:
        """What the next reset loads."""
        return self.options

    def lowers_protection(self, register: str, field: str, new: int, source: str) -> bool:
        """Whether *register* as *new* takes its RDP byte from level 1 to level 0, which erases all of flash.

        *source* says where the manual has it.  Raises TwinError for a change that silicon does not take back."""
        low, width = self.fields[register][field]
        old, new = (value >> low & ((1 << width) - 1) for value in (self.options[register], new))
        before, after = _LEVELS.get(old, 1), _LEVELS.get(new, 1)
        if before == 2:
            self.die.refuse("option bytes changed at read protection level 2", f"they stay as they are ({source})")
        if after == 2:
            self.die.refuse(
                f"read protection level 2 (RDP = {new:#x})",
                f"it is for ever and closes debug access and option bytes, and the twin does not go there ({source})",
            )
        return before > after

    def store(self, address: int, size: int, value: int) -> None:
        """A store to the flash range.  Raises PowerCut."""
        raise NotImplementedError

    def on_done(self, _when: int) -> None:
        """The operation under way has ended."""

    @property
    def busy(self) -> bool:
        """An operation is under way."""
        return self.busy_until > self.die.timeline.now

    # clock

    def check_latency(self) -> None:
        """Refuse a clock that the flash cannot follow."""
        raise NotImplementedError

    def write_ACR(self, value: int) -> None:  # noqa: N802 - named after its register
        reserved = self.RESET.get("ACR", 0) & ~self.masks["ACR"]
        self.registers["ACR"] = value & self.masks["ACR"] | reserved
        self.check_latency()

    # time

    def erase_span(self, address: int) -> Span:
        """How long the erase of the unit at *address* takes."""
        raise NotImplementedError

    def program_span(self) -> Span:
        """How long one program takes, of"""
        raise NotImplementedError

    def program_size(self) -> int:
        """so many bytes."""
        return self.die.flash.unit

    def duration(self, span: Span) -> int:
        """The picoseconds that an operation takes in this run."""
        return span.maximal if self.die.flash.ageing.slow else span.typical

    def take_time(self, address: int, times: Span) -> None:
        """The bank of *address* is busy; code in the same bank stands still meanwhile, in the other one it runs on
        (RM0351 3.3.8, RM0090 3.6.5)."""
        span = self.duration(times)
        self.die.log.busy_ps += span
        self.busy_until = max(self.die.timeline.now, self.busy_until) + span
        self.die.timeline.at("FLASH", self.busy_until)
        self.die.stalls.begin(address, self.busy_until)

    def stall(self) -> None:
        """The core waits for the operation to end."""
        rest = self.busy_until - self.die.timeline.now
        if rest > 0:
            self.die.timeline.skip(rest)

    def failed(self, _address: int) -> None:
        """An operation changed nothing, as its page is worn."""

    # ECC

    def ecc_corrected(self, _address: int) -> None:
        """A single error at an address: note it unless an earlier one still stands."""

    def ecc_detected(self, _address: int) -> bool:
        """A double error at an address: note it unless an earlier one still stands.  Whether the NMI is new."""
        return False

    @property
    def ecc_pending(self) -> bool:
        """The flag that raises the NMI is up."""
        return False
