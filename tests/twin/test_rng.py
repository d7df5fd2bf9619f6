"""RNG against its clock and virtual time.  The sections are those of RM0351 27 where no other manual is named."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from spboot.twin import Twin
from spboot.twin.blocks.rng import Rng

from .conftest import finish, firmware, out, twin_of

RNGEN, IE, CED = 4, 8, 32


@dataclass(frozen=True, kw_only=True)
class Part:
    """*clock* starts a clock that is fast enough, and chooses it."""

    base: int
    enable: int
    bit: int
    irq: int
    clock: str
    manual: str


def _crrcr(address: int) -> str:
    return f"REG({address:#x}) |= 1; while (!(REG({address:#x}) & 2)) {{}}"


def _cr(address: int) -> str:
    return f"REG({address:#x}) |= 1u << 12; while (!(REG({address:#x}) & 1u << 13)) {{}}"


_PLL_48 = (
    "REG(0x40023804) = 8 | 168 << 6 | 7u << 24; REG(0x40023800) |= 1u << 24; while (!(REG(0x40023800) & 1u << 25)) {}"
)
_SAI1_48 = (
    "REG(0x4002100c) = 1; REG(0x40021010) = 24 << 8 | 1u << 20; REG(0x40021000) |= 1u << 26;"
    " while (!(REG(0x40021000) & 1u << 27)) {} REG(0x40021088) = 1u << 26;"
)
PARTS = {
    "STM32F429ZI": Part(base=0x50060800, enable=0x40023834, bit=6, irq=80, clock=_PLL_48, manual="RM0090 24, 7.3.2"),
    "STM32F769NI": Part(base=0x50060800, enable=0x40023834, bit=6, irq=80, clock=_PLL_48, manual="RM0410"),
    "STM32G081RB": Part(
        base=0x40025000, enable=0x40021038, bit=18, irq=31, clock="REG(0x40021054) = 1u << 26;",
        manual="RM0444 19, 5.4.21",
    ),
    "STM32G474RE": Part(
        base=0x50060800, enable=0x4002104C, bit=26, irq=90, clock=_crrcr(0x40021098), manual="RM0440 26"
    ),
    "STM32H563ZI": Part(base=0x420C0800, enable=0x44020C8C, bit=18, irq=114, clock=_cr(0x44020C00), manual="RM0481"),
    "STM32H745XI": Part(base=0x48021800, enable=0x580244DC, bit=6, irq=80, clock=_cr(0x58024400), manual="RM0399"),
    "STM32L073RZ": Part(
        base=0x40025000, enable=0x40021030, bit=20, irq=29,
        clock=_crrcr(0x40021008) + "REG(0x4002104c) |= 1u << 26;", manual="RM0367",
    ),
    "STM32L476RG": Part(base=0x50060800, enable=0x4002104C, bit=18, irq=80, clock=_SAI1_48, manual="RM0351 27, 6.4.28"),
    "STM32L4R9AI": Part(base=0x50060800, enable=0x4002104C, bit=18, irq=80, clock=_crrcr(0x40021098), manual="RM0432"),
    "STM32L562QE": Part(base=0x420C0800, enable=0x4002104C, bit=18, irq=94, clock=_crrcr(0x40021098), manual="RM0438"),
    "STM32U575ZI": Part(base=0x420C0800, enable=0x46020C8C, bit=18, irq=94, clock=_cr(0x46020C00), manual="RM0456"),
    "STM32WL55JC": Part(
        base=0x58001000, enable=0x58000050, bit=18, irq=52, clock="REG(0x58000088) = 3u << 30;", manual="RM0453 22"
    ),
}  # fmt: skip
PRELUDE = """
#define CR REG({base:#x})
#define SR REG({base:#x} + 4)
#define DR REG({base:#x} + 8)
#define HTCR REG({base:#x} + 16)
static void on(void) {{ REG({enable:#x}) |= 1u << {bit}; (void)REG({enable:#x}); }}
static void clock(void) {{ {clock} }}
static uint32_t draw(void) {{ while (!(SR & 1)) {{}} return DR; }}
"""


def source(part: str, code: str) -> str:
    row = PARTS[part]
    return PRELUDE.format(base=row.base, enable=row.enable, bit=row.bit, clock=row.clock) + code


def run(part: str, code: str) -> Twin:
    twin = twin_of(source(part, code), part)
    finish(twin)
    return twin


DRAW = "void main_(void) { on(); clock(); CR |= 4; for (int i = 0; i < 10; i++) OUT[i] = draw(); OUT[10] = SR; }"


@pytest.mark.parametrize("part", PARTS)
def test_words_come_and_follow_from_the_seed(part: str) -> None:
    """27.3.5: RNGEN, then a word for each DRDY; no error with the clock of the row."""
    found = []
    for seed in (0, 0, 1):
        twin = Twin(part, seed)
        twin.flash_load(0x08000000, firmware(source(part, DRAW), part))
        twin.power_on()
        finish(twin)
        found.append([out(twin, i) for i in range(10)])
        assert not out(twin, 10) & ~1
    assert len(set(found[0])) == 10 and 0 not in found[0]
    assert found[0] == found[1]
    assert not set(found[0]) & set(found[2])


def test_a_reset_does_not_bring_the_same_words_again() -> None:
    twin = run("STM32L476RG", DRAW)
    before = [out(twin, i) for i in range(10)]
    twin.reset()
    twin.run(seconds=0.001)
    assert not set(before) & {out(twin, i) for i in range(10)}


@pytest.mark.parametrize("part", PARTS)
def test_data_ready_interrupts(part: str) -> None:
    """27.5: with IE the line is up while a word is there, and falls when it is read; seen where it is pending."""
    row = PARTS[part]
    pending = f"REG({0xE000E200 + 4 * (row.irq >> 5):#x}) >> {row.irq & 31} & 1"
    twin = run(
        part,
        f"""void main_(void) {{ on(); clock(); CR |= 4; while (!(SR & 1)) {{}} OUT[0] = {pending}; CR |= 8;
        OUT[1] = {pending}; CR &= ~4u; while (SR & 1) (void)DR; OUT[2] = {pending}; }}""",
    )
    assert [out(twin, i) for i in range(3)] == [0, 1, 0]


def test_an_interrupt_for_each_word() -> None:
    """27.5: five words, fetched by the handler, out of sleep."""
    twin = run(
        "STM32L476RG",
        """void irq(void) { OUT[1 + OUT[0]] = DR; if (++OUT[0] == 5) CR = 0; }
        void main_(void) { OUT[0] = 0; on(); clock(); REG(0xe000e108) = 1u << 16; CR |= 0xc;
        while (OUT[0] < 5) __asm volatile("wfi"); }""",
    )
    assert out(twin) == 5
    assert len({out(twin, 1 + i) for i in range(5)}) == 5


CYCLES = """void main_(void) { on(); RCC_CFGR |= %s; %s REG(0xe000edfc) = 1u << 24; DWT_CTRL |= 1;
    uint32_t t = DWT_CYCCNT; CR |= 4; while (!(SR & 1)) {} OUT[0] = DWT_CYCCNT - t; int n = 0;
    while (SR & 1) { (void)DR; n++; if (n == %d) break; } t = DWT_CYCCNT; while (!(SR & 1)) {}
    OUT[1] = DWT_CYCCNT - t; }"""


@pytest.mark.parametrize(
    ("part", "clock", "words", "first", "each"),
    [
        pytest.param("STM32L476RG", "REG(0x40021088) = 3u << 26;", 1, 46, 42, id="RM0401 13.6"),
        pytest.param("STM32G474RE", _crrcr(0x40021098), 4, 426 + 128 // 3, 213, id="RM0440 26.5"),
        pytest.param("STM32WL55JC", "REG(0x58000088) = 3u << 30;", 4, 16 + 4 * 412, 412, id="RM0453 22.5"),
    ],
)
def test_how_long_words_take(part: str, clock: str, words: int, first: int, each: int) -> None:
    """In cycles of the core: 46 and 42 of a clock as fast as the core; 213 or 412 of the AHB where that limits."""
    twin = run(part, CYCLES % ("0", clock, words))
    assert out(twin, 0) == pytest.approx(first, abs=20)
    assert out(twin, 1) == pytest.approx(each, abs=20)


def test_a_clock_that_is_off_is_an_error() -> None:
    """27.3.7: CECS and CEIS, and no words; CECS goes with the cause, CEIS when 0 is written."""
    twin = run(
        "STM32L476RG",
        """void main_(void) { on(); REG(0x40021088) = 1u << 26; CR |= 4; for (volatile int i = 0; i < 99; i++) {}
        OUT[0] = SR; SR = 0; OUT[1] = SR; clock(); OUT[2] = SR & ~1u; SR = 0; OUT[3] = SR & ~1u;
        OUT[4] = draw() != 0; }""",
    )
    assert [out(twin, i) for i in range(5)] == [0x22, 0x22, 0x20, 0, 1]


@pytest.mark.parametrize(("control", "status"), [(4, 0x22), (4 | CED, 0)])
def test_a_clock_below_a_sixteenth_of_the_bus_is_an_error(control: int, status: int) -> None:
    """27.3.6: 4 MHz with the AHB at 80 MHz, unless CED switches the check off."""
    twin = run(
        "STM32L476RG",
        f"void main_(void) {{ on(); REG(0x40021088) = 3u << 26; clock_80mhz(); CR = {control}; OUT[0] = SR & ~1u; }}",
    )
    assert out(twin) == status


@pytest.mark.parametrize("part", ["STM32L476RG", "STM32U575ZI"])
def test_a_seed_error_stops_it_until_it_is_started_anew(part: str) -> None:
    """27.3.7: SEIS by writing 0, then RNGEN off and on; RM0456: or CONDRST, which clears the flags."""
    again = "CR &= ~4u; CR |= 4;" if part == "STM32L476RG" else "CR |= 1u << 30; OUT[3] = SR; CR &= ~(1u << 30);"
    twin = twin_of(
        source(
            part,
            f"""void main_(void) {{ OUT[0] = 0; on(); clock(); CR |= 4; OUT[1] = draw(); OUT[0] = 1;
            while (!(SR & 0x44)) {{ if (SR & 1) (void)DR; }} OUT[2] = SR; SR = 0;
            for (volatile int i = 0; i < 99; i++) {{}} OUT[4] = SR & 1; {again} OUT[5] = draw();
            OUT[6] = SR & ~1u; }}""",
        ),
        part,
    )
    assert twin.run(until=lambda: out(twin) == 1, seconds=1)
    twin.block("RNG", Rng).fail()
    finish(twin)
    assert (out(twin, 2), out(twin, 4), out(twin, 6)) == (0x44, 0, 0)
    assert out(twin, 5) not in (0, out(twin, 1))


def test_configuration_takes_condrst_and_ends_with_configlock() -> None:
    """RM0456, RNG_CR: bits 4 to 29 only together with CONDRST, no more after CONFIGLOCK; no words with CONDRST."""
    twin = run(
        "STM32U575ZI",
        """void main_(void) { on(); clock(); OUT[0] = CR; CR = 0xf00000; OUT[1] = CR; CR = 1u << 30 | 0xf00d00;
        OUT[2] = CR; CR = 1u << 30 | 0xf00d04; for (volatile int i = 0; i < 99; i++) {} OUT[3] = SR; CR = 0xf00d04;
        OUT[4] = draw() != 0; CR |= 1u << 31; CR = 1u << 30; OUT[5] = CR; OUT[6] = HTCR; }""",
    )
    assert [out(twin, i) for i in range(7)] == [
        0x800D00, 0x800D00, 0x40F00D00, 0, 1, 0xC0F00D00, 0x72AC,
    ]  # fmt: skip


@pytest.mark.parametrize("part", ["STM32H563ZI", "STM32U575ZI"])
def test_noise_sources_are_chosen_with_condrst(part: str) -> None:
    """RM0456 48.7.4: RNG_NSCR, 0x3FFFF after a reset; only with CONDRST, and not after CONFIGLOCK."""
    twin = run(
        part,
        """#define NSCR REG((uint32_t)&SR + 8)
        void main_(void) { on(); clock(); OUT[0] = NSCR; NSCR = 1; OUT[1] = NSCR; CR = 1u << 30 | 0xf00d00;
        NSCR = 0x17cbb; OUT[2] = NSCR; CR = 1u << 31 | 1u << 30 | 0xf00d00; NSCR = 2; OUT[3] = NSCR; CR = 1u << 31 | 4;
        OUT[4] = draw() != 0; }""",
    )
    assert [out(twin, i) for i in range(5)] == [0x3FFFF, 0x3FFFF, 0x17CBB, 0x17CBB, 1]


def test_a_snapshot_holds_it() -> None:
    """In the middle of a word: what comes from there is the same again."""
    twin = twin_of(source("STM32L476RG", DRAW), "STM32L476RG")
    assert twin.run(until=lambda: twin.block("RNG", Rng).registers["CR"] == 4, seconds=1)
    snapshot, ends = twin.snapshot(), []
    for _ in range(2):
        twin.restore(snapshot)
        finish(twin)
        ends.append(([out(twin, i) for i in range(10)], twin.time))
    assert ends[0] == ends[1]
