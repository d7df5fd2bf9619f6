"""Option bytes of STM32H7 (RM0399 and RM0433, FLASH: option bytes, FLASH_OPTCR and the registers behind it).

What is to be stands in the registers whose names end with PRG, what counts in those that end with CUR.  OPTSTART
changes all of them at once: they count without a reset, and a reset before the end leaves what was."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from functools import partial
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.die import Die
from spboot.twin.errors import PowerCut
from spboot.twin.flash.controller import Controller
from spboot.twin.keys import OPTION_KEYS, KeySequence
from spboot.twin.memory.ageing import Span
from spboot.twin.memory.options import OptionCells

_OPTLOCK, _OPTSTART, _MER, _OPTCHANGEERRIE, _SWAP_BANK = 1, 2, 1 << 4, 1 << 30, 1 << 31
_OPT_BUSY, _OPTCHANGEERR = 1, 1 << 30
_ERASE_AREA: Final = 1 << 31
"""DMEP and DMES."""
_DEVICE: Final = "OPTSR_CUR"
_AREAS: Final = tuple(f"BANK{bank}_{name}_CUR" for bank in range(2) for name in ("PRAR", "SCAR"))
_UNLIKE: Final = {"SECURITY": "secure access mode", "SWAP_BANK_OPT": "swapped banks"}
"""Fields of OPTSR that stay as they are, and what of them is not modelled."""
_SECOND_CORE: Final = ("BOOT_CM4", "BOOT_CM7")


def _to_program(name: str) -> str:
    """The register in which what is to be in *name* is written."""
    return name.replace("CURR", "PRGR") if name.endswith("CURR") else name.replace("CUR", "PRG")


def blocks_of(area: int) -> range:
    """The blocks of 256 bytes that *area* protects, none where END is before START; the same twice is all of the bank
    (RM0399, FLASH_PRAR_CUR1, FLASH_SCAR_CUR1)."""
    start, end = area & 0xFFF, area >> 16 & 0xFFF
    return range(0x1000) if start == end else range(start, end + 1)


class OptionsH7(Controller, like="flash_h7"):
    """Their part of the controller."""

    RESET: ClassVar[dict[str, int]] = {
        "OPTCR": 1, _DEVICE: 0x1BC6AAF0, "BOOT_CURR": 0x1FF00800, "BOOT4_CUR": 0x10000810,
        "BANK0_WPSN_CURR": 0xFF, "BANK1_WPSN_CURR": 0xFF, **dict.fromkeys(_AREAS, 0xFF),
    }  # fmt: skip
    OPTIONS: ClassVar[tuple[str, ...]] = tuple(name for name in RESET if name != "OPTCR")
    READ_ONLY = frozenset(OPTIONS)
    OPTION_BYTES = 0
    """They have no place in the map."""
    RDP = (_DEVICE, "RDP")
    STATE: ClassVar[tuple[str, ...]] = (
        *Controller.STATE, "_option_key", "_wanted", "_failed"
    )  # fmt: skip

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        if die.chip.block("PWR").ip != "pwr_h7rm0399":  # one core: RM0433, RM0468
            second = [name for name in self.names.values() if name.startswith("BOOT4_")]
            self.names = {offset: name for offset, name in self.names.items() if name not in second}
            self.options.pop("BOOT4_CUR")
            self.masks["OPTSR_PRG"] &= ~sum(self.mask("OPTSR_PRG", field) for field in _SECOND_CORE)
        self.steady -= {self.offset_of(_DEVICE)}  # OPT_BUSY is waited for
        for name in self.options:
            program = _to_program(name)
            self._writers[self.offset_of(program)] = partial(self._write_program, program)
        die.timeline.on("FLASH.options", lambda _when: self._change_done())

    def reset(self) -> None:
        super().reset()
        self.registers.update({_to_program(name): value for name, value in self.options.items()})
        self._option_key = KeySequence(OPTION_KEYS)
        self._failed = False
        self._wanted: dict[str, int] | None = None
        """What a change that is under way is to bring."""
        self.die.timeline.cancel("FLASH.options")

    # of the rest of the controller

    def wait(self) -> None:
        """The core waits for all banks."""
        raise NotImplementedError

    def check_delay(self) -> None:
        """Refuse an operation at a clock that WRHIGHFREQ does not fit."""
        raise NotImplementedError

    def bank_span(self) -> Span:
        """How long the erase of a bank takes."""
        raise NotImplementedError

    def occupy(self, times: Span) -> int:
        """All banks work; the time when they are done."""
        raise NotImplementedError

    # lock

    def write_OPTKEYR(self, value: int) -> None:
        """Any wrong sequence, and the right one twice (RM0399 4.5.1)."""
        found = self._option_key.take(value, locked=self.registers["OPTCR"] & _OPTLOCK)
        if found == "wrong":
            self.registers["OPTCR"] |= _OPTLOCK
            self.refusals.append(f"wrong option key {value:#x}: OPTLOCK stays until reset (RM0399 4.5.1)")
            self.bus_fault("OPTKEYR")
        elif found == "open":
            self.registers["OPTCR"] &= ~_OPTLOCK

    def read_OPTKEYR(self) -> int:
        return 0

    def _check_lock(self, name: str, value: int) -> None:
        if self.registers["OPTCR"] & _OPTLOCK:
            self.die.refuse(
                f"FLASH_{name} written ({value:#x}) while OPTLOCK is set",
                "write the two keys to FLASH_OPTKEYR first (RM0399 4.5.1)",
            )

    def _write_program(self, name: str, value: int) -> None:
        """Reserved bits stay what they are."""
        self._check_lock(name, value)
        mask = self.masks[name]
        self.registers[name] = self.registers[name] & ~mask | value & mask

    # control and status

    def hold(self) -> None:
        """Writes to registers wait for the end of a change (RM0399, FLASH_CRCCR1)."""
        if self._wanted is not None:
            self.wait()
            self._change_done()

    def write_OPTCR(self, value: int) -> None:
        old = self.registers["OPTCR"]
        if value & self.masks["OPTCR"] == old:
            return
        self._check_lock("OPTCR", value)
        if value & _OPTLOCK:  # the other bits do not change then
            if value & _OPTSTART:
                advice = "lock the option bytes when OPT_BUSY is clear again; it is ignored"
                self.die.forbid("OPTSTART set together with OPTLOCK", advice)
            self.registers["OPTCR"] = old | _OPTLOCK
            return
        if value & _MER or (value ^ old) & _SWAP_BANK:
            self.die.refuse(
                f"FLASH_OPTCR = {value:#x}: mass erase, or another SWAP_BANK",
                "erase by BER of each bank; the twin does not model swapped banks",
            )
        self.registers["OPTCR"] = value & (_OPTCHANGEERRIE | _SWAP_BANK)
        if value & _OPTSTART:
            self._start_change()
        self._update_line()

    def read_OPTCR(self) -> int:
        return self.registers["OPTCR"] | (_OPTSTART if self._wanted is not None else 0)

    def read_OPTSR_CUR(self) -> int:
        busy = _OPT_BUSY if self._wanted is not None else 0
        return self.registers[_DEVICE] | busy | (_OPTCHANGEERR if self._failed else 0)

    def write_OPTCCR(self, value: int) -> None:
        if value & _OPTCHANGEERR:
            self._failed = False
        self._update_line()

    def read_OPTCCR(self) -> int:
        return 0

    def _update_line(self) -> None:
        self.line("FLASH", self._failed and bool(self.registers["OPTCR"] & _OPTCHANGEERRIE))

    # a change

    def _start_change(self) -> None:
        if self._failed:
            advice = "clear it by FLASH_OPTCCR first; it is ignored"
            self.die.forbid("OPTSTART set while OPTCHANGEERR is set", advice)
            return
        wanted = {name: self.registers[_to_program(name)] for name in self.options}
        for field, what in _UNLIKE.items():
            if (wanted[_DEVICE] ^ self.options[_DEVICE]) & self.mask(_DEVICE, field):
                self.die.refuse(f"option byte {field} was changed", f"the twin does not model {what}: leave it")
        erases = self.lowers_protection(_DEVICE, "RDP", wanted[_DEVICE], "RM0399, read protection")
        for name in _AREAS:
            if not (self._may_erase if erases else self._may_change)(name, wanted[name]):
                self._failed = True
                self.refusals.append(f"option bytes that take the area of FLASH_{name} away, without leaving level 1")
                return
        self.wait()
        self.check_delay()
        if erases:
            self._erase_all()
        self._perform(wanted)
        # no data sheet has the time of a change, which erases and programs option bytes: that of a sector
        self.die.timeline.at("FLASH.options", self.occupy(self.erase_span(self.die.flash.address)))

    def _perform(self, wanted: dict[str, int]) -> None:
        """By one operation of the log; a cut in it leaves what was."""

        def put() -> None:
            self._wanted = wanted

        data = b"".join(value.to_bytes(4, "little") for value in wanted.values())
        try:
            self.die.log.perform("options", OptionCells(put, lambda _cut: None), self.OPTION_BYTES, data)
        except PowerCut:
            if self._wanted is not None:  # it came behind the end
                self.options = wanted
            raise

    def _may_erase(self, name: str, wanted: int) -> bool:
        """Level 1 is left: an area goes with DMEP or DMES (RM0399, FLASH_PRAR_CUR1, FLASH_SCAR_CUR1)."""
        if blocks_of(self.options[name]) and not wanted & _ERASE_AREA:
            self.die.refuse(
                f"read protection level 1 is left with an area in FLASH_{name} that is not to be erased",
                "the twin erases all of flash: set DMEP or DMES, too",
            )
        return True

    def _may_change(self, name: str, wanted: int) -> bool:
        """Otherwise an area stays until level 1 is left; the rules for one that grows are not modelled."""
        old, new = blocks_of(self.options[name]), blocks_of(wanted)
        if old and new != old and old[0] in new and old[-1] in new:
            self.die.refuse(f"the area of FLASH_{name} was made larger", "the twin does not model it: set it once")
        return not old or new == old

    def _erase_all(self) -> None:
        flash = self.die.flash
        for bank in range(flash.banks):
            flash.erase(flash.address + bank * flash.bank_step, flash.bank_size)
        self.occupy(self.bank_span())

    def _change_done(self) -> None:
        if self._wanted is not None:
            self.options, self._wanted = self._wanted, None
            self.registers.update(self.options)
            self.die.timeline.cancel("FLASH.options")
