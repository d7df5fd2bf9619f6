"""Reset and clock control of STM32U5 (RM0456 chapter 11)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.twin.clock.backup import LSE_HZ
from spboot.twin.clock.plls import RccPlls
from spboot.twin.clock.rcc import apb_hz
from spboot.twin.power.u5 import PwrU5

_MSI_KHZ: Final = (
    48_000, 24_000, 16_000, 12_000, 4_000, 2_000, 1_330, 1_000, 3_072, 1_536, 1_024, 768, 400, 200, 133, 100,
)  # fmt: skip
_BOOST: Final = (1, 2, 4, 6, 8, 10, 12, 14, 16)
"""PLLMBOOST -> what it divides by."""
_PLL_SOURCES: Final = ("", "MSIS", "HSI", "HSE")


class RccU5(RccPlls, ips=("rcc_u5",)):
    """The core starts on MSIS; PLL1 makes at most 160 MHz, and needs a range above 4."""

    RESET: ClassVar[dict[str, int]] = {
        "CR": 0x35, "ICSCR1": 0x44000000, "CFGR2": 0x6000, "PLL1DIVR": 0x01010280, "PLL2DIVR": 0x01010280,
        "PLL3DIVR": 0x01010280, "AHB1ENR": 0xD0200100, "AHB2ENR1": 0xC0000000, "AHB2ENR2": 0x80000000,
        "AHB3ENR": 0x80000000, "CSR": 0x4400,
    }  # fmt: skip
    READ_ONLY = frozenset({"CIFR"})
    KEPT: ClassVar[dict[str, tuple[str, ...]]] = {"CSR": ("MSISSRANGE", "MSIKSRANGE")}
    SOURCES: ClassVar[tuple[str, ...]] = ("MSIS", "HSI", "HSE", "PLL1")
    START_US: ClassVar[dict[str, int]] = {
        "MSIS": 10, "MSIK": 10, "HSI": 2, "HSI48": 6, "SHSI": 3, "HSE": 2000, "PLL1": 50, "PLL2": 50, "PLL3": 50,
    }  # fmt: skip
    CAUSES: ClassVar[dict[str, str]] = {
        "pin": "PINRSTF", "software": "SFTRSTF", "iwdg": "IWDGRSTF", "por": "BORRSTF", "option": "OBLRSTF",
        "wwdg": "WWDGRSTF",
    }  # fmt: skip
    RUNS_FIRST = "MSIS"
    RESET_HZ = 4_000_000
    BACKUP_LOCK = "DBPCR"
    SWITCH = "CFGR1"
    MEMORY: ClassVar[dict[str, tuple[str, ...]]] = {
        "OCTOSPISEL": ("SYSCLK", "MSIK", "PLL1Q", "PLL2Q")
    }  # RM0456 RCC_CCIPR2
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "LPTIM": ("MSIK", "LSI", "HSI", "LSE"),
        "LPTIM2": ("PCLK", "LSI", "HSI", "LSE"),
        "RNG": ("HSI48", "HSI48/2", "HSI"),
    }
    OUTPUT = ("PLL1CFGR", "PLLREN", "RCC_PLL1CFGR.PLL1REN")
    APBS: ClassVar[dict[int, tuple[str, str]]] = {1: ("CFGR2", "PPRE1"), 2: ("CFGR2", "PPRE2"), 3: ("CFGR3", "PPRE3")}

    def reset(self) -> None:
        super().reset()
        self.ready_at["MSIK"] = 0
        self.die.block("PWR", PwrU5).booster_hz = self.booster_hz

    # MSIS

    def _msis_hz(self) -> int:
        chosen = self.field("ICSCR1", "MSIRGSEL")
        return _MSI_KHZ[self.field("ICSCR1", "MSISRANGE") if chosen else self.field("CSR", "MSISSRANGE")] * 1000

    def write_ICSCR1(self, value: int) -> None:
        """MSIRGSEL goes to 1 only; ranges change while the oscillator is off or ready."""
        value |= self.registers["ICSCR1"] & self.mask("ICSCR1", "MSIRGSEL")
        changed = value ^ self.registers["ICSCR1"]
        if changed & self.mask("ICSCR1", "MSISRANGE") and self.on("MSIS") and not self.ready("MSIS"):
            self.die.refuse("MSISRANGE changed while MSISRDY is 0", "wait for MSISRDY first (RM0456, RCC_ICSCR1)")
        self.registers["ICSCR1"] = value & self.masks["ICSCR1"]
        self.update()

    def write_CSR(self, value: int) -> None:
        """The ranges after Standby: only with MSIRGSEL = 1, 4 to 8."""
        ranges = self.mask("CSR", "MSISSRANGE") | self.mask("CSR", "MSIKSRANGE")
        low, width = self.fields["CSR"]["MSISSRANGE"]
        new, selected = value >> low & ((1 << width) - 1), self.field("ICSCR1", "MSIRGSEL")
        if (value ^ self.registers["CSR"]) & ranges and not (4 <= new <= 8 and selected):
            self.die.refuse(
                f"MSISSRANGE = {new} with MSIRGSEL = {selected}", "set MSIRGSEL first, use 4 to 8 (RM0456, RCC_CSR)"
            )
        if value & self.mask("CSR", "RMVF"):
            self.remove_causes()
        self.registers["CSR"] = self.registers["CSR"] & ~ranges | value & ranges

    def read_CSR(self) -> int:
        return self.registers["CSR"]

    # PLL1

    def pll_source(self) -> str:
        """What feeds PLL1, "" when nothing does."""
        return _PLL_SOURCES[self.field("PLL1CFGR", "PLLSRC")]

    def booster_hz(self) -> int:
        """The clock of the booster in PWR; 0 where PLL1 has no input that runs."""
        source, divider = self.pll_source(), self.field("PLL1CFGR", "PLLMBOOST")
        if not source or not self.ready(source) or divider >= len(_BOOST):
            return 0
        return self.hertz(source) // _BOOST[divider]

    def pll(self) -> tuple[float, float, float]:
        """Input, VCO and output R in hertz."""
        source = self.pll_source()
        into = (self.hertz(source) if source else 0) / (self.field("PLL1CFGR", "PLLM") + 1)
        vco = into * (self.field("PLL1DIVR", "PLLN") + 1)
        return into, vco, vco / (self.field("PLL1DIVR", "PLLR") + 1)

    def check_factors(self) -> None:
        voltage = self.die.block("PWR", PwrU5).voltage_range()
        if voltage == 4:
            self.die.refuse("PLL1ON in voltage range 4", "raise PWR_VOSR.VOS and wait for VOSRDY first")
        into, vco, out = (hertz / 1e6 for hertz in self.pll())
        low, high = (8, 16) if self.field("PLL1CFGR", "PLLRGE") == 3 else (4, 8)
        most = 330 if voltage == 3 else 544
        n, r = self.field("PLL1DIVR", "PLLN") + 1, self.field("PLL1DIVR", "PLLR") + 1
        if not (n >= 4 and low <= into <= high and 128 <= vco <= most and out <= 160) or (r > 1 and r & 1):
            self.die.refuse(
                f"PLL1: N {n}, R {r}, input {into:g} MHz, VCO {vco:g} MHz, output {out:g} MHz",
                f"N 4..512, R 1 or even, input {low}..{high} for this PLL1RGE, VCO 128..{most}, output at most 160 MHz"
                " (RM0456, RCC_PLL1CFGR and PLL1DIVR)",
            )

    def write_PLL1CFGR(self, value: int) -> None:
        changed = value ^ self.registers["PLL1CFGR"]
        fixed = sum(self.mask("PLL1CFGR", f) for f in ("PLLSRC", "PLLM", "PLLMBOOST"))
        if changed & fixed:
            self.refuse_running("RCC_PLL1CFGR changed")
        if self.switched() == "PLL1" and changed & ~value & self.mask("PLL1CFGR", "PLLREN"):
            self.die.refuse("PLL1REN cleared while PLL1 is the system clock", "switch to another first (RM0456 11.8.9)")
        power = self.die.block("PWR", PwrU5)
        if changed & self.mask("PLL1CFGR", "PLLMBOOST") and power.field("VOSR", "BOOSTEN"):
            self.die.refuse("PLL1MBOOST changed while BOOSTEN is set", "clear PWR_VOSR.BOOSTEN first")
        self.set_register("PLL1CFGR", value)

    def write_PLL1DIVR(self, value: int) -> None:
        self.refuse_running("RCC_PLL1DIVR written")
        self.set_register("PLL1DIVR", value)

    # frequencies

    def hertz(self, name: str) -> int:
        """The frequency of a source."""
        if name == "PLL1":
            return round(self.pll()[2])
        return {"MSIS": self._msis_hz(), "HSI": self.HSI_HZ, "HSE": self.hse_hz}[name]

    def check_limits(self) -> None:
        super().check_limits()
        power = self.die.block("PWR", PwrU5)
        mhz, most = self.hclk / 1e6, power.LIMIT_MHZ[power.voltage_range()]
        if mhz > most:
            self.die.refuse(f"core at {mhz:g} MHz in a range for {most} MHz", "raise PWR_VOSR.VOS, wait for VOSRDY")
        if mhz > power.UNBOOSTED_MHZ and not power.boosted:
            self.die.refuse(
                f"core at {mhz:g} MHz without the booster", "set PWR_VOSR.BOOSTEN and wait for BOOSTRDY first (RM0456)"
            )

    def write_CFGR1(self, value: int) -> None:
        self.set_switch(value)

    def write_CFGR2(self, value: int) -> None:
        self.set_register("CFGR2", value)

    def source_hz(self, source: str) -> int:
        """MSIK has a range of its own; RNG may have half of HSI48 (RM0456, RCC_ICSCR1, RCC_CCIPR2)."""
        if source == "HSI48/2":
            return super().source_hz("HSI48") // 2
        if source == "MSIK":
            chosen = self.field("ICSCR1", "MSIRGSEL")
            index = self.field("ICSCR1", "MSIKRANGE") if chosen else self.field("CSR", "MSIKSRANGE")
            return _MSI_KHZ[index] * 1000 if self.ready("MSIK") else 0
        return super().source_hz(source)

    def pclk(self, bus: int) -> int:
        return apb_hz(self.hclk, self.field(*self.APBS[bus]))

    def kernel(self, field: str, bus: int) -> int:
        """CCIPR1 to CCIPR3: the APB, SYSCLK, HSI or LSE; LPUART1 is on APB3 and can have MSIK as well."""
        register = next(name for name in ("CCIPR1", "CCIPR2", "CCIPR3") if field in self.fields[name])
        choice = self.field(register, field)
        if choice == 0:
            return self.pclk(3 if register == "CCIPR3" else bus)
        if choice == 2:
            return self.HSI_HZ if self.ready("HSI") else 0
        if choice == 3:
            return LSE_HZ if self.lse_ready() else 0
        return self.sysclk if choice == 1 else 0
