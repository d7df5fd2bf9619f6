"""Stop on every family: what stands still, what wakes the core, and from which clock it then runs."""

from __future__ import annotations

import pytest

from spboot.twin import Twin
from tests.families import ALL, Facts

from .conftest import finish, out, refuses, twin_of
from .test_exti import BY_FAMILY, program

DEEP = "REG(0xe000ed10) = 4;"


def asleep(twin: Twin, seconds: float = 0.5) -> Twin:
    twin.pins.set("PB5", 0)
    assert twin.run(until=lambda: twin.in_stop, seconds=seconds), twin.faults
    return twin


def press(twin: Twin) -> None:
    twin.pins.set("PB5", 1)
    finish(twin, seconds=0.1)


@BY_FAMILY
def test_a_pin_wakes_and_the_core_clock_stood_still(facts: Facts) -> None:
    """PM0214 4.4.6, RM0351 5.3.6: PWR is in Stop mode after a reset; time goes on, SysTick does not."""
    twin = program(
        facts,
        rising=True,
        falling=False,
        loop=f"SYST_RVR = 0xffffff; SYST_CVR = 0; SYST_CSR = 5; {DEEP}"
        ' OUT[3] = SYST_CVR; __asm volatile("wfi"); OUT[4] = SYST_CVR;',
    )
    asleep(twin)
    before = twin.time
    assert not twin.run(until=lambda: not twin.in_stop, seconds=2)
    assert twin.time == pytest.approx(before + 2)
    press(twin)
    assert out(twin) == 1
    assert 0 < out(twin, 3) - out(twin, 4) < 300


@BY_FAMILY
def test_systick_does_not_wake(facts: Facts) -> None:
    """Its clock stands still, so its interrupt cannot arise; it goes on afterwards."""
    twin = program(
        facts,
        rising=True,
        falling=False,
        loop=f'SYST_RVR = 9999; SYST_CVR = 0; {DEEP} SYST_CSR = 7; __asm volatile("wfi"); while (OUT[3] < 2) {{}}',
        handlers="void tick(void) { OUT[3]++; }",
    )
    asleep(twin)
    assert not twin.run(until=lambda: not twin.in_stop, seconds=1)
    assert out(twin, 3) == 0
    press(twin)
    assert out(twin, 3) == 2


def test_a_timer_stands_still_and_one_on_the_lsi_goes_on() -> None:
    """RM0351 table 25: TIM6 has no clock in Stop; LPTIM2 (34.4.1) runs on LSI, and its flag is there afterwards."""
    twin = program(
        ALL["STM32L4"],
        rising=True,
        falling=False,
        loop=f"""REG(0x40021058) |= 1u << 4; (void)REG(0x40021058); REG(0x40001000) = 1; REG(0x40001028) = 3;
            REG(0x40021094) |= 1; while (!(REG(0x40021094) & 2)) {{}} REG(0x40021088) |= 1u << 20;
            REG(0x4002105c) |= 1u << 5; (void)REG(0x4002105c); REG(0x40009410) = 1; REG(0x40009418) = 31999;
            REG(0x40009410) = 5; {DEEP} OUT[3] = REG(0x40001024); __asm volatile("wfi");
            OUT[4] = REG(0x40001024); OUT[5] = REG(0x40009400) & 2;""",
    )
    asleep(twin)
    assert not twin.run(until=lambda: not twin.in_stop, seconds=1.5)
    press(twin)
    assert 0 < (out(twin, 4) - out(twin, 3)) % 0x10000 < 300
    assert out(twin, 5) == 2, "ARRM after a second"


@BY_FAMILY
def test_an_event_ends_wfe_without_an_interrupt(facts: Facts) -> None:
    """RM0351 14.3.4: a line in EMR; SEV before the first WFE makes that one go through (ARMv7-M B1.5.18)."""
    twin = program(
        facts, rising=True, falling=False, mask="emr", loop=f'{DEEP} __asm volatile("sev; wfe; wfe"); OUT[3] = 7;'
    )
    asleep(twin)
    assert out(twin, 3) != 7
    press(twin)
    assert (out(twin), out(twin, 3)) == (0, 7)


