"""TIM6 and TIM7 against virtual time.  Sections are those of RM0090 20, where no other manual is named; RM0440 32 says
the same of newer ones, and more."""

from __future__ import annotations

import time

import pytest

from tests import families

from .conftest import finish, out, twin_of
from .timers import BY_CORE, BY_FAMILY, IRQ, cycles_between, timer, times

# every family


@BY_FAMILY
@pytest.mark.parametrize("divided", [False, True])
def test_a_time_base_of_a_millisecond(facts: families.Facts, divided: bool) -> None:
    """20.3.2: (PSC + 1) x (ARR + 1) cycles from one update to the next, while the core sleeps in WFI.  With the APB
    divided by 4 the timer counts twice the APB's clock, half of the former (6.2)."""
    hertz = facts.timer["hertz"]
    arr = hertz // 8000 - 1
    bus = facts.timer["divided"] if divided else ""
    twin = timer(
        facts,
        IRQ + f"void main_(void) {{ {bus} on(); PSC = 7; ARR = {arr}; EGR = 1; SR = 0; DIER = 1; CR1 = 1;"
        ' while (OUT[0] < 200) __asm volatile("wfi"); }',
    )
    found = times(twin, 200)
    period = (arr + 1) * 8 * (2 if divided else 1) / hertz
    assert found[0] == pytest.approx(period, rel=0.1)
    assert found[-1] - found[0] == pytest.approx(199 * period, abs=200 / hertz)
    assert twin.idle > 0.75 * twin.time
    assert out(twin, 1) & 1
    assert twin.instructions < 200 * 100


@BY_FAMILY
def test_registers_after_a_reset(facts: families.Facts) -> None:
    """20.4, 18.4: ARR has all bits of the counter, the rest is 0."""
    code = "void main_(void) { on(); for (int i = 0; i < 12; i++) if (0xe3b >> i & 1) OUT[i] = T(4 * i); }"
    for tim2 in (False, True):
        twin = timer(facts, code, tim2=tim2)
        finish(twin)
        wide = facts.name != "STM32L0" and (tim2 or facts.timer["name"] == "TIM2")
        expected = {11: 0xFFFFFFFF if wide else 0xFFFF}
        have = [i for i in range(12) if 0xE3B >> i & 1]
        assert {i: out(twin, i) for i in have} == {i: expected.get(i, 0) for i in have}


# update events


@BY_CORE
def test_ug_sets_uif_unless_urs_or_udis(facts: families.Facts) -> None:
    """20.4.1, 20.4.5; flags go away by writing 0, and 1 leaves them (20.4.4)."""
    twin = timer(
        facts,
        """void main_(void) { on(); EGR = 1; OUT[0] = SR; SR = 1; OUT[1] = SR; SR = ~1u; OUT[2] = SR;
        CR1 = 4; EGR = 1; OUT[3] = SR; CR1 = 2; EGR = 1; OUT[4] = SR; CR1 = 0; EGR = 1; SR = 0; OUT[5] = SR;
        OUT[6] = EGR; }""",
    )
    finish(twin)
    assert [out(twin, i) for i in range(7)] == [1, 1, 0, 0, 0, 0, 0]


@BY_CORE
def test_a_prescaler_waits_for_the_update(facts: families.Facts) -> None:
    """20.3.1: the new ratio counts from the next update event; one written before UG counts from there."""
    twin = timer(
        facts,
        IRQ + "void main_(void) { on(); ARR = 999; PSC = 3; EGR = 1; SR = 0; DIER = 1; CR1 = 1; PSC = 15;"
        ' for (;;) __asm volatile("wfi"); }',
    )
    found = times(twin, 3)
    assert cycles_between(found, facts) == [pytest.approx(16_000, abs=60)] * 2
    assert found[0] * facts.timer["hertz"] == pytest.approx(4_000, abs=600), "not 1000, not 16000"


@BY_CORE
@pytest.mark.parametrize(("control", "first"), [(0x81, 1_000), (0x01, 5_000)])
def test_arr_is_preloaded_with_arpe(facts: families.Facts, control: int, first: int) -> None:
    """20.4.8: with ARPE the new value counts from the next update event, without at once."""
    twin = timer(
        facts,
        IRQ + f"void main_(void) {{ on(); ARR = 999; EGR = 1; SR = 0; DIER = 1; CR1 = {control}; ARR = 4999;"
        ' OUT[2] = ARR; for (;;) __asm volatile("wfi"); }',
    )
    found = times(twin, 3)
    assert out(twin, 2) == 4999, "what is read is the preload"
    assert cycles_between(found, facts) == [pytest.approx(5_000, abs=60)] * 2
    assert found[0] * facts.timer["hertz"] == pytest.approx(first, abs=700)


@BY_CORE
def test_an_arr_of_0_stops_the_counter(facts: families.Facts) -> None:
    """20.4.8: the counter is blocked; another value lets it go."""
    twin = timer(
        facts,
        "void main_(void) { on(); ARR = 0; CR1 = 1; spin(50); OUT[0] = CNT; OUT[1] = SR; ARR = 60000; spin(50);"
        " OUT[2] = CNT; CR1 = 0; OUT[3] = CNT; spin(50); OUT[4] = CNT; }",
    )
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (0, 0)
    assert out(twin, 2) > 100
    assert out(twin, 3) == out(twin, 4) > out(twin, 2)


