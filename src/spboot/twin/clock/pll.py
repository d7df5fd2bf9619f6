"""The PLL of G0, L4, L4+, L5 and WL: PLLCFGR with factors M, N and R."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spboot.twin.clock.low import RccLow


@dataclass(frozen=True, slots=True, kw_only=True)
class PllLimits:
    """What the manual allows; bounds are included."""

    n: tuple[int, int]
    input_mhz: tuple[float, float]
    vco_mhz: tuple[float, float]
    output_mhz: int
    manual: str
    r_step: int = 1
    """The divider is this many times R + 1."""
    least_r: int = 0


class RccPll(RccLow):
    """Base of them."""

    PLL: ClassVar[PllLimits]

    def pll(self) -> tuple[float, float, float]:
        source = self.pll_source()
        into = (self.hertz(source) if source else 0) / (self.field("PLLCFGR", "PLLM") + 1)
        vco = into * self.field("PLLCFGR", "PLLN")
        return into, vco, vco / (self.PLL.r_step * (self.field("PLLCFGR", "PLLR") + 1))

    def source_hz(self, source: str) -> int:
        """PLLQ and PLLSAI1Q, which are divided as the output for the system clock is (RM0351 6.4.4, 6.4.5)."""
        if source not in ("PLLQ", "PLLSAI1Q"):
            return super().source_hz(source)
        name, vco = (f"{source[:-1]}CFGR", self.pll()[1] if source == "PLLQ" else self._sai1_vco())
        if not self.field(name, "PLLQEN") or not self.ready(source[:-1]):
            return 0
        return round(vco / (self.PLL.r_step * (self.field(name, "PLLQ") + 1)))

    def root(self, source: str) -> str:
        return self.pll_source() if source in ("PLLQ", "PLLSAI1Q") else source

    def _sai1_vco(self) -> float:
        """It shares source and divider with the PLL, or has its own divider."""
        source = self.pll_source()
        divider = "PLLSAI1CFGR" if "PLLM" in self.fields["PLLSAI1CFGR"] else "PLLCFGR"
        into = (self.hertz(source) if source else 0) / (self.field(divider, "PLLM") + 1)
        return into * self.field("PLLSAI1CFGR", "PLLN")

    def check_factors(self) -> None:
        may, (into, vco, out) = self.PLL, (hertz / 1e6 for hertz in self.pll())
        found = (self.field("PLLCFGR", "PLLN"), may.n), (into, may.input_mhz), (vco, may.vco_mhz)
        fits = all(low <= value <= high for value, (low, high) in found)
        if fits and self.field("PLLCFGR", "PLLR") >= may.least_r and out <= may.output_mhz:
            return
        n, ins, vcos = (f"{low:g}..{high:g}" for _, (low, high) in found)
        least = f"R at least {may.least_r}, " if may.least_r else ""
        self.refuse_pll(f"N {n}, {least}input {ins}, VCO {vcos}, output at most {may.output_mhz} MHz ({may.manual})")
