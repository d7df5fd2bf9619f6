"""The RTC on every family: calendar, wake-up timer, what wakes from Stop and Standby; and the time LSE takes."""

from __future__ import annotations

import pytest

from spboot import chips
from spboot.errors import TwinError
from spboot.twin import Twin
from tests.families import ALL, Facts

from .conftest import finish, out, refuses, twin_of
from .test_exti import BY_FAMILY
from .test_stop import DEEP

OFFSETS = {2: {"isr": 0xC, "cr": 0x8, "scr": 0xC}, 3: {"isr": 0xC, "cr": 0x18, "scr": 0x5C}}
"""By version (RM0351 38.6, RM0444 30.6)."""
OPEN = "RTC(0x24) = 0xca; RTC(0x24) = 0x53;"


def names(facts: Facts) -> str:
    rtc = facts.rtc
    offsets = OFFSETS[rtc["version"]]
    clear = "0xfffffb7f" if rtc["version"] == 2 else "4"
    return f"""
        #define RTC(offset) REG({rtc["base"]:#x} + (offset))
        #define ISR RTC({offsets["isr"]})
        #define CR RTC({offsets["cr"]})
        #define CLEAR RTC({offsets["scr"]:#x}) = {clear}
        static void lse(void) {{ {rtc["clock"]} REG({rtc["backup"]:#x}) |= {rtc["lse"][0]:#x};
            while (!(REG({rtc["backup"]:#x}) & {rtc["lse"][1]:#x})) {{}}
            REG({rtc["backup"]:#x}) |= {rtc["lse"][2]:#x}; {OPEN} }}
        static void line(void) {{ {_line(facts)} REG(0xe000e100) = 1u << {rtc["irq"]}; }}
        static void timer(uint32_t seconds) {{ CR = 0; while (!(ISR & 4)) {{}} RTC(0x14) = seconds - 1;
            CR = 4; CR = 4 | 1u << 10 | 1u << 14; }}
    """


def _line(facts: Facts) -> str:
    """Lets the line through, on its rising edge where it has one."""
    line, exti = facts.rtc["line"], facts.exti
    if line < 0:
        return ""
    edge = f"REG({exti['rtsr']:#x}) |= 1u << {line};" if facts.rtc["edge"] else ""
    return f"{edge} REG({exti['imr']:#x}) |= 1u << {line};"


def clear_line(facts: Facts) -> str:
    return f"REG({facts.exti['rpr']:#x}) = 1u << {facts.rtc['line']};" if facts.rtc["edge"] else ""


def run(facts: Facts, code: str) -> Twin:
    return twin_of(
        f"{names(facts)} void irq(void) {{ OUT[0]++; CLEAR; {clear_line(facts)} }}"
        f" void main_(void) {{ for (int i = 0; i < 8; i++) OUT[i] = 0; {code} }}",
        facts.part,
    )


@BY_FAMILY
def test_the_crystal_takes_two_seconds(facts: Facts) -> None:
    """DS10969 table 48, tSU(LSE)."""
    twin = run(facts, "lse();")
    finish(twin, seconds=3)
    assert 2 <= twin.time < 2.01


@BY_FAMILY
def test_the_calendar_counts(facts: Facts) -> None:
    """RM0351 38.3.3, 38.3.8: from 23:59:58 on 2024-02-28, a Wednesday; five seconds later it is the 29th."""
    twin = run(
        facts,
        """lse(); ISR = 0xffffffff & 0x3ff80; while (!(ISR & 1u << 6)) {}
        RTC(0x10) = 0x7f00ff; RTC(0) = 0x235958; RTC(4) = 0x246228; ISR = 0x3ff00; OUT[7] = 1;
        while (OUT[6] == 0) {} OUT[1] = RTC(0); OUT[2] = RTC(4);""".replace(
            "0xffffffff & 0x3ff80", "0x80" if facts.rtc["version"] == 3 else "0xffffffff"
        ).replace("0x3ff00", "0" if facts.rtc["version"] == 3 else "0xffffff7f"),
    )
    assert twin.run(until=lambda: out(twin, 7) == 1, seconds=3)
    twin.run(seconds=5)
    twin.core.uc.mem_write(0x20000100 + 24, b"\1")
    finish(twin)
    assert (hex(out(twin, 1)), hex(out(twin, 2))) == ("0x3", "0x248229")


def test_the_lsi_divided_by_128() -> None:
    """RM0432 6.4.30: LSIPREDIV divides what the LSI gives to the RTC."""
    twin = twin_of(
        """void main_(void) { REG(0x40021058) |= 1u << 28; (void)REG(0x40021058); REG(0x40007000) |= 1u << 8;
            REG(0x40021094) |= 1u << 4 | 1; while (!(REG(0x40021094) & 2)) {}
            REG(0x40021090) = 1u << 15 | 2u << 8; }""",
        "STM32L4R9AI",
    )
    finish(twin)
    assert twin.rcc.rtc_hz() == 250


