"""Timers that a HAL may take as its time base beside TIM2 to TIM7: advanced ones, and those with one or two channels.
Sections are those of RM0090 17, where no other manual is named; registers and vectors: tests/families."""

from __future__ import annotations

import time

import pytest

from spboot.errors import TwinError
from tests import families

from .conftest import finish, out
from .timers import ALL, IRQ, cycles_between, timer, times

ROWS = [(facts, name) for facts in ALL for name in facts.timer["others"]]
EVERY = pytest.mark.parametrize(("facts", "name"), ROWS, ids=lambda it: it if isinstance(it, str) else it.name)
REPEATING = ("TIM1", "TIM8", "TIM15", "TIM16", "TIM17", "TIM20")
ONE = [(facts, next(iter(facts.timer["others"]))) for facts in ALL]
ONE += [(families.ALL["STM32WL"], "TIM16"), (families.ALL["STM32L4"], "TIM16"), (families.ALL["STM32G4"], "TIM20")]
BY_FAMILY = pytest.mark.parametrize(("facts", "name"), ONE, ids=lambda it: it if isinstance(it, str) else it.name)
HAVE_REPEATING = [
    (facts, name) for facts, name in ROWS if name in ("TIM1", "TIM16") and facts.timer["others"][name][3] < 82
]
"""Those whose vector the tiny firmware has."""
WITH_REPETITION = pytest.mark.parametrize(
    ("facts", "name"), HAVE_REPEATING, ids=lambda it: it if isinstance(it, str) else it.name
)
L4 = families.ALL["STM32L4"]
CYCLES = "static void count(void) { REG(0xe000edfc) = 1u << 24; DWT_CTRL |= 1; }\n"


@EVERY
def test_update_and_compare_have_their_vectors(facts: families.Facts, name: str) -> None:
    """17.4.4, 17.4.5; vector tables: UIF raises the line of the update, CC1IF that of the compares, and no other."""
    up, compare = facts.timer["others"][name][3:]
    lines = sorted({up, compare})
    look = " ".join(f"OUT[{{}}] |= PENDING({line}) << {place};" for place, line in enumerate(lines))
    bit = facts.timer["others"][name][2]
    code = f"""void main_(void) {{ CLOCK |= 1u << {bit}; (void)CLOCK; ARR = 999; PSC = 3; CCR(1) = 500;
        EGR = 1; SR = 0; DIER = 3; CR1 = 1; while (!(SR & 2)) {{}} OUT[0] = OUT[1] = 0; {look.format(*[0] * len(lines))}
        OUT[2] = CNT; while (!(SR & 1)) {{}} {look.format(*[1] * len(lines))} OUT[3] = CNT; OUT[4] = SR & 3;
        SR = 0; OUT[5] = SR & 1; OUT[6] = ARR; }}"""
    twin = timer(facts, code, other=name)
    finish(twin)
    assert out(twin, 0) == 1 << lines.index(compare)
    assert out(twin, 1) == (1 << len(lines)) - 1
    assert [out(twin, 2), out(twin, 3)] == [pytest.approx(500, abs=30), pytest.approx(0, abs=30)]
    assert [out(twin, n) for n in (4, 5, 6)] == [3, 0, 999]


@BY_FAMILY
def test_the_time_base_of_a_hal(facts: families.Facts, name: str) -> None:
    """HAL_TIM_Base_Init and HAL_TIM_Base_Start_IT in their order, a millisecond long; the core sleeps in between."""
    base = facts.timer["hertz"] // 1_000_000 or 2
    repetition = "RCR = 0;" if name in REPEATING else ""
    twin = timer(
        facts,
        IRQ
        + f"""void main_(void) {{ on(); CR1 = (CR1 & ~0x3f0u) | 0x80; ARR = 999; PSC = {base - 1}; {repetition}
        CR1 |= 4; EGR = 1; if (SR & 1) SR = ~1u; CR1 &= ~4u; DIER |= 1; CR1 |= 1; for (;;) __asm volatile("wfi"); }}""",
        other=name,
    )
    found = times(twin, 5)
    assert cycles_between(found, facts) == [pytest.approx(1000 * base, abs=60)] * 4
    assert out(twin, 1) & 1
    assert twin.idle > 0.5 * (found[-1] - found[0])


