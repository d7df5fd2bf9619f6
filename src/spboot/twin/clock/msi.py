"""Clock trees of L4, L4+, L5 and WL: the MSI, an oscillator of many frequencies."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.twin.clock.pll import RccPll

_MSI_HZ: Final = tuple(
    int(khz * 1000) for khz in (100, 200, 400, 800, 1000, 2000, 4000, 8000, 16000, 24000, 32000, 48000)
)


class MsiRcc(RccPll, like="rcc_l4"):
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
                self.die.forbid("MSIRANGE changed while MSIRDY is 0", "wait for MSIRDY first (RM0351 6.4.1)")
        if value & ~old & self.mask("CR", "MSIPLLEN") and not self.lse_ready():
            self.die.refuse("RCC_CR.MSIPLLEN was set and LSERDY is 0", "wait for the LSE first (RM0351 6.4.1)")
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

    def root(self, source: str) -> str:
        """With MSIPLLEN the MSI is as exact as the LSE makes it: 0.25 % (RM0351 6.2.3)."""
        found = super().root(source)
        locked = found == "MSI" and "MSIPLLEN" in self.fields["CR"] and self.field("CR", "MSIPLLEN")
        return "MSI locked to LSE" if locked and self.lse_ready() else found

    def hertz(self, name: str) -> int:
        if name == "MSI":
            from_cr = self.registers["CR"] & 8
            index = self.registers["CR"] >> 4 & 15 if from_cr else self.registers["CSR"] >> 8 & 15
            return _MSI_HZ[min(index, 11)]
        if name == "HSI":
            return self.HSI_HZ
        return self.hse_hz if name == "HSE" else round(self.pll()[2])
