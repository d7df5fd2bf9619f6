"""LPTIM against its kernel clock.  The sections are those of RM0440 33 where no other manual is named; RM0351 34 and
RM0367 24 say the same of older ones."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import pytest

from spboot.errors import TwinError
from spboot.twin import Twin

from .conftest import finish, out, twin_of

LSI, LSE = 32_000, 32_768


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part with its timer: *choose* writes what chooses the kernel clock, *lsi* and *lse* the values for them."""

    base: int
    enable: int
    bit: int
    irq: int
    choose: str
    lsi: int
    lse: int
    start: str
    crystal: str
    """Starts the LSE and lets it through (LSESYSEN)."""
    manual: str
    hertz: int = LSI


def _csr(address: int) -> str:
    return f"REG({address:#x}) |= 1; while (!(REG({address:#x}) & 2)) {{}}"


def _bdcr(lock: int, address: int) -> str:
    return f"REG({lock:#x}) |= 1; REG({address:#x}) |= 1u << 26; while (!(REG({address:#x}) & 1u << 27)) {{}}"


def _lse(clock: int, power: int, control: int, *, system: bool = False) -> str:
    """Start the LSE in BDCR at *control*; PWR at *power* is clocked by bit 28 of *clock*, where that is not 0."""
    code = f"REG({clock:#x}) |= 1u << 28; (void)REG({clock:#x});" if clock else ""
    code += f" REG({power:#x}) |= 256; REG({control:#x}) |= 1; while (!(REG({control:#x}) & 2)) {{}}"
    return code + (f" REG({control:#x}) |= 128; while (!(REG({control:#x}) & 2048)) {{}}" if system else "")


_BACKUP_OPEN = "REG(0x40021038) |= 1u << 28; (void)REG(0x40021038); REG(0x40007000) |= 256; "
"""RM0367 7.3.21: PWR_CR.DBP."""
_CRYSTAL = _lse(0x40021058, 0x40007000, 0x40021090)
_G4_LIKE = {
    **{
        "base": 0x40007C00,
        "enable": 0x40021058,
        "bit": 31,
        "choose": "REG(0x40021088) = {} << 18;",
        "lsi": 1,
        "lse": 3,
    },
    **{"start": _csr(0x40021094), "crystal": _CRYSTAL},
}
_L5_CRYSTAL = {"crystal": _lse(0x40021058, 0x40007000, 0x40021090, system=True)}
PARTS = {
    "STM32F413ZG": Part(
        base=0x40002400, enable=0x40023840, bit=9, irq=97, choose="REG(0x40023894) = {}u << 30;", lsi=2, lse=3,
        start=_csr(0x40023874), crystal=_lse(0x40023840, 0x40007000, 0x40023870), manual="RM0430, RCC_DCKCFGR2",
    ),
    "STM32F769NI": Part(
        base=0x40002400, enable=0x40023840, bit=9, irq=93, choose="REG(0x40023890) = {}u << 24;", lsi=1, lse=3,
        start=_csr(0x40023874), crystal=_lse(0x40023840, 0x40007000, 0x40023870), manual="RM0410, RCC_DCKCFGR2",
    ),
    "STM32G0B1RE": Part(
        base=0x40007C00, enable=0x4002103C, bit=31, irq=17, choose="REG(0x40021054) = {} << 18;", lsi=1, lse=3,
        start=_csr(0x40021060), crystal=_lse(0x4002103C, 0x40007000, 0x4002105C), manual="RM0444 26, 5.4.21",
    ),
    "STM32G474RE": Part(**_G4_LIKE, irq=49, manual="RM0440 33, RCC_CCIPR"),
    "STM32H563ZI": Part(
        base=0x40009400, enable=0x44020CA0, bit=5, irq=70, choose="REG(0x44020cdc) = {} << 12;", lsi=4, lse=3,
        start=_bdcr(0x44020824, 0x44020CF0), crystal="REG(0x44020cf0) |= 1; while (!(REG(0x44020cf0) & 2)) {}",
        manual="RM0481, RCC_CCIPR2 (LPTIM2)",
    ),
    "STM32H745XI": Part(
        base=0x40002400, enable=0x580244E8, bit=9, irq=93, choose="REG(0x58024454) = {}u << 28;", lsi=4, lse=3,
        start=_csr(0x58024474), crystal=_lse(0, 0x58024800, 0x58024470), manual="RM0399, RCC_D2CCIP2R",
    ),
    "STM32L073RZ": Part(
        base=0x40007C00, enable=0x40021038, bit=31, irq=13, choose="REG(0x4002104c) = {} << 18;", lsi=1, lse=3,
        start=_csr(0x40021050), crystal=_BACKUP_OPEN + "REG(0x40021050) |= 256; while (!(REG(0x40021050) & 512)) {}",
        manual="RM0367 24, RCC_CCIPR", hertz=37_000,
    ),
    "STM32L476RG": Part(**_G4_LIKE, irq=65, manual="RM0351 34, 6.4.28"),
    "STM32L4R9AI": Part(**_G4_LIKE, irq=65, manual="RM0432 41, RCC_CCIPR"),
    "STM32L562QE": Part(**(_G4_LIKE | _L5_CRYSTAL), irq=67, manual="RM0438, RCC_CCIPR1"),
    "STM32U575ZI": Part(
        base=0x40009400, enable=0x46020CA0, bit=5, irq=68, choose="REG(0x46020ce0) = {} << 18;", lsi=1, lse=3,
        start="REG(0x46020c94) |= 4; (void)REG(0x46020c94);" + _bdcr(0x46020828, 0x46020CF0),
        crystal="REG(0x46020cf0) |= 129; while (~REG(0x46020cf0) & 2050) {}", manual="RM0456, RCC_CCIPR1 (LPTIM2)",
    ),
    "STM32WL55JC": Part(
        base=0x40007C00, enable=0x58000058, bit=31, irq=39, choose="REG(0x58000088) = {} << 18;", lsi=1, lse=3,
        start=_csr(0x58000094), crystal=_lse(0, 0x58000400, 0x58000090, system=True), manual="RM0453, RCC_CCIPR",
    ),
}  # fmt: skip
SECOND = ("STM32H563ZI", "STM32U575ZI")
"""Version 2: DIER is written while ENABLE is set, and the compare registers are CCR1 and CCR2."""
PRELUDE = """
#define L(offset) REG({base:#x} + offset)
#define ISR L(0)
#define ICR L(4)
#define IER L(8)
#define CFGR L(0xc)
#define CR L(0x10)
#define CMP L(0x14)
#define ARR L(0x18)
#define CNT L(0x1c)
static void on(void) {{ REG({enable:#x}) |= 1u << {bit}; (void)REG({enable:#x}); REG({iser:#x}) = 1u << {line}; }}
static void lsi(void) {{ {start} {choose} }}
static void lse(void) {{ {crystal} {choose_lse} }}
static void arr(int v) {{ ARR = v; while (!(ISR & 16)) {{}} ICR = 16; }}
static void cmp(int v) {{ CMP = v; while (!(ISR & 8)) {{}} ICR = 8; }}
static void start(int ier, int cfgr) {{ CFGR = cfgr; if (!{second}) IER = ier; CR = 1;
    if ({second}) {{ IER = ier; while (!(ISR & 1u << 24)) {{}} ICR = 1u << 24; }} }}
"""
IRQ = "void irq(void) { ICR = ISR; OUT[0]++; }"
SLEEP = ' for (;;) __asm volatile("wfi"); }'


