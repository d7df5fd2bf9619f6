"""Reset and clock control of STM32H7 (RM0399 chapter 9, RM0433 8), as the Cortex-M7 sees it."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.clock.backup import LSE_HZ
from spboot.twin.clock.plls import RccPlls
from spboot.twin.clock.rcc import CSI_HZ, ahb_hz, apb_hz
from spboot.twin.die import Die
from spboot.twin.power.h7 import PwrH7

_PLL_SOURCES: Final = ("HSI", "CSI", "HSE", "")
_RANGE_MHZ: Final = ((1, 2), (2, 4), (4, 8), (8, 16))
_VCO_MHZ: Final = ((192, 836), (150, 420))
_AHB_MHZ: Final = {1: 100, 2: 150, 3: 200}
"""VOS -> MHz of AXI and AHB; each APB carries half of it."""
_APBS: Final = (("D1CFGR", "D1PPRE"), ("D2CFGR", "D2PPRE1"), ("D2CFGR", "D2PPRE2"), ("D3CFGR", "D3PPRE"))


class RccH7(RccPlls, ips=("rcc_h7", "rcc_h7rm0433")):
    """The core runs on *hclk*, AXI and AHB on *flash_hz*."""

    RESET: ClassVar[dict[str, int]] = {
        "CR": 1, "HSICFGR": 0x40000000, "CSICFGR": 0x20000000, "PLLCKSELR": 0x02020200, "PLLCFGR": 0x01FF0000,
        "PLLDIVR0": 0x01010280, "PLLDIVR1": 0x01010280, "PLLDIVR2": 0x01010280, "GCR": 0,
    }  # fmt: skip
    SOURCES: ClassVar[tuple[str, ...]] = ("HSI", "CSI", "HSE", "PLL1")
    START_US: ClassVar[dict[str, int]] = {
        "HSI": 4, "CSI": 4, "HSI48": 6, "HSE": 2000, "PLL1": 150, "PLL2": 150, "PLL3": 150,
    }  # fmt: skip
    HSI_HZ = 64_000_000
    UART_OSCILLATORS: ClassVar[dict[int, str]] = {3: "HSI", 4: "CSI", 5: "LSE"}
    RESET_HZ = 64_000_000
    CAUSES: ClassVar[dict[str, str]] = {
        "pin": "PINRSTF", "software": "SFTRSTF", "iwdg": "IWDG1RSTF", "por": "PORRSTF", "option": "BORRSTF",
        "wwdg": "WWDG1RSTF",
    }  # fmt: skip
    CAUSE_REGISTER = "RSR"
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "LPTIM": ("PCLK", "PLL2P", "PLL3R", "LSE", "LSI", "PER"),
        "RNG": ("HSI48", "PLL1Q", "LSE", "LSI"),
        "USB": ("", "PLL1Q", "PLL3Q", "HSI48"),
    }
    MEMORY: ClassVar[dict[str, tuple[str, ...]]] = {  # RM0399 RCC_D1CCIPR, RM0468 RCC_D1CCIPR
        "QUADSPISEL": ("HCLK", "PLL1Q", "PLL2R", "PER"),
        "OCTOSPISEL": ("HCLK", "PLL1Q", "PLL2R", "PER"),
    }
    OUTPUT = ("PLLCFGR", "DIVPEN0", "RCC_PLLCFGR.DIVP1EN")
    AHB = ("D1CFGR", "D1CPRE")

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        for field in ("CPURSTF", "D1RSTF", "D2RSTF"):
            self._cause_mask |= self.mask("RSR", field)  # until RMVF or a power-on, as the others

    def note_reset(self, cause: str) -> None:
        """RM0399 9.4.1 table 54: which flags each cause sets."""
        super().note_reset(cause)
        also = ("CPURSTF", "D1RSTF", "D2RSTF", "BORRSTF") if cause == "por" else ("CPURSTF",)
        for field in also:
            self.registers["RSR"] |= self.mask("RSR", field)

    def note_standby(self, kind: str) -> None:
        """RM0399 9.4.1 table 54: domains that lost their supply."""
        for field in ("D1RSTF", "D2RSTF") if kind == "standby" else ("D1RSTF",):
            self.registers["RSR"] |= self.mask("RSR", field)

    def write_RSR(self, value: int) -> None:
        if value & self.mask("RSR", "RMVF"):
            self.registers["RSR"] = 0

    def read_CR(self) -> int:
        return super().read_CR() | self.mask("CR", "D1CKRDY") | self.mask("CR", "D2CKRDY")

    # PLLs, which share a source (RM0399 9.5.5): PLL1 for the core, PLL3 for USB; PLL2 starts, but feeds nothing here

    def pll_source(self) -> str:
        return _PLL_SOURCES[self.field("PLLCKSELR", "PLLSRC")]

    def _pll(self, index: int = 0) -> tuple[float, float, float]:
        """Input, VCO and output P of PLL *index* + 1 in hertz."""
        into = self.hertz(self.pll_source()) / max(self.field("PLLCKSELR", f"DIVM{index}"), 1)
        vco = into * (self.field(f"PLLDIVR{index}", "PLLN") + 1)
        return into, vco, vco / (self.field(f"PLLDIVR{index}", "PLLP") + 1)

    def check_start(self, name: str) -> None:
        super().check_start(name)
        if name != "PLL3":
            return
        source = self.pll_source()
        if not source or not self.ready(source):
            self.die.refuse(f"PLL3ON with source {source or 'none'} not ready", "start it first")
        self.check_factors(2)

    def check_factors(self, index: int = 0) -> None:
        into, vco, _out = self._pll(index)
        low, high = _RANGE_MHZ[self.field("PLLCFGR", f"PLLRGE{index}")]
        least, most = _VCO_MHZ[self.field("PLLCFGR", f"PLLVCOSEL{index}")]
        m, n = self.field("PLLCKSELR", f"DIVM{index}"), self.field(f"PLLDIVR{index}", "PLLN")
        p = self.field(f"PLLDIVR{index}", "PLLP")
        fits = low * 1e6 <= into <= high * 1e6 and least * 1e6 <= vco <= most * 1e6
        if not m or n < 3 or (not index and p and not p & 1) or not fits:
            name = f"PLL{index + 1}"
            self.die.refuse(
                f"{name}: M {m}, N {n + 1}, P {p + 1}, input {into / 1e6:g} MHz, VCO {vco / 1e6:g} MHz",
                f"input {low}..{high} for this {name}RGE, VCO {least}..{most} for this {name}VCOSEL"
                f"{'' if index else ', P even'} (RM0399 9.7)",
            )

    def _write_pll(self, name: str, value: int, index: int, fixed: int) -> None:
        """*fixed*: what PLL *index* + 1 must be off for."""
        if (value ^ self.registers[name]) & fixed and self.on(f"PLL{index + 1}"):
            pll = f"PLL{index + 1}"
            self.die.refuse(f"RCC_{name} changed while {pll} is on", f"clear {pll}ON and wait for {pll}RDY = 0")

    def write_PLLCKSELR(self, value: int) -> None:
        for index in range(3):
            fixed = self.mask("PLLCKSELR", "PLLSRC") | self.mask("PLLCKSELR", f"DIVM{index}")
            self._write_pll("PLLCKSELR", value, index, fixed)
        self.set_register("PLLCKSELR", value)

    def write_PLLCFGR(self, value: int) -> None:
        for index, output in ((0, "DIVPEN0"), (1, "DIVPEN1"), (2, "DIVQEN2")):
            fields = (f"PLLVCOSEL{index}", f"PLLRGE{index}", output)
            self._write_pll("PLLCFGR", value, index, sum(self.mask("PLLCFGR", field) for field in fields))
        self.set_register("PLLCFGR", value)

    def write_PLLDIVR0(self, value: int) -> None:
        self._write_pll("PLLDIVR0", value, 0, 0xFFFFFFFF)
        self.set_register("PLLDIVR0", value)

    def write_PLLDIVR2(self, value: int) -> None:
        self._write_pll("PLLDIVR2", value, 2, 0xFFFFFFFF)
        self.set_register("PLLDIVR2", value)

    # frequencies

    def hertz(self, name: str) -> int:
        return {"HSI": self.HSI_HZ, "CSI": CSI_HZ, "HSE": self.hse_hz}.get(name) or round(self._pll()[2])

    @property
    def flash_hz(self) -> int:
        """The frequency of AXI, AHB and flash."""
        return ahb_hz(self.hclk, self.field("D1CFGR", "HPRE"))

    def check_limits(self) -> None:
        super().check_limits()
        power = self.die.block("PWR", PwrH7)
        mhz, ahb = power.limit_mhz, _AHB_MHZ[power.scale]
        if self.hclk > mhz * 1_000_000 or (self.hclk > 200_000_000 and not power.settled):
            self.die.refuse(
                f"core at {self.hclk / 1e6:g} MHz at a voltage for {mhz} MHz",
                "raise PWR_D3CR.VOS and wait for VOSRDY (RM0399 7.6.2)",
            )
        if self.flash_hz > ahb * 1_000_000:
            self.die.refuse(f"AXI at {self.flash_hz / 1e6:g} MHz", f"at most {ahb} MHz: set RCC_D1CFGR.HPRE")
        if self.field("CFGR", "SWS") == 0:
            return  # a reset itself leaves the buses at the 64 MHz of HSI
        for register, field in _APBS:
            pclk = self._pclk(register, field)
            if pclk > ahb * 500_000:
                self.die.forbid(
                    f"APB at {pclk / 1e6:g} MHz", f"at most {ahb / 2:g} MHz: set RCC_{register}.{field} first"
                )

    def source_hz(self, source: str) -> int:
        if source in ("PLL1Q", "PLL3Q"):
            index = int(source[3]) - 1
            runs = self.ready(source[:4]) and self.field("PLLCFGR", f"DIVQEN{index}")
            return round(self._pll(index)[1] / (self.field(f"PLLDIVR{index}", "PLLQ") + 1)) if runs else 0
        return super().source_hz(source)

    def root(self, source: str) -> str:
        return self.pll_source() if source.startswith("PLL") else source

    def pclk(self, bus: int) -> int:
        return self._pclk(*(("D2CFGR", f"D2PPRE{bus}") if bus < 3 else _APBS[0] if bus == 3 else _APBS[3]))

    def _pclk(self, register: str, field: str) -> int:
        return apb_hz(self.flash_hz, self.field(register, field))

    def write_D1CFGR(self, value: int) -> None:
        self.set_register("D1CFGR", value)

    def write_D2CFGR(self, value: int) -> None:
        self.set_register("D2CFGR", value)

    def write_D3CFGR(self, value: int) -> None:
        self.set_register("D3CFGR", value)

    def write_CFGR(self, value: int) -> None:
        if value & 7 >= len(self.SOURCES):
            self.die.refuse(f"RCC_CFGR.SW = {value & 7}", "use 0 (HSI), 1 (CSI), 2 (HSE) or 3 (PLL1)")
        self.set_switch(value)

    def kernel(self, field: str, bus: int) -> int:
        """RM0399 9.7.19 to 9.7.21: USART1 and 6 share a selection, LPUART1 has its own, the others share one."""
        register, shared, apb = "D2CCIP2R", "USART234578SEL", ("D2CFGR", f"D2PPRE{bus}")
        if field == "LPUART1SEL":
            register, shared, apb = "D3CCIPR", field, ("D3CFGR", "D3PPRE")
        elif bus == 2:
            shared = "USART16910SEL"
        choice = self.field(register, shared)
        if choice == 3:
            return self.HSI_HZ if self.ready("HSI") else 0
        if choice == 4:
            return CSI_HZ if self.ready("CSI") else 0
        if choice == 5:
            return LSE_HZ if self.lse_ready() else 0
        return 0 if choice else self._pclk(*apb)