@BY_FAMILY
def test_the_wake_up_timer_ends_stop(facts: Facts) -> None:
    """RM0351 38.3.7 and 5.3.6: every three seconds, by the line of EXTI."""
    twin = run(facts, f'lse(); line(); timer(3); {DEEP} for (int i = 0; i < 2; i++) __asm volatile("wfi");')
    assert twin.run(until=lambda: twin.in_stop, seconds=3)
    start = twin.time
    finish(twin, seconds=10)
    assert out(twin) == 2
    assert twin.time - start == pytest.approx(6, abs=0.01)


MASKED = [facts for facts in ALL.values() if facts.rtc["line"] >= 0]


@pytest.mark.parametrize("facts", MASKED, ids=lambda facts: facts.name)
def test_a_masked_line_keeps_it_asleep(facts: Facts) -> None:
    """The interrupt mask of EXTI decides (RM0444 13.3)."""
    mask = f"REG({facts.exti['imr']:#x}) &= ~(1u << {facts.rtc['line']});"
    twin = run(facts, f'lse(); line(); {mask} timer(1); {DEEP} __asm volatile("wfi");')
    assert twin.run(until=lambda: twin.in_stop, seconds=3)
    assert not twin.run(until=lambda: not twin.in_stop, seconds=5)


@BY_FAMILY
def test_alarm_a_ends_stop(facts: Facts) -> None:
    """RM0351 38.3.6: at second 5 of every minute, from 00:00:00 on."""
    lines = {"STM32L4": 18, "STM32L4+": 18}
    line = lines.get(facts.name, 17) if facts.rtc["edge"] or facts.name == "STM32WL" else facts.rtc["line"]
    irq = {"STM32WL": 42}.get(facts.name, 41 if facts.rtc["irq"] == 3 else 2)
    other = ALL[facts.name].__class__(
        **{name: getattr(facts, name) for name in facts.__dataclass_fields__}
        | {"rtc": facts.rtc | {"line": line, "irq": irq & 31}}
    )
    code = f"""lse(); line(); REG(0xe000e100 + {irq // 32 * 4}) = 1u << {irq & 31};
        RTC({"0x40" if facts.rtc["version"] == 3 else "0x1c"}) = 0x80808005u; CR = 1u << 8 | 1u << 12;
        {DEEP} for (int i = 0; i < 2; i++) __asm volatile("wfi"); OUT[1] = RTC(0);"""
    clear = "0xfffffe7f" if facts.rtc["version"] == 2 else "1"
    twin = twin_of(
        f"{names(other)} void irq(void) {{ OUT[0]++; RTC({OFFSETS[facts.rtc['version']]['scr']}) = {clear};"
        f" {clear_line(other)} }} void main_(void) {{ for (int i = 0; i < 8; i++) OUT[i] = 0; {code} }}",
        facts.part,
    )
    finish(twin, seconds=70)
    assert out(twin) == 2
    assert hex(out(twin, 1)) == "0x105"


def to_standby(facts: Facts) -> str:
    """What sets PWR up for it, by the names in tests/families."""
    step, pwr = facts.standby["sleep"], chips.load(facts.part).blocks["PWR"]
    register = chips.registers(pwr.ip)[step["register"]]
    low, width = register.fields[step["field"]] if "field" in step else (0, 0)
    bits = step.get("set", ((1 << width) - 1) << low)
    at = f"REG({pwr.address + register.offset:#x})"
    return f"{at} = {at} & ~{step.get('clear', 0):#x}u | {bits:#x};"


@BY_FAMILY
def test_the_wake_up_timer_ends_standby(facts: Facts) -> None:
    """RM0351 5.3.8: without EXTI and NVIC."""
    twin = run(facts, f'lse(); timer(2); {to_standby(facts)} {DEEP} __asm volatile("wfi");')
    assert twin.run(until=lambda: twin.in_standby, seconds=3)
    start = twin.time
    assert twin.run(until=lambda: not twin.in_standby, seconds=3)
    assert twin.time - start == pytest.approx(2, abs=0.01)


def test_the_wake_up_timer_ends_standby_and_backup_registers_stay() -> None:
    """RM0351 5.3.8, 38.6.20."""
    twin = run(
        ALL["STM32L4"],
        f"""{ALL["STM32L4"].rtc["clock"]} if (RTC(0x50) == 7) {{ OUT[0] = 9; return; }}
        lse(); RTC(0x50) = 7; timer(2); REG(0x40007000) |= 3; {DEEP} __asm volatile("wfi");""",
    )
    assert twin.run(until=lambda: twin.in_standby, seconds=3)
    start = twin.time
    assert twin.run(until=lambda: out(twin) == 9, seconds=3)
    assert twin.time - start == pytest.approx(2, abs=0.01)


