"""Reset and clock control of STM32L47x/L48x (RM0351 chapter 6)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.bus import CLOCK_DELAY
from spboot.twin.timeline import PS_PER_US

if TYPE_CHECKING:
    from spboot.twin.machine import Twin

_MSI_HZ: Final = tuple(
    int(khz * 1000) for khz in (100, 200, 400, 800, 1000, 2000, 4000, 8000, 16000, 24000, 32000, 48000)
)
_HSI_HZ: Final = 16_000_000
_LSE_HZ: Final = 32_768
LSI_HZ: Final = 32_000
_START_US: Final = {"MSI": 10, "HSI": 2, "HSE": 2000, "PLL": 40, "PLLSAI1": 40, "PLLSAI2": 40}
_MAX_HZ: Final = 80_000_000
_FLAGS: Final = 0xFF000000
_RESET_FLAGS: Final = {"pin": 1 << 26, "software": 1 << 28, "iwdg": 1 << 29, "por": 1 << 27, "option": 1 << 25}
_NO_SWITCH: Final = ("MSI", "HSI", "HSE", "PLL")


class RccL4(Block):
    """The clock tree.  *hse_hz* is what the board feeds into OSC_IN."""

    RESET: ClassVar[dict[str, int]] = {
        "CR": 0x63, "ICSCR": 0x10000000, "PLLCFGR": 0x1000, "PLLSAI1CFGR": 0x1000, "PLLSAI2CFGR": 0x1000,
        "AHB1ENR": 0x100, "CSR": 0x600, "AHB1SMENR": 0x11303, "AHB2SMENR": 0x532FF, "AHB3SMENR": 0x101,
        "APB1SMENR1": 0xF2FECA3F, "APB1SMENR2": 0x25, "APB2SMENR": 0x1677C01,
    }  # fmt: skip
    STATE = ("ready_at", "hclk", "sysclk", "enabled_at", "_lsi_since")
    READ_ONLY = frozenset({"CIFR"})

    def __init__(self, twin: Twin, facts: Facts) -> None:
        super().__init__(twin, facts)
        self.hse_hz = 8_000_000
        twin.timeline.on("RCC", self._on_ready)
        for name in self.names.values():
            if name.endswith(("ENR", "ENR1", "ENR2")) and "SMEN" not in name:
                self._writers[self._offset(name)] = partial(self._write_enable, name)
            if name.endswith(("RSTR", "RSTR1", "RSTR2")):
                self._writers[self._offset(name)] = partial(self._write_reset, name)

    def load(self, state: Any) -> None:
        super().load(state)
        self.update_gates()

    def _offset(self, name: str) -> int:
        return next(offset for offset, known in self.names.items() if known == name)

    def reset(self) -> None:
        flags = self.registers.get("CSR", 0) & _FLAGS
        backup = self.registers.get("BDCR", 0)
        super().reset()
        self.registers["CSR"] |= flags
        self.registers["BDCR"] = backup
        self.ready_at = {"MSI": 0}
        self.enabled_at: dict[str, int] = {}
        self.twin.bus.enabled_until = 0
        self.update_gates()
        self._lsi_since: int | None = None
        self.hclk = self.sysclk = 4_000_000
        self.twin.timeline.set_frequency(self.hclk)
        self.twin.timeline.cancel("RCC")

    def note_reset(self, cause: str) -> None:
        """Set the flags in CSR (RM0351 6.4.29); every reset but an option load also pulls NRST."""
        if cause == "por":
            self.registers["CSR"] &= ~_FLAGS
            self.registers["BDCR"] = 0
        self.registers["CSR"] |= _RESET_FLAGS[cause] | _RESET_FLAGS["pin"]

    # oscillators

    def _on(self, name: str) -> bool:
        return bool(self.registers["CR"] & self.mask("CR", f"{name}ON"))

    def ready(self, name: str) -> bool:
        """Whether an oscillator or PLL runs and is stable."""
        return self._on(name) and self.ready_at.get(name, 1 << 99) <= self.twin.timeline.now

    def read_CR(self) -> int:
        value = self.registers["CR"]
        for name in _START_US:
            mask = self.mask("CR", f"{name}RDY")
            value = value | mask if self.ready(name) else value & ~mask
        return value

    def write_CR(self, value: int) -> None:
        old = self.registers["CR"]
        used = self._used()
        for name in used:  # a clock that is in use cannot be stopped (RM0351 6.4.1)
            value |= self.mask("CR", f"{name}ON")
        if not value & 8:  # MSIRGSEL: the range then comes from CSR
            value = value & ~0xF0 | old & 0xF0 if not old & 8 else value
        self.registers["CR"] = value & self.masks["CR"]
        for name, micros in _START_US.items():
            mask = self.mask("CR", f"{name}ON")
            if value & mask and not old & mask:
                self._start(name, micros)
            elif not value & mask:
                self.ready_at.pop(name, None)
        if (old ^ value) & 0xF8 and old & 1:
            self._check_msi(value)
        self._update()

    def _check_msi(self, value: int) -> None:
        if (value >> 4 & 15) >= len(_MSI_HZ):
            raise self.twin.refusal(f"MSIRANGE {value >> 4 & 15} does not exist", "use 0 to 11 (RM0351 6.4.1)")

    def _start(self, name: str, micros: int) -> None:
        if name.startswith("PLL"):
            self._check_pll(name)
        self.ready_at[name] = self.twin.timeline.now + micros * PS_PER_US
        self._schedule()

    def _schedule(self) -> None:
        waiting = [when for when in self.ready_at.values() if when > self.twin.timeline.now]
        if waiting:
            self.twin.timeline.at("RCC", min(waiting))

    def _on_ready(self, _when: int) -> None:
        self._schedule()
        self._update()

    def _used(self) -> set[str]:
        used = {_NO_SWITCH[self.registers["CFGR"] >> 2 & 3]}
        if "PLL" in used:
            used |= {name for name in [self._pll_source()] if name}
        return used

    # the PLL (RM0351 6.4.4)

    def _pll_source(self) -> str:
        return ("", "MSI", "HSI", "HSE")[self.field("PLLCFGR", "PLLSRC")]

    def _pll(self) -> tuple[float, float, float]:
        """Input, VCO and output R in hertz."""
        source = self._pll_source()
        base = self._hertz(source) if source else 0
        into = base / (self.field("PLLCFGR", "PLLM") + 1)
        vco = into * self.field("PLLCFGR", "PLLN")
        return into, vco, vco / (2 * self.field("PLLCFGR", "PLLR") + 2)

    def _check_pll(self, name: str) -> None:
        if name != "PLL":
            return
        source = self._pll_source()
        if not source or not self.ready(source):
            raise self.twin.refusal(f"PLLON with source {source or 'none'} not ready", "wait for the source first")
        into, vco, out = self._pll()
        factor = self.field("PLLCFGR", "PLLN")
        if not 8 <= factor <= 86 or not 4e6 <= into <= 16e6 or not 64e6 <= vco <= 344e6 or out > _MAX_HZ:
            raise self.twin.refusal(
                f"PLL: N {factor}, input {into / 1e6:g} MHz, VCO {vco / 1e6:g} MHz, output {out / 1e6:g} MHz",
                "N 8..86, input 4..16, VCO 64..344, output at most 80 MHz (RM0351 6.4.4)",
            )

    def write_PLLCFGR(self, value: int) -> None:
        fixed = sum(self.mask("PLLCFGR", field) for field in ("PLLSRC", "PLLM", "PLLN", "PLLR"))
        if self._on("PLL") and (value ^ self.registers["PLLCFGR"]) & fixed:
            raise self.twin.refusal("PLLCFGR changed while the PLL is on", "clear PLLON and wait for PLLRDY = 0")
        self.registers["PLLCFGR"] = value & self.masks["PLLCFGR"]
        self._update()

    # frequencies

    def _hertz(self, name: str) -> int:
        if name == "MSI":
            from_cr = self.registers["CR"] & 8
            index = self.registers["CR"] >> 4 & 15 if from_cr else self.registers["CSR"] >> 8 & 15
            return _MSI_HZ[min(index, 11)]
        if name == "HSI":
            return _HSI_HZ
        return self.hse_hz if name == "HSE" else round(self._pll()[2])

    def _update(self) -> None:
        """Switch the system clock when its source is ready, and tell everybody the frequency."""
        wanted = _NO_SWITCH[self.registers["CFGR"] & 3]
        if self.ready(wanted):
            if wanted == "PLL" and not self.registers["PLLCFGR"] & self.mask("PLLCFGR", "PLLREN"):
                raise self.twin.refusal("system clock from the PLL with PLLREN clear", "set RCC_PLLCFGR.PLLREN")
            self.registers["CFGR"] = self.registers["CFGR"] & ~0xC | (self.registers["CFGR"] & 3) << 2
        self.sysclk = self._hertz(_NO_SWITCH[self.registers["CFGR"] >> 2 & 3])
        prescaler = self.registers["CFGR"] >> 4 & 15
        hclk = self.sysclk >> (0 if prescaler < 8 else prescaler - 7 if prescaler < 12 else prescaler - 6)
        if hclk != self.hclk:
            count = self.twin.nvic.frequency_will_change()
            self.hclk = hclk
            self.twin.timeline.set_frequency(hclk)
            self.twin.nvic.frequency_changed(count)
        self.twin.check_latency()

    def write_CFGR(self, value: int) -> None:
        self.registers["CFGR"] = value & self.masks["CFGR"] & ~0xC | self.registers["CFGR"] & 0xC
        self._update()

    def pclk(self, bus: int) -> int:
        """The frequency of APB 1 or 2."""
        prescaler = self.field("CFGR", f"PPRE{bus}")
        return self.hclk >> (prescaler - 3 if prescaler >= 4 else 0)

    def kernel(self, field: str, bus: int) -> int:
        """The kernel clock that CCIPR selects for a UART, in hertz; 0 when it does not run (RM0351 6.4.27)."""
        choice = self.field("CCIPR", field) if field in self.fields["CCIPR"] else 0
        if choice == 2:
            return _HSI_HZ if self.ready("HSI") else 0
        if choice == 3:
            return _LSE_HZ if self.read_BDCR() & 2 else 0
        return self.sysclk if choice == 1 else self.pclk(bus)

    # enables, resets, flags

    def _write_enable(self, name: str, value: int) -> None:
        if value & self.masks[name] & ~self.registers[name]:
            self.enabled_at[name] = self.twin.core.executed
            self.twin.bus.enabled_until = self.twin.core.executed + CLOCK_DELAY
        self.registers[name] = value & self.masks[name]
        self.update_gates()

    def update_gates(self) -> None:
        """Tell all blocks whether they are clocked."""
        for block in self.twin.blocks.values():
            if block.gate is not None:
                block.clocked = bool(self.registers[block.gate[0]] & block.gate[1])

    def _write_reset(self, name: str, value: int) -> None:
        for block in self.twin.blocks.values():
            if block.facts.reset and block.facts.reset[0] == name and value & self.mask(name, block.facts.reset[1]):
                block.reset()
        self.registers[name] = value & self.masks[name]

    def read_CSR(self) -> int:
        value = self.registers["CSR"]
        if value & 1 and self._lsi_since is not None and self.twin.timeline.now >= self._lsi_since:
            value |= 2
        return value

    def write_CSR(self, value: int) -> None:
        if value & self.mask("CSR", "RMVF"):
            self.registers["CSR"] &= ~_FLAGS
        if value & 1 and not self.registers["CSR"] & 1:
            self.start_lsi()
        self.registers["CSR"] = self.registers["CSR"] & _FLAGS | value & 0xF01

    def start_lsi(self) -> None:
        """The LSI starts; the watchdog does this too."""
        self._lsi_since = self.twin.timeline.now + 125 * PS_PER_US
        self.ready_at["LSI"] = self._lsi_since
        self._schedule()

    def read_BDCR(self) -> int:
        return self.registers["BDCR"] | (self.registers["BDCR"] & 1) << 1

    def write_BDCR(self, value: int) -> None:
        if not self.twin.pwr.registers["CR1"] & 0x100:
            raise self.twin.refusal("RCC_BDCR written while PWR_CR1.DBP is clear", "set DBP first (RM0351 6.4.28)")
        self.registers["BDCR"] = 0 if value & 1 << 16 else value & self.masks["BDCR"] & ~2

    def write_CICR(self, _value: int) -> None:
        self.registers["CIFR"] = 0