@BY_CORE
def test_one_pulse_mode_stops_at_the_update(facts: families.Facts) -> None:
    """20.4.1, OPM: CEN is cleared; with UDIS there is no update event to stop at."""
    twin = timer(
        facts,
        "void main_(void) { on(); ARR = 99; CR1 = 9; while (!(SR & 1)) {} OUT[0] = CR1; OUT[1] = CNT; SR = 0;"
        " spin(100); OUT[2] = CNT; OUT[3] = SR; CR1 = 0xb; spin(100); OUT[4] = CR1; OUT[5] = SR & 1; OUT[6] = CNT; }",
    )
    finish(twin)
    assert [out(twin, i) for i in range(6)] == [8, 0, 0, 0, 0xB, 0]
    assert 0 < out(twin, 6) < 100


@BY_CORE
def test_an_arr_below_the_counter_is_missed_once(facts: families.Facts) -> None:
    """20.3.2 counts up to ARR: a counter that is past it goes on to its very end, without an update event."""
    twin = timer(
        facts,
        IRQ + "void main_(void) { on(); DIER = 1; CNT = 0xff00; CR1 = 1; ARR = 99; OUT[2] = CNT; while (CNT > 99)"
        ' {} OUT[3] = SR; for (;;) __asm volatile("wfi"); }',
    )
    times(twin, 1)
    assert out(twin, 2) > 0xFF00
    assert out(twin, 3) == 0


# clocks


@pytest.mark.parametrize("when", [10, 700, 2000])
def test_a_new_clock_does_not_lose_what_was_counted(when: int) -> None:
    """RM0351 6.4.3: HPRE slows core and timer down together; the update comes after as many cycles of the core."""
    facts = families.ALL["STM32L4"]
    twin = timer(
        facts,
        f"""void irq(void) {{ OUT[1 + OUT[0]] = DWT_CYCCNT; SR = 0; OUT[0]++; }}
        void main_(void) {{ REG(0xe000edfc) = 1u << 24; DWT_CTRL |= 1; on(); ARR = 39999; EGR = 1; SR = 0; DIER = 1;
        CR1 = 1; while (!OUT[0]) {{}} spin({when}); RCC_CFGR = 10u << 4; while (OUT[0] < 3) {{}} RCC_CFGR = 0;
        while (OUT[0] < 4) {{}} }}""",
    )
    finish(twin)
    assert [out(twin, 2 + i) - out(twin, 1 + i) for i in range(3)] == [pytest.approx(40_000, abs=60)] * 3


def test_an_apb_divided_by_2_changes_nothing_for_a_timer() -> None:
    """RM0351 6.2, timer clock: twice the APB's."""
    facts = families.ALL["STM32L4"]
    twin = timer(
        facts,
        IRQ + "void main_(void) { on(); RCC_CFGR = 4u << 8; ARR = 39999; EGR = 1; SR = 0; DIER = 1; CR1 = 1;"
        ' for (;;) __asm volatile("wfi"); }',
    )
    found = times(twin, 2)
    assert found[1] - found[0] == pytest.approx(0.01, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "register"),
    [("STM32F4", 0x4002388C), ("STM32F7", 0x4002388C), ("STM32H7", 0x58024410), ("STM32H5", 0x44020C1C)],
)
def test_timpre_multiplies_by_4(name: str, register: int) -> None:
    """RM0090 RCC_DCKCFGR (bit 24), RM0410 RCC_DCKCFGR1 (24), RM0399 RCC_CFGR (15), RM0481 RCC_CFGR1 (15): with the
    APB divided by 4 the timer counts the AHB's clock."""
    facts = families.ALL[name]
    bit = 24 if name in ("STM32F4", "STM32F7") else 15
    twin = timer(
        facts,
        IRQ + f"void main_(void) {{ {facts.timer['divided']} on(); ARR = 9999; EGR = 1; SR = 0; DIER = 1;"
        f' CR1 = 1; while (!OUT[0]) {{}} REG({register:#x}) |= 1u << {bit}; for (;;) __asm volatile("wfi"); }}',
    )
    found = times(twin, 4)
    assert cycles_between(found, facts)[1:] == [pytest.approx(10_000, abs=60)] * 2


@BY_CORE
def test_a_timer_without_clock_stands_still(facts: families.Facts) -> None:
    """RCC: while its bit in the enable register is 0 the counter keeps its value."""
    off = "CLOCK &= ~(1u << {bit});".format(**facts.timer)
    twin = timer(
        facts,
        f"void main_(void) {{ on(); CR1 = 1; spin(20); OUT[0] = CNT; {off} spin(1000); on(); OUT[1] = CNT; spin(20);"
        " OUT[2] = CNT; }",
    )
    finish(twin)
    assert 0 < out(twin, 0) < out(twin, 1) < out(twin, 0) + 150 < out(twin, 2) + 150
    assert out(twin, 2) > out(twin, 1)