def lptim(part: str, code: str) -> Twin:
    row = PARTS[part]
    given = {"base": row.base, "enable": row.enable, "bit": row.bit, "start": row.start, "second": int(part in SECOND)}
    given |= {"crystal": row.crystal, "choose_lse": row.choose.format(row.lse)}
    given |= {"choose": row.choose.format(row.lsi), "iser": 0xE000E100 + 4 * (row.irq >> 5), "line": row.irq & 31}
    twin = twin_of(PRELUDE.format(**given) + code, part)
    twin.power_on(ram_fill=0)
    return twin


def reached(twin: Twin, number: int) -> bool:
    return out(twin) >= number


def spans(twin: Twin, count: int) -> list[float]:
    """Seconds between *count* interrupts."""
    found = []
    for number in range(1, count + 1):
        assert twin.run(until=partial(reached, twin, number), seconds=5)
        found.append(twin.time)
    return [b - a for a, b in pairwise(found)]


# The vector table of the tests ends at interrupt 81.
TICKING = [part for part, row in PARTS.items() if row.irq <= 81]


@pytest.mark.parametrize("part", TICKING)
def test_it_ticks_with_the_lsi_out_of_sleep(part: str) -> None:
    """33.4.7, 33.7.1: ARRM each ARR + 1 cycles of LSI / 4; the core sleeps in between."""
    twin = lptim(part, IRQ + "void main_(void) { on(); lsi(); start(2, 2 << 9); arr(79); CR = 5;" + SLEEP)
    period = 80 * 4 / PARTS[part].hertz
    assert spans(twin, 20) == [pytest.approx(period, abs=2e-5)] * 19
    assert twin.idle > 0.8 * twin.time


