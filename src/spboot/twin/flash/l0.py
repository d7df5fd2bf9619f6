"""Flash controller of STM32L0 (RM0367, RM0377 chapter 3): 128-byte pages, words and half-pages, erased to zero."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.die import Die
from spboot.twin.flash.low import FlashLow
from spboot.twin.keys import KeySequence
from spboot.twin.memory.ageing import Span
from spboot.twin.memory.oplog import Cut
from spboot.twin.memory.options import OptionCells, Word, fates
from spboot.twin.timeline import PS_PER_US

_PE_KEYS: Final = (0x89ABCDEF, 0x02030405)
_PRG_KEYS: Final = (0x8C9DAEBF, 0x13141516)
_OPT_KEYS: Final = (0xFBEAD9C8, 0x24252627)
_WORD: Final = 4
_HALF_PAGE: Final = 64
_OPTION_WORDS: Final = (("OPTR", 0), ("OPTR", 16), ("WRPROT", 0), ("WRPROT", 16), ("WRPROT2", 0))
"""The register and the lowest of its bits that each word of option bytes has in its lower half; their complements are
in the upper one (RM0367 3.8)."""
_OPTION_BYTES: Final = 0x1FF8_0000
_CATEGORY_3: Final = 0x417
"""Device id of STM32L05x and L06x: there NOTZEROERR does not prevent the write (RM0377 3.3.4)."""
# DS10685 table 53, DS10689 table 53: the same for a word, a half-page and a page.
OPERATION: Final = Span(3_280 * PS_PER_US, 3_940 * PS_PER_US)


class FlashL0(FlashLow, ips=("flash_l0",)):
    """The controller.  Stores to flash arrive by `store`."""

    RESET: ClassVar[dict[str, int]] = {"PECR": 7, "SR": 0xC, "OPTR": 0x807000AA}
    STATE: ClassVar[tuple[str, ...]] = (*FlashLow.STATE, "_keys", "_half", "_stored")
    READ_ONLY = frozenset({"OPTR", "WRPROT", "WRPROT2"})
    OPTIONS = ("OPTR", "WRPROT", "WRPROT2")
    OPTION_BYTES = _OPTION_BYTES
    RDP = ("OPTR", "RDPROT")
    LOST: Mapping[str, int] | None = {"OPTR": 0x8070_01FF, "WRPROT": 0xFFFF_FFFF, "WRPROT2": 0xFFFF_FFFF}
    """Level 1, PCROP, and all sectors protected (RM0367 3.8.2)."""
    LATENCY_MHZ: ClassVar[dict[int, tuple[int, ...]]] = {1: (16, 32), 2: (8, 16), 3: (4.2,)}  # type: ignore[dict-item]
    LATENCY_SOURCE = "RM0367 table 13"

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        names = ("WRPERR", "PGAERR", "SIZERR", "OPTVERR", "RDERR", "NOTZEROERR", "FWWERR")
        self._errors = sum(self.mask("SR", name) for name in names)
        self._stored: dict[str, int] = {}
        """Option registers as the option bytes have them since they were programmed."""

    def reset(self) -> None:
        self.options = self.stored_options()
        self._stored = {}
        super().reset()
        if self.lost:
            self.registers["SR"] |= self.mask("SR", "OPTVERR")
        self._show_options()
        self._keys = {
            "PELOCK": KeySequence(_PE_KEYS), "PRGLOCK": KeySequence(_PRG_KEYS), "OPTLOCK": KeySequence(_OPT_KEYS)
        }  # fmt: skip
        self._half: list[int] = []
        """Words of the half-page being gathered; the first address is in front."""

    # keys (RM0367 3.3.4)

    def _key(self, lock: str, value: int) -> None:
        bit = self.mask("PECR", lock)
        outer = lock != "PELOCK" and self.registers["PECR"] & self.mask("PECR", "PELOCK")
        found = self._keys[lock].take(value, locked=not outer and self.registers["PECR"] & bit)
        if found == "wrong":
            self.registers["PECR"] |= bit
            self.refusals.append(f"wrong key {value:#x}: {lock} stays until reset (RM0367 3.3.4)")
            self.bus_fault(lock.replace("LOCK", "KEYR"))
        elif found == "open":
            self.registers["PECR"] &= ~bit

    def write_PEKEYR(self, value: int) -> None:
        self._key("PELOCK", value)

    def write_PRGKEYR(self, value: int) -> None:
        self._key("PRGLOCK", value)

    def write_OPTKEYR(self, value: int) -> None:
        self._key("OPTLOCK", value)

    def write_PECR(self, value: int) -> None:
        old = self.registers["PECR"]
        locks = sum(self.mask("PECR", name) for name in self._keys)
        if old & self.mask("PECR", "PELOCK"):
            if value & ~locks:
                self.die.refuse(
                    f"FLASH_PECR written ({value:#x}) while PELOCK is set",
                    "write the two keys to FLASH_PEKEYR first (RM0367 3.3.4)",
                )
            return
        self.stall()
        if self._half:
            self.die.refuse("FLASH_PECR written inside a half-page", "store all 16 words first (RM0367 3.3.4)")
        kept = (value | old) & locks
        if value & self.mask("PECR", "PELOCK"):
            kept = locks
        self.registers["PECR"] = value & self.masks["PECR"] & ~locks | kept
        if value & self.mask("PECR", "OBL_LAUNCH"):
            if old & self.mask("PECR", "OPTLOCK"):
                self.die.refuse("OBL_LAUNCH set while OPTLOCK is set", "write the two keys to FLASH_OPTKEYR first")
            self.die.request_reset("option")

    # status

    def read_SR(self) -> int:
        high_voltage_off = self.mask("SR", "ENDHV") | self.mask("SR", "READY")
        return self.registers["SR"] & ~high_voltage_off | (self.mask("SR", "BSY") if self.busy else high_voltage_off)

    def write_SR(self, value: int) -> None:
        self.registers["SR"] &= ~(value & (self._errors | self.mask("SR", "EOP")))
        self._update_line()

    def on_done(self, _when: int) -> None:
        if self.registers["PECR"] & self.mask("PECR", "EOPIE"):
            self.registers["SR"] |= self.mask("SR", "EOP")
            self._update_line()

    def _update_line(self) -> None:
        sr, pecr = self.registers["SR"], self.registers["PECR"]
        done = pecr & self.mask("PECR", "EOPIE") and sr & self.mask("SR", "EOP")
        failed = pecr & self.mask("PECR", "ERRIE") and sr & self._errors
        self.line("FLASH", bool(done or failed))

    def _error(self, flag: str, text: str) -> None:
        self.registers["SR"] |= self.mask("SR", flag)
        self._half = []
        self.refusals.append(f"{text}, at {self.die.where(self.die.core.pc)}")
        self._update_line()

    # option bytes (RM0367 3.3.4, 3.4.4, 3.8)

    def takes(self, address: int) -> bool:
        return 0 <= address - _OPTION_BYTES < 4 * len(_OPTION_WORDS)

    def stored_options(self) -> dict[str, int]:
        return {**self.options, **self._stored}

    def _show_options(self) -> None:
        """The words, where the core reads them."""
        options = self.stored_options()
        halves = [options[name] >> low & 0xFFFF for name, low in _OPTION_WORDS]
        whole = [((half ^ 0xFFFF) << 16 | half).to_bytes(_WORD, "little") for half in halves]
        lost = [(name, 0xFFFF << low) in self.lost for name, low in _OPTION_WORDS]
        words = b"".join(bytes(_WORD) if gone else word for gone, word in zip(lost, whole, strict=True))
        self.die.core.uc.mem_write(_OPTION_BYTES, words)

    def load(self, state: Any) -> None:
        super().load(state)
        self._show_options()

    def _store_option(self, address: int, size: int, value: int) -> None:
        """A word of option bytes: it is erased, if need be, and programmed; the next reset loads it."""
        pecr, half = self.registers["PECR"], value & 0xFFFF
        if pecr & (self.mask("PECR", "PELOCK") | self.mask("PECR", "OPTLOCK")):
            self._error("WRPERR", f"store to option bytes {address:#010x} while PELOCK or OPTLOCK is set")
            return
        if size != _WORD or address % _WORD:
            self._error("SIZERR", f"{size}-byte store to option bytes {address:#010x}; only words can be programmed")
            return
        if modes := [name for name in ("PROG", "ERASE", "FPRG", "DATA") if pecr & self.mask("PECR", name)]:
            self.die.refuse(
                f"store to option bytes with {' and '.join(modes)}",
                "clear them: a word is erased and programmed at once",
            )
        if value >> 16 != half ^ 0xFFFF:
            self.die.refuse(
                f"option word {value:#010x} at {address:#010x}: its upper half is not the complement of the lower one",
                "make it so: silicon would load its most protected values (RM0367 3.8.2)",
            )
        name, low = _OPTION_WORDS[(address - _OPTION_BYTES) // _WORD]
        options = self.stored_options()
        wanted = options[name] & ~(0xFFFF << low) | half << low
        erases = (name, low) == ("OPTR", 0) and self.lowers_protection("OPTR", "RDPROT", wanted, "RM0367 3.4.4")
        if erases:
            wanted &= ~self.mask("OPTR", "WPRMOD")
        self._check_read_protection(name, wanted, erases=erases)
        flash = self.die.flash
        if erases:
            flash.erase(flash.address, flash.size)
            self.take_time(flash.address, OPERATION)
        self._change_word((name, 0xFFFF << low), wanted, value)
        self.take_time(flash.address, OPERATION.times(2))

    def _change_word(self, word: Word, wanted: int, value: int) -> None:
        """One operation of the log.  A word that it loses is not its own complement any more: it reads as erased."""
        name, mask = word

        def put() -> None:
            self._stored[name] = wanted
            self.lost = [other for other in self.lost if other != word]

        def tear(cut: Cut) -> None:
            fate = fates(1, cut)[0]
            if fate == "new":
                put()
            elif fate == "lost" and self.LOST is not None:
                self._stored[name] = self.stored_options()[name] & ~mask | self.LOST[name] & mask
                self.lost = [*self.lost, word]

        place = _OPTION_BYTES + _WORD * _OPTION_WORDS.index((name, 0 if mask == 0xFFFF else 16))
        self.die.log.perform("options", OptionCells(put, tear), place, value.to_bytes(_WORD, "little"))
        self._show_options()

    def locked(self) -> str:
        """WPRMOD is in the first word, and set where that is lost (RM0367 3.8.2)."""
        first = ("OPTR", 0xFFFF) in self.lost
        return "option bit WPRMOD is lost, and all of flash is protected from reading" if first else ""

    def _check_read_protection(self, name: str, wanted: int, *, erases: bool) -> None:
        """Sectors that WPRMOD protects from reading stay so until level 1 is left (RM0367 3.4.4)."""
        if not self.options["OPTR"] & self.mask("OPTR", "WPRMOD") or erases:
            return
        kept = wanted & self.mask("OPTR", "WPRMOD") if name == "OPTR" else not wanted & ~self.options[name]
        if not kept:
            self.die.refuse(
                f"option bytes that take protection from reading away: FLASH_{name} = {wanted:#010x} with WPRMOD",
                "go from level 1 to level 0, which erases all (RM0367 3.4.4)",
            )

    # operations

    def store(self, address: int, size: int, value: int) -> None:
        """A store to the flash range erases a page, programs a word, or is one of a half-page (RM0367 3.3.4)."""
        if not self._half:
            self.stall()
        if self.takes(address):
            self._store_option(address, size, value)
            return
        flash = self.die.flash
        address = flash.offset(address) + flash.address
        pecr = self.registers["PECR"]
        mode = {name for name in ("PROG", "ERASE", "FPRG", "DATA") if pecr & self.mask("PECR", name)}
        if pecr & (self.mask("PECR", "PELOCK") | self.mask("PECR", "PRGLOCK")):
            self._error("WRPERR", f"store to {address:#010x} while PELOCK or PRGLOCK is set")
        elif self._protected(address):
            self._error("WRPERR", f"store to write-protected {address:#010x}")
        elif size != _WORD:
            self._error("SIZERR", f"{size}-byte store to {address:#010x}; only words can be programmed")
        elif mode == {"PROG", "ERASE"}:
            flash.erase(address - address % flash.page)
            self.take_time(address, self.erase_span(address))
        elif mode == {"PROG", "FPRG"}:
            self._gather(address, value)
        elif not mode:
            self._program(address, value.to_bytes(_WORD, "little"))
        else:
            self.die.refuse(
                f"store to flash with PECR = {pecr:#x}", "set PROG and ERASE, PROG and FPRG, or none (RM0367 3.3.4)"
            )

    def _gather(self, address: int, value: int) -> None:
        if not self._half and address % _HALF_PAGE:
            self._error("PGAERR", f"half-page begun at {address:#010x}, not on a 64-byte boundary")
        elif self._half and address - address % _HALF_PAGE != self._half[0]:
            self._error("PGAERR", f"word at {address:#010x} is not in the half-page of {self._half[0]:#010x}")
        elif self._from_same_flash():
            self._error("FWWERR", "half-page programmed by code in flash: the fetch aborts it; run from RAM")
        else:
            self._half = [*(self._half or [address]), value]
            if len(self._half) == 1 + _HALF_PAGE // _WORD:
                first, words = self._half[0], self._half[1:]
                self._half = []
                self._program(first, b"".join(word.to_bytes(_WORD, "little") for word in words))

    def _from_same_flash(self) -> bool:
        """Code in the other bank is no better: the interface sees one fetch stream (RM0367 3.3.4, FWWERR)."""
        return self.die.flash.holds(self.die.core.pc)

    def _program(self, address: int, data: bytes) -> None:
        flash = self.die.flash
        if address % _WORD:
            self._error("PGAERR", f"store to {address:#010x} is not on a word boundary")
            return
        old = flash.sense(address, len(data))
        if any(old):
            self._error("NOTZEROERR", f"{address:#010x} is not erased: {old.hex()}")
            if self.die.chip.device_id != _CATEGORY_3:
                return
            rested = flash.rested(address, len(data))
            data = bytes(was | wanted for was, wanted in zip(rested, data, strict=True))
        flash.program(address, data)
        self.take_time(address, self.program_span())

    def erase_span(self, _address: int) -> Span:
        return OPERATION

    def program_span(self) -> Span:
        """Of a word, and of a half-page (RM0367 3.3.4)."""
        return OPERATION

    def _protected(self, address: int) -> bool:
        """A bit of WRPROT protects a sector of 4 KB; WPRMOD turns it around (RM0367, FLASH_WRPROT and FLASH_OPTR)."""
        sector = (address - self.die.flash.address) // 4096
        name = "WRPROT" if sector < 32 else "WRPROT2"
        return bool(self.options[name] >> sector % 32 & 1) != bool(self.options["OPTR"] & self.mask("OPTR", "WPRMOD"))

    def write(self, offset: int, size: int, value: int) -> None:
        if size != _WORD:
            self.die.refuse(f"{size}-byte write to a FLASH register", "write whole words (RM0367 3.7)")
        super().write(offset, size, value)
