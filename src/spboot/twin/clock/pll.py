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

    def check_factors(self) -> None:
        may, (into, vco, out) = self.PLL, (hertz / 1e6 for hertz in self.pll())
        found = (self.field("PLLCFGR", "PLLN"), may.n), (into, may.input_mhz), (vco, may.vco_mhz)
        fits = all(low <= value <= high for value, (low, high) in found)
        if fits and self.field("PLLCFGR", "PLLR") >= may.least_r and out <= may.output_mhz:
            return
        n, ins, vcos = (f"{low:g}..{high:g}" for _, (low, high) in found)
        least = f"R at least {may.least_r}, " if may.least_r else ""
        self.refuse_pll(f"N {n}, {least}input {ins}, VCO {vcos}, output at most {may.output_mhz} MHz ({may.manual})")