def test_the_shadow_registers_fit_together() -> None:
    """RM0351 38.3.8: after SSR, TR and DR stay as they were until DR is read; BYPSHAD shows the counters."""
    twin = run(
        ALL["STM32L4"],
        """lse(); OUT[1] = RTC(0x28); OUT[7] = 1; while (OUT[6] == 0) {} OUT[2] = RTC(0); OUT[3] = RTC(4);
        OUT[4] = RTC(0); CR = 1u << 5; OUT[5] = RTC(0);""",
    )
    assert twin.run(until=lambda: out(twin, 7) == 1, seconds=3)
    twin.run(seconds=5)
    twin.core.uc.mem_write(0x20000100 + 24, b"\1")
    finish(twin)
    assert [out(twin, i) for i in (2, 3, 4, 5)] == [0, 0x2101, 5, 5]


def test_a_reset_leaves_it_running_and_a_power_on_does_not() -> None:
    """RM0351 6.1.3, 38.3.9."""
    facts = ALL["STM32L4"]
    twin = run(facts, f"{facts.rtc['clock']} OUT[1] = RTC(0x50); OUT[2] = RTC(0); lse(); RTC(0x50) = 5;")
    finish(twin, seconds=3)
    twin.run(seconds=4)
    twin.reset("pin")
    twin.run(seconds=0.1)
    assert (out(twin, 1), out(twin, 2)) == (5, 4)
    twin.power_on()
    twin.run(seconds=0.1)
    assert (out(twin, 1), out(twin, 2)) == (0, 0)


def test_a_snapshot_holds_the_timer() -> None:
    twin = run(ALL["STM32L4"], f'lse(); line(); timer(3); {DEEP} __asm volatile("wfi");')
    assert twin.run(until=lambda: twin.in_stop, seconds=3)
    taken = twin.snapshot()
    finish(twin, seconds=4)
    twin.restore(taken)
    assert twin.in_stop
    finish(twin, seconds=4)
    assert out(twin) == 1


GUARDED = {0x0: 1, 0x4: 0x2201, 0x10: 0x7F00FF, 0x18: 1 << 6, 0x28: 1 << 16, 0x2C: 1 << 31}
"""Offset -> a value: TR, DR, PRER; of CR FMT, and of CALR and SHIFTR something."""


@pytest.mark.parametrize("family", ["STM32H5", "STM32U5"])
def test_alarms_and_the_wake_up_timer_of_u5_take_no_keys(family: str) -> None:
    """RM0456 63.3.10: TR, DR, PRER, CALR, SHIFTR and FMT, SUB1H, ADD1H, REFCKON of CR do; RM0351 38.3.8: all do."""
    facts = ALL[family]
    code = "lse(); line(); RTC(0x24) = 0; RTC(0x40) = 1u << 31; RTC(0x44) = 0; timer(2); while (!OUT[0]) {}"
    finish(run(facts, code), seconds=9)
    for offset, value in GUARDED.items():
        refuses(
            facts.part,
            f"lse(); RTC(0x24) = 0; RTC({offset:#x}) = {value:#x};",
            "written while it is protected",
            before=names(facts),
        )


@pytest.mark.parametrize("family", ["STM32WL", "STM32G0", "STM32U5"])
def test_a_binary_alarm_that_is_off_may_be_set_to_0(family: str) -> None:
    """RM0453, RTC_ALRABINR: for the binary mode, which is not modelled."""
    facts = ALL[family]
    finish(run(facts, "lse(); RTC(0x70) = 0; OUT[0] = RTC(0x70);"), seconds=3)
    refuses(facts.part, "lse(); RTC(0x70) = 1;", "ALRBINR0", before=names(facts))


_L4 = ALL["STM32L4"].rtc["clock"]
WRONG = {
    "locked": (f"{_L4} lse(); RTC(0x24) = 0; CR = 0;", "RTC_CR written while it is protected"),
    "no-dbp": (f"{_L4} REG(0x40007000) &= ~(1u << 8); CR = 0;", "while PWR_CR1.DBP is clear"),
    "not-in-init": ("lse(); RTC(0) = 1;", "RTC_TR written while INITF is 0"),
    "timer-runs": ("lse(); timer(3); RTC(0x14) = 1;", "RTC_WUTR changed while WUTWF is 0"),
    "no-such-day": (
        "lse(); ISR = 0xffffffff; while (!(ISR & 1u << 6)) {} RTC(4) = 0x232230; ISR = 0xffffff7f;",
        "day is out of range",
    ),
    "alarm-b": ("lse(); CR = 1u << 9;", "RTC_CR.ALRE1 was set"),
    "alarm-on": ("lse(); CR = 1u << 8; RTC(0x1c) = 0;", "written while alarm A is on"),
    "alarm-sub-second": ("lse(); RTC(0x44) = 0xf000000;", "MASKSS was set"),
    "hse": ("lse(); REG(0x40021090) |= 0x300;", "RTCSEL = 3"),
}


@pytest.mark.parametrize(("code", "message"), WRONG.values(), ids=WRONG)
def test_refused(code: str, message: str) -> None:
    twin = run(ALL["STM32L4"], f"{code} for (volatile int i = 0; i < 99; i++) {{}}")
    with pytest.raises(TwinError, match=message):
        twin.run(seconds=3)
