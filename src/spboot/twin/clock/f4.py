"""Reset and clock control of STM32F4 (RM0090 chapters 6 and 7, RM0386 6)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.twin.clock.rcc import Rcc, ahb_hz, apb_hz
from spboot.twin.power.f4 import PwrF4

_SYSTEM_PLL: Final = ("PLLSRC", "PLLM", "PLLN", "PLLP")

# Device id -> MHz of APB1 and APB2; with over-drive they carry 45 and 90, on F7 54 and 108.
_APB_MHZ: Final = {0x413: (42, 84), 0x423: (42, 84), 0x433: (42, 84), 0x419: (42, 84), 0x434: (42, 84), 0x421: (45, 90)}
_F469: Final = 0x434
_APB_100: Final = (50, 100)


class RccF4(Rcc, ips=("rcc_f4",)):
    """HSI, HSE and the PLL; of the other PLLs PLLSAI feeds the pixels of LTDC, they feed nothing else here."""

    RESET: ClassVar[dict[str, int]] = {
        "CR": 0x83, "PLLCFGR": 0x24003010, "AHB1ENR": 0x00100000, "AHB1LPENR": 0x7E6791FF, "AHB2LPENR": 0xF1,
        "AHB3LPENR": 1, "APB1LPENR": 0xF6FEC9FF, "APB2LPENR": 0x04777F33, "PLLI2SCFGR": 0x24003000,
        "PLLSAICFGR": 0x24003000,
    }  # fmt: skip
    SOURCES: ClassVar[tuple[str, ...]] = ("HSI", "HSE", "PLL")
    START_US: ClassVar[dict[str, int]] = {"HSI": 2, "HSE": 2000, "PLL": 100, "PLLI2S": 100, "PLLSAI": 100}
    CAUSES: ClassVar[dict[str, str]] = {
        "pin": "PADRSTF", "software": "SFTRSTF", "iwdg": "WDGRSTF", "por": "PORRSTF", "option": "BORRSTF",
        "wwdg": "WWDGRSTF",
    }  # fmt: skip
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "LPTIM": ("PCLK", "HSI", "LSI", "LSE"),
        "RNG": ("PLLQ", "PLLSAIP"),
    }
    VCO_MHZ: ClassVar[tuple[int, int]] = (100, 432)

    @property
    def pwr(self) -> PwrF4:
        """Power control of this family."""
        return self.die.block("PWR", PwrF4)

    def note_reset(self, cause: str) -> None:
        super().note_reset(cause)
        if cause == "por":
            self.registers["CSR"] |= self.mask("CSR", "BORRSTF")  # RM0090 7.3.21: power-on sets both

    def used(self) -> set[str]:
        source = self.SOURCES[self.registers["CFGR"] >> 2 & 3]
        return {source, self._pll_source()} if source == "PLL" else {source}

    # the PLL (RM0090 7.3.2)

    def _pll_source(self) -> str:
        return self.SOURCES[self.field("PLLCFGR", "PLLSRC")]

    def _pll(self) -> tuple[float, float, float]:
        """Input, VCO and output P in hertz."""
        into = self._hertz(self._pll_source()) / max(self.field("PLLCFGR", "PLLM"), 1)
        vco = into * self.field("PLLCFGR", "PLLN")
        return into, vco, vco / (2 * self.field("PLLCFGR", "PLLP") + 2)

    def check_start(self, name: str) -> None:
        if name != "PLL":
            return
        if not self.ready(self._pll_source()):
            self.die.refuse(f"PLLON with source {self._pll_source()} not ready", "wait for the source first")
        into, vco, _out = self._pll()
        low, high = self.VCO_MHZ
        m, n, q = (self.field("PLLCFGR", field) for field in ("PLLM", "PLLN", "PLLQ"))
        if m < 2 or not 50 <= n <= 432 or q < 2 or not 0.95e6 <= into <= 2.1e6 or not low * 1e6 <= vco <= high * 1e6:
            self.die.refuse(
                f"PLL: M {m}, N {n}, Q {q}, input {into / 1e6:g} MHz, VCO {vco / 1e6:g} MHz",
                f"M 2..63, N 50..432, Q 2..15, input 1..2, VCO {low}..{high} MHz (RM0090 7.3.2)",
            )

    def write_PLLCFGR(self, value: int) -> None:
        fixed = sum(self.mask("PLLCFGR", field) for field in _SYSTEM_PLL)
        if self.on("PLL") and (value ^ self.registers["PLLCFGR"]) & fixed:
            self.die.refuse("PLLCFGR changed while the PLL is on", "clear PLLON and wait for PLLRDY = 0")
        self.registers["PLLCFGR"] = value & self.masks["PLLCFGR"]
        self.update()

    # frequencies

    def _hertz(self, name: str) -> int:
        return {"HSI": self.HSI_HZ, "HSE": self.hse_hz}.get(name) or round(self._pll()[2])

    def update(self) -> None:
        wanted = self.registers["CFGR"] & 3
        if wanted < len(self.SOURCES) and self.ready(self.SOURCES[wanted]):
            self.registers["CFGR"] = self.registers["CFGR"] & ~0xC | wanted << 2
        self.sysclk = self._hertz(self.SOURCES[self.registers["CFGR"] >> 2 & 3])
        self.set_hclk(ahb_hz(self.sysclk, self.field("CFGR", "HPRE")))

    def check_limits(self) -> None:
        super().check_limits()
        mhz = self.pwr.limit_mhz
        if self.sysclk > mhz * 1_000_000:
            self.die.refuse(
                f"SYSCLK {self.sysclk / 1e6:g} MHz at a voltage for {mhz} MHz",
                "raise PWR_CR1.VOS, or enter over-drive (RM0090 5.1.3)",
            )
        for bus, limit in zip((1, 2), self.apb_mhz(), strict=True):
            if self.pclk(bus) > limit * 1_000_000:
                self.die.forbid(
                    f"APB{bus} at {self.pclk(bus) / 1e6:g} MHz", f"at most {limit} MHz: set RCC_CFGR.PPRE{bus} first"
                )

    def apb_mhz(self) -> tuple[int, int]:
        """What the two APBs carry now."""
        if self.pwr.over_drive:
            return 45, 90
        return _APB_MHZ.get(self.die.chip.device_id, _APB_100)

    def write_CFGR(self, value: int) -> None:
        if value & 3 == 3:
            self.die.refuse("RCC_CFGR.SW = 3", "use 0 (HSI), 1 (HSE) or 2 (PLL)")
        self.registers["CFGR"] = value & self.masks["CFGR"] & ~0xC | self.registers["CFGR"] & 0xC
        self.update()

    def choice(self, name: str) -> int:
        """CLK48SEL is in DCKCFGR of STM32F469 (RM0386), of others that have it in DCKCFGR2 (RM0390, RM0402, RM0410)."""
        if name != "RNG":
            return super().choice(name)
        return self.field("DCKCFGR" if self.die.chip.device_id == _F469 else "DCKCFGR2", "CLK48SEL")

    def source_hz(self, source: str) -> int:
        """PLLQ: 48 MHz for USB, SDIO and RNG (RM0090 7.3.2)."""
        if source == "PLLQ":
            return round(self._pll()[1] / max(self.field("PLLCFGR", "PLLQ"), 1)) if self.ready("PLL") else 0
        return super().source_hz(source)

    def pixel_hz(self) -> int:
        """PLLSAIR divided by PLLSAIDIVR; the PLL's source and M are those of PLLSAI, too (RM0090 6.3)."""
        if not self.ready("PLLSAI"):
            return 0
        n, r = self.field("PLLSAICFGR", "PLLN"), self.field("PLLSAICFGR", "PLLR")
        into = self._pll()[0]
        low, high = self.VCO_MHZ
        if r < 2 or not 50 <= n <= 432 or not 0.95e6 <= into <= 2.1e6 or not low * 1e6 <= into * n <= high * 1e6:
            self.die.refuse(
                f"PLLSAI for LTDC: N {n}, R {r}, input {into / 1e6:g} MHz, VCO {into * n / 1e6:g} MHz",
                f"N 50..432, R 2..7, input 1..2, VCO {low}..{high} MHz (RM0090 6.3)",
            )
        return round(into * n / r / (2 << self.field("DCKCFGR", "PLLSAIDIVR")))

    def root(self, source: str) -> str:
        return self._pll_source() if source == "PLLQ" else source

    def pclk(self, bus: int) -> int:
        """The frequency of APB 1 or 2."""
        return apb_hz(self.hclk, self.field("CFGR", f"PPRE{bus}"))

    def kernel(self, field: str, bus: int) -> int:
        """The clock of a UART: its bus clock (RM0090 30.3.4)."""
        return self.pclk(bus)
