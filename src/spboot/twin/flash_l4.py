"""Flash controller of STM32L47x/L48x (RM0351 chapter 3): dual bank, double words with ECC, 2 KB pages."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.timeline import PS_PER_US

if TYPE_CHECKING:
    from spboot.twin.machine import Twin

_KEYS: Final = (0x45670123, 0xCDEF89AB)
_OPTION_KEYS: Final = (0x08192A3B, 0x4C5D6E7F)
_LOCK, _OPTLOCK, _OBL_LAUNCH, _EOPIE, _ERRIE = 1 << 31, 1 << 30, 1 << 27, 1 << 24, 1 << 25
_STRT, _OPTSTRT, _FSTPG, _MER2, _BKER, _MER1, _PER, _PG = 1 << 16, 1 << 17, 1 << 18, 1 << 15, 1 << 11, 4, 2, 1
_EOP, _OPERR, _PROGERR, _WRPERR, _PGAERR, _SIZERR, _PGSERR = 1, 2, 8, 16, 32, 64, 128
_BSY: Final = 1 << 16
_ERRORS: Final = 0xC3FA
_ECCD, _ECCC = 1 << 31, 1 << 30

# Typical times, DS10198 table 59 (flash memory characteristics).
PROGRAM_PS: Final = 81_690_000
PAGE_ERASE_PS: Final = 22_020 * PS_PER_US
MASS_ERASE_PS: Final = 22_130 * PS_PER_US

# Highest HCLK in MHz by wait states, RM0351 table 9.
_LATENCY_MHZ: Final = {1: (16, 32, 48, 64, 80), 2: (6, 12, 18, 26)}

_OPTION_REGISTERS: Final = (
    "OPTR", "PCROP1SR", "PCROP1ER", "WRP1AR", "WRP1BR", "PCROP2SR", "PCROP2ER", "WRP2AR", "WRP2BR",
)  # fmt: skip


class FlashL4(Block):
    """The controller.  Stores to flash arrive by `store`."""

    ECC = True

    RESET: ClassVar[dict[str, int]] = {
        "ACR": 0x600, "CR": 0xC0000000, "OPTR": 0xFFEFF8AA, "PCROP1SR": 0xFFFFFFFF, "PCROP1ER": 0x0FFF0000,
        "WRP1AR": 0xFF00FFFF, "WRP1BR": 0xFF00FFFF, "PCROP2SR": 0xFFFFFFFF, "PCROP2ER": 0xFFFF0000,
        "WRP2AR": 0xFF00FFFF, "WRP2BR": 0xFF00FFFF,
    }  # fmt: skip
    STATE = ("options", "refusals", "_key", "_option_key", "_dead", "_first", "_busy_until")

    def __init__(self, twin: Twin, facts: Facts) -> None:
        super().__init__(twin, facts)
        self.options = {name: self.RESET[name] for name in _OPTION_REGISTERS}
        self.refusals: list[str] = []
        """What the controller refused by an error flag, in words."""
        self._flags = self.masks["SR"]
        twin.timeline.on("FLASH", self._on_done)

    def reset(self) -> None:
        super().reset()
        self.registers.update(self.options)
        self._key = self._option_key = 0
        self._dead = False
        self._first: tuple[int, int] | None = None
        self._busy_until = 0
        self.twin.timeline.cancel("FLASH")

    @property
    def half(self) -> int:
        """The size of a bank."""
        return self.twin.flash.size // 2

    # wait states

    def check_latency(self) -> None:
        """Refuse a clock that the flash cannot follow (RM0351 table 9)."""
        limits = _LATENCY_MHZ[self.twin.pwr.range]
        states, mhz = self.registers["ACR"] & 7, self.twin.rcc.hclk / 1e6
        if states >= len(limits) or mhz > limits[states]:
            needed = next((i for i, limit in enumerate(limits) if mhz <= limit), None)
            advice = (
                f"set FLASH_ACR.LATENCY to {needed} first" if needed is not None else f"stay below {limits[-1]} MHz"
            )
            raise self.twin.refusal(
                f"HCLK {mhz:g} MHz with {states} wait states in voltage range {self.twin.pwr.range}", advice
            )

    def write_ACR(self, value: int) -> None:
        self.registers["ACR"] = value & self.masks["ACR"]
        self.check_latency()

    # keys

    def write_KEYR(self, value: int) -> None:
        self._stall()
        if self._dead or not self.registers["CR"] & _LOCK or value != _KEYS[self._key]:
            self._dead = self._dead or bool(self.registers["CR"] & _LOCK)
            self.refusals.append(f"wrong key {value:#x}: FLASH_CR is locked until reset (RM0351 3.3.5)")
            self.twin.cpu.bus_fault_later(self.address + 8)
            return
        self._key += 1
        if self._key == len(_KEYS):
            self._key = 0
            self.registers["CR"] &= ~_LOCK

    def write_OPTKEYR(self, value: int) -> None:
        if self.registers["CR"] & _LOCK or value != _OPTION_KEYS[self._option_key]:
            self.refusals.append(f"wrong option key {value:#x}")
            self.twin.cpu.bus_fault_later(self.address + 0xC)
            return
        self._option_key += 1
        if self._option_key == len(_OPTION_KEYS):
            self._option_key = 0
            self.registers["CR"] &= ~_OPTLOCK

    # control and status

    def read_SR(self) -> int:
        return self.registers["SR"] | (_BSY if self.twin.timeline.now < self._busy_until else 0)

    def write_SR(self, value: int) -> None:
        self.registers["SR"] &= ~value
        self._update_line()

    def read_KEYR(self) -> int:
        return 0

    def write_CR(self, value: int) -> None:
        self._stall()
        old = self.registers["CR"]
        if old & _LOCK:
            if value & ~(_LOCK | _OPTLOCK):
                raise self.twin.refusal(
                    f"FLASH_CR written ({value:#x}) while locked",
                    "write the two keys to FLASH_KEYR first (RM0351 3.3.5)",
                )
            return
        locks = (value | old & _OPTLOCK) & (_LOCK | _OPTLOCK)
        plain = value & self.masks["CR"] & ~(_STRT | _OPTSTRT | _OBL_LAUNCH | _LOCK | _OPTLOCK)
        self.registers["CR"] = plain | locks | (_OPTLOCK if value & _LOCK else 0)
        self._first = None
        if value & (_OPTSTRT | _OBL_LAUNCH):
            self._option_command(value)
        elif value & _STRT:
            self._start_erase(value)
        self._update_line()

    def _start_erase(self, value: int) -> None:
        modes = [bit for bit in (_PG, _PER, _MER1 | _MER2, _FSTPG) if value & bit]
        if self.registers["SR"] & _ERRORS:
            self._error(_PGSERR, "erase while error flags of an earlier operation are set")
        elif modes == [_PER]:
            page = value >> 3 & 0xFF
            bank = 1 if value & _BKER else 0
            self._erase_page(bank, page)
        elif modes == [_MER1 | _MER2]:
            for bank, bit in enumerate((_MER1, _MER2)):
                pages = range(self.half // self.twin.flash.page) if value & bit else ()
                for page in pages:
                    self._erase_page(bank, page, MASS_ERASE_PS if page == 0 else 0)
        else:
            self._error(_PGSERR, f"STRT with FLASH_CR = {value:#x}: set exactly one of PER and MER")

    def _erase_page(self, bank: int, page: int, span: int = PAGE_ERASE_PS) -> None:
        address = self.twin.flash.address + bank * self.half + page * self.twin.flash.page
        if page * self.twin.flash.page >= self.half:
            self._error(_PGSERR, f"page {page} does not exist")
        elif self._protected(address):
            self._error(_WRPERR, f"erase of write-protected page {page} of bank {bank + 1}")
        else:
            self.twin.flash.erase(address)
            self._take_time(address, span)

    def _protected(self, address: int) -> bool:
        bank, rest = divmod(address - self.twin.flash.address, self.half)
        page = rest // self.twin.flash.page
        for area in "AB":
            value = self.options[f"WRP{bank + 1}{area}R"]
            if value & 0xFF <= page <= value >> 16 & 0xFF:
                return True
        return False

    def _option_command(self, value: int) -> None:
        if self.registers["CR"] & _OPTLOCK:
            raise self.twin.refusal("option command while OPTLOCK is set", "write the two keys to FLASH_OPTKEYR first")
        if value & _OPTSTRT:
            self.options = {name: self.registers[name] for name in _OPTION_REGISTERS}
            self._take_time(self.twin.flash.address, PAGE_ERASE_PS)
        if value & _OBL_LAUNCH:
            self.twin.request_reset("option")

    def write(self, offset: int, size: int, value: int) -> None:
        if size != 4:
            raise self.twin.refusal(f"{size}-byte write to a FLASH register", "write whole words (RM0351 3.7)")
        name = self.names.get(offset)
        if name in _OPTION_REGISTERS and self.registers["CR"] & _OPTLOCK:
            raise self.twin.refusal(f"FLASH_{name} written while OPTLOCK is set", "unlock the option bytes first")
        super().write(offset, size, value)

    # programming

    def store(self, address: int, size: int, value: int) -> None:
        """A store to the flash range (RM0351 3.3.7)."""
        self._stall()
        address = self.twin.flash.offset(address) + self.twin.flash.address
        if self.registers["CR"] & (_LOCK | _PG | _FSTPG) != _PG:
            fast = self.registers["CR"] & _FSTPG
            self._error(
                _PGSERR, f"store to {address:#010x} " + ("in fast mode (not modelled)" if fast else "without PG")
            )
        elif self.registers["CR"] & (_PER | _MER1 | _MER2):
            self._error(_PGSERR, "PG set together with PER or MER")
        elif self.registers["SR"] & _ERRORS:
            self._error(_PGSERR, f"store to {address:#010x} while error flags of an earlier operation are set")
        elif size != 4:
            self._error(_SIZERR, f"{size}-byte store to {address:#010x}; only double words can be programmed")
        elif self._first is None and address & 4:
            self._error(_PGAERR, f"first word at {address:#010x} is not on a double-word boundary")
        elif self._first is None:
            self._first = address, value
        elif self._first[0] != address - 4:
            self._error(_PGAERR, f"second word at {address:#010x} is not in the double word of {self._first[0]:#010x}")
        else:
            first, self._first = self._first[1], None
            self._program(address - 4, first.to_bytes(4, "little") + value.to_bytes(4, "little"))

    def _program(self, address: int, data: bytes) -> None:
        flash = self.twin.flash
        if self._protected(address):
            self._error(_WRPERR, f"program of write-protected {address:#010x}")
        elif any(data) and (flash.get(address, 8) != b"\xff" * 8 or address in flash.poisoned):
            self._error(_PROGERR, f"double word {address:#010x} is not erased: {flash.get(address, 8).hex()}")
        else:
            flash.program(address, data)
            self._take_time(address, PROGRAM_PS)

    def _error(self, flag: int, text: str) -> None:
        self.registers["SR"] |= flag
        self._first = None
        self.refusals.append(f"{text}, at {self.twin.where(self.twin.core.pc)}")
        self._update_line()

    # time

    def _take_time(self, address: int, span: int) -> None:
        """The bank of *address* is busy; code in the same bank stands still meanwhile (RM0351 3.3.8)."""
        if not span:
            return
        self._busy_until = max(self.twin.timeline.now, self._busy_until) + span
        pc = self.twin.core.pc
        same = self.twin.flash.holds(pc) and (self.twin.flash.offset(pc) < self.half) == (
            address - self.twin.flash.address < self.half
        )
        self.twin.timeline.at("FLASH", self._busy_until)
        if same:
            self._stall()

    def _stall(self) -> None:
        """The core waits for the operation to end."""
        rest = self._busy_until - self.twin.timeline.now
        if rest > 0:
            self.twin.timeline.skip(rest)

    @property
    def busy(self) -> bool:
        return self._busy_until > self.twin.timeline.now

    def _on_done(self, _when: int) -> None:
        if self.registers["CR"] & _EOPIE:
            self.registers["SR"] |= _EOP
            self._update_line()

    def _update_line(self) -> None:
        sr, cr = self.registers["SR"], self.registers["CR"]
        self.line("FLASH", bool((cr & _EOPIE and sr & _EOP) or (cr & _ERRIE and sr & _OPERR)))

    # ECC (RM0351 3.3.9)

    def ecc_detected(self, address: int) -> bool:
        """A double error at *address*: note it unless an earlier one still stands.  Whether the NMI is new."""
        if self.registers["ECCR"] & _ECCD:
            return False
        bank, offset = divmod(address - self.twin.flash.address, self.half)
        self.registers["ECCR"] = self.registers["ECCR"] & 1 << 24 | _ECCD | bank << 19 | offset >> 3
        return True

    @property
    def ecc_pending(self) -> bool:
        return bool(self.registers["ECCR"] & _ECCD)

    def write_ECCR(self, value: int) -> None:
        kept = self.registers["ECCR"] & ~(value & (_ECCD | _ECCC)) & ~(1 << 24)
        self.registers["ECCR"] = kept | value & 1 << 24
