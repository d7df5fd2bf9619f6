"""What flash controllers share: options, the time that operations take, words for what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.errors import TwinError
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.memory.ageing import Span
from spboot.twin.memory.oplog import Cut
from spboot.twin.memory.options import OptionCells, Word, mixed

_LEVELS: Final = {0xAA: 0, 0xCC: 2}
"""RDP byte -> level of read protection, of every family; any other value is level 1."""


class Controller(Block, like="flash_l4"):
    """Base of the models."""

    STATE: ClassVar[tuple[str, ...]] = ("options", "lost", "refusals", "busy_until")
    ECC: ClassVar[bool] = False
    """A word that does not fit its ECC can be noticed, by `ecc_detected`."""
    BUS_ERROR = False
    OPTIONS: ClassVar[tuple[str, ...]] = ()
    """Option registers: a reset loads them."""
    OPTION_BYTES: ClassVar[int] = 0x1FFF_7800
    """Where they are."""
    RDP: ClassVar[tuple[str, str]] = ("OPTR", "RDP")
    """The register and the field with the byte of read protection."""
    LOST: Mapping[str, int] | None = None
    """Option register -> what is loaded when a cut met its word; None where a change that is cut leaves what was."""

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self.options = {name: self.RESET.get(name, 0) for name in self.OPTIONS}
        self.lost: list[Word] = []
        """The words of option bytes that a cut lost."""
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
        if self.locked():
            self.die.stop(
                TwinError(f"{self.locked()}: no code with constants in flash runs; only an erase by a probe helps")
            )

    # option bytes

    @property
    def level(self) -> int:
        """Of read protection, 0 to 2."""
        register, field = self.RDP
        low, width = self.fields[register][field]
        return _LEVELS.get(self.options[register] >> low & ((1 << width) - 1), 1)

    def option_words(self) -> list[Word]:
        """The words of option bytes, in the order in which they are programmed."""
        return [(name, 0xFFFF_FFFF) for name in self.options]

    def unmatched(self, name: str) -> int:
        """What flash with an ECC loads for a word that does not fit its complement: no area of write protection, all of
        flash protected from reading and secured, read protection level 1, user options of ones but for the brown-out
        reset (RM0351 3.4.2).  Of words that no section names: what they have from the factory."""
        if name.startswith(("PCROP", "SEC")):
            return 0 if name.endswith("SR") else self.masks[name]
        if name != "OPTR":
            return self.RESET.get(name, 0)
        brown_out = sum(self.mask(name, field) for field in self.fields[name] if field.startswith("BOR"))
        return (self.RESET[name] | self.masks[name]) & ~brown_out

    def locked(self) -> str:
        """What a cut made of option bytes that keeps the chip from running, in words; "" otherwise."""
        return ""

    def change_options(self, wanted: dict[str, int]) -> None:
        """Option bytes become *wanted*, by one operation of the log.  Raises PowerCut."""

        def put() -> None:
            self.options, self.lost = wanted, []

        def tear(cut: Cut) -> None:
            if self.LOST is not None:
                self.options, self.lost = mixed(self.option_words(), cut, self.options, wanted, self.LOST)

        data = b"".join(value.to_bytes(4, "little") for value in wanted.values())
        self.die.log.perform("options", OptionCells(put, tear), self.OPTION_BYTES, data)

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
