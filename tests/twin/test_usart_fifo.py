"""FIFOs of USART2 and LPUART1 on the families that have them: RM0440 37.5.4 and USART_ISR, RM0444 33.5.4, RM0399 48."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from spboot.twin import Twin
from tests.families import ALL, Facts

from .conftest import OUT, done, out, refuses, twin_of
from .dma import UART, dma, held, ready, refuses_dma, send, source_of

DEPTH = {"STM32H7": 16}
WITH = [ALL[name] for name in ("STM32G0", "STM32G4", "STM32H5", "STM32H7", "STM32L4+", "STM32L5", "STM32U5", "STM32WL")]
BY_FAMILY = pytest.mark.parametrize("facts", WITH, ids=lambda facts: facts.name)
RXFNE, TXFNF, TXFE, RXFF, RXFT, TXFT, ORE, TC = 1 << 5, 1 << 7, 1 << 23, 1 << 24, 1 << 26, 1 << 27, 1 << 3, 1 << 6
FIFO = "REG(CR1_AT) = 0; REG(CR1_AT) = 1u << 29; REG(CR1_AT) |= 0xd; "
LOOP = "OUT[7] = 1; for (;;) OUT[0] = REG(STATUS);"


def depth(facts: Facts) -> int:
    return DEPTH.get(facts.name, 8)


def status(twin: Twin) -> int:
    return out(twin)


def poke(twin: Twin) -> None:
    """Set OUT[6], for which the firmware waits."""
    twin.core.store(OUT + 4 * 6, b"\x01")


@BY_FAMILY
def test_what_it_says_when_it_is_empty(facts: Facts) -> None:
    """USART_ISR, FIFO mode enabled: 0x008000C0 after a reset, and TXFT once it is enabled."""
    twin = ready(dma(facts, f"{FIFO} {LOOP}"))
    assert status(twin) & (TXFE | RXFF | RXFT | RXFNE | TXFNF | TC) == TXFE | TXFNF | TC


@BY_FAMILY
def test_it_holds_its_depth_and_one_more(facts: Facts) -> None:
    """RXFF: the FIFO is full, and a byte more is in RDR; the next one is an overrun, and all others are there."""
    most = depth(facts) + 1
    code = f"""{FIFO} OUT[7] = 1; while (!OUT[6]) OUT[0] = REG(STATUS);
        for (int i = 0; REG(STATUS) & {RXFNE}; i++) {{ BYTE(BUFFER + i) = REG(RDR); OUT[1]++; }}
        OUT[2] = REG(STATUS);"""
    twin = ready(dma(facts, code))
    send(twin, bytes(range(most - 1)))
    assert not status(twin) & (RXFF | ORE)
    send(twin, bytes([most - 1]))
    assert status(twin) & (RXFF | ORE | RXFNE) == RXFF | RXFNE
    send(twin, b"\xee")
    assert status(twin) & (RXFF | ORE) == RXFF | ORE
    assert twin.uart(UART).overruns == 1
    poke(twin)
    assert twin.run(until=lambda: done(twin), seconds=0.1)
    assert out(twin, 1) == most
    assert held(twin, facts, most) == bytes(range(most))
    assert not out(twin, 2) & (RXFNE | RXFF)


@BY_FAMILY
@pytest.mark.parametrize("choice", range(6))
def test_thresholds_of_what_came(facts: Facts, choice: int) -> None:
    """RXFTCFG: 1/8, 1/4, 1/2, 3/4, 7/8 of the depth, or full."""
    level = depth(facts) * (1, 2, 4, 6, 7, 8)[choice] // 8
    twin = ready(dma(facts, f"{FIFO} REG(CR3_AT) = {choice}u << 25; {LOOP}"))
    for count in range(1, depth(facts) + 1):
        send(twin, b"x", seconds=1e-4)
        assert bool(status(twin) & RXFT) == (count >= level), count


@BY_FAMILY
@pytest.mark.parametrize("choice", range(6))
def test_thresholds_of_what_leaves(facts: Facts, choice: int) -> None:
    """TXFTCFG: so many eighths of the depth are empty; TXFNF: there is a place."""
    level = depth(facts) * (1, 2, 4, 6, 7, 8)[choice] // 8
    code = f"""{FIFO} REG(CR3_AT) = {choice}u << 29; OUT[7] = 1;
        for (int i = 0; i <= {depth(facts)}; i++) {{ REG(TDR) = 'a' + i; OUT[8 + i] = REG(STATUS); }}
        while (!(REG(STATUS) & {TC})) {{}} OUT[0] = REG(STATUS);"""
    twin = dma(facts, code)
    assert twin.run(until=lambda: done(twin), seconds=0.1)
    for count in range(depth(facts) + 1):  # the first one went into the shift register at once
        empty = depth(facts) - count
        seen = out(twin, 8 + count)
        assert bool(seen & TXFT) == (empty >= level), count
        assert bool(seen & TXFNF) == (empty > 0), count
        assert bool(seen & TXFE) == (count == 0), count
    assert status(twin) & (TXFE | TXFNF) == TXFE | TXFNF
    assert twin.uart(UART).output == bytes(ord("a") + i for i in range(depth(facts) + 1))


@BY_FAMILY
def test_one_byte_too_many_is_refused(facts: Facts) -> None:
    """TXFNF is 0."""
    refuses_dma(facts, f"{FIFO} for (int i = 0; i < {depth(facts) + 2}; i++) REG(TDR) = i;", "while TXE is 0")


IRQ = {"STM32G0": 28, "STM32H5": 59, "STM32L5": 62, "STM32U5": 62, "STM32WL": 37}
"""Of USART2, where it is not 38."""
INTERRUPTS = {
    "RXFTIE": ("REG(CR3_AT) = 1u << 28 | 2u << 25;", lambda depth: depth // 2),
    "RXFFIE": ("REG(CR1_AT) |= 1u << 31;", lambda depth: depth + 1),
    "RXFNEIE": ("REG(CR1_AT) |= 1u << 5;", lambda depth: 1),
}


def enable(facts: Facts) -> str:
    number = IRQ.get(facts.name, 38)
    return f"REG({0xE000E100 + 4 * (number // 32):#x}) = 1u << {number % 32};"


@BY_FAMILY
@pytest.mark.parametrize(("bits", "level"), INTERRUPTS.values(), ids=INTERRUPTS)
def test_interrupts_of_what_came(facts: Facts, bits: str, level: Callable[[int], int]) -> None:
    """USART interrupt requests: the flag with its enable bit, until enough was read."""
    size = level(depth(facts))
    handler = f"void irq(void) {{ OUT[0]++; while (REG(STATUS) & {RXFNE}) {{ OUT[1]++; (void)REG(RDR); }} }}"
    code = f"{FIFO} {bits} {enable(facts)} OUT[7] = 1; for (;;) {{}}"
    twin = ready(dma(facts, code, handlers=handler))
    send(twin, b"x" * (size - 1))
    assert out(twin, 0) == 0
    send(twin, b"x")
    assert (out(twin, 0), out(twin, 1)) == (1, size)


@BY_FAMILY
def test_an_empty_fifo_interrupts(facts: Facts) -> None:
    """TXFEIE."""
    handler = "void irq(void) { OUT[0]++; OUT[1] = REG(STATUS); REG(CR1_AT) &= ~(1u << 30); }"
    code = f"""{FIFO} for (int i = 0; i < 4; i++) REG(TDR) = 'a'; REG(CR1_AT) |= 1u << 30;
        {enable(facts)} OUT[7] = 1; for (;;) {{}}"""
    twin = ready(dma(facts, code, handlers=handler))
    assert not out(twin)
    twin.run(until=lambda: out(twin) > 0, seconds=0.01)
    assert out(twin) == 1
    assert out(twin, 1) & TXFE
    assert len(twin.uart(UART).output) == 3, "the last one is still in the shift register"


@BY_FAMILY
def test_both_are_emptied_on_request(facts: Facts) -> None:
    """USART_RQR: RXFRQ and TXFRQ."""
    code = f"""{FIFO} OUT[7] = 1; while (!(REG(STATUS) & {RXFNE})) {{}} for (int i = 0; i < 5; i++) REG(TDR) = 'a' + i;
        REG(0x40004418) = 0x18; OUT[0] = REG(STATUS); while (!(REG(STATUS) & {TC})) {{}}"""
    twin = ready(dma(facts, code))
    send(twin, b"xyz")
    assert done(twin)
    assert status(twin) & (RXFNE | TXFE) == TXFE
    assert twin.uart(UART).output == b"a", "what is in the shift register goes out"


@BY_FAMILY
def test_with_dma(facts: Facts) -> None:
    """RXFNE and TXFNF ask, so that bytes go through as without FIFO."""
    code = f"""{FIFO} receive(8, CIRCULAR); for (int i = 0; i < 12; i++) BYTE(BUFFER + 64 + i) = 'a' + i;
        transmit(BUFFER + 64, 12, 0); OUT[0] = LEFT(TX); {LOOP.replace("OUT[0]", "OUT[1]")}"""
    twin = ready(dma(facts, code))
    assert out(twin) == max(0, 12 - depth(facts) - 1), "the FIFO takes what it holds at once"
    send(twin, b"0123456789")
    assert held(twin, facts, 8) == b"89234567"
    assert twin.uart(UART).output == b"abcdefghijkl"


@BY_FAMILY
def test_a_snapshot_with_bytes_in_it(facts: Facts) -> None:
    code = f"{FIFO} OUT[7] = 1; while (!OUT[6]) {{}} for (int i = 0; i < 3; i++) BYTE(BUFFER + i) = REG(RDR);"
    twin = ready(dma(facts, code))
    send(twin, b"abc")
    taken = twin.snapshot()
    for _ in range(2):
        poke(twin)
        assert twin.run(until=lambda: done(twin), seconds=0.1)
        assert held(twin, facts, 3) == b"abc"
        twin.restore(taken)


@BY_FAMILY
def test_it_is_switched_while_the_uart_is_off(facts: Facts) -> None:
    """USART_CR1.FIFOEN, and reserved thresholds."""
    refuses_dma(facts, "REG(CR1_AT) |= 1u << 29;", "FIFOEN changed while UE is set")
    refuses_dma(facts, "REG(CR3_AT) = 6u << 25;", "RXFTCFG is reserved")


def test_usarts_of_stm32g0_that_have_none() -> None:
    """RM0444 33.4: USART4 to 6 of STM32G0B1 are basic, as is USART2 of STM32G031."""
    code = "REG(0x4002103c) |= 1u << 19; REG(0x40004c00) = 1u << 29;"
    refuses("STM32G0B1RE", code, "USART4 has no FIFO")
    code = "REG(0x4002103c) |= 1u << 17; REG(0x40004400) = 1u << 29;"
    refuses("STM32G031K8", code, "USART2 has no FIFO")


def test_lpuart_has_one() -> None:
    code = "REG(0x4002103c) |= 1u << 20; REG(0x40008000) = 1u << 29; OUT[0] = REG(0x4000801c);"
    twin = twin_of(f"void main_(void) {{ {code} }}", "STM32G0B1RE")
    twin.run(seconds=0.01)
    assert out(twin) & TXFE


def test_without_the_bit_there_is_none() -> None:
    """RM0351 40.8.1: STM32L4 has no FIFOEN; the bit is not stored."""
    twin = twin_of(source_of(ALL["STM32L4"], f"void main_(void) {{ usart(); {FIFO} OUT[0] = REG(CR1_AT); }}"))
    twin.run(seconds=0.01)
    assert not out(twin) >> 29
