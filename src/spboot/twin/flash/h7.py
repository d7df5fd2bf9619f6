"""Flash controller of STM32H7 (RM0399 chapter 4, RM0433): two banks with registers of their own, words of 256 bits."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from functools import partial
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.die import Die
from spboot.twin.flash.h7_options import OptionsH7, blocks_of
from spboot.twin.keys import KEYS, KeySequence
from spboot.twin.memory.ageing import Span
from spboot.twin.power.h7 import PwrH7
from spboot.twin.timeline import PS_PER_MS, PS_PER_US

_LOCK, _PG, _SER, _BER, _FW, _START = 1, 2, 4, 8, 1 << 6, 1 << 7
_BSY, _WBNE, _QW = 1, 2, 4
_WRPERR, _PGSERR, _STRBERR, _INCERR, _OPERR = 1 << 17, 1 << 18, 1 << 19, 1 << 21, 1 << 22
_SNECCERR, _DBECCERR = 1 << 25, 1 << 26
_WORD: Final = 32
_BLOCK: Final = 256
"""Bytes that areas are counted in."""

_PROGRAM_US: Final = (290, 180, 130, 100)
_SECTOR_MS: Final = (2000, 1800, 1100, 1000)
_BANK_MS: Final = (13_000, 8_000, 6_000, 5_000)
"""Typical times at x8, x16, x32 and x64, half of the longest: DS12110 table 140 for STM32H743; of a bank of 1 MB
DS13313 table 44 for STM32H723."""

# MHz of AXI by wait states, then the least WRHIGHFREQ by MHz; by VOS.  RM0399 table 17.
_STATE_MHZ: Final = {3: (70, 140, 210, 225), 2: (55, 110, 165, 225), 1: (45, 90, 135, 180, 225)}
_DELAY_MHZ: Final = {3: (70, 185), 2: (55, 165), 1: (45, 135)}


def _span(typical: int) -> Span:
    return Span(typical, 2 * typical)


class FlashH7(OptionsH7, ips=("flash_h7",)):
    """Stores arrive by `store` and wait in a write buffer until a word of 32 bytes is whole."""

    RESET: ClassVar[dict[str, int]] = {**OptionsH7.RESET, "ACR": 0x37, "BANK0_CR": 0x31, "BANK1_CR": 0x31}
    STATE = (*OptionsH7.STATE, "_key", "_buffer", "_buffer_at", "_until")
    READ_ONLY = OptionsH7.READ_ONLY | {f"BANK{bank}_{name}" for bank in range(2) for name in ("SR", "FAR")}
    ECC = True
    BUS_ERROR = True

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        for bank in (0, 1):
            self._readers[self.offset_of(f"BANK{bank}_SR")] = partial(self._read_bank_SR, bank)
            for register, write in (
                ("KEYR", self._write_bank_KEYR),
                ("CR", self._write_bank_CR),
                ("CCR", self._write_bank_CCR),
            ):
                self._writers[self.offset_of(f"BANK{bank}_{register}")] = partial(write, bank)

    def reset(self) -> None:
        super().reset()
        self._key = [KeySequence(KEYS), KeySequence(KEYS)]
        self._buffer: list[dict[int, int]] = [{}, {}]
        """Bytes that wait, by their place in the word, for each bank."""
        self._buffer_at = [0, 0]
        self._until = [0, 0]

    # wait states

    def check_latency(self) -> None:
        """Refuse a bus clock that the flash cannot follow (RM0399 table 17)."""
        scale, mhz = self.die.block("PWR", PwrH7).scale, self.die.rcc.flash_hz / 1e6
        states, limits = self.field("ACR", "LATENCY"), _STATE_MHZ[scale]
        if mhz > limits[min(states, len(limits) - 1)]:
            self.die.refuse(
                f"AXI {mhz:g} MHz with {states} wait states at VOS {scale}",
                "set FLASH_ACR.LATENCY first (RM0399 4.3.8)",
            )

    def check_delay(self) -> None:
        """An operation begins: WRHIGHFREQ fits the bus clock; reading does not need it (RM0399 4.9.1)."""
        scale, mhz = self.die.block("PWR", PwrH7).scale, self.die.rcc.flash_hz / 1e6
        delay, needed = self.field("ACR", "WRHIGHFREQ"), sum(mhz > limit for limit in _DELAY_MHZ[scale])
        if delay < needed:
            self.die.refuse(
                f"flash operation at {mhz:g} MHz with WRHIGHFREQ {delay} at VOS {scale}",
                f"set it to {needed} first (RM0399 4.3.8)",
            )

    # keys

    def _write_bank_KEYR(self, bank: int, value: int) -> None:
        self._stall(bank)
        self.die.flash.unlock()
        found = self._key[bank].take(value, locked=self.registers[f"BANK{bank}_CR"] & _LOCK)
        if found == "wrong":
            self._lock_up(bank, f"wrong key {value:#x}")
        elif found == "open":
            self.registers[f"BANK{bank}_CR"] &= ~_LOCK

    def _lock_up(self, bank: int, text: str) -> None:
        """Any wrong sequence, a third key included (RM0399 4.5.1)."""
        self._key[bank] = KeySequence(KEYS, dead=True)
        self.registers[f"BANK{bank}_CR"] |= _LOCK
        self.refusals.append(f"{text}: FLASH_CR{bank + 1} is locked until reset (RM0399 4.5.1)")
        self.bus_fault(f"BANK{bank}_KEYR")

    # control and status

    def _read_bank_SR(self, bank: int) -> int:
        value = self.registers[f"BANK{bank}_SR"]
        if self._buffer[bank]:
            value |= _WBNE
        return value | (_BSY | _QW if self.die.timeline.now < self._until[bank] else 0)

    def _write_bank_CCR(self, bank: int, value: int) -> None:
        self.registers[f"BANK{bank}_SR"] &= ~(value & self.masks[f"BANK{bank}_CCR"])

    def write(self, offset: int, size: int, value: int) -> None:
        if size != 4:
            self.die.refuse(f"{size}-byte write to a FLASH register", "write whole words")
        self.hold()
        name = self.names.get(offset, "")
        for bank in (0, 1):
            if self._key[bank].taken and name.startswith(f"BANK{bank}_") and not name.endswith("_KEYR"):
                self._lock_up(bank, f"FLASH_{name} written between the two keys")
                return
        super().write(offset, size, value)

    def _write_bank_CR(self, bank: int, value: int) -> None:
        self._stall(bank)
        name = f"BANK{bank}_CR"
        if self.registers[name] & _LOCK:
            if (value ^ self.registers[name]) & ~_LOCK or not value & _LOCK:
                self.die.refuse(
                    f"FLASH_CR{bank + 1} written ({value:#x}) while locked",
                    f"write the two keys to FLASH_KEYR{bank + 1} first (RM0399 4.5.1)",
                )
            return
        if unknown := value & ~self.masks[name]:
            self.die.forbid(
                f"FLASH_CR{bank + 1}: reserved bits {unknown:#x} were set", "keep them at 0; they are ignored"
            )
            value &= self.masks[name]
        self.registers[name] = value & ~(_START | _FW)
        if not value & _PG:
            self._buffer[bank] = {}
        if value & _FW and any(byte != 0xFF for byte in self._buffer[bank].values()):
            self._flush(bank)
        if value & _START:
            self._start_erase(bank, value)

    def _start_erase(self, bank: int, value: int) -> None:
        if not value & (_SER | _BER):
            self.die.refuse(f"START with FLASH_CR{bank + 1} = {value:#x}", "set SER or BER (RM0399 4.3.10)")
        flash = self.die.flash
        per_bank = flash.bank_size // flash.page
        number = value >> 8 & 7
        if not value & _BER and number >= per_bank:
            self.die.refuse(f"erase of sector {number}, a bank has {per_bank}", "use one it has (RM0399 4.3.4)")
        chosen = range(per_bank) if value & _BER else (number,)
        if any(self._protected(bank, sector) for sector in chosen):
            self._error(bank, _WRPERR, f"erase of write-protected sector {number} of bank {bank + 1}")
            return
        self.check_delay()
        flash.erase(flash.address + bank * flash.bank_step + chosen[0] * flash.page, len(chosen) * flash.page)
        psize = self.field(f"BANK{bank}_CR", "PSIZE")
        self._take_time(bank, self.bank_span(psize) if value & _BER else _span(_SECTOR_MS[psize] * PS_PER_MS))

    def _protected(self, bank: int, sector: int) -> bool:
        """By its bit, or as it has a byte of an area: from START to END in 256 bytes, or all of the bank where they are
        the same (RM0399 4.5.5); a secure-only area counts with SECURITY (4.5.6)."""
        areas = ["PRAR"] + (["SCAR"] if self.options["OPTSR_CUR"] & self.mask("OPTSR_CUR", "SECURITY") else [])
        blocks = self.die.flash.page // _BLOCK
        for name in areas:
            area = blocks_of(self.options[f"BANK{bank}_{name}_CUR"])
            if area and area[0] < (sector + 1) * blocks and sector * blocks <= area[-1]:
                return True
        return not self.options[f"BANK{bank}_WPSN_CURR"] >> sector & 1

    # programming

    def _bank(self, address: int) -> int:
        return self.die.flash.bank(address - self.die.flash.address)

    def store(self, address: int, size: int, value: int) -> None:
        """A store to the flash range (RM0399 4.3.9): bytes gather in the buffer until they are 32."""
        bank = self._bank(address)
        self._stall(bank)
        status, control = self.registers[f"BANK{bank}_SR"], self.registers[f"BANK{bank}_CR"]
        buffer, start = self._buffer[bank], address & -_WORD
        if not control & _PG or status & (_PGSERR | _INCERR):
            why = "without PG" if not control & _PG else "while PGSERR or INCERR is set"
            self._error(bank, _PGSERR, f"store to {address:#010x} {why}")
            buffer.clear()
            return
        if buffer and start != self._buffer_at[bank]:
            at = self._buffer_at[bank]
            self._error(bank, _INCERR, f"store to {address:#010x} while the word at {at:#010x} is not whole")
            buffer.clear()
            return
        places = range(address - start, address - start + size)
        if any(place in buffer for place in places):  # the new byte replaces the old one (RM0399 4.7.4)
            self._error(bank, _STRBERR, f"{address:#010x} is stored to twice before its word is programmed")
        self._buffer_at[bank] = start
        buffer.update(zip(places, value.to_bytes(size, "little"), strict=True))
        if len(buffer) == _WORD:
            self._flush(bank)

    def _flush(self, bank: int) -> None:
        """Program what is in the buffer; bytes that did not come are 0xFF."""
        data = bytes(self._buffer[bank].get(place, 0xFF) for place in range(_WORD))
        address, self._buffer[bank] = self._buffer_at[bank], {}
        flash = self.die.flash
        if self._protected(bank, (address - flash.address) % flash.bank_step // flash.page):
            self._error(bank, _WRPERR, f"program of write-protected {address:#010x}")
            return
        self.check_delay()
        spoilt = not flash.blank(address)
        old = flash.rested(address, _WORD)
        flash.program(address, bytes(was & wanted for was, wanted in zip(old, data, strict=True)))
        if spoilt:  # the ECC of two programs is that of neither (RM0399 4.3.9)
            self.refusals.append(f"program of {address:#010x}, not erased: its ECC is lost")
            flash.poisoned.add(address)
        self._take_time(bank, _span(_PROGRAM_US[self.field(f"BANK{bank}_CR", "PSIZE")] * PS_PER_US))

    def _error(self, bank: int, flag: int, text: str) -> None:
        self.registers[f"BANK{bank}_SR"] |= flag
        self.refusals.append(f"{text}, at {self.die.where(self.die.core.pc)}")

    # time

    def erase_span(self, _address: int) -> Span:
        """At the greatest parallelism."""
        return _span(_SECTOR_MS[-1] * PS_PER_MS)

    def bank_span(self, psize: int = -1) -> Span:
        """At the parallelism *psize*, the greatest by default."""
        return _span(_BANK_MS[psize] * self.die.flash.bank_size // (1024 * 1024) * PS_PER_MS)

    def program_span(self) -> Span:
        return _span(_PROGRAM_US[-1] * PS_PER_US)

    def _take_time(self, bank: int, times: Span) -> None:
        """Code in the bank that works stands still; in the other one it runs on (RM0399 4.3.11)."""
        now, span = self.die.timeline.now, self.duration(times)
        self.die.log.busy_ps += span
        self._until[bank] = max(now, self._until[bank]) + span
        self._begin(bank)

    def _begin(self, bank: int) -> None:
        self.busy_until = max(self._until)
        self.die.timeline.at("FLASH", self.busy_until)
        flash = self.die.flash
        self.die.stalls.begin(flash.address + bank * flash.bank_step, self._until[bank])

    def occupy(self, times: Span) -> int:
        """Of an operation on option bytes, which all banks take part in (RM0399, FLASH_SR1)."""
        span = self.duration(times)
        self.die.log.busy_ps += span
        self._until = [max(self.die.timeline.now, *self._until) + span] * len(self._until)
        for bank in range(self.die.flash.banks):
            self._begin(bank)
        return self.busy_until

    def wait(self) -> None:
        for bank in range(len(self._until)):
            self._stall(bank)

    def _stall(self, bank: int) -> None:
        """The core waits for the bank."""
        rest = self._until[bank] - self.die.timeline.now
        if rest > 0:
            self.die.timeline.skip(rest)

    def failed(self, address: int) -> None:
        self._error(self._bank(address), _OPERR, f"operation at {address:#010x} did not succeed: the page is worn")

    # ECC (RM0399 4.7.7)

    def ecc_detected(self, address: int) -> bool:
        """Note a double error; the load gets a bus error whatever the flags say."""
        self._note(_DBECCERR, address)
        return True

    def ecc_corrected(self, address: int) -> None:
        if not self.registers[f"BANK{self._bank(address)}_SR"] & _DBECCERR:
            self._note(_SNECCERR, address)

    def _note(self, flag: int, address: int) -> None:
        """The address is that of the first error with *flag*."""
        bank, flash = self._bank(address), self.die.flash
        if not self.registers[f"BANK{bank}_SR"] & flag:
            self.registers[f"BANK{bank}_SR"] |= flag
            self.registers[f"BANK{bank}_FAR"] = (address - flash.address) % flash.bank_step // _WORD
