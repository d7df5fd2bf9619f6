"""Flash programmed by units of several words, each with its ECC, and erased by pages: STM32L4, L4+, L5, G0, G4 and WL.

Sections are those of RM0351 chapter 3; RM0432 3, RM0438 6, RM0444 3, RM0453 4 say the same but for the subclasses."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.die import Die
from spboot.twin.flash.caches import FlashCaches
from spboot.twin.flash.low import FlashLow
from spboot.twin.keys import KEYS, OPTION_KEYS, KeySequence
from spboot.twin.memory.ageing import Span
from spboot.twin.timeline import PS_PER_US

_WORD: Final = 4
_UNIT_NAMES: Final = {8: "double word", 16: "quad-word"}


class FlashEcc(FlashCaches, FlashLow, like="flash_l4"):
    """The controller.  Stores to flash arrive by `store`."""

    STATE: ClassVar[tuple[str, ...]] = (*FlashCaches.STATE, *FlashLow.STATE, "_key", "_option_key", "_first")
    ECC = True
    KEEPS = 1 << 10
    """DCEN."""
    MANUAL = "RM0351"
    SR: ClassVar[str] = "SR"
    CR: ClassVar[str] = "CR"
    KEYR: ClassVar[str] = "KEYR"
    PREFIX: ClassVar[str] = ""
    """Of the field names."""
    START: ClassVar[str] = "STRT"
    MASS: ClassVar[tuple[str, ...]] = ("MER",)
    """The fields that erase a bank, one for each."""
    PCROP: ClassVar[tuple[str, ...]] = ()
    """Areas of a bank protected from reading, by the letter in the names of their registers."""
    PCROP_UNIT: int = 8
    PROGRAM: ClassVar[Span] = Span(81_690_000, 90_760_000)
    """How long operations take: DS10969 table 53, DS11912 table 64 and DS12470 table 52, of STM32L475, L452 and L422,
    which agree.  Those of L4+ and WL (DS12023, DS13293) were not to be had."""
    PAGE_ERASE: ClassVar[Span] = Span(22_020 * PS_PER_US, 24_470 * PS_PER_US)
    MASS_ERASE: ClassVar[Span] = Span(22_130 * PS_PER_US, 24_590 * PS_PER_US)
    BANKS_AT_ONCE: ClassVar[bool] = True
    """Both banks are erased in the time of one."""
    TWO_IN_ONE: bool = False
    """One bank is made of two by an option byte."""

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self._unit = die.flash.unit
        self._name = _UNIT_NAMES[self._unit]
        errors = ("OPERR", "PROGERR", "WRPERR", "PGAERR", "SIZERR", "PGSERR", "MISERR", "FASTERR", "RDERR", "OPTVERR")
        named = {name: self._status(name) for name in errors}
        self._blocking = sum(named[name] for name in errors if name not in ("OPERR", "RDERR", "OPTVERR"))
        """What makes the next operation a PGSERR: the flags of a programming error, and no other (RM0351 3.7.4)."""
        self._lock, self._optlock = self._control("LOCK"), self.mask(self.CR, "OPTLOCK")
        self._mass = [self._control(name) for name in self.MASS]
        self.LOST = {name: self.unmatched(name) for name in self.OPTIONS}
        self._modes = [self._control("PG"), self._control("PER"), sum(self._mass), self._control("FSTPG")]

    def _status(self, name: str, prefix: str | None = None) -> int:
        field = (self.PREFIX if prefix is None else prefix) + name
        return self.mask(self.SR, field) if field in self.fields[self.SR] else 0

    def _control(self, name: str) -> int:
        field = self.PREFIX + name
        return self.mask(self.CR, field) if field in self.fields[self.CR] else 0

    def reset(self) -> None:
        super().reset()
        self._key, self._option_key = KeySequence(KEYS), KeySequence(OPTION_KEYS)
        self._first: tuple[int, bytes] | None = None
        if self.lost:
            self.registers[self.SR] |= self._status("OPTVERR", "")

    def locked(self) -> str:
        """What is lost of areas protected from reading, and of securable ones, protects all (RM0351, RM0444 3.4.2)."""
        names = [name for name, _ in self.lost if name.startswith(("PCROP", "SEC"))]
        return f"option bytes {names[0]} are lost, and all of flash is protected from reading" if names else ""

    # keys

    def write_KEYR(self, value: int) -> None:
        self.stall()
        found = self._key.take(value, locked=self.registers[self.CR] & self._lock)
        if found == "wrong":
            self.registers[self.CR] |= self._lock | self._optlock
            self.refusals.append(f"wrong key {value:#x}: FLASH_{self.CR} is locked until reset (RM0351 3.3.5)")
            self.bus_fault(self.KEYR)
        elif found == "open":
            self.registers[self.CR] &= ~self._lock

    def write_OPTKEYR(self, value: int) -> None:
        """While LOCK is set a key is wrong, too (RM0453 4.4.2)."""
        control = self.registers[self.CR]
        found = self._option_key.take(value, locked=not control & self._lock and control & self._optlock)
        if found == "wrong":
            self.registers[self.CR] |= self._optlock
            self.refusals.append(f"wrong option key {value:#x}: OPTLOCK stays until reset (RM0453 4.4.2)")
            self.bus_fault("OPTKEYR")
        elif found == "open":
            self.registers[self.CR] &= ~self._optlock

    def read_KEYR(self) -> int:
        return 0

    # control and status

    def write_ACR(self, value: int) -> None:
        self.caches_set(value)
        super().write_ACR(value)

    def busy_flags(self) -> int:
        """The bits of SR that say so."""
        return self._status("BSY") if self.busy else 0

    def _half_stored(self) -> bool:
        """Some words of a unit are stored: no time that passes brings the others."""
        if self._first is not None and not self.busy:
            self.die.bus.busy()
        return self._first is not None

    def read_SR(self) -> int:
        return self.registers[self.SR] | self.busy_flags()

    def write_SR(self, value: int) -> None:
        self.registers[self.SR] &= ~value
        self._update_line()

    def write_CR(self, value: int) -> None:
        self.stall()
        if self.registers[self.CR] & self._lock:
            if value & ~(self._lock | self._optlock):
                self.die.refuse(
                    f"FLASH_{self.CR} written ({value:#x}) while locked",
                    "write the two keys to FLASH_KEYR first (RM0351 3.3.5)",
                )
            return
        if unknown := value & ~self.masks[self.CR]:
            self.die.forbid(f"FLASH_{self.CR}: reserved bits {unknown:#x} were set", "keep them at 0; they are ignored")
            value &= self.masks[self.CR]
        commands = self._control(self.START) | self.mask(self.CR, "OPTSTRT") | self.mask(self.CR, "OBL_LAUNCH")
        old_lock = self.registers[self.CR] & self._optlock
        locks = (value | old_lock) & (self._lock | self._optlock)
        plain = value & self.masks[self.CR] & ~(commands | self._lock | self._optlock)
        self.registers[self.CR] = plain | locks | (self._optlock if value & self._lock else 0)
        self._first = None
        if value & commands & ~self._control(self.START):
            self._option_command(value)
        elif value & self._control(self.START):
            self._start_erase(value)
        if value & self._lock:
            self.caches_at_the_end()
        self._update_line()

    def _start_erase(self, value: int) -> None:
        modes = [bits for bits in self._modes if value & bits]
        if self.registers[self.SR] & self._blocking:
            self._error("PGSERR", "erase while error flags of an earlier operation are set")
        elif modes == [self._control("PER")]:
            low, width = self.fields[self.CR][self.PREFIX + "PNB"]
            self._erase_page(
                int(bool(value & self._control("BKER"))), value >> low & ((1 << width) - 1), self.PAGE_ERASE
            )
        elif modes == [sum(self._mass)]:
            self._erase_banks([bank for bank, bit in enumerate(self._mass) if value & bit])
        else:
            self._error("PGSERR", f"{self.START} with FLASH_{self.CR} = {value:#x}: set exactly one of PER and MER")

    def _bank_size(self) -> int:
        return self.die.flash.bank_size

    def _bank_start(self, bank: int) -> int:
        """Offset of what CR calls *bank*, from 0."""
        return bank * self.die.flash.bank_step

    def _erase_banks(self, banks: list[int]) -> None:
        """One operation, or none while a page of them is write-protected (RM0351 3.5.2)."""
        flash = self.die.flash
        if self.TWO_IN_ONE and flash.banks == 1 and 0 in banks:
            banks = [0]
        starts = sorted(self._bank_start(bank) for bank in banks)
        if starts[-1] >= flash.size:
            self.die.refuse(f"erase of bank {banks[-1] + 1}, which does not exist", "use one that the part has")
        whole = range(0, self._bank_size(), flash.page)
        if any(self._protected(flash.address + start + page, flash.page) for start in starts for page in whole):
            self._error("WRPERR", "erase of a bank with a write-protected page")
            return
        flash.erase(flash.address + starts[0], starts[-1] + self._bank_size() - starts[0])
        self.take_time(flash.address + starts[0], self._mass_time(len(starts)))
        self.die.stalls.begin(flash.address + starts[-1], self.busy_until)

    def _mass_time(self, banks: int) -> Span:
        if self.BANKS_AT_ONCE:
            return self.MASS_ERASE
        return self.PAGE_ERASE.times(banks * (self._bank_size() // self.die.flash.page))

    def erase_span(self, _address: int) -> Span:
        return self.PAGE_ERASE

    def program_span(self) -> Span:
        return self.PROGRAM

    def _erase_page(self, bank: int, page: int, span: Span) -> None:
        flash = self.die.flash
        start = self._bank_start(bank) + page * flash.page
        if page * flash.page >= self._bank_size() or start >= flash.size:
            self.die.refuse(
                f"erase of page {page} of bank {bank + 1}, which does not exist", "use one that the part has"
            )
        if self._protected(flash.address + start, flash.page):
            self._error("WRPERR", f"erase of write-protected page {page} of bank {bank + 1}")
        else:
            flash.erase(flash.address + start)
            self.take_time(flash.address + start, span)

    def _protected(self, address: int, size: int) -> bool:
        """Whether an area has one of these bytes.  Only as many bits count as number the units of a bank.  Where one
        bank is made of two, the areas of both count from its start."""
        bank, rest = divmod(address - self.die.flash.address, self.die.flash.bank_step)
        banks = (1, 2) if self.TWO_IN_ONE and self.die.flash.banks == 1 else (bank + 1,)
        return any(
            first <= last and first * unit < rest + size and rest < (last + 1) * unit
            for number in banks
            for first, last, unit in self._areas(number)
        )

    def _areas(self, number: int) -> Iterator[tuple[int, int, int]]:
        """First and last unit and bytes of a unit, of each area of bank *number*."""
        page = self.die.flash.page
        found = [(f"WRP{number}{area}R", f"WRP{number}{area}R", page) for area in "AB"]
        found += [(f"PCROP{number}{area}SR", f"PCROP{number}{area}ER", self.PCROP_UNIT) for area in self.PCROP]
        for start, end, unit in found:
            mask = self._bank_size() // unit - 1
            yield self.options[start] & mask, self.options[end] >> (16 if start == end else 0) & mask, unit

    def _option_command(self, value: int) -> None:
        if self.registers[self.CR] & self._optlock:
            self.die.refuse("option command while OPTLOCK is set", "write the two keys to FLASH_OPTKEYR first")
        if value & self.mask(self.CR, "OPTSTRT"):
            source = f"{self.MANUAL}, read protection"
            if self.lowers_protection("OPTR", "RDP", self.registers["OPTR"], source):
                self.die.flash.erase(self.die.flash.address, self.die.flash.size)
                self.take_time(self.die.flash.address, self._mass_time(self.die.flash.banks))
            self.change_options({name: self.registers[name] for name in self.OPTIONS})
            self.take_time(self.die.flash.address, self.PAGE_ERASE)
        if value & self.mask(self.CR, "OBL_LAUNCH"):
            self.die.request_reset("option")

    def write(self, offset: int, size: int, value: int) -> None:
        if size != 4:
            self.die.refuse(f"{size}-byte write to a FLASH register", "write whole words (RM0351 3.7)")
        name = self.names.get(offset)
        if name in self.OPTIONS and self.registers[self.CR] & self._optlock:
            self.die.refuse(f"FLASH_{name} written while OPTLOCK is set", "unlock the option bytes first")
        before = self.registers.get(name or "", 0)
        super().write(offset, size, value)
        if name in self.OPTIONS:  # reserved bits stay what they are
            self.registers[name] |= before & ~self.masks[name]

    # programming

    def store(self, address: int, size: int, value: int) -> None:
        """A store to the flash range (RM0351 3.3.7)."""
        self.stall()
        address = self.die.flash.offset(address) + self.die.flash.address
        control = self.registers[self.CR]
        pg, per, mass, fast = self._modes
        if control & (self._lock | pg | per | mass | fast) == fast != 0:
            self.die.refuse(
                f"store to {address:#010x} with FSTPG",
                f"the twin does not model fast programming: use PG ({self.MANUAL})",
            )
        if control & (self._lock | pg | fast) != pg:
            self._error("PGSERR", f"store to {address:#010x} {'with PG and FSTPG' if control & pg else 'without PG'}")
        elif control & (per | mass):
            self._error("PGSERR", "PG set together with PER or MER")
        elif self.registers[self.SR] & self._blocking:
            self._error("PGSERR", f"store to {address:#010x} while error flags of an earlier operation are set")
        elif size != _WORD or address % _WORD:  # a core cuts an unaligned word into parts
            self._error("SIZERR", f"{size}-byte store to {address:#010x}; only a whole {self._name} can be programmed")
        else:
            self._collect(address, value)

    def _collect(self, address: int, value: int) -> None:
        """The next word of a unit, or its first one; the last one programs it."""
        start, data = self._first or (address, b"")
        if not data and address % self._unit:
            self._error("PGAERR", f"first word at {address:#010x} is not on a {self._name} boundary")
        elif not start <= address < start + self._unit:
            self._error("PGAERR", f"next word at {address:#010x} is not in the {self._name} of {start:#010x}")
        elif address != start + len(data):
            if self._unit == 2 * _WORD:
                self._error("PGAERR", f"second word at {address:#010x} is the first one once more")
            else:
                self.die.refuse(
                    f"word at {address:#010x} behind {len(data) // _WORD} of the {self._name} of {start:#010x}",
                    "store its words in ascending order: the manual does not say what else does",
                )
        else:
            self._first = start, data + value.to_bytes(_WORD, "little")
            if len(self._first[1]) == self._unit:
                whole, self._first = self._first[1], None
                self._program(start, whole)

    def _program(self, address: int, data: bytes) -> None:
        flash = self.die.flash
        if self._protected(address, self._unit):
            self._error("WRPERR", f"program of write-protected {address:#010x}")
        elif any(data) and not flash.blank(address):
            self._error(
                "PROGERR", f"{self._name} {address:#010x} is not erased: {flash.get(address, self._unit).hex()}"
            )
        else:
            flash.program(address, data)
            self.take_time(address, self.program_span())

    def _error(self, flag: str, text: str) -> None:
        self.registers[self.SR] |= self._status(flag)
        self._first = None
        self.refusals.append(f"{text}, at {self.die.where(self.die.core.pc)}")
        self._update_line()

    # time

    def on_done(self, _when: int) -> None:
        if self.registers[self.CR] & self._control("EOPIE"):
            self.registers[self.SR] |= self._status("EOP")
            self._update_line()

    def _update_line(self) -> None:
        sr, cr = self.registers[self.SR], self.registers[self.CR]
        done = cr & self._control("EOPIE") and sr & self._status("EOP")
        failed = cr & self._control("ERRIE") and sr & self._status("OPERR")
        self.line("FLASH", bool(done or failed or self._corrections_interrupt()))

    def failed(self, address: int) -> None:
        """OPERR tells of it with ERRIE alone (RM0351 3.7.4)."""
        if self.registers[self.CR] & self._control("ERRIE"):
            self._error("OPERR", f"operation at {address:#010x} did not succeed: the page is worn")

    # ECC (RM0351 3.3.9)

    def _ecc_register(self, _bank: int) -> str:
        return "ECCR"

    def ecc_detected(self, address: int) -> bool:
        """ADDR_ECC counts bytes in the bank; where it has no room for them, double words."""
        return self._note("ECCD", address)

    def ecc_corrected(self, address: int) -> None:
        self._note("ECCC", address)
        self._update_line()

    def _corrections_interrupt(self) -> bool:
        """ECCC is up, and ECCIE lets it interrupt."""
        enable = "ECCCIE" if "ECCCIE" in self.fields["ECCR"] else "ECCIE"
        return any(
            self.registers[name] & self.mask("ECCR", "ECCC") and self.registers[name] & self.mask("ECCR", enable)
            for name in {self._ecc_register(bank) for bank in range(self.die.flash.banks)}
        )

    def _note(self, flag: str, address: int) -> bool:
        """Put *flag* and the address into the ECC register, which keeps them until both flags are cleared."""
        bank, offset = divmod(address - self.die.flash.address, self.die.flash.bank_step)
        name = self._ecc_register(bank)
        if self.registers[name] & (self.mask(name, "ECCD") | self.mask(name, "ECCC")):
            return False
        where = bank << self.fields[name]["BK_ECC"][0] if "BK_ECC" in self.fields[name] else 0
        where |= offset & -self._unit if self.mask(name, "ADDR_ECC") >= self._bank_size() - 1 else offset // self._unit
        self.registers[name] = self.registers[name] & 1 << 24 | self.mask(name, flag) | where
        return True

    @property
    def ecc_pending(self) -> bool:
        return any(self.registers[self._ecc_register(bank)] & self.mask("ECCR", "ECCD") for bank in (0, 1))

    def write_ECCR(self, value: int) -> None:
        self._write_ecc("ECCR", value)

    def _write_ecc(self, name: str, value: int) -> None:
        flags = self.mask(name, "ECCD") | self.mask(name, "ECCC")
        self.registers[name] = self.registers[name] & ~(value & flags) & ~(1 << 24) | value & 1 << 24
        self._update_line()
