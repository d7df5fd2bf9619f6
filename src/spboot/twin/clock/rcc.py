"""What the reset and clock control of every family has in common: oscillators, gates, block resets, reset flags."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

import re
from functools import partial
from typing import Any, ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.bus import CLOCK_DELAY
from spboot.twin.clock.backup import LSE_HZ, NEVER, BackupDomain
from spboot.twin.die import Die
from spboot.twin.timeline import PS_PER_US

HSI48_HZ: Final = 48_000_000
CSI_HZ: Final = 4_000_000
_ENABLE: Final = re.compile(r"(A[HP]B\d?[LH]?|IOP|GPIO)ENR\d?")
_RESET: Final = re.compile(r"(A[HP]B\d?[LH]?|IOP|GPIO)RSTR\d?")


def ahb_hz(hertz: int, code: int) -> int:
    """*hertz* divided by HPRE = *code*, the same on every family: from 8 on by 2, 4, 8, 16, 64, 128, 256, 512."""
    return hertz >> (0 if code < 8 else code - 7 if code < 12 else code - 6)


def apb_hz(hertz: int, code: int) -> int:
    """*hertz* divided by PPRE = *code*, the same on every family: from 4 on by 2, 4, 8, 16."""
    return hertz >> (code - 3 if code >= 4 else 0)


class Rcc(BackupDomain, like="rcc_l4"):
    """Base of the clock trees.  *hse_hz* is what the board feeds into OSC_IN."""

    STATE: ClassVar[tuple[str, ...]] = ("ready_at", "hclk", "sysclk", "enabled_at", "_lsi_since")
    START_US: ClassVar[dict[str, int]] = {}
    """Oscillators and PLLs with NAMEON and NAMERDY in CR -> microseconds to start."""
    CAUSES: ClassVar[dict[str, str]] = {}
    """Cause of a reset -> the field of CAUSE_REGISTER that it sets, beside the pin's, which every reset pulls."""
    CAUSE_REGISTER: ClassVar[str] = "CSR"
    HSI_HZ: ClassVar[int] = 16_000_000
    RUNS_IN_STOP = True
    SWITCH: ClassVar[str] = "CFGR"
    """Register with SW and SWS."""
    SOURCES: ClassVar[tuple[str, ...]] = ()
    """What drives the system clock, by the value of SW and SWS."""
    RUNS_FIRST: ClassVar[str] = "HSI"
    """The oscillator that a reset starts the core on,"""
    RESET_HZ: ClassVar[int] = 16_000_000
    """and its frequency."""
    UART_OSCILLATORS: ClassVar[dict[int, str]] = {2: "HSI", 3: "LSE"}
    """What goes on for a UART in Stop, by the value of the field that chooses its clock."""
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {}
    MEMORY: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Field that chooses the clock of a controller of external flash -> what its values choose."""
    """Block -> what its field in RCC chooses as its kernel clock, by value; "" where there is none, "PCLK" the clock of
    its bus.  Where a part has no such field the first one counts."""

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self.hse_hz = 8_000_000
        self.ready_at = {}
        self.hclk = self.sysclk = self.RESET_HZ
        self._cause_mask = self.mask(self.CAUSE_REGISTER, self.CAUSES["pin"])
        for field in self.CAUSES.values():
            self._cause_mask |= self.mask(self.CAUSE_REGISTER, field)
        die.timeline.on("RCC", self._on_ready)
        for offset, name in self.names.items():
            if _ENABLE.fullmatch(name):
                self._writers[offset] = partial(self._write_enable, name)
            if _RESET.fullmatch(name):
                self._writers[offset] = partial(self._write_reset, name)

    def load(self, state: Any) -> None:
        super().load(state)
        self.update_gates()

    def reset(self) -> None:
        causes = self.registers.get(self.CAUSE_REGISTER, 0) & self._cause_mask
        backup = self.registers.get("BDCR", 0)
        super().reset()
        self.registers[self.CAUSE_REGISTER] = self.registers[self.CAUSE_REGISTER] & ~self._cause_mask | causes
        if "BDCR" in self.registers:
            self.registers["BDCR"] = backup
        self.ready_at = {name: when for name, when in self.ready_at.items() if name == "LSE"} | {self.RUNS_FIRST: 0}
        self.enabled_at: dict[str, int] = {}
        self.die.bus.enabled_until = 0
        self.update_gates()
        self._lsi_since = None
        self.hclk = self.sysclk = self.RESET_HZ
        self.die.timeline.set_frequency(self.hclk)
        self.die.timeline.cancel("RCC")
        self.schedule()

    def note_reset(self, cause: str) -> None:
        """Set the flags of *cause*; every reset also pulls NRST."""
        register = self.CAUSE_REGISTER
        if cause == "por":
            self.registers[register] &= ~self._cause_mask
            if "BDCR" in self.registers:
                self.registers["BDCR"] = 0
            self.ready_at.pop("LSE", None)
        self.registers[register] |= self.mask(register, self.CAUSES[cause]) | self.mask(register, self.CAUSES["pin"])

    def lose_supply(self) -> None:
        super().lose_supply()
        self.update()

    def note_standby(self, kind: str) -> None:
        """Set the flags of a wake-up: there is none, but on STM32H7."""

    def remove_causes(self) -> None:
        """RMVF."""
        self.registers[self.CAUSE_REGISTER] &= ~self._cause_mask

    # oscillators

    def bit(self, name: str, kind: str) -> int:
        """The mask in CR of "ON" or "RDY" of an oscillator or PLL."""
        return self.mask("CR", f"{name}{kind}")

    def on(self, name: str) -> bool:
        """Whether an oscillator or PLL is switched on."""
        return bool(self.registers["CR"] & self.bit(name, "ON"))

    def ready(self, name: str) -> bool:
        """Whether an oscillator or PLL runs and is stable."""
        return self.on(name) and self.ready_at.get(name, NEVER) <= self.die.timeline.now

    def read_CR(self) -> int:
        value = self.registers["CR"]
        for name in self.START_US:
            mask = self.bit(name, "RDY")
            value = value | mask if self.ready(name) else value & ~mask
        return value

    def write_CR(self, value: int) -> None:
        old = self.registers["CR"]
        for name in self.used():  # a clock that is in use cannot be stopped
            value |= self.bit(name, "ON")
        self.registers["CR"] = value & self.masks["CR"]
        for name, micros in self.START_US.items():
            mask = self.bit(name, "ON")
            if value & mask and not old & mask:
                self.check_start(name)
                self.ready_at[name] = self.die.timeline.now + micros * PS_PER_US
                self.schedule()
            elif not value & mask:
                self.ready_at.pop(name, None)
        self.update()

    def used(self) -> set[str]:
        """Oscillators that the system clock needs."""
        return set()

    def leave_stop(self) -> None:
        """After Stop one oscillator runs, and drives the core: that of a reset, or with STOPWUCK another.  HSIKERON and
        the like keep one running for others (RM0351 6.4.3, RM0399 9.7.7)."""
        wanted = self.RUNS_FIRST
        if "STOPWUCK" in self.fields[self.SWITCH] and self.field(self.SWITCH, "STOPWUCK"):
            wanted = "CSI" if wanted == "HSI" else "HSI"
        started = not self.ready(wanted)
        for name in self.START_US:
            kept = f"{name}KERON" in self.fields["CR"] and self.field("CR", f"{name}KERON")
            if name != wanted and not kept:
                self.registers["CR"] &= ~self.bit(name, "ON")
                self.ready_at.pop(name, None)
        if started:
            self.die.timeline.skip(self.START_US[wanted] * PS_PER_US)
        self.registers["CR"] |= self.bit(wanted, "ON")
        self.ready_at[wanted] = self.die.timeline.now
        place, value = self.SOURCES.index(wanted), self.registers[self.SWITCH]
        for field in ("SW", "SWS"):
            value = value & ~self.mask(self.SWITCH, field) | place << self.fields[self.SWITCH][field][0]
        self.registers[self.SWITCH] = value
        self.update()

    def check_start(self, name: str) -> None:
        """Refuse to start PLL *name* as it is set up."""

    def check_limits(self) -> None:
        """Refuse clocks that flash, regulator or buses cannot follow."""
        self.die.flash_controller.check_latency()

    def schedule(self) -> None:
        """Be called when the next oscillator is ready."""
        waiting = [when for when in self.ready_at.values() if when > self.die.timeline.now]
        if waiting:
            self.die.timeline.at("RCC", min(waiting))

    def _on_ready(self, _when: int) -> None:
        self.schedule()
        self.update()
        self.tell_clocks()

    def write(self, offset: int, size: int, value: int) -> None:
        super().write(offset, size, value)
        self.tell_clocks()

    def tell_clocks(self) -> None:
        """Tell all blocks that clocks may have changed; those that count go on from where they are."""
        for block in self.die.blocks.values():
            block.clocks_changed()

    def update(self) -> None:
        """Switch the system clock when its source is ready; ends in `set_hclk`."""

    def set_hclk(self, hclk: int) -> None:
        """The core runs at *hclk* from now on."""
        if hclk != self.hclk:
            count = self.die.nvic.frequency_will_change()
            self.hclk = hclk
            self.die.timeline.set_frequency(hclk)
            self.die.nvic.frequency_changed(count)
            self.tell_clocks()
        self.check_limits()

    @property
    def flash_hz(self) -> int:
        """What the flash interface runs on."""
        return self.hclk

    def kernel(self, field: str, bus: int) -> int:
        """The clock of a UART in hertz, 0 when it is off: chosen by *field*, as "USART1SEL", or that of APB *bus*."""
        raise NotImplementedError

    def uart_oscillator(self, field: str) -> str:
        """The oscillator that *field* chooses as the clock of a UART, "" where it is a clock that stops in Stop."""
        register = next((name for name, fields in self.fields.items() if field in fields), None)
        return self.UART_OSCILLATORS.get(self.field(register, field), "") if register else ""

    def oscillator_hz(self, name: str) -> int:
        """The frequency of an oscillator that runs: HSI, CSI or LSE."""
        return {"HSI": self.HSI_HZ, "CSI": CSI_HZ}.get(name, LSE_HZ)

    def pclk(self, bus: int) -> int:
        """The frequency of APB *bus* in hertz."""
        raise NotImplementedError

    def timer_hz(self, bus: int) -> int:
        """What timers at APB *bus* count: AHB where the APB is not divided or by 2, twice the APB where it is divided
        by more; with TIMPRE 4 takes the place of 2 (RM0090 6.2, RCC_DCKCFGR; RM0410 RCC_DCKCFGR1; RM0399
        and RM0481 RCC_CFGR)."""
        faster = any(self.field(name, "TIMPRE") for name, fields in self.fields.items() if "TIMPRE" in fields)
        return min(self.flash_hz, (4 if faster else 2) * self.pclk(bus))

    # kernel clocks of other blocks than UARTs

    def choice(self, name: str) -> int:
        """The value of the field that chooses the clock of block *name*, as LPTIM1SEL, LPTIM345SEL or CLK48SEL."""
        kind, number = name.rstrip("0123456789"), name.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        for register, fields in self.fields.items():
            for field in fields:
                found = field.removesuffix("SEL").removeprefix(kind)
                ours = field == f"{kind}{found}SEL" and number in found
                if ours or (kind == "RNG" and field == "CLK48SEL"):
                    return self.field(register, field)
        return 0

    def chosen(self, name: str) -> str:
        """What clocks block *name*, as "LSE"; "PCLK" is the clock of its bus, "" none."""
        choices = self.CHOICES.get(name) or self.CHOICES[name.rstrip("0123456789")]
        choice = self.choice(name)
        return choices[choice] if choice < len(choices) else ""

    def chosen_hz(self, name: str, bus: int) -> int:
        """The kernel clock of block *name* at APB *bus* in hertz; 0 while it is off."""
        source = self.chosen(name)
        if source == "PCLK":
            return self.pclk(bus)
        return self.source_hz(source) if source else 0

    def usb_clock(self) -> tuple[int, str]:
        """What an OTG core gets for 48 MHz, in hertz, and the oscillator that it comes from; 0 and "" for none."""
        source = self.chosen("USB" if "USB" in self.CHOICES else "RNG")
        hertz = self.source_hz(source) if source else 0
        return (hertz, self.root(source)) if hertz else (0, "")

    def pixel_hz(self) -> int:
        """The clock of pixels of a display, in hertz; 0 for none."""
        return 0

    def root(self, source: str) -> str:
        """The oscillator behind *source*."""
        return source

    def memory_hz(self, clock: str) -> int:
        """What drives a controller of external flash, by its clock in the facts, as "HCLK3" or "CCIPR2.OCTOSPISEL"."""
        register, _, field = clock.partition(".")
        source = self.MEMORY[field][self.field(register, field)] if field else "HCLK"
        return self.flash_hz if source == "HCLK" else self.source_hz(source)

    def source_hz(self, source: str) -> int:
        """The frequency of an oscillator or output that may clock a block, 0 while it is off."""
        if source == "LSI":
            return self.lsi_hz()
        if source == "LSE":
            return LSE_HZ if self.lse_runs() else 0
        if source == "HSI48":
            return HSI48_HZ if self.hsi48_runs() else 0
        if source == "SYSCLK":
            return self.sysclk
        if source != "HSI":
            self.die.refuse(f"a block is clocked by {source}", "the twin does not model this clock; choose another one")
        return self.HSI_HZ if self.ready("HSI") else 0

    def hsi48_runs(self) -> bool:
        """Whether the oscillator of 48 MHz is on; it starts at once where its switch is in CRRCR."""
        if "HSI48ON" in self.fields["CR"]:
            return self.ready("HSI48")
        return bool(self.field("CRRCR", "HSI48ON"))

    # enables, resets

    def _write_enable(self, name: str, value: int) -> None:
        if value & self.masks[name] & ~self.registers[name]:
            self.enabled_at[name] = self.die.core.executed
            self.die.bus.enabled_until = self.die.core.executed + CLOCK_DELAY
        self.registers[name] = value & self.masks[name]
        self.update_gates()

    def update_gates(self) -> None:
        """Tell all blocks whether they are clocked."""
        for block in self.die.blocks.values():
            if block.gate is not None:
                block.clocked = bool(self.registers[block.gate[0]] & block.gate[1])

    def _write_reset(self, name: str, value: int) -> None:
        for block in self.die.blocks.values():
            if block.facts.reset and block.facts.reset[0] == name and value & self.mask(name, block.facts.reset[1]):
                block.reset()
                self.die.nvic.release(block.name)
        self.registers[name] = value & self.masks[name]

    # reset flags, LSI

    def write_CSR(self, value: int) -> None:
        if "RMVF" in self.fields["CSR"] and value & self.mask("CSR", "RMVF"):
            self.remove_causes()
        if value & 1 and not self.registers["CSR"] & 1:
            self.start_lsi()
        self.registers["CSR"] = self.registers["CSR"] & ~1 | value & 1
