"""Flash controller of STM32F4 (RM0090 chapter 3, RM0386): sectors of several sizes, no ECC, width by supply voltage."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.die import Die
from spboot.twin.flash.caches import FlashCaches
from spboot.twin.flash.controller import Controller
from spboot.twin.keys import KEYS, OPTION_KEYS, KeySequence
from spboot.twin.memory.ageing import Span
from spboot.twin.memory.options import Word
from spboot.twin.timeline import PS_PER_MS, PS_PER_US

_OPTLOCK, _OPTSTRT = 1, 2
_LOCK, _STRT, _EOPIE, _ERRIE = 1 << 31, 1 << 16, 1 << 24, 1 << 25
_PG, _SER, _MER, _MER1 = 1, 2, 4, 1 << 15
"""MER1 erases bank 2 of parts that have two (RM0090 3.9.7)."""
_EOP, _OPERR, _WRPERR, _PGPERR, _PGSERR, _BSY = 1, 2, 1 << 4, 1 << 6, 1 << 7, 1 << 16

_WIDTH_MV: Final = (1700, 2100, 2700)
"""Least supply for programs of 1, 2 and 4 bytes (RM0090 table 7)."""
_STATE_MHZ: Final = ((2700, 30), (2400, 24), (2100, 22), (1700, 20))
"""Supply in mV -> MHz that each wait state carries (RM0090 table 11)."""


ByWidth = tuple[tuple[int, int], ...]
"""Typical and longest milliseconds of an erase at x8, x16 and x32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sector:
    """One sector: its SNB, bank (0 or 1) and place."""

    snb: int
    bank: int
    address: int
    size: int