@WITH_REPETITION
def test_the_repetition_counter(facts: families.Facts, name: str) -> None:
    """17.3.3, 17.4.13: RCR + 1 returns to 0 for an update event; a new RCR counts from the next one, UG loads it at
    once."""
    twin = timer(
        facts,
        IRQ
        + """void main_(void) { on(); ARR = 1999; RCR = 3; EGR = 1; SR = 0; DIER = 1; OUT[3] = 1; CR1 = 1; RCR = 1;
        OUT[2] = RCR; for (;;) __asm volatile("wfi"); }""",
        other=name,
    )
    assert twin.run(until=lambda: out(twin, 3) == 1, seconds=0.1)
    found = [twin.time, *times(twin, 4)]
    assert cycles_between(found, facts) == [pytest.approx(4000 if n else 8000, abs=100) for n in range(4)]
    assert out(twin, 2) == 1


@WITH_REPETITION
def test_an_update_by_software_begins_the_repetitions_anew(facts: families.Facts, name: str) -> None:
    """17.3.3: whatever the repetition counter is; before the first one there is none."""
    code = """void main_(void) { on(); SYST_RVR = 0xffffff; SYST_CVR = 0; SYST_CSR = 5; ARR = 1999; RCR = 2; SR = 0;
        uint32_t from = SYST_CVR; CR1 = 1; while (!(SR & 1)) {} OUT[0] = from - SYST_CVR; SR = 0;
        while (CNT < 1500) {} while (CNT > 1000) {} from = SYST_CVR; EGR = 1; OUT[1] = SR & 1; SR = 0;
        while (!(SR & 1)) {} OUT[2] = from - SYST_CVR; }"""
    twin = timer(facts, code, other=name)
    finish(twin)
    assert [out(twin, n) for n in range(3)] == [pytest.approx(2000, abs=60), 1, pytest.approx(6000, abs=60)]


@pytest.mark.parametrize(("name", "part", "mask"), [
    ("TIM1", "STM32F429ZI", 0xFF), ("TIM1", "STM32F769NI", 0xFFFF), ("TIM1", "STM32L476RG", 0xFFFF),
    ("TIM16", "STM32L476RG", 0xFF), ("TIM1", "STM32WL55JC", 0xFFFF), ("TIM16", "STM32WL55JC", 0xFF),
])  # fmt: skip
def test_the_width_of_the_repetition_counter(name: str, part: str, mask: int) -> None:
    """RM0090 17.4.13: 8 bits; RM0410, RM0351 and RM0453, TIM1_RCR: 16; TIM16_RCR: 8."""
    facts = next(facts for facts in ALL if facts.part == part)
    twin = timer(facts, "void main_(void) { on(); RCR = 0x1ffff; OUT[0] = RCR; }", other=name)
    finish(twin)
    assert out(twin) == mask


def test_one_pulse_mode_takes_all_repetitions() -> None:
    """17.4.1, OPM: stops at the update event, not at a return to 0."""
    twin = timer(
        L4,
        CYCLES
        + "void main_(void) { count(); on(); ARR = 199; RCR = 4; EGR = 1; SR = 0; uint32_t from = DWT_CYCCNT; CR1 = 9;"
        " while (CR1 & 1) {} OUT[0] = DWT_CYCCNT - from; OUT[1] = SR & 1; OUT[2] = CNT; }",
        other="TIM1",
    )
    finish(twin)
    assert [out(twin, n) for n in range(3)] == [pytest.approx(1000, abs=40), 1, 0]


@pytest.mark.parametrize("preload", ["", "ARR = 499; PSC = 0; RCR = 1;"])
def test_repetitions_that_nobody_asks_for_are_counted_right(preload: str) -> None:
    """A second later, with RCR = 2, or with what is then preloaded: the next update is where it would have been."""
    twin = timer(
        L4,
        f"""{CYCLES} void main_(void) {{ count(); CLOCK |= 1u << 11; (void)CLOCK; ARR = 399; PSC = 9; RCR = 2;
        EGR = 1; SR = 0; uint32_t from = DWT_CYCCNT; CR1 = 0x81; {preload} SYST_RVR = 3999999; SYST_CVR = 0;
        SYST_CSR = 5; while (!(SYST_CSR & 1 << 16)) {{}} SR = 0; while (!(SR & 1)) {{}} OUT[0] = DWT_CYCCNT - from;
        }}""",
        other="TIM1",
    )
    began = time.process_time()
    finish(twin, 3)
    assert time.process_time() - began < 20
    assert out(twin) > 4_000_000
    late = (out(twin) - 12_000) % 1_000 if preload else out(twin) % 12_000
    assert late < 60


