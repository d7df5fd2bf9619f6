"""RTC of F4, F7, H7, L0, L4 and L4+ (RM0351 38.6, RM0090 26.6)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from spboot.twin.blocks.rtc import Rtc


class RtcV2(Rtc, ips=("rtc_v2_f4", "rtc_v2_f7", "rtc_v2_h7", "rtc_v2_l0", "rtc_v2_l4")):
    """Flags are in ISR, and a 0 clears them."""

    QUIET = frozenset({0, 0x28})

    def read_ISR(self) -> int:
        flags = self.mask("ISR", "ALRF0") if self._alarmed else 0
        return self._status() | flags | (self.mask("ISR", "WUTF") if self._expired else 0)

    def write_ISR(self, value: int) -> None:
        self._write_status(value)
        if not value & self.mask("ISR", "WUTF"):
            self._clear_wake_up()
        if not value & self.mask("ISR", "ALRF0"):
            self._clear_alarm()
