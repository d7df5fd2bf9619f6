"""The twin: an emulated STM32 on virtual time that runs the very image that ships and refuses what silicon refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeVar, cast

import unicorn

from spboot import chips
from spboot.chips.ethernet import Ethernet
from spboot.chips.external import External
from spboot.chips.silence import Silence
from spboot.chips.usb import Usb
from spboot.errors import TwinError
from spboot.twin import models
from spboot.twin.attached import Attached
from spboot.twin.block import Block
from spboot.twin.blocks.gpio import Pins
from spboot.twin.blocks.iwdg import Iwdg
from spboot.twin.blocks.usart_v3 import UsartV3
from spboot.twin.bus import Bus
from spboot.twin.clock.rcc import Rcc
from spboot.twin.condition import Condition, condition
from spboot.twin.core import Core
from spboot.twin.die import Debugger, FlashController, Power, ResetCause
from spboot.twin.errors import PowerCut
from spboot.twin.held import HeldStores
from spboot.twin.interrupt.cache_m7 import NvicM7
from spboot.twin.interrupt.exceptions import Cpu, Fault
from spboot.twin.interrupt.nvic import NMI, Nvic
from spboot.twin.interrupt.unmasking import Unmasking
from spboot.twin.line import Uart
from spboot.twin.memory import rom
from spboot.twin.memory.cells import FlashArray
from spboot.twin.memory.oplog import Cut, OperationLog
from spboot.twin.memory.rams import Rams
from spboot.twin.memory.stall import Stalls
from spboot.twin.memory.windows import Windows
from spboot.twin.refusals import Refusals
from spboot.twin.silent import Silent
from spboot.twin.snapshot import Part, Snapshot
from spboot.twin.spin import Spin
from spboot.twin.standby import HINTS, Standby
from spboot.twin.stray import Stray
from spboot.twin.timeline import PS_PER_S, Timeline

T = TypeVar("T")

_SLICE: Final = 4000
_WFI: Final = 0xBF30
_HEARD: Final = Silence()


class Twin(Refusals, Attached):
    """One chip of part *part*.  *seed* decides the garbage in RAM and the unique id.

    The board supplies it with *vdd_mv* millivolts and its core by *core_supply*, "ldo" or "smps".  What *silence*
    names has no model and is kept silent, *external* are flash chips beside it, *usb* is its connector,
    *ethernet* its PHY.  Raises TwinError where silence has a model."""

    def __init__(
        self,
        part: str,
        seed: int = 0,
        *,
        vdd_mv: int = 3300,
        core_supply: str = "ldo",
        silence: Silence = _HEARD,
        external: Sequence[External] = (),
        usb: Usb | None = None,
        ethernet: Ethernet | None = None,
    ) -> None:
        super().__init__()
        self.chip = chips.load(part)
        self.seed, self.vdd_mv, self.core_supply = seed, vdd_mv, core_supply
        self.core = Core(self.chip.core)
        self.timeline = Timeline(self.core)
        self.log = OperationLog(self.timeline)
        """Every flash operation; survives power cuts."""
        self.flash = FlashArray(self.core, self.log, self.chip.of_family.flash_alias, self.chip.flash, seed=seed)
        self.flash.on_bad_load, self.flash.on_bad_fetch = self._on_bad_load, self._on_bad_fetch
        self.stalls = Stalls(self.core, self.timeline, self.flash)
        self.rams = Rams(self.core, self.chip, seed)
        self.core.map_buffer(*rom.content(self.chip, seed, self.flash.capacity), writable=False)
        self.windows, self.bus = Windows(), Bus(self)
        if self.chip.core == "cm4" and (ram := self.rams.buffers.get(0x20000000)) is not None:
            self.bus.map_ram_bits(ram)
        self.nvic = NvicM7(self) if self.chip.core == "cm7" else Nvic(self)
        self.cpu = Cpu(self, self.nvic)
        self.cpu.returned = self._on_return
        self.unmasking = Unmasking(self, self.nvic)
        self.blocks: dict[str, Block] = models.build(self, self.bus, self.nvic, silence)
        self.pins = Pins(self)
        self.external, self.usb = models.fit(self, external), models.connect(self, usb)
        self.ethernet = models.wire(self, ethernet)
        self.rcc, self.iwdg = self.block("RCC", Rcc), self.block("IWDG", Iwdg)
        self.pwr = cast(Power, self.blocks["PWR"])
        self.flash_controller = cast(FlashController, self.blocks["FLASH"])
        self.flash.ecc = self.flash_controller.ECC
        self.spin = Spin(self, self.bus, lambda: self._slice(1))
        self.ecc_nmi: Literal["at", "after"] = "after"
        """Whether the NMI of a failed ECC check returns to the load that failed or behind it."""
        self.standby, self.held = Standby(self), HeldStores(self, self.nvic)
        self.debugger: Debugger | None = None
        self.probed = False
        """A debug probe has been attached since power-on (host/probe.py)."""
        self._powered, self._deadline = False, 0
        self._stopped: Exception | None = None
        self._reset_cause: ResetCause | None = None
        self._stray = Stray(self, self.bus, self.cpu.guard)

    # what the outside does

    @property
    def faults(self) -> list[Fault]:
        """Every fault the firmware ran into since power-on."""
        return self.cpu.faults

    @property
    def time(self) -> float:
        """Virtual time in seconds."""
        return self.timeline.now / PS_PER_S

    @property
    def idle(self) -> float:
        """Seconds of virtual time that the firmware waited for something other than flash."""
        return self.timeline.idle_ps / PS_PER_S

    @property
    def in_standby(self) -> bool:
        """Whether the chip is in Standby."""
        return self.standby.entered

    @property
    def in_stop(self) -> bool:
        """Whether the chip is in Stop."""
        return self.standby.stopped

    @property
    def instructions(self) -> int:
        """Instructions executed so far."""
        return self.core.executed

    @property
    def silent(self) -> list[Silent]:
        """The blocks that are kept silent, with what was accessed in them."""
        return [block for block in self.blocks.values() if isinstance(block, Silent)]

    @property
    def uarts(self) -> list[Uart]:
        """The lines at all UARTs."""
        return [block.uart for block in self.blocks.values() if isinstance(block, UsartV3)]

    def uart(self, name: str) -> Uart:
        """The line at a UART, as "USART2"."""
        found = {uart.name: uart for uart in self.uarts}
        if name not in found:
            raise TwinError(f"{self.chip.name} has no UART {name!r}; it has {', '.join(found)}")
        return found[name]

    def arm(self, cut: Cut) -> None:
        """Cut the power at an operation to come.  Raises TwinError where the part cannot have its fault."""
        self.flash.arm(cut)

    def enable_hardware_watchdog(self, timeout_ms: int | None = None) -> None:
        """The watchdog starts by itself at every reset from now on: its option bit, as IWDG_SW of OPTR, is clear.

        Silicon then takes 512 ms, at an LSI of 32 kHz; *timeout_ms* is a short cut to another time-out."""
        self.iwdg.set_option(timeout_ms)

    def power_on(self, ram_fill: int | None = None) -> None:
        """Apply power: RAM is garbage (or *ram_fill* all over), everything else as after a power-on reset."""
        self.rams.power_on(ram_fill)
        for block in self.blocks.values():
            block.power_on()
            if isinstance(block, UsartV3):
                block.uart.queue.clear()
                self.timeline.cancel(f"{block.name}.rx")
        self.cpu.faults.clear()
        self._powered, self.probed = True, False
        self.reset("por")

    def survive(self, cause: ResetCause) -> None:
        """What stopped the firmware in the middle of a flash operation was no power cut but a reset by *cause*, which
        leaves RAM as it is (RM0351 3.3.5: what the operation leaves is not defined)."""
        self._powered = True
        self.reset(cause)

    def wake(self) -> None:
        """A wake-up source ends Standby, which the firmware entered."""
        self.standby.wake()

    def reset(self, cause: ResetCause = "pin") -> None:
        """A reset; RAM and flash stay as they are."""
        self.standby.forget()
        self.held.lose(power=cause == "por")
        self._reset_cause = self._stopped = None
        self.nvic.reset()
        for block in sorted(self.blocks.values(), key=lambda b: b.name not in ("RCC", "PWR")):
            if not isinstance(block, models.SURVIVORS) or cause == "por":
                block.reset()
            if cause != "por":
                block.pin_reset()
        self.rcc.note_reset(cause)
        self.flash.settle()
        self.cpu.reset()
        self.iwdg.start_by_option()

    @property
    def parts(self) -> Mapping[str, Part]:
        """All that has a state, in the order in which it can be put back."""
        parts: dict[str, Part] = {"core": self.core, "timeline": self.timeline, "cpu": self.cpu, "nvic": self.nvic}
        parts |= {"bus": self.bus, **self.blocks, "rams": self.rams, "log": self.log, "flash": self.flash}
        parts |= {"stalls": self.stalls, "held": self.held, "standby": self.standby, "spin": self.spin}
        return parts | {"twin": self}

    def snapshot(self) -> Snapshot:
        """The whole machine as it is now."""
        return Snapshot.take(self.parts)

    def restore(self, snapshot: Snapshot) -> None:
        """Back to *snapshot*, taken of this twin or of its like in a forked process."""
        snapshot.restore(self.parts)

    def ram_used(self, low: int, high: int) -> list[tuple[int, int]]:
        """Ranges (start, end) in low <= address < high without the fill of `power_on(ram_fill=)`, by words."""
        return self.rams.used(low, high)

    def ram_read(self, address: int, size: int) -> bytes:
        """What RAM holds."""
        return self.rams.read(address, size)

    # running

    def run(self, until: Condition = None, seconds: float = 5.0, instructions: int | None = None) -> bool:
        """Let the firmware run until *until* holds; given bytes, until a UART has sent them.

        False when the time or number of *instructions* ran out before.  Raises PowerCut, TwinError, LockupError."""
        if not self._powered:
            raise TwinError("the chip has no power: call power_on() first")
        met = condition(self.uarts, until)
        self._deadline = self.timeline.now + round(seconds * PS_PER_S)
        last = 1 << 62 if instructions is None else self.core.executed + instructions
        while True:
            self._settle()
            if self.probed and self.flash_controller.level:
                self.refuse("a probe at a read protected chip", "flash answers nobody until power is applied again")
            most = self.debugger.look() if self.debugger is not None else _SLICE
            if met():
                self.cpu.check_fpu()
                return True
            now, executed = self.timeline.now, self.core.executed
            if now >= self._deadline or executed >= last:
                self.cpu.check_fpu()
                return False
            if self.cpu.sleeping and self.standby.asleep(self.nvic.candidates):
                self.wait()
                continue
            self.cpu.sleeping = False
            span = min(self.timeline.next_due, self._deadline) - now
            accesses = self.bus.accesses
            self._slice(max(1, min(-(-span // self.timeline.cycle_ps), most, _SLICE, last - executed)))
            skips = instructions is None and self.debugger is None
            if skips and self.spin.found(self.core.executed - executed, accesses) and not met():
                self.wait()

    def _settle(self) -> None:
        """Everything that happens between two instructions."""
        timeline = self.timeline
        if timeline.next_due <= timeline.now:
            timeline.fire()
        if self._reset_cause:
            self.reset(self._reset_cause)
        if self.flash.unsettled:
            self.flash.settle()
        if self.rams.unsettled:
            self.rams.settle()
        if self.stalls.until:
            self.stalls.settle()
        if self.cpu.guard.unsettled:
            self.cpu.guard.settle()
        if self.standby.stopped and not self.standby.left(self.nvic.candidates):
            self._raise_stop()
            return
        self.cpu.take_late_fault()
        while self.nvic.candidates and self.cpu.take_pending():
            pass
        self._raise_stop()

    def _slice(self, count: int) -> None:
        core = self.core
        self.timeline.horizon = self.timeline.now + count * self.timeline.cycle_ps
        error = core.run(count)
        self.judge()
        if self._stopped is not None:
            self._raise_stop()
        if core.interrupt is not None:
            self.cpu.interrupted()
        elif error is not None:
            self._on_error(error)
        elif core.ended_early and not core.held and core.halfword(core.pc - 2) == _WFI:
            self.standby.hint(_WFI)

    def _raise_stop(self) -> None:
        error, self._stopped = self._stopped, None
        if error is not None:
            self._powered = not isinstance(error, PowerCut) and self._powered
            raise error

    def _on_error(self, error: int) -> None:
        core = self.core
        if self.cpu.guard.on and self.cpu.guard.caught():
            return
        if error == unicorn.UC_ERR_INSN_INVALID and core.halfword(core.pc - 2) in HINTS:
            self.standby.hint(core.halfword(core.pc - 2))
        elif error in (unicorn.UC_ERR_READ_UNMAPPED, unicorn.UC_ERR_WRITE_UNMAPPED, unicorn.UC_ERR_FETCH_UNMAPPED):
            self.cpu.memory_fault(error, self._stray.address)
        elif error in (unicorn.UC_ERR_INSN_INVALID, unicorn.UC_ERR_EXCEPTION):
            self.cpu.undefined()
        else:
            raise TwinError(f"unicorn error {error} at {self.where(core.pc)}")

    def wait(self, limit: int | None = None, *, feeding: bool = False) -> None:
        """Nothing happens before the next event: go there, or on by *limit* picoseconds where that is less.
        *feeding*: the loop that waits feeds the watchdog."""
        target = min(self.timeline.next_but("IWDG") if feeding else self.timeline.next_due, self._deadline)
        span = target - self.timeline.now
        if limit is not None:
            span = min(span, limit)
        if span > 0:
            if not self.flash_controller.busy:
                self.timeline.idle_ps += span
            self.timeline.skip(span)
        if feeding and self.iwdg.running:
            self.iwdg.reload()

    def save(self) -> Any:
        """The state of the machine itself, beside that of its parts."""
        return self._powered, self.ecc_nmi, self.probed

    def load(self, state: Any) -> None:
        self._powered, self.ecc_nmi, self.probed = state
        self._stopped = self._reset_cause = None

    # what the models call

    def stop(self, error: Exception) -> None:
        """Raise *error* from `run`, after the current instruction."""
        if self._stopped is None:
            self._stopped = error
        self.core.end_slice()

    def request_reset(self, cause: ResetCause) -> None:
        """Reset after the current instruction."""
        self._reset_cause = cause
        self.core.end_slice()

    def end_standby(self) -> None:
        """A wake-up by the chip itself."""
        self.standby.end()

    def block(self, name: str, kind: type[T]) -> T:
        """The block *name*, which is a *kind*."""
        block = self.blocks[name]
        if not isinstance(block, kind):
            raise TypeError(f"{self.chip.name}: {name} is a {type(block).__name__}, expected a {kind.__name__}")
        return block

    # what the parts tell

    def _on_return(self, exception: int) -> None:
        """An exception returned: a line that is still up makes it pending again."""
        if exception == NMI and self.flash_controller.ecc_pending:
            self.nvic.pend(NMI)

    def _on_bad_load(self, word: int) -> None:
        """A load hit a word that fails its ECC."""
        in_it_block = self.core.in_it_block
        if in_it_block:
            self.core.clear_it_state()
        if self.flash_controller.BUS_ERROR:
            self.flash_controller.ecc_detected(word)
            self.cpu.bus_error(word)
        elif self.flash_controller.ecc_detected(word):
            self.nvic.pend(NMI)
            if self.ecc_nmi == "at" and not in_it_block and NMI not in self.cpu.active:
                self.core.take_back()

    def _on_bad_fetch(self, _word: int) -> None:
        self.refuse_later("instruction fetch from a word that fails its ECC or has marginal bits", "do not run it")