def test_repetitions_cost_nothing() -> None:
    """An update event each 30 us whose flag nobody clears, for 1000 s."""
    code = 'void main_(void) { on(); ARR = 39; RCR = 2; EGR = 1; CR1 = 1; for (;;) __asm volatile("wfi"); }'
    twin = timer(L4, code, other="TIM1")
    began = time.process_time()
    twin.run(seconds=1000)
    assert time.process_time() - began < 1


# lines


def test_an_advanced_timer_has_a_vector_for_each_kind() -> None:
    """RM0351, vector table: break 24, update 25, trigger 26, compares 27; TIM15 to TIM17 share three of them."""
    lines = " ".join(f"OUT[{{}}] |= PENDING({24 + n}) << {n};" for n in range(4))
    kinds = {"BG": 0x80, "UG": 1, "TG": 0x40, "CC1G": 2}
    steps = " ".join(
        f"EGR = {bit}; {lines.format(*[n] * 4)} SR = 0; REG(0xe000e280) = 0xf << 24;"
        for n, bit in enumerate(kinds.values())
    )
    code = f"void main_(void) {{ CLOCK |= 1u << 11; (void)CLOCK; DIER = 0xc3; {steps} }}"
    twin = timer(L4, code, other="TIM1")
    finish(twin)
    assert [out(twin, n) for n in range(4)] == [1, 2, 4, 8]


def test_two_timers_share_a_vector() -> None:
    """RM0351, vector table: TIM1_UP_TIM16 is up while one of them holds it; RM0444: TIM1_BRK_UP_TRG_COM, of one."""
    other = "#define OTHER(offset) REG(0x40014400 + offset)\n"
    code = (
        other
        + """void irq(void) { OUT[0]++; if (SR & 1) { SR = ~1u; OUT[1]++; return; }
        if (OTHER(0x10) & 1) { OTHER(0x10) = 0; OUT[2]++; } }
        void main_(void) { CLOCK |= 1u << 17; on(); DIER = 1; OTHER(0xc) = 1; __asm volatile("cpsid i");
        EGR = 1; OTHER(0x14) = 1; __asm volatile("cpsie i"); while (OUT[0] < 2) {} spin(50); }"""
    )
    twin = timer(L4, code, other="TIM1")
    finish(twin)
    assert [out(twin, n) for n in range(3)] == [2, 1, 1]
    code = """void irq(void) { OUT[0]++; SR = OUT[0] == 1 ? ~1u : 0; }
        void main_(void) { on(); DIER = 0x81; EGR = 0x81; while (OUT[0] < 2) {} spin(50); }"""
    twin = timer(families.ALL["STM32G0"], code, other="TIM1")
    finish(twin)
    assert out(twin) == 2


# outputs and breaks


@pytest.mark.parametrize("name", ["TIM1", "TIM15", "TIM16"])
def test_a_break_by_software_takes_the_outputs_away(name: str) -> None:
    """17.3.12, 17.4.18: MOE goes, BIF is set; with AOE the next update event sets MOE again."""
    twin = timer(
        L4,
        """void main_(void) { on(); BDTR = 0x8c20; CCER = 5; CR2 = 0x100; OUT[0] = BDTR; OUT[1] = CCER; OUT[2] = CR2;
        EGR = 0x80; OUT[3] = BDTR; OUT[4] = SR; EGR = 1; OUT[5] = BDTR; BDTR = 0x4000; EGR = 1; OUT[6] = BDTR; SR = 0;
        OUT[7] = SR; }""",
        other=name,
    )
    finish(twin)
    assert [out(twin, n) for n in range(8)] == [0x8C20, 5, 0x100, 0x0C20, 0x80, 0x0C20, 0xC000, 0]


def test_the_second_break_and_its_interrupt() -> None:
    """RM0440 28.6.6: B2G sets B2IF, which BIE lets interrupt; line 24 (RM0440, vector table)."""
    code = "void main_(void) { CLOCK |= 1u << 11; (void)CLOCK; BDTR = 0x8000; DIER = 0x80; EGR = 0x100; OUT[0] = SR;"
    twin = timer(families.ALL["STM32G4"], code + " OUT[1] = PENDING(24); OUT[2] = BDTR; }", other="TIM1")
    finish(twin)
    assert [out(twin, n) for n in range(3)] == [0x100, 1, 0]


