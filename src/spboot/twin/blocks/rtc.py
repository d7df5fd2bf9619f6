"""Real-time clock: calendar, wake-up timer, alarm A and backup registers, on LSE or LSI (RM0351 38, RM0090 26)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.alarm import Alarm
from spboot.twin.blocks.backed_up import BackedUp
from spboot.twin.blocks.exti import Exti
from spboot.twin.die import Die
from spboot.twin.timeline import PS_PER_S

_KEYS: Final = (0xCA, 0x53)
_CENTURY: Final = 2000
_SYNC: Final = 2
"""Cycles of its clock until it is in initialization, or the wake-up timer may be changed (RM0351 38.3.8, 38.3.10)."""
_KNOWN: Final = re.compile(r"TR|DR|SSR|CR|ISR|ICSR|PRER|WUTR|WPR|SR|MISR|SCR|ALRMR0|ALRMSSR0|BKPR\d+")
_IDLE: Final = frozenset({"CALR", "CALIBR", "SHIFTR", "OR", "TAFCR", "TAMPCR", "ALRBINR0"})
"""Registers of what is not modelled that may be read, and set to 0."""
_ALONE: Final = "the twin models calendar, wake-up timer and alarm A alone"
_UNPROTECTED: Final = re.compile(r"WPR|ISR|SCR|BKPR\d+")
_ALARM: Final = (
    ("day", "MSK4", "DU", "DT"), ("hour", "MSK3", "HU", "HT"), ("minute", "MSK2", "MNU", "MNT"),
    ("second", "MSK1", "SU", "ST"),
)  # fmt: skip
"""What of a moment -> fields of ALRMR0: whether any will do, units and tens."""
_USED: Final = (
    *("WUCKSEL", "BYPSHAD", "WUTE", "WUTIE", "ALRE0", "ALRIE0", "BKP", "POL", "COSEL", "TAMPALRM_TYPE", "TAMPALRM_PU"),
)
"""Fields of CR that may be set: 12 hours, outputs, alarm B and time stamps are refused."""


def _bcd(value: int) -> int:
    return value // 10 << 4 | value % 10


class Rtc(BackedUp, like="rtc_v2_l4"):
    """Base of both."""

    RUNS_IN_STOP = True
    RESET: ClassVar[dict[str, int]] = {"DR": 0x2101, "PRER": 0x7F00FF, "WUTR": 0xFFFF}
    STATE: ClassVar[tuple[str, ...]] = (
        *BackedUp.STATE,
        *("_hz", "_ticks", "_since", "_origin", "_origin_ticks", "_locked", "_key", "_open"),
        *("_init_ticks", "_change_ticks", "_sync_ticks", "_due", "_expired", "_alarm_due", "_alarmed"),
    )
    READ_ONLY = frozenset({"SSR", "SR", "MISR"})
    CONTROL: ClassVar[str] = "ISR"
    """Register with INIT, INITF, RSF and WUTWF."""

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        die.timeline.on("RTC", self._on_due)
        for offset, name in self.names.items():
            if not _KNOWN.fullmatch(name):
                self._readers[offset] = partial(self._read_other, name)
                self._writers[offset] = partial(self._write_other, name)

    def _read_other(self, name: str) -> int:
        if name not in _IDLE:
            self.die.refuse(f"{self.name}_{name} was read", _ALONE)
        return 0

    def _write_other(self, name: str, value: int) -> None:
        if value or name not in _IDLE:
            self.die.refuse(f"{self.name}_{name} = {value:#x}", _ALONE)

    def reset(self) -> None:
        kept = not self.fresh
        super().reset()
        if kept:
            self._locked.clear()
            self._take_clock()
            return
        self._hz = self._ticks = self._since = self._origin_ticks = 0
        self._origin = datetime(_CENTURY, 1, 1)
        self._locked: dict[str, int] = {}
        self._key, self._open = 0, False
        self._init_ticks: int | None = None
        self._change_ticks = self._sync_ticks = 0
        self._due: int | None = None
        self._alarm_due: int | None = None
        self._expired = self._alarmed = False
        self.die.timeline.cancel("RTC")

    # its clock

    def clocks_changed(self) -> None:
        if self.registers and self.die.rcc.rtc_hz() != self._hz:
            self._take_clock()

    def _take_clock(self) -> None:
        self._ticks, self._since = self.ticks(), self.die.timeline.now
        self._hz = self.die.rcc.rtc_hz()
        self._schedule()

    def ticks(self) -> int:
        """Cycles of its clock up to now, since it was reset."""
        return self._ticks + (self.die.timeline.now - self._since) * self._hz // PS_PER_S

    def _divider(self) -> int:
        """Cycles in a second of the calendar."""
        return (self.field("PRER", "PREDIV_A") + 1) * (self.field("PRER", "PREDIV_S") + 1)

    def _schedule(self) -> None:
        times = (self._due, self._alarm_due, self._init_ticks, self._change_ticks, self._sync_ticks)
        later = [ticks for ticks in times if ticks is not None and ticks > self._ticks]
        if later and self._hz:
            span = -(-(min(later) - self._ticks) * PS_PER_S // self._hz)
            self.die.timeline.at("RTC", self._since + span)
        else:
            self.die.timeline.cancel("RTC")

    def _rebase(self) -> None:
        now = self.die.timeline.now
        ticks = self.ticks()
        self._since, self._ticks = self._since + (ticks - self._ticks) * PS_PER_S // (self._hz or 1), ticks
        if not self._hz:
            self._since = now
        self._schedule()

    def _on_due(self, _when: int) -> None:
        while self._due is not None and self.ticks() >= self._due:
            self._due += self._period()
            self._expired = True
        if self._alarm_due is not None and self.ticks() >= self._alarm_due:
            self._alarmed = True
            self._set_alarm()
        self._rebase()
        self._signal()

    # the calendar

    def _lock(self, *registers: str) -> None:
        """Reading SSR holds TR and DR, reading TR holds DR, until DR is read (RM0351 38.3.8)."""
        if not self.field("CR", "BYPSHAD"):
            now = self.ticks()
            for register in registers:
                self._locked.setdefault(register, now)

    def _moment(self, register: str) -> datetime:
        """What the calendar shows in TR or DR."""
        ticks = self._locked.get(register, self.ticks())
        return self._origin + timedelta(seconds=(ticks - self._origin_ticks) // self._divider())

    def _halted(self) -> bool:
        return self._init_ticks is not None

    def read_TR(self) -> int:
        if self._halted():
            return self.registers["TR"]
        moment, value = self._moment("TR"), 0
        self._lock("DR")
        for units, number in (("SU", moment.second), ("MNU", moment.minute), ("HU", moment.hour)):
            value |= _bcd(number) << self.fields["TR"][units][0]
        return value

    def read_DR(self) -> int:
        if self._halted():
            return self.registers["DR"]
        moment, value = self._moment("DR"), 0
        self._locked = {}
        for units, number in (("DU", moment.day), ("MU", moment.month), ("YU", moment.year - _CENTURY)):
            value |= _bcd(number) << self.fields["DR"][units][0]
        return value | self._weekday(moment) << self.fields["DR"]["WDU"][0]

    def _weekday(self, moment: datetime) -> int:
        """1 is Monday, counted from what the firmware set."""
        return (self.field("DR", "WDU") - 1 + (moment.date() - self._origin.date()).days) % 7 + 1

    def read_SSR(self) -> int:
        self._lock("TR", "DR")
        slow = (self.ticks() - self._origin_ticks) // (self.field("PRER", "PREDIV_A") + 1)
        most = self.field("PRER", "PREDIV_S")
        return most - slow % (most + 1)

    def _two(self, register: str, units: str, tens: str) -> int:
        return 10 * self.field(register, tens) + self.field(register, units)

    def _set_calendar(self) -> None:
        two = self._two
        try:
            self._origin = datetime(
                *(_CENTURY + two("DR", "YU", "YT"), two("DR", "MU", "MT"), two("DR", "DU", "DT")),
                *(two("TR", "HU", "HT"), two("TR", "MNU", "MNT"), two("TR", "SU", "ST")),
            )
        except ValueError as error:
            found = f"{self.name} was set to DR {self.registers['DR']:#x}, TR {self.registers['TR']:#x}: {error}"
            self.die.refuse(found, "set a day and a time that exist")
        self._origin_ticks, self._locked = self.ticks(), {}
        self._set_alarm()

    def _set_in_init(self, register: str, value: int) -> None:
        """The calendar and its prescalers change in initialization mode alone (RM0351 38.3.8)."""
        if self._init_ticks is None or self.ticks() < self._init_ticks:
            advice = "set INIT and wait for INITF first; it is ignored"
            self.die.forbid(f"{self.name}_{register} written while INITF is 0", advice)
        else:
            self.registers[register] = value & self.masks[register]

    def write_TR(self, value: int) -> None:
        self._set_in_init("TR", value)

    def write_DR(self, value: int) -> None:
        self._set_in_init("DR", value)

    def write_PRER(self, value: int) -> None:
        self._set_in_init("PRER", value)

    # protection (RM0351 38.3.8)

    def write(self, offset: int, size: int, value: int) -> None:
        name = self.names.get(offset & ~3, "")
        if not self.may_write(offset):
            return
        if not self._open and self._protects(name, size, value):
            self.die.forbid(
                f"{self.name}_{name} written while it is protected", "write 0xCA, then 0x53 to RTC_WPR; it is ignored"
            )
            return
        super().write(offset, size, value)
        self._rebase()

    def _protects(self, name: str, _size: int, _value: int) -> bool:
        """Whether writing *value* to the register *name* takes the keys."""
        return not _UNPROTECTED.fullmatch(name)

    def write_WPR(self, value: int) -> None:
        self._open = value == _KEYS[1] and self._key == _KEYS[0]
        self._key = value

    def read_WPR(self) -> int:
        return 0

    # initialization and flags

    def _status(self) -> int:
        """The bits of CONTROL that come and go by themselves."""
        ticks = self.ticks()
        bits = ["ALRWF1", *([] if self.field("CR", "ALRE0") else ["ALRWF0"])]
        bits = [name for name in bits if name in self.fields[self.CONTROL]]
        if self._init_ticks is not None:
            bits += ["INIT", *(["INITF"] if ticks >= self._init_ticks else [])]
        if not self.field("CR", "WUTE") and ticks >= self._change_ticks:
            bits.append("WUTWF")
        if self._hz and ticks >= self._sync_ticks and self._init_ticks is None:
            bits.append("RSF")
        if self.field("DR", "YU") or self.field("DR", "YT"):
            bits.append("INITS")
        return sum(self.mask(self.CONTROL, bit) for bit in bits)

    def _write_status(self, value: int) -> None:
        wanted = bool(value & self.mask(self.CONTROL, "INIT"))
        if wanted != (self._init_ticks is not None) and not self._open:
            self.die.forbid(
                f"{self.name}: INIT written while it is protected", "write 0xCA, then 0x53 to RTC_WPR; it is ignored"
            )
            wanted = self._init_ticks is not None
        if wanted and self._init_ticks is None:
            self._locked = {}
            self.registers["TR"], self.registers["DR"] = self.read_TR(), self.read_DR()
            self._init_ticks = self.ticks() + _SYNC
        elif not wanted and self._init_ticks is not None:
            self._init_ticks = None
            self._set_calendar()
            self._sync_ticks = self.ticks() + _SYNC
        if not value & self.mask(self.CONTROL, "RSF"):
            self._sync_ticks = self.ticks() + _SYNC

    # the wake-up timer (RM0351 38.3.7)

    def _period(self) -> int:
        chosen, count = self.field("CR", "WUCKSEL"), self.field("WUTR", "WUT")
        slow = bool(chosen & 4)
        wide = slow and bool(chosen & 2)
        return (count + 1 + (wide << 16)) * (self._divider() if slow else 16 >> chosen)

    def write_WUTR(self, value: int) -> None:
        if not self._may_change("WUTR"):
            return
        self.registers["WUTR"] = value & self.masks["WUTR"]
        if "WUTOCLR" in self.fields["WUTR"] and self.field("WUTR", "WUTOCLR"):
            self.die.refuse("RTC_WUTR.WUTOCLR was set", "the twin clears WUTF by software alone: leave it 0")

    def _may_change(self, what: str) -> bool:
        if not self.field("CR", "WUTE") and self.ticks() >= self._change_ticks:
            return True
        advice = "clear WUTE and wait for WUTWF first; it is ignored"
        self.die.forbid(f"{self.name}_{what} changed while WUTWF is 0", advice)
        return False

    def write_CR(self, value: int) -> None:
        value &= self.masks["CR"]
        used = sum(self.mask("CR", field) for field in _USED if field in self.fields["CR"])
        if value & ~used:
            bits = value & ~used
            names = [f for f in self.fields["CR"] if self.mask("CR", f) & bits]
            self.die.refuse(f"RTC_CR.{names[0]} was set", _ALONE)
        before = self.registers["CR"]
        choice = self.mask("CR", "WUCKSEL")
        if (value ^ before) & choice and not self._may_change("CR.WUCKSEL"):
            value = value & ~choice | before & choice
        self.registers["CR"] = value
        on = self.mask("CR", "WUTE")
        if value & on and not before & on:
            self._due = self.ticks() + self._period()
        elif before & on and not value & on:
            self._due, self._change_ticks = None, self.ticks() + _SYNC
        if (value ^ before) & self.mask("CR", "ALRE0"):
            self._set_alarm()
        self._signal()

    # alarm A (RM0351 38.3.6)

    def _may_set_alarm(self, register: str) -> bool:
        if not self.field("CR", "ALRE0"):
            return True
        advice = "clear RTC_CR.ALRAE first; it is ignored"
        self.die.forbid(f"{self.name}_{register} written while alarm A is on", advice)
        return False

    def write_ALRMR0(self, value: int) -> None:
        if self._may_set_alarm("ALRMAR"):
            self.registers["ALRMR0"] = value & self.masks["ALRMR0"]

    def write_ALRMSSR0(self, value: int) -> None:
        if not self._may_set_alarm("ALRMASSR"):
            return
        if value & self.mask("ALRMSSR0", "MASKSS"):
            self.die.refuse("RTC_ALRMASSR.MASKSS was set", "the twin compares whole seconds alone: leave it 0")
        self.registers["ALRMSSR0"] = value & self.masks["ALRMSSR0"]

    def _set_alarm(self) -> None:
        """When it goes off next; never while it is off, or set to a time that does not come."""
        self._alarm_due = None
        if not self.field("CR", "ALRE0") or self._halted():
            return
        seconds = (self.ticks() - self._origin_ticks) // self._divider() + 1
        start = self._origin + timedelta(seconds=seconds)
        found = self._alarm().after(start, self._weekday(start))
        if found is not None:
            seconds = round((found - self._origin).total_seconds())
            self._alarm_due = self._origin_ticks + seconds * self._divider()

    def _alarm(self) -> Alarm:
        given = {
            name: None if self.field("ALRMR0", mask) else self._two("ALRMR0", units, tens)
            for name, mask, units, tens in _ALARM
        }
        return Alarm(**given | {"weekday": given["day"], "day": None} if self.field("ALRMR0", "WDSEL") else given)

    # interrupts

    def _clear_wake_up(self) -> None:
        self._expired = False
        self._signal()

    def _clear_alarm(self) -> None:
        self._alarmed = False
        self._signal()

    def _signal(self) -> None:
        """Its interrupts, by way of EXTI where the family has them so; and the end of Standby."""
        exti = self.die.block("EXTI", Exti)
        for signal, flag, enable in (("WKUP", self._expired, "WUTIE"), ("ALARM", self._alarmed, "ALRIE0")):
            level = flag and bool(self.field("CR", enable))
            line = exti.line_of(self.name, signal)
            if line is not None and exti.drives(line):
                exti.drive(line, level)
            else:
                self.line(signal, level)
            if level:
                self.die.end_standby()
