"""RTC of G0, G4, H5, L5, U5, WL and the newest of L4 and L4+ (RM0444, RTC registers)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import Final

from spboot.twin.blocks.rtc import Rtc

_GUARDED: Final = frozenset({"TR", "DR", "PRER", "CALR", "SHIFTR"})
_GUARDED_BITS: Final = ("FMT", "SUB1H", "ADD1H", "REFCKON")


class RtcV3(Rtc, ips=("rtc_v3_base", "rtc_v3_l4", "rtc_v3_l5"), like="rtc_v3_base"):
    """Flags are in SR, and SCR clears them; backup registers are in TAMP."""

    QUIET = frozenset({0, 8})
    CONTROL = "ICSR"

    def read_ICSR(self) -> int:
        return self._status()

    def write_ICSR(self, value: int) -> None:
        if "BIN" in self.fields["ICSR"] and value & self.mask("ICSR", "BIN"):
            self.die.refuse("RTC_ICSR.BIN was set", "the twin models the calendar in BCD alone")
        self._write_status(value)

    def read_SR(self) -> int:
        return (self.mask("SR", "WUTF") if self._expired else 0) | (self.mask("SR", "ALRF0") if self._alarmed else 0)

    def read_MISR(self) -> int:
        """The flags of SR that interrupt."""
        value = self.mask("MISR", "WUTMF") if self._expired and self.field("CR", "WUTIE") else 0
        return value | (self.mask("MISR", "ALRMF0") if self._alarmed and self.field("CR", "ALRIE0") else 0)

    def write_SCR(self, value: int) -> None:
        if value & self.mask("SCR", "CWUTF"):
            self._clear_wake_up()
        if value & self.mask("SCR", "CALRF0"):
            self._clear_alarm()

    def read_SCR(self) -> int:
        return 0


class RtcU5(RtcV3, ips=("rtc_v3_u5",)):
    """U5 and H5 protect the calendar alone: alarms and the wake-up timer take no keys (RM0456 63.3.10)."""

    def _protects(self, name: str, size: int, value: int) -> bool:
        if name == "CR":
            bits = sum(self.mask("CR", bit) for bit in _GUARDED_BITS)
            return size != 4 or bool((value ^ self.registers["CR"]) & bits)
        return name in _GUARDED
