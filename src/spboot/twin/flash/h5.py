"""Flash controller of STM32H5 (RM0481 chapter 7): sectors of 8 KB in two banks, quad-words, flags cleared elsewhere."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.twin.flash.icache import Icache
from spboot.twin.flash.low import FlashLow
from spboot.twin.keys import KEYS, OPTION_KEYS, KeySequence
from spboot.twin.memory.ageing import Span
from spboot.twin.power.low import PwrLow
from spboot.twin.timeline import PS_PER_US

_QUAD: Final = 16
_PROTECTED_SECTORS: Final = 4
"""Behind a bit of WRP1R."""
_OPEN, _LOCKED = 0xED, 0x5C
"""Values of PRODUCT_STATE (RM0481, FLASH_OPTSR)."""


def _to_program(name: str) -> str:
    """The register in which what is to be in *name* is written."""
    return name.replace("_CUR", "_PRG")


class FlashH5(FlashLow, ips=("flash_h5",)):
    """Non-secure side with TZEN off.  Stores wait in the write buffer until a quad-word is whole."""

    RESET: ClassVar[dict[str, int]] = {
        "ACR": 0x13, "OPTCR": 1, "NSCR": 1, "OPTSR_CUR": 0x2D30EDF8, "OPTSR_PRG": 0x2D30EDF8,
        "OPTSR2_CUR": 0xC300007C, "OPTSR2_PRG": 0xC300007C, "NSBOOTR_CUR": 0x080000C3, "NSBOOTR_PRG": 0x080000C3,
        "WRP1R_CUR": 0xFFFFFFFF, "WRP1R_PRG": 0xFFFFFFFF, "WRP2R_CUR": 0xFFFFFFFF, "WRP2R_PRG": 0xFFFFFFFF,
    }  # fmt: skip
    OPTIONS = (
        "OPTSR_CUR", "OPTSR2_CUR", "NSBOOTR_CUR", "WRP1R_CUR", "WRP2R_CUR", "EDATA1R_CUR", "EDATA2R_CUR",
    )  # fmt: skip
    READ_ONLY = frozenset({"NSSR", "OPSR", "ECCDR", *OPTIONS})
    RDP = ("OPTSR_CUR", "PRODUCT_STATE")
    STATE: ClassVar[tuple[str, ...]] = (
        *FlashLow.STATE, "_key", "_buffer", "_buffer_at", "_option_key"
    )  # fmt: skip
    ECC = True
    LATENCY_MHZ: ClassVar[dict[int, tuple[int, ...]]] = {
        0: (42, 84, 126, 168, 210, 250), 1: (34, 68, 102, 136, 170, 200), 2: (30, 60, 90, 120, 150, 150),
        3: (20, 40, 60, 80, 100, 100),
    }  # fmt: skip
    LATENCY_SOURCE = "RM0481 table 37"
    PROGRAM: ClassVar[Span] = Span(31 * PS_PER_US, 100 * PS_PER_US)
    SECTOR_ERASE: ClassVar[Span] = Span(2000 * PS_PER_US, 10_000 * PS_PER_US)
    """DS14053 table 46, of STM32H503; banks take as long as their sectors, one after the other.  That of STM32H563
    (DS14258) was not to be had."""

    def reset(self) -> None:
        super().reset()
        self._key, self._option_key = KeySequence(KEYS), KeySequence(OPTION_KEYS)
        for name, value in self.options.items():
            self.registers[_to_program(name)] = value
        self._buffer: dict[int, int] = {}
        """Bytes that wait, by their place in the quad-word at `_buffer_at`."""
        self._buffer_at = 0

    @property
    def _icache(self) -> Icache:
        return self.die.block("ICACHE", Icache)

    def _check_delay(self) -> None:
        """An operation begins.  WRHIGHFREQ is 0, 0, 1, 1, 2, 2 for the wait states; reading does not need it (RM0481,
        FLASH_ACR)."""
        mhz, voltage = self.die.rcc.hclk / 1e6, self.die.block("PWR", PwrLow).voltage_range()
        needed = next(i for i, limit in enumerate(self.LATENCY_MHZ[voltage]) if mhz <= limit) // 2
        if (delay := self.field("ACR", "WRHIGHFREQ")) < needed:
            self.die.refuse(
                f"flash operation at {mhz:g} MHz with WRHIGHFREQ {delay} at VOS{voltage}",
                f"set FLASH_ACR.WRHIGHFREQ to {needed} first ({self.LATENCY_SOURCE})",
            )

    # keys

    def write_NSKEYR(self, value: int) -> None:
        """A wrong sequence, or the right one twice: LOCK stays until a reset (RM0481, FLASH_NSCR)."""
        self.stall()
        self.die.flash.unlock()
        lock = self.mask("NSCR", "LOCK")
        found = self._key.take(value, locked=self.registers["NSCR"] & lock)
        if found == "wrong":
            self.registers["NSCR"] |= lock
            self.refusals.append(f"wrong key {value:#x}: FLASH_NSCR is locked until reset (RM0481, FLASH_NSCR)")
        elif found == "open":
            self.registers["NSCR"] &= ~lock

    def read_NSKEYR(self) -> int:
        return 0

    # option bytes (RM0481 7.4)

    @property
    def level(self) -> int:
        """PRODUCT_STATE stands in its place: OPEN is 0, LOCKED 2."""
        low, width = self.fields["OPTSR_CUR"]["PRODUCT_STATE"]
        state = self.options["OPTSR_CUR"] >> low & ((1 << width) - 1)
        return {_OPEN: 0, _LOCKED: 2}.get(state, 1)

    def write_OPTKEYR(self, value: int) -> None:
        """A wrong sequence, or the right one twice: OPTLOCK stays until a reset (RM0481, FLASH_OPTCR)."""
        lock = self.mask("OPTCR", "OPTLOCK")
        found = self._option_key.take(value, locked=self.registers["OPTCR"] & lock)
        if found == "wrong":
            self.registers["OPTCR"] |= lock
            self.refusals.append(f"wrong option key {value:#x}: OPTLOCK stays until reset (RM0481, FLASH_OPTCR)")
        elif found == "open":
            self.registers["OPTCR"] &= ~lock

    def read_OPTKEYR(self) -> int:
        return 0

    def write_OPTCR(self, value: int) -> None:
        """OPTSTRT makes what the registers PRG have the option bytes; a reset loads them."""
        self.stall()
        lock = self.mask("OPTCR", "OPTLOCK")
        if self.registers["OPTCR"] & lock:
            if value != self.registers["OPTCR"]:
                self.die.refuse("FLASH_OPTCR written while OPTLOCK is set", "write the two keys to FLASH_OPTKEYR first")
            return
        if value & self.mask("OPTCR", "SWAP_BANK"):
            self.die.refuse("SWAP_BANK set in FLASH_OPTCR", "the twin does not model it: leave it")
        self.registers["OPTCR"] = value & lock
        if value & self.mask("OPTCR", "OPTSTRT"):
            self._program_options()

    def _program_options(self) -> None:
        wanted = {name: self.registers[_to_program(name)] for name in self.options}
        for name, value in wanted.items():
            if value != self.options[name] and not name.startswith("WRP"):
                self.die.refuse(
                    f"option bytes FLASH_{_to_program(name)} = {value:#x}",
                    "leave them alone, but for write protection: some PRODUCT_STATEs are for ever",
                )
        self.change_options(wanted)
        self.take_time(self.die.flash.address, self.SECTOR_ERASE)

    # control and status

    def read_NSSR(self) -> int:
        waits = self.mask("NSSR", "WBNE") if self._buffer else 0
        if waits and not self.busy:
            self.die.bus.busy()  # no time that passes brings the rest
        return self.registers["NSSR"] | waits | (self.mask("NSSR", "BSY") if self.busy else 0)

    def write_NSCCR(self, value: int) -> None:
        self.registers["NSSR"] &= ~(value & self.masks["NSCCR"])

    def write(self, offset: int, size: int, value: int) -> None:
        if size != 4:
            self.die.refuse(f"{size}-byte write to a FLASH register", "write whole words")
        name = self.names.get(offset, "")
        if name.startswith("SEC"):
            self.die.refuse(f"FLASH_{name} written with TZEN off", "use the non-secure registers")
        if name.endswith("_PRG") and self.registers["OPTCR"] & self.mask("OPTCR", "OPTLOCK"):
            self.die.refuse(f"FLASH_{name} written while OPTLOCK is set", "write the two keys to FLASH_OPTKEYR first")
        before = self.registers.get(name, 0)
        super().write(offset, size, value)
        if name.endswith("_PRG"):  # reserved bits stay what they are
            self.registers[name] |= before & ~self.masks[name]

    def write_NSCR(self, value: int) -> None:
        self.stall()
        lock = self.mask("NSCR", "LOCK")
        if self.registers["NSCR"] & lock:
            if value & ~lock:
                self.die.refuse(
                    f"FLASH_NSCR written ({value:#x}) while locked", "write the two keys to FLASH_NSKEYR first"
                )
            return
        if unknown := value & ~self.masks["NSCR"]:
            self.die.forbid(f"FLASH_NSCR: reserved bits {unknown:#x} were set", "keep them at 0; they are ignored")
            value &= self.masks["NSCR"]
        commands = self.mask("NSCR", "STRT") | self.mask("NSCR", "FW")
        self.registers["NSCR"] = value & ~commands
        if value & self.mask("NSCR", "FW") and self._buffer:
            self._flush()
        if value & self.mask("NSCR", "STRT"):
            self._start_erase(value)
        if value & lock:  # the other bits go with it
            self.registers["NSCR"] = lock
            self._icache.check()

    def _start_erase(self, value: int) -> None:
        modes = [name for name in ("SER", "BER", "MER") if value & self.mask("NSCR", name)]
        if len(modes) != 1:
            self._error("PGSERR", f"STRT with FLASH_NSCR = {value:#x}: set exactly one of SER, BER and MER")
            return
        swapped = bool(self.options["OPTSR_CUR"] & self.mask("OPTSR_CUR", "SWAP_BANK"))
        bank = int(bool(value & self.mask("NSCR", "BKSEL"))) ^ swapped  # BKSEL is the physical bank
        per_bank, (low, width) = self.die.flash.bank_size // self.die.flash.page, self.fields["NSCR"]["SNB"]
        number = value >> low & ((1 << width) - 1)
        if modes == ["SER"] and number >= per_bank:
            self.die.refuse(f"erase of sector {number}, a bank has {per_bank}", "use one that the part has")
        sectors = [(bank, number)] if modes == ["SER"] else [(bank, n) for n in range(per_bank)]
        if modes == ["MER"]:
            sectors = [(b, n) for b in range(2) for n in range(per_bank)]
        flash = self.die.flash
        places = [flash.address + b * flash.bank_step + n * flash.page for b, n in sectors]
        if any(self._protected(place) for place in places):
            self._error("WRPERR", f"erase of write-protected sector {number} of bank {bank + 1}")
            return
        self._check_delay()
        first = min(places)
        flash.erase(first, max(places) + flash.page - first)
        self.take_time(first, self.erase_span(first).times(len(sectors)))
        self.die.stalls.begin(max(places), self.busy_until)
        self.registers["NSCR"] &= ~self.mask("NSCR", "STRT")

    def _protected(self, address: int) -> bool:
        """Option bytes are those of the physical bank."""
        flash = self.die.flash
        bank, rest = divmod(address - flash.address, flash.bank_step)
        swapped = bool(self.options["OPTSR_CUR"] & self.mask("OPTSR_CUR", "SWAP_BANK"))
        bits = self.options["WRP2R_CUR" if bank ^ swapped else "WRP1R_CUR"]
        return not bits >> rest // (flash.page * _PROTECTED_SECTORS) & 1

    # programming

    def store(self, address: int, size: int, value: int) -> None:
        """A store to the flash range (RM0481, write buffer and error flags)."""
        self.stall()
        self._icache.stored()
        control, start = self.registers["NSCR"], address & -_QUAD
        requests = [name for name in ("SER", "BER", "MER") if control & self.mask("NSCR", name)]
        if not control & self.mask("NSCR", "PG") or requests:
            why = f"with {requests[0]}" if requests else "without PG"
            self._error("PGSERR", f"store to {address:#010x} {why}")
            return
        if self._buffer and start != self._buffer_at:
            at = self._buffer_at
            self._error("INCERR", f"store to {address:#010x} while the quad-word at {at:#010x} is not whole")
            return
        if address + size > start + _QUAD:
            self._error("INCERR", f"store to {address:#010x} goes beyond its quad-word")
            return
        places = range(address - start, address - start + size)
        if any(place in self._buffer for place in places):
            self._error("STRBERR", f"{address:#010x} is stored to twice before its quad-word is programmed")
            return
        self._buffer_at = start
        self._buffer.update(zip(places, value.to_bytes(size, "little"), strict=True))
        if len(self._buffer) == _QUAD:
            self._flush()

    def _flush(self) -> None:
        """Program what is in the buffer; bits that did not come are 1.  A second program of a quad-word is not refused:
        its ECC is that of neither, but where all bits become 0 (RM0481 7.3.5)."""
        data = bytes(self._buffer.get(place, 0xFF) for place in range(_QUAD))
        address, self._buffer = self._buffer_at, {}
        flash = self.die.flash
        if self._protected(address):
            self._error("WRPERR", f"program of write-protected {address:#010x}")
            return
        self._check_delay()
        spoilt = any(data) and not flash.blank(address)
        old = flash.rested(address, _QUAD)
        flash.program(address, bytes(was & wanted for was, wanted in zip(old, data, strict=True)))
        if spoilt:
            self.refusals.append(f"program of {address:#010x}, not erased: its ECC is lost")
            flash.poisoned.add(address)
        self.take_time(address, self.program_span())

    def erase_span(self, _address: int) -> Span:
        return self.SECTOR_ERASE

    def program_span(self) -> Span:
        return self.PROGRAM

    def _error(self, flag: str, text: str) -> None:
        """An error ends the operation and empties the buffer."""
        self.registers["NSSR"] |= self.mask("NSSR", flag)
        self._buffer = {}
        self.refusals.append(f"{text}, at {self.die.where(self.die.core.pc)}")

    def on_done(self, _when: int) -> None:
        self.registers["NSSR"] |= self.mask("NSSR", "EOP")

    # ECC

    def ecc_detected(self, address: int) -> bool:
        """ADDR_ECC counts quad-words in the bank; only the first error is kept until ECCD is cleared."""
        if self.registers["ECCDETR"] & self.mask("ECCDETR", "ECCD"):
            return False
        bank, offset = divmod(address - self.die.flash.address, self.die.flash.bank_step)
        where = self.mask("ECCDETR", "BK_ECC") if bank else 0
        self.registers["ECCDETR"] = self.mask("ECCDETR", "ECCD") | where | offset // _QUAD & 0xFFFF
        return True

    def ecc_corrected(self, address: int) -> None:
        """ECCC and the address, in a register of their own."""
        if not self.registers["ECCCORR"] & self.mask("ECCCORR", "ECCC"):
            bank, offset = divmod(address - self.die.flash.address, self.die.flash.bank_step)
            where = self.mask("ECCCORR", "BK_ECC") if bank else 0
            kept = self.registers["ECCCORR"] & self.mask("ECCCORR", "ECCCIE")
            self.registers["ECCCORR"] = kept | self.mask("ECCCORR", "ECCC") | where | offset // _QUAD & 0xFFFF

    @property
    def ecc_pending(self) -> bool:
        return bool(self.registers["ECCDETR"] & self.mask("ECCDETR", "ECCD"))

    def write_ECCDETR(self, value: int) -> None:
        if value & self.mask("ECCDETR", "ECCD"):
            self.registers["ECCDETR"] = 0

    def write_ECCCORR(self, value: int) -> None:
        enable, flag = self.mask("ECCCORR", "ECCCIE"), self.mask("ECCCORR", "ECCC")
        kept = 0 if value & flag else self.registers["ECCCORR"] & ~enable
        self.registers["ECCCORR"] = kept | value & enable