@pytest.mark.parametrize("part", PARTS)
def test_flags_without_interrupts(part: str) -> None:
    """33.4.10, 33.7.1: the counter reaches the compare value, then ARR, and goes on from 0; flags stay until ICR."""
    twin = lptim(
        part,
        """void main_(void) { on(); OUT[6] = ARR; lsi(); start(0, 0); cmp(100); arr(300); OUT[0] = ISR & 0x1f; CR = 5;
        while (!(ISR & 1)) {} OUT[1] = CNT; OUT[2] = ISR & 0x1f; ICR = 1; while (!(ISR & 2)) {} OUT[3] = CNT;
        OUT[4] = ISR & 0x1f; ICR = 2; OUT[5] = ISR & 0x1f; while (CNT) {} OUT[7] = 1; }""",
    )
    finish(twin)
    assert [out(twin, i) for i in (0, 2, 4, 5, 6, 7)] == [0, 1, 2, 0, 1, 1]
    assert (out(twin, 1), out(twin, 3)) == (pytest.approx(100, abs=3), pytest.approx(300, abs=3))


@pytest.mark.parametrize("part", SECOND)
def test_a_second_channel_compares(part: str) -> None:
    """RM0456, LPTIM_CCR2 and CC2IF, bit 9; CMP2OK, bit 19."""
    twin = lptim(
        part,
        """void main_(void) { on(); lsi(); start(0, 0); L(0x34) = 50; while (!(ISR & 1u << 19)) {} arr(99); CR = 5;
        while (!(ISR & 1u << 9)) {} OUT[0] = CNT; }""",
    )
    finish(twin)
    assert out(twin) == pytest.approx(50, abs=3)


@pytest.mark.parametrize("part", TICKING)
def test_it_ticks_with_the_lse(part: str) -> None:
    """RCC, LPTIM1SEL (LPTIM2SEL): the crystal, and ticks of 1 / 1024 second without a drift while the core is busy."""
    twin = lptim(part, IRQ + "void main_(void) { on(); lsi(); lse(); start(2, 0); arr(31); CR = 5; for (;;) {} }")
    found = spans(twin, 129)
    assert sum(found) == pytest.approx(128 / 1024, abs=4e-6)


CLOCKS = {
    "pclk": ("", 1000 / 4e6),
    "pclk-divided": ("RCC_CFGR |= 5u << 8;", 1000 / 1e6),
    "hsi": ("RCC_CR |= 256; while (!(RCC_CR & 1024)) {} REG(0x40021088) = 2 << 18;", 1000 / 16e6),
}  # fmt: skip


@pytest.mark.parametrize(("code", "period"), CLOCKS.values(), ids=CLOCKS.keys())
def test_clocks(code: str, period: float) -> None:
    """RM0351 6.4.28: LPTIM1SEL chooses PCLK, LSI, HSI16 or LSE; a thousand periods of it without a drift."""
    twin = lptim(
        "STM32L476RG",
        IRQ + f"void main_(void) {{ RCC_APB1ENR1 |= 1u << 28; (void)RCC_APB1ENR1; on(); {code} start(2, 0); arr(999);"
        " CR = 5;" + SLEEP,
    )
    found = spans(twin, 100)
    assert sum(found) == pytest.approx(99 * period, abs=3e-5)


def test_once() -> None:
    """33.4.7: with SNGSTRT it stops at 0 behind ARR, and another one starts it again; CNTSTRT makes it go on."""
    twin = lptim(
        "STM32L476RG",
        """static void wait(void) { while (!(ISR & 2)) {} ICR = 2; }
        void main_(void) { on(); lsi(); start(0, 0); arr(20); CR = 3; wait(); for (volatile int i = 0; i < 5000; i++) {}
        OUT[0] = CNT; OUT[1] = ISR & 2; CR = 3; wait(); CR = 5; wait(); wait(); OUT[2] = 1; CR = 0; OUT[3] = CNT; }""",
    )
    finish(twin)
    assert [out(twin, i) for i in range(4)] == [0, 0, 1, 0]


@pytest.mark.parametrize(("cfgr", "first"), [(0, 200), (1 << 22, 100)])
def test_a_new_arr_waits_for_the_end_with_preload(cfgr: int, first: int) -> None:
    """33.4.10: PRELOAD lets ARR and CMP take effect at the end of a period."""
    twin = lptim(
        "STM32L476RG",
        IRQ + f"void main_(void) {{ on(); lsi(); start(2, {cfgr}); arr(99); CR = 5; ARR = 199; OUT[1] = CNT; {SLEEP}",
    )
    began = twin.time
    found = spans(twin, 3)
    assert found == [pytest.approx(200 / LSI, abs=2e-5)] * 2
    assert twin.time - sum(found) - began == pytest.approx(first / LSI, abs=8e-4)