@BY_FAMILY
def test_the_clock_after_stop(facts: Facts) -> None:
    """HSE drove the core; afterwards it is off, and the oscillator of a reset drives it."""
    row = facts.stop
    twin = program(
        facts,
        rising=True,
        falling=False,
        loop=f"""{row.get("prepare", "")} REG({row["cr"]:#x}) |= 1u << 16; while (!(REG({row["cr"]:#x}) >> 17 & 1)) {{}}
        REG({row["cfgr"]:#x}) = REG({row["cfgr"]:#x}) & ~3u | {row["hse"]};
        while ((REG({row["cfgr"]:#x}) >> {row["sws"]} & 3) != {row["hse"]}) {{}}
        {DEEP} __asm volatile("wfi");
        OUT[3] = REG({row["cfgr"]:#x}); OUT[4] = REG({row["cr"]:#x});""",
    )
    asleep(twin)
    press(twin)
    assert out(twin, 3) & 3 == out(twin, 3) >> row["sws"] & 3 == row["after"]
    assert not out(twin, 4) & 3 << 16
    assert twin.rcc.hclk == row["hz"]


@pytest.mark.parametrize(
    ("name", "bit", "after", "hz"),
    [("STM32L4", 15, 1, 16_000_000), ("STM32H7", 6, 1, 4_000_000), ("STM32U5", 4, 1, 16_000_000)],
)
def test_stopwuck_chooses_another_clock(name: str, bit: int, after: int, hz: int) -> None:
    """RM0351 6.4.3, RM0399 9.7.7, RM0456 RCC_CFGR1."""
    facts = ALL[name]
    cfgr, latency = facts.stop["cfgr"], "REG(0x40022000) = 1;" if name == "STM32U5" else ""
    code = f'{latency} REG({cfgr:#x}) |= 1u << {bit}; {DEEP} __asm volatile("wfi");'
    twin = program(facts, rising=True, falling=False, loop=code)
    asleep(twin)
    press(twin)
    assert twin.rcc.hclk == hz
    assert twin.rcc.registers["CFGR1" if name == "STM32U5" else "CFGR"] & 3 == after


@pytest.mark.parametrize(("stops", "bites"), [(False, True), (True, False)])
def test_the_watchdog_goes_on_but_for_an_option(stops: bool, bites: bool) -> None:
    """RM0351 3.4.1, IWDG_STOP, and 37.3.3."""
    twin = program(
        ALL["STM32L4"],
        rising=True,
        falling=False,
        loop=f'REG(0x40003000) = 0xcccc; {DEEP} __asm volatile("wfi");',
    )
    flash = twin.flash_controller
    if stops:
        flash.options["OPTR"] &= ~(1 << 17)
    asleep(twin)
    assert twin.run(until=lambda: not twin.in_stop, seconds=2) == bites


def test_a_snapshot_in_stop() -> None:
    twin = asleep(program(ALL["STM32L4"], rising=True, falling=False, loop=f'{DEEP} __asm volatile("wfi");'))
    taken = twin.snapshot()
    press(twin)
    twin.restore(taken)
    assert twin.in_stop
    twin.pins.set("PB5", 0)
    press(twin)
    assert out(twin) == 1


UART = (
    "REG(0x4002104c) |= 1; (void)REG(0x4002104c); REG(0x48000000) = REG(0x48000000) & ~0xf0u | 0xa0;"
    " REG(0x48000020) = 0x7700; REG(0x40021058) |= 1u << 17; (void)REG(0x40021058); REG(0x4000440c) = 35;"
    " REG(0x40004400) = 1u << 2 | 1;"
)


