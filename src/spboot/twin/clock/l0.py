"""Reset and clock control of STM32L0 (RM0367, RM0377 chapter 7)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.twin.clock.low import RccLow
from spboot.twin.power.l0 import PwrL0

_MULTIPLIERS: Final = (3, 4, 6, 8, 12, 16, 24, 32, 48)
_VCO_MHZ: Final = {1: 96, 2: 48, 3: 24}
"""Highest PLL VCO frequency by voltage range (RM0367 7.2.4)."""


class RccL0(RccLow, ips=("rcc_l0", "rcc_l0_v2")):
    """MSI 2.1 MHz after a reset; the PLL makes at most 32 MHz."""

    RESET: ClassVar[dict[str, int]] = {"CR": 0x300, "ICSCR": 0xB000, "AHBENR": 0x100}
    START_US: ClassVar[dict[str, int]] = {"HSI": 4, "MSI": 4, "HSE": 1000, "PLL": 115}
    PLL_FIELDS = ("CFGR", ("PLLSRC", "PLLMUL", "PLLDIV"))
    CAUSES: ClassVar[dict[str, str]] = {**RccLow.CAUSES, "por": "PORRSTF"}
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {**RccLow.CHOICES, "RNG": ("PLL48", "HSI48")}
    LSI_HZ = 37_000
    BACKUP_LOCK = "CR"
    RTC_CLOCK = "CSR"
    RUNS_FIRST = "MSI"
    RESET_HZ = 65_536 << 5

    def pll_source(self) -> str:
        return "HSE" if self.field("CFGR", "PLLSRC") else "HSI"

    def _factors(self) -> tuple[int, int]:
        """Multiplier and divider; 0 where the field has no legal value."""
        index, divider = self.field("CFGR", "PLLMUL"), self.field("CFGR", "PLLDIV")
        return _MULTIPLIERS[index] if index < len(_MULTIPLIERS) else 0, divider + 1 if divider else 0

    def pll(self) -> tuple[float, float, float]:
        multiplier, divider = self._factors()
        base = self.hertz(self.pll_source())
        return base, base * multiplier, base * multiplier / max(divider, 1)

    def check_factors(self) -> None:
        into, vco, out = self.pll()
        most = _VCO_MHZ[self.die.block("PWR", PwrL0).voltage_range()]
        if not all(self._factors()) or not 2e6 <= into <= 24e6 or vco > most * 1e6 or out > 32e6:
            limits = f"PLLMUL 0..8, PLLDIV 1..3, input 2..24, VCO at most {most}, output at most 32 MHz"
            self.refuse_pll(f"{limits} (RM0367 7.2.4)")

    def hertz(self, name: str) -> int:
        if name == "MSI":
            return 65_536 << min(self.field("ICSCR", "MSIRANGE"), 6)
        if name == "HSI":
            return self.HSI_HZ >> (2 if self.registers["CR"] & self.mask("CR", "HSIDIVEN") else 0)
        return self.hse_hz if name == "HSE" else round(self.pll()[2])

    def write_ICSCR(self, value: int) -> None:
        self.registers["ICSCR"] = value & self.masks["ICSCR"]
        self.update()

    def source_hz(self, source: str) -> int:
        """PLL48 is half of the VCO (RM0367 7.2.4)."""
        if source == "PLL48":
            return round(self.pll()[1] / 2) if self.ready("PLL") else 0
        return super().source_hz(source)

    # LSE and the clock of the RTC, in CSR (RM0367 7.3.21)

    def reset(self) -> None:
        backup = self.registers.get("CSR", 0) & self._backup_mask()
        super().reset()
        self.registers["CSR"] |= backup

    def note_reset(self, cause: str) -> None:
        super().note_reset(cause)
        if cause == "por":
            self.registers["CSR"] &= ~self._backup_mask()

    def _backup_mask(self) -> int:
        return sum(self.mask("CSR", field) for field in ("LSEON", "LSEBYP", "LSEDRV", "RTCSEL", "RTCEN"))

    def read_CSR(self) -> int:
        return super().read_CSR() | (self.mask("CSR", "LSERDY") if self.lse_ready() else 0)

    def write_CSR(self, value: int) -> None:
        clears = self.mask("CSR", "RTCRST")
        changed = (value ^ self.registers["CSR"]) & (self._backup_mask() | clears)
        if changed and not self.die.block("PWR", PwrL0).field(self.BACKUP_LOCK, "DBP"):
            advice = "set DBP first; it is ignored"
            self.die.forbid("RCC_CSR: LSE or RTC changed while PWR_CR.DBP is clear", advice)
            value ^= changed
        cleared = bool(value & clears)
        super().write_CSR(value & ~clears & ~self.mask("CSR", "LSERDY") & ~(self._backup_mask() if cleared else 0))
        self.backup_written("CSR", cleared=cleared)
