"""What is taken for waiting, and what is not: no byte is lost by it, and no wait costs the host its time."""

from __future__ import annotations

import pytest

from spboot.twin import Twin

from .conftest import finish, out, twin_of

COUNT = 200
BUFFER = "((volatile uint8_t *)0x20001000)"

EACH_FLAG = """
    for (uint32_t n = 0; n < COUNT;) {
        if (USART2_ISR & 8) { USART2_ICR = 8; OUT[1]++; }
        if (USART2_ISR & 2) USART2_ICR = 2;
        if (USART2_ISR & 4) USART2_ICR = 4;
        if (USART2_ISR & 1) USART2_ICR = 1;
        if (USART2_ISR & 0x20) BUFFER[n++] = (uint8_t)USART2_RDR;
    }"""
"""A read of the status for each flag, all in one loop."""

UNTIL_TIMEOUT = """
    for (uint32_t n = 0; n < COUNT; n++) {
        while (!(USART2_ISR & 0x20)) {
            if (ticks - start > 1000) { OUT[1]++; break; }
            if (USART2_CR1 & 4) { if (USART2_ISR & 8) OUT[1]++; if (USART2_ISR & 0x800) OUT[1]++; }
        }
        if (USART2_ISR & 8) OUT[1]++;
        if (USART2_ISR & 4) OUT[1]++;
        if (USART2_ISR & 2) OUT[1]++;
        BUFFER[n] = (uint8_t)USART2_RDR;
    }"""
"""Waits for the byte with a limit by ticks, looking at errors meanwhile and once more behind."""

BY_A_FUNCTION = """
    for (uint32_t n = 0; n < COUNT;) {
        uint32_t bad = 0;
        for (uint32_t flag = 1; flag < 0x10; flag <<= 1) bad += flag_is(flag);
        OUT[1] += bad;
        if (flag_is(0x20)) BUFFER[n++] = (uint8_t)USART2_RDR;
    }"""
"""All by one instruction: a function that is asked for one flag after the other."""

LOOPS = {"each-flag": EACH_FLAG, "until-timeout": UNTIL_TIMEOUT, "by-a-function": BY_A_FUNCTION}


def receiver(loop: str) -> Twin:
    source = f"""
    #define COUNT {COUNT}
    #define BUFFER {BUFFER}
    #define ticks (OUT[4])
    __attribute__((noinline)) static uint32_t flag_is(uint32_t flag) {{ return (USART2_ISR & flag) != 0; }}
    void tick(void) {{ ticks++; }}
    void main_(void) {{ OUT[0] = OUT[1] = ticks = 0; clock_80mhz(); console(80000000 / 115200);
        SYST_RVR = 79999; SYST_CVR = 0; SYST_CSR = 7; uint32_t start = ticks; OUT[0] = 1; {loop} }}"""
    twin = twin_of(source)
    twin.run(until=lambda: out(twin) == 1)
    return twin


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS.keys())
def test_a_receiver_that_looks_often_loses_nothing(loop: str) -> None:
    twin = receiver(loop)
    data = bytes(range(COUNT))
    twin.uart("USART2").send(data)
    finish(twin)
    assert not twin.uart("USART2").lost
    assert twin.ram_read(0x20001000, COUNT) == data
    assert out(twin, 1) == 0


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS.keys())
def test_it_waits_at_no_cost(loop: str) -> None:
    """Between two bytes, 87 us or 6944 cycles, some twenty reads at most: the rest is skipped."""
    twin = receiver(loop)
    before = twin.instructions
    twin.uart("USART2").send(bytes(COUNT))
    finish(twin)
    assert (twin.instructions - before) / COUNT < 700