def test_a_byte_in_stop_is_lost() -> None:
    """RM0351 40.5.18: without UESM the UART has no clock in Stop."""
    twin = program(ALL["STM32L4"], rising=True, falling=False, loop=f'{UART} {DEEP} __asm volatile("wfi");')
    asleep(twin).uart("USART2").send(b"x")
    twin.run(seconds=0.01)
    assert twin.uart("USART2").lost == ["received byte 0x78 lost: the chip is in Stop"]


def test_a_byte_on_its_way_out_is_garbled() -> None:
    """Its clock stops in the middle of it; it ends after Stop."""
    twin = program(
        ALL["STM32L4"],
        rising=True,
        falling=False,
        loop=f'{UART} REG(0x40004400) |= 1u << 3; REG(0x40004428) = 0x55; {DEEP} __asm volatile("wfi");'
        " while (!(REG(0x4000441c) & 1u << 6)) {}",
    )
    asleep(twin)
    twin.run(seconds=1)
    uart = twin.uart("USART2")
    assert not uart.output
    press(twin)
    assert uart.output != b"\x55"
    assert uart.lost == ["sent byte 0x55 garbled: Stop was entered before TC"]


WRONG = {
    "shutdown": ("STM32L4", "REG(0x40021058) |= 1u << 28; (void)REG(0x40021058); REG(0x40007000) |= 4;", "Shutdown"),
    "stop-2": ("STM32G0", "REG(0x4002103c) |= 1u << 28; (void)REG(0x4002103c); REG(0x40007000) |= 2;", "has no Stop 2"),
    "uesm": ("STM32L4", f"{UART} REG(0x40004400) |= 2;", "USART2_CR1.UESM"),
}


@pytest.mark.parametrize(("name", "code", "message"), WRONG.values(), ids=WRONG)
def test_refused(name: str, code: str, message: str) -> None:
    refuses(ALL[name].part, f'{code} {DEEP} __asm volatile("wfi");', message)


CR1_OF_L4 = "REG(0x40021058) |= 1u << 28; (void)REG(0x40021058);"
STATUS = {
    "STM32L4": (CR1_OF_L4, "REG(0x40007010)", "REG(0x40007018) = 0x1f;", 0x100, "REG(0x40007000) |= 3;"),
    "STM32G0": (
        "REG(0x4002103c) |= 1u << 28; (void)REG(0x4002103c);",
        *("REG(0x40007010)", "REG(0x40007018) = 0x3f;", 0x100, "REG(0x40007000) |= 3;"),
    ),
    "STM32WL": ("", "REG(0x58000410)", "REG(0x58000418) = 7;", 0, "REG(0x58000400) |= 3;"),
    "STM32F4": (
        "REG(0x40023840) |= 1u << 28; (void)REG(0x40023840);",
        *("REG(0x40007004)", "REG(0x40007000) |= 4;", 2, "REG(0x40007000) |= 2;"),
    ),
    "STM32L0": (
        "REG(0x40021038) |= 1u << 28; (void)REG(0x40021038);",
        *("REG(0x40007004)", "REG(0x40007000) |= 4;", 2, "REG(0x40007000) |= 2;"),
    ),
}
"""Clock of PWR; its status with the flags of wake-ups; what clears them; the standby flag in it; to Standby."""
PINS = [
    ("STM32L4", "REG(0x40007008) |= 1;", "PA0", 1, 1),
    ("STM32L4", "REG(0x40007008) |= 2; REG(0x4000700c) |= 2;", "PC13", 0, 2),
    ("STM32G0", "REG(0x40007008) |= 0x20;", "PB5", 1, 0x20),
    ("STM32WL", "REG(0x58000408) |= 4; REG(0x5800040c) |= 4;", "PB3", 0, 4),
    ("STM32F4", "REG(0x40007004) |= 0x100;", "PA0", 1, 1),
    ("STM32L0", "REG(0x40007004) |= 0x200;", "PC13", 1, 1),
]


