"""What a byte and an exception cost the host, in calls into the emulator; in seconds: `python -m bench.twin`."""

from __future__ import annotations

import pytest

from bench.twin.__main__ import by_interrupts, through_the_loader

from .conftest import done, twin_of


@pytest.mark.parametrize(("idle", "slices", "calls"), [("sleeping", 6, 45), ("spinning", 7, 45)])
def test_a_byte_received_by_interrupts(idle: str, slices: int, calls: int) -> None:
    """Three exceptions: 5 to 6 slices and 38 calls.  With a slice for all that waits for the end of a handler they were
    8 to 9 slices, with a call for each register 149 calls."""
    cost = by_interrupts(500, idle)
    assert cost.slices / cost.size < slices
    assert cost.crossings / cost.size < calls


def test_a_byte_through_the_loader() -> None:
    """A full image of 8 KB: 1.0 slice and 11 calls, with all that an update does once."""
    cost = through_the_loader(8192)
    assert cost.slices / cost.size < 1.5
    assert cost.crossings / cost.size < 15


@pytest.mark.parametrize("feeds", ["", "IWDG_KR = 0xaaaa;"])
def test_a_second_of_polls_that_count_the_time(feeds: str) -> None:
    """A wait that goes on is known at once: 724 accesses, and 1,079 of a loop that feeds the watchdog; 7,940 and
    11,903 when it was found anew behind each time that was skipped."""
    twin = twin_of(f"""void main_(void) {{ uint32_t went = 0;
        console(35); REG(0xe000e014) = 0xffffff; REG(0xe000e010) = 5;
        for (uint32_t at = REG(0xe000e018); went < 4000000;) {{ {feeds} uint32_t now = REG(0xe000e018);
            went += (at - now) & 0xffffff; at = now; if (USART2_ISR & 1u << 5) break; }} }}""")  # fmt: skip
    accesses, began = twin.bus.accesses, twin.time
    assert twin.run(until=lambda: done(twin), seconds=2)
    assert twin.time - began == pytest.approx(1, rel=0.04)
    assert twin.bus.accesses - accesses < 1_300


@pytest.mark.parametrize("part", ["STM32L476RG", "STM32L073RZ", "STM32L562QE"])
def test_an_exception(part: str) -> None:
    """100 calls of the supervisor: a slice and six calls each way, one call more on a Cortex-M0+."""
    twin = twin_of("""void svc(void) {}
    void main_(void) { for (int i = 0; i < 100; i++) __asm volatile("svc 0"); }""", part)  # fmt: skip
    slices, calls = twin.core.slices, twin.core.crossings
    assert twin.run(until=lambda: done(twin))
    assert (twin.core.slices - slices) / 100 < 2.5
    assert (twin.core.crossings - calls) / 100 < 14