class FlashF4(FlashCaches, Controller, ips=("flash_f4",)):
    """The controller.  Stores to flash arrive by `store`."""

    RESET: ClassVar[dict[str, int]] = {"CR": _LOCK, "OPTCR": 0x0FFFAAED, "OPTCR1": 0x0FFF0000}
    OPTIONS: ClassVar[tuple[str, ...]] = ("OPTCR", "OPTCR1")
    OPTION_BYTES = 0x1FFF_C000
    RDP = ("OPTCR", "RDP")
    STATE = (*FlashCaches.STATE, *Controller.STATE, "_key", "_option_key")
    CACHES = FlashCaches.CODE_AND_DATA
    MANUAL: ClassVar[str] = "RM0090"
    BANK_2_SNB: ClassVar[int] = 16
    ERASE_MS: tuple[ByWidth, ...] = (
        ((400, 800), (300, 600), (250, 500)), ((1200, 2400), (700, 1400), (550, 1100)),
        ((2000, 4000), (1300, 2600), (1000, 2000)),
    )  # fmt: skip
    """Of the small, the middle and the large sectors (DS9405 table 48, DS11189 table 50),"""
    BANK_ERASE_MS: ByWidth = ((16_000, 32_000), (11_000, 22_000), (8_000, 16_000))
    """and of a bank of 1 MB; both banks take no longer than one."""
    PROGRAM: ClassVar[Span] = Span(16 * PS_PER_US, 100 * PS_PER_US)

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self.sectors = self._make_sectors()
        sizes = sorted({sector.size for sector in self.sectors})
        self._erase_ms = dict(zip(sizes, self.ERASE_MS, strict=False))
        self._errors = self.masks["SR"] & ~(_EOP | _BSY)
        self.LOST = {name: self.masks[name] & ~(_OPTSTRT if name == "OPTCR" else 0) for name in self.OPTIONS}

    def _make_sectors(self) -> list[Sector]:
        sectors: list[Sector] = []
        for memory in self.die.chip.flash:
            bank = int(memory.name.startswith("BANK_2"))
            for address in range(memory.address, memory.address + memory.size, memory.erase_unit):
                number = sum(1 for sector in sectors if sector.bank == bank)
                snb = bank * self.BANK_2_SNB + number
                sectors.append(Sector(snb=snb, bank=bank, address=address, size=memory.erase_unit))
        return sectors

    def reset(self) -> None:
        super().reset()
        self._key, self._option_key = KeySequence(KEYS), KeySequence(OPTION_KEYS)

    # access control

    def check_latency(self) -> None:
        """Refuse a clock that the flash cannot follow (RM0090 3.5.1)."""
        carried = next(mhz for least, mhz in _STATE_MHZ if self.die.vdd_mv >= least)
        states, mhz = self.field("ACR", "LATENCY"), self.die.rcc.hclk / 1e6
        if mhz > carried * (states + 1):
            self.die.refuse(
                f"HCLK {mhz:g} MHz with {states} wait states at {self.die.vdd_mv} mV",
                f"set FLASH_ACR.LATENCY to {int(-(-mhz // carried)) - 1} first",
            )

    def write_ACR(self, value: int) -> None:
        self.caches_set(value)
        self.registers["ACR"] = value & self.masks["ACR"]
        self.check_latency()

    # keys

    def write_KEYR(self, value: int) -> None:
        self.stall()
        self.die.flash.unlock()
        found = self._key.take(value, locked=self.registers["CR"] & _LOCK)
        if found == "wrong":
            self.registers["CR"] |= _LOCK
            self.refusals.append(f"wrong key {value:#x}: FLASH_CR is locked until reset ({self.MANUAL})")
            self.bus_fault("KEYR")
        elif found == "open":
            self.registers["CR"] &= ~_LOCK

    def read_KEYR(self) -> int:
        return 0

    # option bytes (RM0090 3.7)

    def write_OPTKEYR(self, value: int) -> None:
        found = self._option_key.take(value, locked=self.registers["OPTCR"] & _OPTLOCK)
        if found == "wrong":
            self.registers["OPTCR"] |= _OPTLOCK
            self.refusals.append(
                f"wrong option key {value:#x}: OPTLOCK stays until reset ({self.MANUAL}, option bytes)"
            )
            self.bus_fault("OPTKEYR")
        elif found == "open":
            self.registers["OPTCR"] &= ~_OPTLOCK

    def read_OPTKEYR(self) -> int:
        return 0

    def _set_options(self, name: str, value: int) -> None:
        """Write an option register: it counts when OPTSTRT is set, and is forgotten at a reset before."""
        self.stall()
        if self.registers["OPTCR"] & _OPTLOCK:
            if name == "OPTCR" and value == self.registers["OPTCR"]:
                return
            self.die.refuse(
                f"FLASH_{name} written ({value:#x}) while OPTLOCK is set",
                f"write the two keys to FLASH_OPTKEYR first ({self.MANUAL}, option bytes)",
            )
        self.registers[name] = value & self.masks[name] & ~(_OPTSTRT if name == "OPTCR" else 0)

    def write_OPTCR(self, value: int) -> None:
        self._set_options("OPTCR", value)
        if value & _OPTSTRT and value & _OPTLOCK:
            self.die.refuse("OPTSTRT set together with OPTLOCK", "lock the option bytes when BSY is clear again")
        if value & _OPTSTRT:
            self._program_options()

    def _program_options(self) -> None:
        """The sector of the option bytes is erased, and all of them are programmed, in the time of a small sector: data
        sheets have none for it."""
        wanted = {name: self.registers[name] for name in self.OPTIONS}
        wanted["OPTCR"] |= _OPTLOCK
        erases = self.lowers_protection("OPTCR", "RDP", wanted["OPTCR"], f"{self.MANUAL}, read protections")
        if not erases and self._gives_up_protection(wanted):
            self._error(_WRPERR, "option bytes that take protection from reading away, without leaving level 1")
            self.registers.update({name: self.options[name] & ~_OPTLOCK for name in self.OPTIONS})
            return
        psize, flash = self._psize(), self.die.flash
        if erases:
            flash.erase(flash.address, flash.size)
            self._take_ms(flash.address, self._bank_ms(psize))
        self.change_options(wanted)
        self._take_ms(flash.address, self.ERASE_MS[0][psize])

    def option_words(self) -> list[Word]:
        """They have 16 bits, and no complement: what is lost reads as erased, which is level 1 (RM0090 3.7.3)."""
        return [(name, half) for name in self.OPTIONS for half in (0xFFFF, 0xFFFF_0000)]

    def locked(self) -> str:
        """With SPRMOD, ones protect sectors from reading (RM0090 3.7.5); no manual speaks of its erased state."""
        turned = "SPRMOD" in self.fields["OPTCR"] and ("OPTCR", 0xFFFF_0000) in self.lost
        return "option bit SPRMOD is lost, and with it every sector is protected from reading" if turned else ""

    def _gives_up_protection(self, wanted: dict[str, int]) -> bool:
        """With SPRMOD a sector is protected from reading until level 1 is left (RM0090 3.7.5)."""
        bit = self.mask("OPTCR", "SPRMOD") if "SPRMOD" in self.fields["OPTCR"] else 0
        if not self.options["OPTCR"] & bit:
            return False
        fewer = any(
            self.options[name] & ~wanted[name] & self.mask(name, "nWRP")
            for name in ("OPTCR", "OPTCR1")
            if name in wanted
        )
        return fewer or not wanted["OPTCR"] & bit

    def write_OPTCR1(self, value: int) -> None:
        self._set_options("OPTCR1", value)

    # control and status

    def read_SR(self) -> int:
        return self.registers["SR"] | (_BSY if self.busy else 0)

    def write_SR(self, value: int) -> None:
        self.registers["SR"] &= ~value
        self._update_line()

    def write(self, offset: int, size: int, value: int) -> None:
        if size != 4 and self.names.get(offset & ~3) in ("KEYR", "OPTKEYR"):  # the others may (RM0090 3.9)
            self.die.refuse(f"{size}-byte write to a FLASH register", "write whole words")
        super().write(offset, size, value)

    def write_CR(self, value: int) -> None:
        self.stall()
        if self.registers["CR"] & _LOCK:
            if value & ~_LOCK:
                self.die.refuse(
                    f"FLASH_CR written ({value:#x}) while locked",
                    f"write the two keys to FLASH_KEYR first ({self.MANUAL}, unlocking)",
                )
            return
        if unknown := value & ~self.masks["CR"]:
            self.die.forbid(f"FLASH_CR: reserved bits {unknown:#x} were set", "keep them at 0; they are ignored")
            value &= self.masks["CR"]
        self.registers["CR"] = value & ~_STRT
        if value & _STRT:
            self._start_erase(value)
        if value & _LOCK:
            self.caches_at_the_end()
        self._update_line()

    def _start_erase(self, value: int) -> None:
        modes = value & (_PG | _SER | _MER | _MER1)
        if modes != _SER and (not modes or modes & ~(_MER | _MER1)):
            self._error(_PGSERR, f"STRT with FLASH_CR = {value:#x}: set exactly one of SER and MER")
            return
        psize = self._psize()
        snb = self.field("CR", "SNB")
        chosen = [s for s in self.sectors if (s.snb == snb if modes == _SER else modes & (_MER1 if s.bank else _MER))]
        if not chosen:
            what = f"sector SNB = {snb}" if modes == _SER else "bank 2"
            self.die.refuse(
                f"erase of {what}, which does not exist",
                f"SNB is one of {', '.join(str(s.snb) for s in self.sectors)} ({self.MANUAL}, FLASH_CR)",
            )
        if any(self._protected(sector) for sector in chosen):
            self._error(_WRPERR, f"erase of write-protected sector {chosen[0].snb}")
            return
        first, last = chosen[0], chosen[-1]
        self.die.flash.erase(first.address, last.address + last.size - first.address)
        if modes == _SER:
            self.take_time(first.address, self._sector_span(first.size, psize))
        else:
            self._take_ms(first.address, self._bank_ms(psize))
        self.die.stalls.begin(last.address, self.busy_until)

    def erase_span(self, address: int) -> Span:
        """At the greatest parallelism that the supply carries."""
        return self._sector_span(self.die.chip.memory_at(address).erase_unit, self._most_psize())

    def program_span(self) -> Span:
        return self.PROGRAM

    def program_size(self) -> int:
        return 1 << self._most_psize()

    def _most_psize(self) -> int:
        return max(number for number, least in enumerate(_WIDTH_MV) if self.die.vdd_mv >= least)

    def _sector_span(self, size: int, psize: int) -> Span:
        typical, longest = self._erase_ms[size][psize]
        return Span(typical * PS_PER_MS, longest * PS_PER_MS)

    def _bank_ms(self, psize: int) -> tuple[int, int]:
        typical, longest = (ms * self.die.flash.bank_size // (1024 * 1024) for ms in self.BANK_ERASE_MS[psize])
        return typical, longest

    def _take_ms(self, address: int, times: tuple[int, int]) -> None:
        self.take_time(address, Span(times[0] * PS_PER_MS, times[1] * PS_PER_MS))

    def _protected(self, sector: Sector) -> bool:
        """nWRP, which SPRMOD turns around; those of bank 2 are in OPTCR1 (RM0090, FLASH_OPTCR)."""
        low, _ = self.fields["OPTCR"]["nWRP"]
        bits = self.options["OPTCR1" if sector.bank else "OPTCR"] >> low + sector.snb % self.BANK_2_SNB
        low_turn, _ = self.fields["OPTCR"].get("SPRMOD", (99, 1))
        return bool(bits & 1) == bool(self.options["OPTCR"] >> low_turn & 1)

    def _psize(self) -> int:
        """PSIZE, which must fit the supply: otherwise what was written may not last (RM0090 3.6.2)."""
        psize = self.field("CR", "PSIZE")
        if psize >= len(_WIDTH_MV) or self.die.vdd_mv < _WIDTH_MV[psize]:
            self.die.refuse(
                f"PSIZE = {psize} (x{8 << psize}) at {self.die.vdd_mv} mV",
                f"x16 needs 2.1 V, x32 2.7 V, x64 an external VPP ({self.MANUAL}, parallelism)",
            )
        return psize

    # programming

    def store(self, address: int, size: int, value: int) -> None:
        """A store to the flash range (RM0090 3.6.4).  PGAERR needs one that crosses 16 bytes, which no core sends."""
        self.stall()
        address = self.die.flash.offset(address) + self.die.flash.address
        if self.registers["CR"] & (_LOCK | _PG | _SER | _MER | _MER1) != _PG:
            self._error(_PGSERR, f"store to {address:#010x} without PG, or with SER or MER")
        elif size != 1 << self._psize() or address % size:
            self._error(_PGPERR, f"{size}-byte store to {address:#010x} with PSIZE = {self.field('CR', 'PSIZE')}")
        else:
            self._program(address, value.to_bytes(size, "little"))

    def _program(self, address: int, data: bytes) -> None:
        flash = self.die.flash
        sector = next(s for s in self.sectors if s.address <= address < s.address + s.size)
        if self._protected(sector):
            self._error(_WRPERR, f"program of write-protected {address:#010x}")
            return
        old = flash.rested(address, len(data))
        cells = bytes(was & wanted for was, wanted in zip(old, data, strict=True))
        if cells != data:  # only an erase sets bits; there is no flag for it (RM0090 3.6.4)
            self.refusals.append(
                f"program of {data.hex()} at {address:#010x} over {old.hex()} gives {cells.hex()},"
                f" at {self.die.where(self.die.core.pc)}"
            )
        flash.program(address, cells)
        self.take_time(address, self.program_span())

    def _error(self, flag: int, text: str) -> None:
        self.registers["SR"] |= flag | (_OPERR if self.registers["CR"] & _ERRIE else 0)
        self.refusals.append(f"{text}, at {self.die.where(self.die.core.pc)}")
        self._update_line()

    def on_done(self, _when: int) -> None:
        if self.registers["CR"] & _EOPIE:
            self.registers["SR"] |= _EOP
            self._update_line()

    def _update_line(self) -> None:
        sr, cr = self.registers["SR"], self.registers["CR"]
        self.line("FLASH", bool((cr & _EOPIE and sr & _EOP) or (cr & _ERRIE and sr & _OPERR)))
