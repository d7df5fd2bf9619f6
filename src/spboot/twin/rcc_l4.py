"""Reset and clock control of STM32L47x/L48x (RM0351 chapter 6)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.twin.rcc import LSE_HZ, Rcc

_MSI_HZ: Final = tuple(
    int(khz * 1000) for khz in (100, 200, 400, 800, 1000, 2000, 4000, 8000, 16000, 24000, 32000, 48000)
)
_MAX_HZ: Final = 80_000_000
_NO_SWITCH: Final = ("MSI", "HSI", "HSE", "PLL")


class RccL4(Rcc):
    """MSI, HSI, HSE and the PLL; the PLLs of SAI start, but feed nothing here."""

    RESET: ClassVar[dict[str, int]] = {
        "CR": 0x63, "ICSCR": 0x10000000, "PLLCFGR": 0x1000, "PLLSAI1CFGR": 0x1000, "PLLSAI2CFGR": 0x1000,
        "AHB1ENR": 0x100, "CSR": 0x600, "AHB1SMENR": 0x11303, "AHB2SMENR": 0x532FF, "AHB3SMENR": 0x101,
        "APB1SMENR1": 0xF2FECA3F, "APB1SMENR2": 0x25, "APB2SMENR": 0x1677C01,
    }  # fmt: skip
    READ_ONLY = frozenset({"CIFR"})
    START_US: ClassVar[dict[str, int]] = {"MSI": 10, "HSI": 2, "HSE": 2000, "PLL": 40, "PLLSAI1": 40, "PLLSAI2": 40}
    RUNS_FIRST = "MSI"
    RESET_HZ = 4_000_000
    CAUSES: ClassVar[dict[str, str]] = {
        "pin": "PINRSTF", "software": "SFTRSTF", "iwdg": "IWDGRSTF", "por": "BORRSTF", "option": "OBLRSTF",
    }  # fmt: skip

    def write_CR(self, value: int) -> None:
        old = self.registers["CR"]
        if not value & 8:  # MSIRGSEL: the range then comes from CSR
            value = value & ~0xF0 | old & 0xF0 if not old & 8 else value
        if (old ^ value) & 0xF8 and old & 1 and (value >> 4 & 15) >= len(_MSI_HZ):
            raise self.twin.refusal(f"MSIRANGE {value >> 4 & 15} does not exist", "use 0 to 11 (RM0351 6.4.1)")
        super().write_CR(value)

    def used(self) -> set[str]:
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

    def check_start(self, name: str) -> None:
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
        if self.on("PLL") and (value ^ self.registers["PLLCFGR"]) & fixed:
            raise self.twin.refusal("PLLCFGR changed while the PLL is on", "clear PLLON and wait for PLLRDY = 0")
        self.registers["PLLCFGR"] = value & self.masks["PLLCFGR"]
        self.update()

    # frequencies

    def _hertz(self, name: str) -> int:
        if name == "MSI":
            from_cr = self.registers["CR"] & 8
            index = self.registers["CR"] >> 4 & 15 if from_cr else self.registers["CSR"] >> 8 & 15
            return _MSI_HZ[min(index, 11)]
        if name == "HSI":
            return self.HSI_HZ
        return self.hse_hz if name == "HSE" else round(self._pll()[2])

    def update(self) -> None:
        wanted = _NO_SWITCH[self.registers["CFGR"] & 3]
        if self.ready(wanted):
            if wanted == "PLL" and not self.registers["PLLCFGR"] & self.mask("PLLCFGR", "PLLREN"):
                raise self.twin.refusal("system clock from the PLL with PLLREN clear", "set RCC_PLLCFGR.PLLREN")
            self.registers["CFGR"] = self.registers["CFGR"] & ~0xC | (self.registers["CFGR"] & 3) << 2
        self.sysclk = self._hertz(_NO_SWITCH[self.registers["CFGR"] >> 2 & 3])
        prescaler = self.registers["CFGR"] >> 4 & 15
        self.set_hclk(self.sysclk >> (0 if prescaler < 8 else prescaler - 7 if prescaler < 12 else prescaler - 6))

    def write_CFGR(self, value: int) -> None:
        self.registers["CFGR"] = value & self.masks["CFGR"] & ~0xC | self.registers["CFGR"] & 0xC
        self.update()

    def pclk(self, bus: int) -> int:
        """The frequency of APB 1 or 2."""
        prescaler = self.field("CFGR", f"PPRE{bus}")
        return self.hclk >> (prescaler - 3 if prescaler >= 4 else 0)

    def kernel(self, field: str, bus: int) -> int:
        """The kernel clock that CCIPR selects for a UART, in hertz; 0 when it does not run (RM0351 6.4.27)."""
        choice = self.field("CCIPR", field) if field in self.fields["CCIPR"] else 0
        if choice == 2:
            return self.HSI_HZ if self.ready("HSI") else 0
        if choice == 3:
            return LSE_HZ if self.read_BDCR() & 2 else 0
        return self.sysclk if choice == 1 else self.pclk(bus)

    def write_CSR(self, value: int) -> None:
        super().write_CSR(value)
        self.registers["CSR"] = self.registers["CSR"] & ~0xF00 | value & 0xF00

    def write_CICR(self, _value: int) -> None:
        self.registers["CIFR"] = 0
