"""Reset and clock control of STM32H5 (RM0481 chapter 11)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.twin.clock.backup import LSE_HZ
from spboot.twin.clock.plls import RccPlls
from spboot.twin.clock.rcc import CSI_HZ, apb_hz
from spboot.twin.power.h5 import PwrH5

_PLL_SOURCES: Final = ("", "HSI", "CSI", "HSE")
_RANGE_MHZ: Final = ((1, 2), (2, 4), (4, 8), (8, 16))
_VCO_MHZ: Final = ((128, 560), (150, 420))
"""By PLLVCOSEL."""


class RccH5(RccPlls, ips=("rcc_h5",)):
    """The core starts on HSI, 64 MHz divided by 2; PLL1 makes at most 250 MHz."""

    RESET: ClassVar[dict[str, int]] = {
        "CR": 0x2B, "PLLDIVR0": 0x01010280, "PLLDIVR1": 0x01010280, "PLLDIVR2": 0x01010280, "AHB1ENR": 0xD0000100,
        "AHB2ENR": 0xC0000000,
    }  # fmt: skip
    READ_ONLY = frozenset({"CIFR"})
    SOURCES: ClassVar[tuple[str, ...]] = ("HSI", "CSI", "HSE", "PLL1")
    START_US: ClassVar[dict[str, int]] = {
        "HSI": 4, "CSI": 4, "HSI48": 6, "HSE": 2000, "PLL1": 150, "PLL2": 150, "PLL3": 150,
    }  # fmt: skip
    HSI_HZ = 64_000_000
    RESET_HZ = 32_000_000
    CAUSES: ClassVar[dict[str, str]] = {
        "pin": "PINRSTF", "software": "SFTRSTF", "iwdg": "IWDGRSTF", "por": "BORRSTF", "option": "SFTRSTF",
        "wwdg": "WWDGRSTF",
    }  # fmt: skip
    CAUSE_REGISTER = "RSR"
    BACKUP_LOCK = "DBPCR"
    BACKUP_RESET = "VSWRST"
    MEMORY: ClassVar[dict[str, tuple[str, ...]]] = {
        "OCTOSPI1SEL": ("HCLK", "PLL1Q", "PLL2R", "PER")
    }  # RM0481 RCC_CCIPR4
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "LPTIM": ("PCLK", "PLL2P", "PLL3R", "LSE", "LSI", "PER"),
        "RNG": ("HSI48", "PLL1Q", "LSE", "LSI"),
    }
    UART_OSCILLATORS: ClassVar[dict[int, str]] = {3: "HSI", 4: "CSI", 5: "LSE"}
    OUTPUT = ("PLLCFGR0", "PLLPEN", "RCC_PLL1CFGR.PLL1PEN")

    def write_RSR(self, value: int) -> None:
        if value & self.mask("RSR", "RMVF"):
            self.remove_causes()

    # HSI and its divider

    def write_CR(self, value: int) -> None:
        """A new HSIDIV is ignored while HSI feeds a PLL that is on (RM0481, RCC_CR)."""
        divider, flag = self.mask("CR", "HSIDIV"), self.mask("CR", "HSIDIVF")
        if self.on("PLL1") and self.pll_source() == "HSI":
            value = value & ~divider | self.registers["CR"] & divider
        super().write_CR(value | flag)

    # PLL1

    def pll_source(self) -> str:
        """What feeds PLL1, "" when nothing does."""
        return _PLL_SOURCES[self.field("PLLCFGR0", "PLLSRC")]

    def pll(self) -> tuple[float, float, float]:
        """Input, VCO and output P in hertz."""
        source = self.pll_source()
        into = (self.hertz(source) if source else 0) / max(self.field("PLLCFGR0", "DIVM"), 1)
        vco = into * (self.field("PLLDIVR0", "PLLN") + 1)
        return into, vco, vco / (self.field("PLLDIVR0", "PLLP") + 1)

    def check_factors(self) -> None:
        into, vco, out = (hertz / 1e6 for hertz in self.pll())
        low, high = _RANGE_MHZ[self.field("PLLCFGR0", "PLLRGE")]
        least, most = _VCO_MHZ[self.field("PLLCFGR0", "PLLVCOSEL")]
        m, n, p = self.field("PLLCFGR0", "DIVM"), self.field("PLLDIVR0", "PLLN") + 1, self.field("PLLDIVR0", "PLLP") + 1
        if not m or n < 4 or p & 1 or not (low <= into <= high and least <= vco <= most):
            self.die.refuse(
                f"PLL1: M {m}, N {n}, P {p}, input {into:g} MHz, VCO {vco:g} MHz, output {out:g} MHz",
                f"N 4..512, P even, input {low}..{high} for this PLL1RGE, VCO {least}..{most} for this PLL1VCOSEL"
                " (RM0481, RCC_PLL1CFGR and PLL1DIVR)",
            )

    def write_PLLCFGR0(self, value: int) -> None:
        fields = ("PLLSRC", "PLLRGE", "PLLVCOSEL", "DIVM", "PLLPEN", "PLLQEN", "PLLREN")
        fixed = sum(self.mask("PLLCFGR0", field) for field in fields)
        if (value ^ self.registers["PLLCFGR0"]) & fixed:
            self.refuse_running("RCC_PLL1CFGR changed")
        self.set_register("PLLCFGR0", value)

    def write_PLLDIVR0(self, value: int) -> None:
        self.refuse_running("RCC_PLL1DIVR written")
        self.set_register("PLLDIVR0", value)

    # frequencies

    def hertz(self, name: str) -> int:
        """The frequency of a source."""
        if name == "PLL1":
            return round(self.pll()[2])
        return {"HSI": self.HSI_HZ >> self.field("CR", "HSIDIV"), "CSI": CSI_HZ, "HSE": self.hse_hz}[name]

    def update(self) -> None:
        choice = self.field("CFGR", "SW")
        if choice >= len(self.SOURCES):
            self.die.refuse(f"RCC_CFGR.SW = {choice}", "use 0 (HSI), 1 (CSI), 2 (HSE) or 3 (PLL1)")
        super().update()

    def check_limits(self) -> None:
        power = self.die.block("PWR", PwrH5)
        mhz, most = self.hclk / 1e6, power.LIMIT_MHZ[power.voltage_range()]
        if mhz > most:
            self.die.refuse(
                f"core at {mhz:g} MHz at VOS{power.voltage_range()}, for {most} MHz",
                "raise PWR_VOSCR.VOS and wait for ACTVOSRDY first",
            )
        super().check_limits()

    def write_CFGR(self, value: int) -> None:
        self.set_switch(value)

    def write_CFGR2(self, value: int) -> None:
        self.set_register("CFGR2", value)

    def source_hz(self, source: str) -> int:
        if source == "PLL1Q":
            runs = self.ready("PLL1") and self.field("PLLCFGR0", "PLLQEN")
            return round(self.pll()[1] / (self.field("PLLDIVR0", "PLLQ") + 1)) if runs else 0
        return super().source_hz(source)

    def pclk(self, bus: int) -> int:
        return apb_hz(self.hclk, self.field("CFGR2", f"PPRE{bus}"))

    def kernel(self, field: str, bus: int) -> int:
        """CCIPR1 to CCIPR3: the APB, HSI, CSI or LSE; PLL2 and PLL3 feed nothing here."""
        register = next(name for name in ("CCIPR1", "CCIPR2", "CCIPR3") if field in self.fields[name])
        choice = self.field(register, field)
        if choice == 0:
            return self.pclk(3 if register == "CCIPR3" else bus)
        if choice == 3:
            return self.hertz("HSI") if self.ready("HSI") else 0
        if choice == 4:
            return CSI_HZ if self.ready("CSI") else 0
        return LSE_HZ if choice == 5 and self.lse_ready() else 0

    def oscillator_hz(self, name: str) -> int:
        return self.hertz("HSI") if name == "HSI" else super().oscillator_hz(name)
