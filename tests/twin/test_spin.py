"""Loops without an access that only an interrupt ends: their time is skipped, and nothing else is."""

from __future__ import annotations

import sys

import pytest

from spboot.twin import PtyBridge

from .conftest import finish, out, twin_of

TICK = "void tick(void) { OUT[0]++; }"
START = "OUT[0] = OUT[1] = 0; clock_80mhz(); SYST_RVR = 79999; SYST_CVR = 0; SYST_CSR = 7;"
CALLED = """__attribute__((noinline)) static uint32_t now(void) {
    __asm volatile("push {r4, lr}; pop {r4, lr}" ::: "memory"); return OUT[0]; }"""
WAITS = {
    "nothing": "for (;;) {}",
    "flag": "while (OUT[0] < 50) {}",
    "calls": "while (now() < 50) {}",
    "delay": "uint32_t start = OUT[0]; while (OUT[0] - start < 50) {}",
}
COUNTS = {
    "register": "for (uint32_t i = 0; i < 1000000; i++) __asm volatile(\"\");",
    "memory": "for (OUT[5] = 0; OUT[5] < 1000000;) { OUT[5]++; __asm volatile(\"movs r0, #0; movs r1, #0\\n"
              "movs r2, #0; movs r3, #0; cmp r0, #0\" ::: \"r0\", \"r1\", \"r2\", \"r3\", \"cc\"); }",
    "fpu": "SCB_CPACR |= 0xf << 20; for (float f = 0; f < 1000000; f++) __asm volatile(\"\");",
    "counter": "DWT_CTRL = 1; while (DWT_CYCCNT < 8000000) {}",
}  # fmt: skip
every_wait = pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS.keys())


@every_wait
def test_a_wait_in_memory_is_skipped(wait: str) -> None:
    """50 ms at 80 MHz are four million instructions; what is skipped counts as idle."""
    twin = twin_of(f"{TICK} {CALLED} void main_(void) {{ {START} {wait} OUT[1] = 1; for (;;) {{}} }}")
    twin.run(seconds=0.060)
    assert twin.time == pytest.approx(0.060, rel=0.001)
    assert out(twin) == 59
    assert out(twin, 1) == (0 if wait == WAITS["nothing"] else 1)
    assert twin.instructions < 1_000_000
    assert twin.idle > 0.045


@every_wait
def test_no_tick_is_late_by_it(wait: str) -> None:
    """The 50th tick ends the wait in the very cycle in which it would without skipping, but for the rest of a round."""
    source = f"{TICK} {CALLED} void main_(void) {{ {START} {wait} OUT[1] = 1; for (;;) {{}} }}"
    times = []
    for skips in (True, False):
        twin = twin_of(source)
        twin.run(until=lambda twin=twin: out(twin) == 50, instructions=None if skips else 1 << 40)
        times.append(twin.time)
    assert abs(times[0] - times[1]) < 60 / 80e6


@pytest.mark.parametrize("count", COUNTS.values(), ids=COUNTS.keys())
def test_what_counts_is_not_skipped(count: str) -> None:
    """A million rounds, or as many cycles, are executed; the tick goes on beside."""
    twin = twin_of(f"{TICK} void main_(void) {{ {START} {count} OUT[1] = OUT[0]; }}")
    finish(twin)
    if count == COUNTS["counter"]:
        assert out(twin, 1) == pytest.approx(100, abs=2)
    else:
        assert twin.instructions > 1_000_000
        assert twin.idle < 1e-4  # the PLL


def test_what_does_something_is_not_skipped() -> None:
    """A pin goes up and down 50 ms long, at 4 MHz."""
    twin = twin_of("""void main_(void) { RCC_AHB2ENR |= 1; (void)RCC_AHB2ENR;
        GPIOA_MODER = (GPIOA_MODER & ~0xc00u) | 0x400;
        for (;;) { GPIOA_BSRR = 1u << 5; GPIOA_BSRR = 1u << 21; } }""")
    twin.run(seconds=0.05)
    assert twin.instructions > 190_000


def test_a_number_of_instructions_is_executed() -> None:
    twin = twin_of("void main_(void) { for (;;) {} }")
    twin.run(instructions=100_000, seconds=1000)
    assert twin.instructions == 100_000


def test_a_snapshot_goes_on_alike() -> None:
    """The search for a loop is part of the state."""
    twin = twin_of(f"{TICK} void main_(void) {{ {START} {COUNTS['register']} while (OUT[0] < 50) {{}} }}")
    twin.run(seconds=0.004)
    snapshot, ends = twin.snapshot(), []
    for _ in range(2):
        twin.run(seconds=0.03)
        ends.append((twin.time, twin.instructions, twin.core.pc))
        twin.restore(snapshot)
    assert ends[0] == ends[1]


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize("wait", ["for (;;) {}", '__asm volatile("wfi");', "USART2_ISR;"], ids=["spin", "wfi", "poll"])
def test_who_waits_at_a_terminal_lets_the_host_sleep(wait: str) -> None:
    """Virtual time keeps to the host's, so that it sleeps; some slices for each millisecond."""
    twin = twin_of(f"{TICK} void main_(void) {{ {START} console(694); for (;;) {{ {wait} }} }}")
    with PtyBridge(twin, "USART2") as bridge:
        bridge.pump(seconds=0.1)
        began, slices = twin.time, twin.core.slices
        bridge.pump(seconds=0.5)
    assert twin.time - began < 0.6
    assert (twin.core.slices - slices) / ((twin.time - began) * 1000) < 30