def test_flags_go_one_by_one() -> None:
    """33.7.2: ICR clears what is 1 in it; a compare value above ARR is never reached."""
    code = """void main_(void) { on(); lsi(); start(0, 0); cmp(%d); arr(9); CR = 5;
        for (volatile int i = 0; i < 5000; i++) {} OUT[0] = ISR & 3; ICR = 2; OUT[1] = ISR & 3; }"""
    for compare, flags in ((5, [3, 1]), (5000, [2, 0])):
        twin = lptim("STM32L476RG", code % compare)
        finish(twin)
        assert [out(twin, 0), out(twin, 1)] == flags


def test_one_that_nobody_asks_costs_nothing() -> None:
    """Flags that stay set, and one that a compare value above ARR never sets, are no appointments."""
    code = "void main_(void) { on(); lsi(); start(0, 0); cmp(5000); arr(9); CR = 5;" + SLEEP
    twin = lptim("STM32L476RG", code)
    began = time.process_time()
    twin.run(seconds=1000)
    assert time.process_time() - began < 1


def test_counter_reset() -> None:
    """33.4.13 (COUNTRST): the counter begins at 0 again; a version without the bit ignores it."""
    code = "void main_(void) { on(); lsi(); start(0, 0); arr(9999); CR = 5; while (CNT < 50) {} CR = 9;"
    code += " OUT[0] = CNT; }"
    for part, least, most in (("STM32G474RE", 0, 3), ("STM32L476RG", 50, 60)):
        twin = lptim(part, code)
        finish(twin)
        assert least <= out(twin) <= most


def test_a_snapshot_holds_it() -> None:
    twin = lptim("STM32L476RG", IRQ + "void main_(void) { on(); lsi(); start(2, 0); arr(99); CR = 5;" + SLEEP)
    twin.run(seconds=0.0101)
    snapshot, ends = twin.snapshot(), []
    for _ in range(2):
        twin.restore(snapshot)
        ends.append((spans(twin, 9), twin.time))
    assert ends[0] == ends[1]


REFUSED = {
    "arr-first": ("ARR = 5;", "LPTIM1_ARR written while ENABLE is clear.*RM0440 33.7"),
    "arr-too-soon": ("CR = 1; ARR = 5; ARR = 6;", "LPTIM1_ARR written while the value before is on its way.*33.4.10"),
    "ier-late": ("CR = 1; IER = 2;", "LPTIM1_IER written while ENABLE is set.*33.7.3"),
    "cfgr-late": ("CR = 1; CFGR = 0;", "LPTIM1_CFGR written while ENABLE is set.*33.7.4"),
    "external-clock": ("CFGR = 1;", "LPTIM1_CFGR.CKSEL was set"),
    "trigger": ("CFGR = 1u << 17;", "LPTIM1_CFGR.TRIGEN was set"),
    "encoder": ("CFGR = 1u << 24;", "LPTIM1_CFGR.ENC was set"),
    "no-clock": ("REG(0x40021088) = 3 << 18; CR = 1;", "LPTIM1_CR.ENABLE set while its kernel clock is off"),
    "read-only": ("CNT = 1;", "LPTIM1_CNT is read-only"),
}


@pytest.mark.parametrize(("code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(code: str, message: str) -> None:
    twin = lptim(
        "STM32L476RG", f"void main_(void) {{ on(); lsi(); {code} for (volatile int i = 0; i < 99; i++) {{}} }}"
    )
    with pytest.raises(TwinError, match=message):
        twin.run(seconds=1)


@pytest.mark.parametrize(
    ("part", "code", "message"),
    [
        ("STM32G474RE", "CR = 1; CR = 17;", "LPTIM1_CR.RSTARE was set"),
        ("STM32WL55JC", "L(0x28) = 1;", "LPTIM1_RCR = 0x1"),
        ("STM32U575ZI", "IER = 2;", "LPTIM2_DIER written while ENABLE is clear"),
        ("STM32U575ZI", "CR = 1; IER = 1u << 16;", "LPTIM2_DIER = 0x10000 asks for DMA"),
        ("STM32U575ZI", "L(0x2c) = 1;", "LPTIM2_CCMR1 = 0x1: input capture"),
        ("STM32WL55JC", "lse(); REG(0x58000090) &= ~128u; CR = 1;", "ENABLE set while its kernel clock is off"),
        ("STM32H563ZI", "REG(0x44020cdc) = 1 << 12; CR = 1;", "a block is clocked by PLL2P.*choose another one"),
    ],
)
def test_what_others_refuse(part: str, code: str, message: str) -> None:
    twin = lptim(part, f"void main_(void) {{ on(); lsi(); {code} for (volatile int i = 0; i < 99; i++) {{}} }}")
    with pytest.raises(TwinError, match=message):
        twin.run(seconds=3)
