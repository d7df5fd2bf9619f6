"""Both watchdogs as the manuals have them, and the core that stands still while flash works."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from spboot.twin import Twin

from .conftest import done, finish, out, twin_of

Make = Callable[[str], Twin]
START = """void main_(void) { OUT[0] = RCC_CSR >> 29 & 1; OUT[1] = 0; if (OUT[0]) return;
    IWDG_KR = 0xcccc; IWDG_KR = 0x5555; %s while (IWDG_SR) {} %s for (;;) {} }"""
PERIOD_100_MS = "IWDG_PR = 1; IWDG_RLR = 399;"
WINDOW_50_MS = PERIOD_100_MS + "REG(0x40003010) = 199;"


@pytest.mark.parametrize(("part", "ms"), [("STM32L476RG", 512), ("STM32L073RZ", 443), ("STM32H745XI", 512)])
def test_a_hardware_watchdog_has_the_period_of_a_reset(part: str, ms: int) -> None:
    """PR = 0, RLR = 0xFFF: 4 x 4096 cycles of an LSI of 32 kHz (RM0351 37.3.3), or of 37 kHz (RM0367 7.2.7)."""
    twin = twin_of("void main_(void) { for (;;) {} }", part)
    twin.enable_hardware_watchdog()
    twin.power_on()
    resets = twin.rcc.CAUSE_REGISTER
    mask = twin.rcc.mask(resets, twin.rcc.CAUSES["iwdg"])
    assert twin.run(until=lambda: bool(twin.rcc.registers[resets] & mask), seconds=1)
    assert twin.time == pytest.approx(ms / 1000, rel=0.01)


@pytest.mark.parametrize(("loops", "early"), [(10, 1), (40_000, 0)])
def test_a_watchdog_with_a_window_bites_who_feeds_it_early(make: Make, loops: int, early: int) -> None:
    """RM0351 37.3.2: above WINR = 199 of 399 a reload is a reset, after 50 ms it is none."""
    late = f"for (volatile int i = 0; i < {loops}; i++) {{}} IWDG_KR = 0xaaaa; OUT[1] = 1;"
    twin = make(START % (WINDOW_50_MS, late))
    twin.run(until=lambda: (out(twin), out(twin, 1)) in ((1, 0), (0, 1)), seconds=0.11)
    assert (out(twin), out(twin, 1)) == (early, 1 - early)


def test_a_loop_that_polls_and_feeds_outlives_the_watchdog(make: Make) -> None:
    """240 ms of polls with a feed at each: idle time is skipped, but nobody starves in it."""
    twin = make(START % (PERIOD_100_MS, "for (;;) { IWDG_KR = 0xaaaa; if (RCC_CR & 1u << 17) break; }"))
    twin.run(seconds=0.24)
    assert out(twin) == 0
    assert twin.idle > 0.1


@pytest.mark.parametrize("each", [1, 2, 3, 7, 12])
def test_a_loop_that_feeds_at_some_of_its_polls_outlives_it(make: Make, each: int) -> None:
    code = "for (uint32_t n = 1;; n++) { if (n % EACH == 0) IWDG_KR = 0xaaaa; if (RCC_CR & 1u << 17) break; }"
    twin = make(START % (PERIOD_100_MS, code.replace("EACH", str(each))))
    twin.run(seconds=0.5)
    assert out(twin) == 0
    assert twin.idle > 0.1


def test_a_loop_that_stops_to_feed_does_not(make: Make) -> None:
    """200 polls with a feed and a look at the time at each, then without the feed."""
    code = "if (n < 200) IWDG_KR = 0xaaaa; (void)REG(0xe000e018); if (RCC_CR & 1u << 17) break;"
    twin = make(START % (PERIOD_100_MS, f"for (uint32_t n = 0;; n++) {{ {code} }}"))
    assert twin.run(until=lambda: out(twin) == 1, seconds=2)
    assert twin.time > 0.1


def test_a_loop_that_only_polls_does_not(make: Make) -> None:
    twin = make(START % (PERIOD_100_MS, "for (;;) { if (RCC_CR & 1u << 17) break; }"))
    finish(twin)
    assert out(twin) == 1


def test_a_feed_that_is_too_late_is_none(make: Make) -> None:
    """An erase in the bank of the code takes 22 ms, the watchdog 12."""
    erases = "unlock(); for (uint32_t p = 16; p < 32; p++) { erase(0, p); IWDG_KR = 0xaaaa; }"
    twin = make(START % ("IWDG_PR = 0; IWDG_RLR = 99;", erases))
    finish(twin)
    assert out(twin) == 1
    assert twin.log.erases() == 1


WWDG = """void main_(void) { OUT[0] = RCC_CSR >> 30 & 1; if (OUT[0]) return; RCC_APB1ENR1 |= 1u << 11;
    (void)RCC_APB1ENR1; REG(0x40002c04) = %#x; REG(0x40002c00) = 0xff; OUT[1] = 0;
    for (volatile int i = 0; i < 10; i++) {} REG(0x40002c00) = 0xff; OUT[1] = REG(0x40002c00); for (;;) {} }"""


@pytest.mark.parametrize(("window", "left", "seconds"), [(0x7F, 0xFF, 0.0655), (0x50, 0, 0)])
def test_the_window_watchdog(make: Make, window: int, left: int, seconds: float) -> None:
    """RM0351 38.3: 64 steps of 4096 cycles of 4 MHz are 65 ms; above the window a reload is a reset as well."""
    twin = make(WWDG % window)
    finish(twin)
    assert (out(twin), out(twin, 1)) == (1, left)
    assert twin.time == pytest.approx(seconds, abs=0.002)


STALL = r"""extern uint32_t code_[], end_[];
__attribute__((naked, used)) static void body(void) { __asm volatile(".syntax unified\n.balign 4\n.global code_\n"
    "code_: str r1, [r0]\n%sbx lr\n.balign 4\n.global end_\nend_:"); }
