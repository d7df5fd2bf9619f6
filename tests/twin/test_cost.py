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


@pytest.mark.parametrize("part", ["STM32L476RG", "STM32L073RZ", "STM32L562QE"])
def test_an_exception(part: str) -> None:
    """100 calls of the supervisor: a slice and six calls each way, one call more on a Cortex-M0+."""
    twin = twin_of("""void svc(void) {}
    void main_(void) { for (int i = 0; i < 100; i++) __asm volatile("svc 0"); }""", part)  # fmt: skip
    slices, calls = twin.core.slices, twin.core.crossings
    assert twin.run(until=lambda: done(twin))
    assert (twin.core.slices - slices) / 100 < 2.5
    assert (twin.core.crossings - calls) / 100 < 14
