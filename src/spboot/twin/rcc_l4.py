"""Reset and clock control of STM32L4 (RM0351 chapter 6), L4+ (RM0432 chapter 6), L5 (RM0438 chapter 9)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

from spboot.twin.rcc_pll import PllLimits, RccPll

_MSI_HZ: Final = tuple(
    int(khz * 1000) for khz in (100, 200, 400, 800, 1000, 2000, 4000, 8000, 16000, 24000, 32000, 48000)
)


class MsiRcc(RccPll, ips=("rcc_l4",)):
    """A clock tree that starts from the MSI at 4 MHz, whose range comes from CR or CSR."""

    RUNS_FIRST = "MSI"
    RESET_HZ = 4_000_000
    KEPT: ClassVar[dict[str, tuple[str, ...]]] = {"CSR": ("MSISRANGE",)}

    def write_CR(self, value: int) -> None:
        old = self.registers["CR"]
        value |= old & 8  # MSIRGSEL: once set, until a reset (RM0351 6.4.1)
        if not value & 8:
            value = value & ~0xF0 | old & 0xF0
        if (old ^ value) & 0xF8 and old & 1:
            if (value >> 4 & 15) >= len(_MSI_HZ):
                self.die.refuse(f"MSIRANGE {value >> 4 & 15} does not exist", "use 0 to 11 (RM0351 6.4.1)")
            if not self.ready("MSI"):
                self.die.refuse("MSIRANGE changed while MSIRDY is 0", "wait for MSIRDY first (RM0351 6.4.1)")
        super().write_CR(value)

    def write_CSR(self, value: int) -> None:
        """MSISRANGE: 1 to 8 MHz, and only while MSIRGSEL is set (RM0351 6.4.29)."""
        low, width = self.fields["CSR"]["MSISRANGE"]
        new, selected = value >> low & ((1 << width) - 1), self.field("CR", "MSIRGSEL")
        if new != self.field("CSR", "MSISRANGE") and not (4 <= new <= 7 and selected):
            self.die.refuse(
                f"MSISRANGE = {new} with MSIRGSEL = {selected}",
                "set RCC_CR.MSIRGSEL first, and use 4 to 7 (RM0351 6.4.29)",
            )
        super().write_CSR(value)

    def hertz(self, name: str) -> int:
        if name == "MSI":
            from_cr = self.registers["CR"] & 8
            index = self.registers["CR"] >> 4 & 15 if from_cr else self.registers["CSR"] >> 8 & 15
            return _MSI_HZ[min(index, 11)]
        if name == "HSI":
            return self.HSI_HZ
        return self.hse_hz if name == "HSE" else round(self.pll()[2])


class RccL4(MsiRcc, ips=("rcc_l4",)):
    """At most 80 MHz, PLLN to 86; the PLLs of SAI start, but feed nothing here."""

    RESET: ClassVar[dict[str, int]] = {
        "CR": 0x63, "ICSCR": 0x10000000, "PLLCFGR": 0x1000, "PLLSAI1CFGR": 0x1000, "PLLSAI2CFGR": 0x1000,
        "AHB1ENR": 0x100, "CSR": 0x600, "AHB1SMENR": 0x11303, "AHB2SMENR": 0x532FF, "AHB3SMENR": 0x101,
        "APB1SMENR1": 0xF2FECA3F, "APB1SMENR2": 0x25, "APB2SMENR": 0x1677C01,
    }  # fmt: skip
    START_US: ClassVar[dict[str, int]] = {"MSI": 10, "HSI": 2, "HSE": 2000, "PLL": 40, "PLLSAI1": 40, "PLLSAI2": 40}
    PLL: ClassVar[PllLimits] = PllLimits(
        n=(8, 86), r_step=2, input_mhz=(4, 16), vco_mhz=(64, 344), output_mhz=80, manual="RM0351 6.4.4"
    )


class RccL4Plus(RccL4, ips=("rcc_l4plus",)):
    """PLLN to 127.  Above 80 MHz it would take the boost mode, which is not modelled."""

    PLL = replace(RccL4.PLL, n=(8, 127), manual="RM0432 6.4.4")


class RccL5(RccL4, ips=("rcc_l5",)):
    """At most 110 MHz."""

    RESET: ClassVar[dict[str, int]] = {
        "CR": 0x63, "ICSCR": 0x10000000, "PLLCFGR": 0x1000, "PLLSAI1CFGR": 0x1000, "PLLSAI2CFGR": 0x1000,
        "AHB1ENR": 0x100, "CSR": 0x600,
    }  # fmt: skip
    PLL = replace(RccL4.PLL, n=(8, 127), output_mhz=110, manual="RM0438 9.8.4")