void main_(void) { unlock(); volatile uint32_t *to = (uint32_t *)0x20001000;
    for (uint32_t *from = code_; from < end_;) *to++ = *from++;
    FLASH_CR = 2 | 4 << 3 | X32; ((void (*)(uint32_t, uint32_t))0x20001001)(0x40023c10, 2 | 4 << 3 | X32 | 1u << 16);
    OUT[0] = FLASH_SR >> 16 & 1; }"""
WAIT = r"1: ldr r2, [r0, #-4]\nlsls r2, r2, #15\nbmi 1b\n"


@pytest.mark.parametrize("wait", ["", WAIT])
def test_code_in_ram_stands_still_when_it_returns_to_a_bank_that_works(wait: str) -> None:
    """RM0090 3.6.5: whether it waits or not, nothing in that bank runs before the erase of 64 KB is done."""
    twin = twin_of(STALL % wait, "STM32F429ZI")
    finish(twin, 3)
    assert out(twin) == 0
    assert twin.time == pytest.approx(0.55, rel=0.01)


def test_code_in_ram_feeds_while_the_bank_it_came_from_is_erased() -> None:
    """It is not stopped; code in that bank, which polls the same register, is."""
    feed = r"movw r3, #0x3000\nmovt r3, #0x4000\nmovw r2, #0xaaaa\n1: str r2, [r3]\nldr r1, [r0, #-4]\n"
    loop = feed + r"lsls r1, r1, #15\nbmi 1b\n"
    twin = twin_of(STALL % loop, "STM32F429ZI")
    twin.enable_hardware_watchdog(100)
    twin.power_on()
    finish(twin, 3)
    assert twin.time == pytest.approx(0.55, rel=0.01)
    starved = twin_of(STALL % "", "STM32F429ZI")
    starved.enable_hardware_watchdog(100)
    starved.power_on()
    starved.run(until=lambda: done(starved), seconds=2)
    assert starved.log.erases() > 1, "it was reset, and began again"


@pytest.mark.parametrize(
    ("part", "divide"),
    [
        ("STM32WL55JC", "REG(0x58000094) |= 1u << 4;"),
        ("STM32L562QE", "REG(0x40021094) |= 1u << 4;"),
        ("STM32U575ZI", "REG(0x46020c94) |= 1u << 2; REG(0x46020828) |= 1; REG(0x46020cf0) |= 1u << 28;"),
    ],
)
def test_the_watchdog_runs_on_the_divided_lsi(part: str, divide: str) -> None:
    """RM0453 RCC_CSR.LSIPRE, RM0438 RCC_CSR.LSIPREDIV, RM0456 RCC_BDCR.LSIPREDIV: 128 times as long, 250 Hz."""
    base = 0x40003000
    source = f"""void main_(void) {{ SETUP REG({base:#x}) = 0xcccc; REG({base:#x}) = 0x5555; REG({base + 8:#x}) = 0xff;
        while (REG({base + 12:#x})) {{}} REG({base:#x}) = 0xaaaa; OUT[0] = 1; for (;;) {{}} }}"""
    spans = [_until_the_bite(twin_of(source.replace("SETUP", first), part)) for first in ("", divide)]
    assert spans[0] == pytest.approx(256 * 4 / 32_000, rel=0.1)
    assert spans[1] == pytest.approx(128 * 256 * 4 / 32_000, rel=0.01)


def _until_the_bite(twin: Twin) -> float:
    """Seconds from the reload to the reset."""
    twin.core.uc.mem_write(0x20000100, bytes(4))
    assert twin.run(until=lambda: out(twin) == 1, seconds=3)
    begun = twin.time
    twin.core.uc.mem_write(0x20000100, bytes(4))
    assert twin.run(until=lambda: out(twin) == 1 or not twin.iwdg.running, seconds=9)
    return twin.time - begun
