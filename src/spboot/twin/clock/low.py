"""Clock trees of the low-power families, L0, L4, L4+, L5, WL and G0: one switch, UART clocks chosen in CCIPR."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, NoReturn

from spboot.twin.clock.backup import LSE_HZ
from spboot.twin.clock.rcc import Rcc, ahb_hz, apb_hz


class RccLow(Rcc, like="rcc_l4"):
    """Base of them.  Sections are those of RM0351."""

    READ_ONLY = frozenset({"CIFR"})
    SOURCES: ClassVar[tuple[str, ...]] = ("MSI", "HSI", "HSE", "PLL")
    """What drives the system clock, by the value of CFGR.SW and SWS."""
    PLL_FIELDS: ClassVar[tuple[str, tuple[str, ...]]] = ("PLLCFGR", ("PLLSRC", "PLLM", "PLLN", "PLLR"))
    """Register and fields that must not change while the PLL runs."""
    CAUSES: ClassVar[dict[str, str]] = {
        "pin": "PINRSTF", "software": "SFTRSTF", "iwdg": "IWDGRSTF", "por": "BORRSTF", "option": "OBLRSTF",
        "wwdg": "WWDGRSTF",
    }  # fmt: skip

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "LPTIM": ("PCLK", "LSI", "HSI", "LSE"),
        "RNG": ("HSI48", "PLLSAI1Q", "PLLQ", "MSI"),
    }

    def source_hz(self, source: str) -> int:
        if source == "MSI":
            return self.hertz("MSI") if self.ready("MSI") else 0
        return super().source_hz(source)

    def read_CRRCR(self) -> int:
        """HSI48 is ready as soon as it is on."""
        ready = self.mask("CRRCR", "HSI48RDY") if self.hsi48_runs() else 0
        return self.registers["CRRCR"] | ready

    def write_CRRCR(self, value: int) -> None:
        self.registers["CRRCR"] = value & self.masks["CRRCR"] & ~self.mask("CRRCR", "HSI48RDY")

    def pll_source(self) -> str:
        """What feeds the PLL, "" when nothing does."""
        return ("", "MSI", "HSI", "HSE")[self.field("PLLCFGR", "PLLSRC")]

    def pll(self) -> tuple[float, float, float]:
        """Input, VCO and system clock output in hertz."""
        raise NotImplementedError

    def check_factors(self) -> None:
        """Refuse PLL factors that the manual forbids."""
        raise NotImplementedError

    def hertz(self, name: str) -> int:
        """The frequency of a source."""
        raise NotImplementedError

    def switched(self) -> str:
        """What the system clock runs from."""
        return self.SOURCES[self.field("CFGR", "SWS")]

    def used(self) -> set[str]:
        """A clock that is in use cannot be stopped (RM0351 6.4.1)."""
        name = self.switched()
        return {used for used in (name, self.pll_source() if name == "PLL" else "") if used in self.START_US}

    def check_start(self, name: str) -> None:
        if name != "PLL":
            return
        source = self.pll_source()
        if not source or not self.ready(source):
            self.die.refuse(f"PLLON with source {source or 'none'} not ready", "wait for the source first")
        self.check_factors()

    def refuse_pll(self, advice: str) -> NoReturn:
        """For `check_factors`: raise an error with the factors and what they give."""
        into, vco, out = (hertz / 1e6 for hertz in self.pll())
        factors = ", ".join(f"{f[3:]} {self.field(self.PLL_FIELDS[0], f)}" for f in self.PLL_FIELDS[1] if f != "PLLSRC")
        self.die.refuse(f"PLL: {factors}, input {into:g} MHz, VCO {vco:g} MHz, output {out:g} MHz", advice)

    def write_PLLCFGR(self, value: int) -> None:
        self.check_pll_change("PLLCFGR", value)
        self.registers["PLLCFGR"] = value & self.masks["PLLCFGR"]
        self.update()

    def check_pll_change(self, register: str, value: int) -> None:
        """Refuse factors that change while the PLL runs."""
        where, names = self.PLL_FIELDS
        fixed = sum(self.mask(where, name) for name in names) if register == where else 0
        if self.on("PLL") and (value ^ self.registers[register]) & fixed:
            self.die.refuse(f"{register} changed while the PLL is on", "clear PLLON and wait for PLLRDY = 0")

    def update(self) -> None:
        choice = self.field("CFGR", "SW")
        if choice >= len(self.SOURCES):
            self.die.refuse(f"RCC_CFGR.SW = {choice}", "choose a source that the manual lists")
        wanted = self.SOURCES[choice]
        if wanted in self.START_US and self.ready(wanted):
            enabled = self.fields.get("PLLCFGR", {}).get("PLLREN")
            if wanted == "PLL" and enabled and not self.registers["PLLCFGR"] >> enabled[0] & 1:
                self.die.refuse("system clock from the PLL with PLLREN clear", "set RCC_PLLCFGR.PLLREN")
            status = self.mask("CFGR", "SWS")
            self.registers["CFGR"] = self.registers["CFGR"] & ~status | choice << self.fields["CFGR"]["SWS"][0]
        self.sysclk = self.hertz(self.switched())
        self.set_hclk(ahb_hz(self.sysclk, self.field("CFGR", "HPRE")))

    def write_CFGR(self, value: int) -> None:
        self.check_pll_change("CFGR", value)
        status = self.mask("CFGR", "SWS")
        self.registers["CFGR"] = value & self.masks["CFGR"] & ~status | self.registers["CFGR"] & status
        self.update()

    def pclk(self, bus: int) -> int:
        """The frequency of APB 1 or 2; G0 has one APB."""
        name = f"PPRE{bus}" if f"PPRE{bus}" in self.fields["CFGR"] else "PPRE"
        return apb_hz(self.hclk, self.field("CFGR", name))

    def kernel(self, field: str, bus: int) -> int:
        """The kernel clock that CCIPR selects for a UART, in hertz; 0 when it does not run (RM0351 6.4.27)."""
        choice = self.field("CCIPR", field) if field in self.fields["CCIPR"] else 0
        if choice == 2:
            return self.HSI_HZ if self.ready("HSI") else 0
        if choice == 3:
            return LSE_HZ if self.lse_ready() else 0
        return self.sysclk if choice == 1 else self.pclk(bus)

    def write_CSR(self, value: int) -> None:
        super().write_CSR(value)
        kept = self.masks["CSR"] & ~(self._cause_mask | 3 | self.mask("CSR", "RMVF")) & ~self.flags()
        self.registers["CSR"] = self.registers["CSR"] & ~kept | value & kept

    def flags(self) -> int:
        """Reset flags of causes that the twin does not have."""
        return sum({self.mask("CSR", name) for name in self.fields["CSR"] if name.endswith("RSTF")})

    def write_CICR(self, _value: int) -> None:
        self.registers["CIFR"] = 0