@pytest.mark.parametrize(("name", "enable", "pin", "edge", "flag"), PINS, ids=[f"{row[0]}-{row[2]}" for row in PINS])
def test_a_pin_ends_standby(name: str, enable: str, pin: str, edge: int, flag: int) -> None:
    """RM0351 5.3.8 and 5.4.5, RM0444 4.4.5, RM0453 6.6.5, RM0090 5.4.2, RM0367 6.4.2: the edge that was chosen alone,
    and its flag says so until it is cleared."""
    clock, status, clear, standby, sleep = STATUS[name]
    twin = twin_of(
        f"""void main_(void) {{ {clock} if ({status} & {flag}) {{
            OUT[0] = {status}; {clear} OUT[1] = {status}; OUT[2] = 7; return; }}
        {enable} {sleep} {DEEP} __asm volatile("wfi"); }}""",
        ALL[name].part,
    )
    twin.pins.set(pin, 1 - edge)
    assert twin.run(until=lambda: twin.in_standby, seconds=1)
    twin.pins.set("PA1", 1)
    twin.pins.set(pin, 1 - edge)
    twin.run(seconds=0.01)
    assert twin.in_standby
    twin.pins.set(pin, edge)
    assert twin.run(until=lambda: out(twin, 2) == 7, seconds=0.1)
    assert out(twin) & (flag | standby) == flag | standby
    assert not out(twin, 1) & flag


def test_standby_after_floating_point() -> None:
    """The core has no supply: CPACR is 0 again, and nothing of the FPU is left to be looked at."""
    clock, _, _, _, sleep = STATUS["STM32L4"]
    on = 'REG(0xe000ed88) = 0xf << 20; __asm volatile("dsb; isb; vmov.f32 s0, #1.0" ::: "s0");'
    twin = twin_of(f'void main_(void) {{ {on} {clock} {sleep} {DEEP} __asm volatile("wfi"); }}', ALL["STM32L4"].part)
    assert twin.run(until=lambda: twin.in_standby, seconds=1)
    assert not twin.run(seconds=0.1)


def test_the_other_edge_does_not_end_standby() -> None:
    twin = twin_of(
        f'void main_(void) {{ {CR1_OF_L4} REG(0x40007008) |= 1; REG(0x40007000) |= 3; {DEEP} __asm volatile("wfi"); }}',
        ALL["STM32L4"].part,
    )
    twin.pins.set("PA0", 1)
    assert twin.run(until=lambda: twin.in_standby, seconds=1)
    twin.pins.set("PA0", 0)
    twin.pins.set("PC13", 1)
    assert twin.in_standby


@pytest.mark.parametrize(
    ("part", "choose", "number"),
    [
        ("STM32F413ZH", "REG(0x40023894) |= 2u << 30;", 97),
        ("STM32F769NI", "REG(0x40023890) |= 1u << 24;", 93),
    ],
)
def test_lptim1_of_f4_and_f7_wakes_by_line_23(part: str, choose: str, number: int) -> None:
    """RM0430 and RM0410, EXTI: line 23 is LPTIM1; masked, its interrupt stays pending and Stop goes on."""
    source = f"""void main_(void) {{ OUT[0] = 0; REG(0x40023874) |= 1; while (!(REG(0x40023874) & 2)) {{}}
        {choose} REG(0x40023840) |= 1u << 9; (void)REG(0x40023840); REG(0x40002408) = 2; REG(0x40002410) = 1;
        REG(0x40002418) = 31999; REG(0x40002410) = 5; REG({0xE000E100 + number // 32 * 4:#x}) = 1u << {number % 32};
        MASK __asm volatile("cpsid i"); {DEEP} OUT[1] = 1; __asm volatile("wfi"); OUT[0] = 1; }}"""
    for mask, woken in (("", False), ("REG(0x40013c00) |= 1u << 23;", True)):
        twin = twin_of(source.replace("MASK", mask), part)
        twin.run(until=lambda: out(twin) == 1, seconds=3)  # noqa: B023 - it runs at once
        assert out(twin, 1) == 1
        assert (out(twin) == 1) == woken