# waiting, and the rest of the machine


@BY_CORE
def test_a_poll_for_uif_costs_no_host_time(facts: families.Facts) -> None:
    """Without an interrupt, ten updates of 50 ms each; and a poll of the counter ends as well."""
    hertz = facts.timer["hertz"]
    twin = timer(
        facts,
        f"void main_(void) {{ on(); PSC = {hertz // 10000 - 1}; ARR = 499; EGR = 1; CR1 = 1; for (int i = 0; i < 10;"
        " i++) { SR = 0; while (!(SR & 1)) {} } OUT[0] = 1; while (CNT < 7) {} }",
    )
    began = time.process_time()
    assert twin.run(until=lambda: out(twin) == 1, seconds=2)
    assert twin.time == pytest.approx(0.5, rel=0.01)
    assert time.process_time() - began < 1
    finish(twin)


@BY_CORE
def test_a_scheduler_on_tim6_sleeps_from_tick_to_tick(facts: families.Facts) -> None:
    """As an RTOS does on CubeMX's time base: TIM6 ticks each millisecond and pends PendSV, which counts a switch of
    tasks; between ticks the core is in WFI.  Every tick comes, and ten seconds of it cost little."""
    hertz = facts.timer["hertz"]
    twin = timer(
        facts,
        f"""void irq(void) {{ SR = ~1u; OUT[0]++; SCB_ICSR = 1u << 28; }}
        void pendsv(void) {{ OUT[1]++; }}
        void main_(void) {{ SCB_SHPR3 = 0xff << 16; on(); PSC = {hertz // 1_000_000 - 1}; ARR = 999; EGR = 1; SR = 0;
        DIER = 1; CR1 = 1; for (;;) {{ __asm volatile("wfi"); OUT[2]++; }} }}""",
    )
    began = time.process_time()
    twin.run(seconds=10)
    assert [out(twin, i) for i in range(3)] == [pytest.approx(10_000, abs=1)] * 3
    assert out(twin) == out(twin, 1)
    assert twin.idle > 9.5
    assert time.process_time() - began < 10


def test_a_timer_that_nobody_asks_costs_nothing() -> None:
    """PWM-like: updates every 10 us whose flag nobody clears are no appointments after the first one."""
    facts = families.ALL["STM32L4"]
    twin = timer(facts, 'void main_(void) { on(); ARR = 39; CR1 = 1; for (;;) __asm volatile("wfi"); }')
    began = time.process_time()
    twin.run(seconds=1000)
    assert time.process_time() - began < 1


def test_a_snapshot_holds_a_timer() -> None:
    """In the middle of a period with a preload that is not yet taken over: three runs from there end alike."""
    facts = families.ALL["STM32L4"]
    source = IRQ + (
        "void main_(void) { on(); ARR = 999; PSC = 3; EGR = 1; SR = 0; DIER = 1; CR1 = 0x81; PSC = 7;"
        ' ARR = 1999; for (;;) __asm volatile("wfi"); }'
    )
    twin, other = timer(facts, source), timer(facts, "void main_(void) { for (;;) {} }")
    twin.run(seconds=0.0006)
    snapshot, ends = twin.snapshot(), []
    for one in (twin, twin, other):
        one.restore(snapshot)
        ends.append(times(one, 5))
    assert ends[0] == ends[1] == ends[2]


def test_a_block_reset_stops_a_timer() -> None:
    """RM0351 6.4.14 (APB1RSTR1): and takes its interrupt back."""
    facts = families.ALL["STM32L4"]
    twin = timer(
        facts,
        IRQ
        + """void main_(void) { on(); REG(0xe000e184) = 1u << 22; ARR = 99; DIER = 1; CR1 = 1; spin(100);
        OUT[2] = REG(0xe000e204) >> 22 & 1; REG(0x40021038) = 1u << 4; REG(0x40021038) = 0;
        OUT[3] = REG(0xe000e204) >> 22 & 1; OUT[4] = CR1 | CNT; REG(0xe000e104) = 1u << 22; spin(100); }""",
    )
    finish(twin)
    assert [out(twin, i) for i in (0, 2, 3, 4)] == [0, 1, 0, 0]


def test_two_timers_share_a_line() -> None:
    """RM0444 12.3: TIM3 and TIM4 are both interrupt 16; one flag cleared leaves the line to the other."""
    twin = twin_of(
        """void irq(void) { int n = !REG(0x40000410); REG(0x40000410 + 0x400 * n) = 0; OUT[n]++; }
        void main_(void) { OUT[0] = OUT[1] = 0; RCC_UARTENR |= 6; (void)RCC_UARTENR; REG(0x4000040c) = 1;
        REG(0x4000080c) = 1; REG(0x40000414) = REG(0x40000814) = 1; REG(0xe000e100) = 1u << 16;
        while (OUT[0] + OUT[1] < 2) {} }""",
        "STM32G0B1RE",
    )
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (1, 1)
