"""The backup domain, of what all clock trees have in common: the 32 kHz oscillators and the clock of the RTC."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.twin.block import Block
from spboot.twin.timeline import PS_PER_US

LSE_HZ: Final = 32_768
NEVER: Final = 1 << 99
_LSE_US: Final = 2_000_000
"""Until the crystal oscillator is stable (DS10969 table 48, tSU(LSE): 2 s typically)."""


class BackupDomain(Block, like="rcc_l4"):
    """What RCC has of it, in BDCR on most families."""

    LSI_HZ: ClassVar[int] = 32_000
    LSI_US: ClassVar[int] = 125
    BACKUP_LOCK: ClassVar[str] = "CR1"
    """Register of PWR with DBP, which opens BDCR."""
    RTC_CLOCK: ClassVar[str] = "BDCR"
    """Register with RTCEN and RTCSEL."""
    BACKUP_RESET: ClassVar[str] = "BDRST"
    """Field of BDCR that clears it."""
    ready_at: dict[str, int]
    """Oscillator -> when it is stable."""
    _lsi_since: int | None

    def schedule(self) -> None:
        """An oscillator of `ready_at` will be ready."""
        raise NotImplementedError

    def _backup(self, suffix: str) -> dict[str, int]:
        """Oscillator whose field NAME*suffix* is in BDCR -> the mask of that field."""
        return {
            name: self.mask("BDCR", name + suffix) for name in ("LSE", "LSI") if name + suffix in self.fields["BDCR"]
        }

    def read_BDCR(self) -> int:
        value, ready = self.registers["BDCR"], self._backup("RDY")
        on = [name for name, mask in self._backup("ON").items() if value & mask]
        value |= sum(ready[name] for name in on if name != "LSE" or self.lse_ready())
        if "LSESYSRDY" in self.fields["BDCR"] and self.lse_runs():
            value |= self.mask("BDCR", "LSESYSRDY")
        return value

    def write_BDCR(self, value: int) -> None:
        if not self.die.block("PWR", Block).field(self.BACKUP_LOCK, "DBP"):
            self.die.forbid(
                f"RCC_BDCR written while PWR_{self.BACKUP_LOCK}.DBP is clear", "set DBP first; it is ignored"
            )
            return
        gone = value & self.mask("BDCR", self.BACKUP_RESET)
        self.registers["BDCR"] = 0 if gone else value & self.masks["BDCR"] & ~sum(self._backup("RDY").values())
        self.backup_written("BDCR", cleared=bool(gone))

    def backup_written(self, register: str, *, cleared: bool) -> None:
        """*register* has LSE and the clock of the RTC, which *cleared* resets (RM0351 6.4.29)."""
        for name in ("RTC", "TAMP"):
            block = self.die.blocks.get(name)
            if block is not None and cleared:
                block.power_on()
                block.reset()
        if not self.field(register, "LSEON"):
            self.ready_at.pop("LSE", None)
        elif "LSE" not in self.ready_at:
            started = 0 if self.field(register, "LSEBYP") else _LSE_US
            self.ready_at["LSE"] = self.die.timeline.now + started * PS_PER_US
        self.schedule()

    def lse_ready(self) -> bool:
        """Whether the 32 kHz crystal oscillator runs."""
        return self.ready_at.get("LSE", NEVER) <= self.die.timeline.now

    def lse_runs(self) -> bool:
        """Whether the LSE is stable, and let through to blocks where LSESYSEN does that."""
        let_through = "LSESYSEN" not in self.fields.get("BDCR", {}) or self.field("BDCR", "LSESYSEN")
        return self.lse_ready() and bool(let_through)

    def start_lsi(self) -> None:
        """The LSI starts; the watchdog does this too."""
        self._lsi_since = self.die.timeline.now + self.LSI_US * PS_PER_US
        self.ready_at["LSI"] = self._lsi_since
        self.schedule()

    def read_CSR(self) -> int:
        value = self.registers["CSR"]
        if value & 1 and self._lsi_since is not None and self.die.timeline.now >= self._lsi_since:
            value |= 2
        return value

    def lsi_runs(self) -> bool:
        """Whether the LSI is on and stable."""
        if "LSION" in self.fields.get("BDCR", {}):
            return bool(self.field("BDCR", "LSION"))
        return bool(self.read_CSR() & self.mask("CSR", "LSIRDY"))

    def lsi_hz(self) -> int:
        """The frequency of the LSI for those that it clocks, 0 while it does not run."""
        return self.lsi_rate() if self.lsi_runs() else 0

    def lsi_rate(self) -> int:
        """The frequency that it has when it runs, which the watchdog makes it do.  LSIPREDIV divides it by 128
        (RM0432 6.4.30, RM0453 RCC_CSR, RM0456 RCC_BDCR)."""
        fields = ((r, f) for r in ("CSR", "BDCR") for f in ("LSIPREDIV", "LSIPRE") if f in self.fields.get(r, {}))
        return self.LSI_HZ // (128 if any(self.field(register, field) for register, field in fields) else 1)

    def rtc_hz(self) -> int:
        """What the RTC runs on now; 0 while that does not run."""
        if not self.field(self.RTC_CLOCK, "RTCEN"):
            return 0
        choice = self.field(self.RTC_CLOCK, "RTCSEL")
        if choice == 1:
            return LSE_HZ if self.lse_ready() else 0
        if choice == 2:
            return self.lsi_hz()
        if choice:
            self.die.refuse(f"RCC_{self.RTC_CLOCK}.RTCSEL = 3", "the twin runs the RTC on LSE (1) or LSI (2)")
        return 0
