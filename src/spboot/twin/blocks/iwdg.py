"""Independent watchdog (RM0351 chapter 37, RM0090 chapter 21)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.timeline import PS_PER_S, Order

_START, _OPEN, _RELOAD = 0xCCCC, 0x5555, 0xAAAA
_UPDATE_TICKS: Final = 5
_OPTIONS: Final = (
    ("OPTR", "IWDG_SW"), ("OPTR", "WDG_SW"), ("OPTCR", "IWDG_SW"), ("OPTSR_CUR", "IWDG1_HW"), ("OPTSR_CUR", "IWDG_SW"),
)  # fmt: skip
"""Where the option bit is, and its name in the facts: clear, the watchdog starts at every reset."""


_STOP_OPTIONS: Final = (
    ("OPTR", "IWDG_STOP"), ("OPTCR", "IWDG_STOP"), ("OPTSR_CUR", "IWDG_STOP"), ("OPTSR_CUR", "FZ_IWDG_STOP"),
)  # fmt: skip
"""Where the option bit is that keeps it running in Stop, and its name in the facts."""


class Iwdg(Block, ips=("iwdg_v1", "iwdg_v2", "iwdg_v3")):
    """Once started only a reset stops it."""

    RESET: ClassVar[dict[str, int]] = {"RLR": 0xFFF, "WINR": 0xFFF}
    READ_ONLY = frozenset({"SR"})
    STATE = ("running", "_open", "_updated", "_loaded", "_bites", "_hz")
    QUIET = frozenset({0})

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        die.timeline.on("IWDG", self._bite, Order.WATCHDOG)
        die.timeline.on("IWDG.update", lambda _when: None)
        self.short_cut_ms: int | None = None
        """Started by the option byte it has this time-out, when not None that of silicon."""

    def reset(self) -> None:
        super().reset()
        self.running = self._open = False
        self._updated: dict[int, int] = {}
        self._loaded = self._bites = 0
        self._hz = self.die.rcc.LSI_HZ
        self.die.timeline.cancel("IWDG")

    def set_option(self, timeout_ms: int | None) -> None:
        """Clear the option bit; see `Twin.enable_hardware_watchdog`."""
        self.short_cut_ms = timeout_ms
        register, mask = self._option()
        self.die.flash_controller.options[register] &= ~mask

    def _option(self) -> tuple[str, int]:
        """The option register and bit of this part."""
        flash = self.die.flash_controller
        register, field = next((r, f) for r, f in _OPTIONS if f in flash.fields.get(r, {}))
        return register, flash.mask(register, field)

    def runs_in_stop(self) -> bool:
        """An option bit that is clear holds it in Stop (RM0351 3.4.1); without one it runs (RM0090 21.3)."""
        flash = self.die.flash_controller
        for register, field in _STOP_OPTIONS:
            if field in flash.fields.get(register, {}):
                return bool(flash.options[register] & flash.mask(register, field))
        return True

    def stood_still(self, span: int) -> None:
        self._loaded += span
        self._bites += span

    def start_by_option(self) -> None:
        """After a reset, when the option byte says so."""
        register, mask = self._option()
        if self.die.flash_controller.options[register] & mask:
            return
        if self.short_cut_ms is not None:
            ticks, prescaler = self.short_cut_ms * self.die.rcc.LSI_HZ // 1000, 0
            while ticks >> (prescaler + 2) > 0xFFF and prescaler < 6:
                prescaler += 1
            self.registers.update(PR=prescaler, RLR=min(ticks >> (prescaler + 2), 0xFFF))
        self._run()

    def _run(self) -> None:
        """From now on the LSI runs, and with it on its divider stays as it is (RM0456, RCC_BDCR.LSIPREDIV)."""
        self.running = True
        self._hz = self.die.rcc.lsi_rate()
        self.die.rcc.start_lsi()
        self.reload()

    def _tick_ps(self) -> int:
        return PS_PER_S // self._hz

    def _period(self, count: int) -> int:
        slowest = 6 if self.fields["PR"]["PR"][1] == 3 else 8
        return count * self._tick_ps() * (4 << min(self.registers["PR"], slowest))

    def reload(self) -> None:
        """The counter starts again."""
        self._loaded = self.die.timeline.now
        self._count()

    def _count(self) -> None:
        self._bites = self._loaded + self._period(self.registers["RLR"] + 1)
        self.die.timeline.at("IWDG", self._bites)

    def _bite(self, _when: int) -> None:
        self.die.request_reset("iwdg")

    def write_KR(self, value: int) -> None:
        self._open = value == _OPEN
        if value == _START and not self.running:
            self._run()
        elif value == _RELOAD and self.running:
            now = self.die.timeline.now
            passed = now - self._loaded
            self.die.bus.fed()
            window = self.registers["RLR"] - self.registers.get("WINR", 0xFFF)  # version 1 has no window
            if now >= self._bites or (window > 0 and passed < self._period(window)):
                self.die.request_reset("iwdg")
            else:
                self.reload()

    def _update(self, register: str, flag: int, value: int) -> None:
        if not self._open:
            advice = "write 0x5555 to IWDG_KR first (38.4.1); it is ignored"
            self.die.forbid(f"IWDG_{register} written without access", advice)
            return
        if self.die.timeline.now < self._updated.get(flag, 0):
            advice = "wait for IWDG_SR = 0 (38.4.4); it is ignored"
            self.die.forbid(f"IWDG_{register} written while its update runs", advice)
            return
        self.registers[register] = value & self.masks[register]
        done = self.die.timeline.now + _UPDATE_TICKS * self._tick_ps()
        self._updated[flag] = done
        self.die.timeline.at("IWDG.update", done)
        if self.running and register != "WINR":
            self._count()
        elif self.running:
            self.reload()

    def write_PR(self, value: int) -> None:
        self._update("PR", 1, value)

    def write_RLR(self, value: int) -> None:
        self._update("RLR", 2, value)

    def write_WINR(self, value: int) -> None:
        self._update("WINR", 4, value)

    def write_EWCR(self, value: int) -> None:
        """Version 3 wakes the core some counts before it bites."""
        if value & self.mask("EWCR", "EWIE"):
            self.die.refuse("IWDG_EWCR.EWIE was set", "the twin does not model the early wake-up")
        self._update("EWCR", 8, value)

    def read_SR(self) -> int:
        now = self.die.timeline.now
        return sum(flag for flag, done in self._updated.items() if now < done)