REFUSED = {
    "break-input": ("TIM1", "BDTR = 0x1000;", "TIM1_BDTR = 0x1000: a break from outside"),
    "lock": ("TIM16", "BDTR = 0x100;", "TIM16_BDTR = 0x100: a break from outside, or LOCK.*RM0453 27"),
    "commutation": ("TIM1", "CR2 = 1;", "TIM1_CR2 = 0x1: trigger output"),
    "commutation-by-software": ("TIM1", "EGR = 0x20;", "TIM1_EGR.COMG was set"),
    "channel-5": ("TIM1", "T(0x58) = 1;", "TIM1_CCR5 = 0x1: a channel without a pin"),
    "dma": ("TIM1", "DIER = 0x2000;", "TIM1_DIER = 0x2000 asks for DMA"),
    "udis-and-rcr": ("TIM1", "RCR = 1; CR1 = 2;", "TIM1: UDIS together with a repetition counter of 1"),
    "rcr-and-udis": ("TIM1", "CR1 = 2; RCR = 1;", "TIM1: UDIS together with a repetition counter of 1"),
    "pwm-of-one-channel": ("TIM16", "CCMR1 = 0x60;", "TIM16_CCMR1 = 0x60: a channel other than"),
    "a-second-channel": ("TIM16", "CCMR1 = 0x800;", "TIM16_CCMR1 = 0x800: a channel other than"),
    "a-reserved-output": ("TIM16", "CCER = 0x10;", "TIM16_CCER: reserved bits 0x10 were set"),
    "down": ("TIM1", "CR1 = 0x10;", "TIM1_CR1 = 0x10: other than counting up"),
    "slave": ("TIM15", "T(8) = 7;", "TIM15_SMCR = 0x7: external clock"),
}


@pytest.mark.parametrize(("name", "code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(name: str, code: str, message: str) -> None:
    twin = timer(L4, f"void main_(void) {{ on(); {code} spin(99); }}", other=name)
    with pytest.raises(TwinError, match=message):
        twin.run(seconds=1)


@pytest.mark.parametrize(("family", "name", "code", "message"), [
    ("STM32F4", "TIM1", "T(0x54) = 0;", "TIM1 has no register at offset 0x54"),
    ("STM32F4", "TIM9", "CR1 = 1u << 11;", "TIM9_CR1.UIFREMAP was set.*STM32F4 has no such bit"),
    ("STM32L0", "TIM21", "CCR(3) = 0;", "TIM21 has no register at offset 0x3c"),
    ("STM32G4", "TIM15", "T(0x1c) = 0;", "TIM15 has no register at offset 0x1c"),
    ("STM32G4", "TIM1", "DIER = 1u << 20;", "TIM1_DIER = 0x100000: interrupts of an encoder"),
    ("STM32G0", "TIM1", "REG(0x40021054) = 1u << 22; CR1 = 1;", "TIM1 counts another clock.*RCC_CCIPR.TIM1SEL"),
    ("STM32F4", "TIM13", "T(4) = 0;", "TIM13 has no register at offset 0x4"),
])  # fmt: skip
def test_what_a_timer_lacks_is_refused(family: str, name: str, code: str, message: str) -> None:
    twin = timer(families.ALL[family], f"void main_(void) {{ on(); {code} spin(99); }}", other=name)
    with pytest.raises(TwinError, match=message):
        twin.run(seconds=1)


def test_a_snapshot_holds_the_repetitions() -> None:
    """In the middle of them, in another twin."""
    source = (
        IRQ + "void main_(void) { on(); ARR = 999; RCR = 9; EGR = 1; SR = 0; DIER = 1; CR1 = 1;"
        ' for (;;) __asm volatile("wfi"); }'
    )
    twin, other = timer(L4, source, other="TIM1"), timer(L4, "void main_(void) { for (;;) {} }", other="TIM1")
    twin.run(seconds=0.0012)
    snapshot, ends = twin.snapshot(), []
    for one in (twin, other):
        one.restore(snapshot)
        ends.append(times(one, 3))
    assert ends[0] == ends[1]
