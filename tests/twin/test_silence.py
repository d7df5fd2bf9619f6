"""What falls due at one moment, and when a line is idle: RM0351 40.5.1, RM0090 30.3.1."""

from __future__ import annotations

import pytest

from spboot.twin import Twin
from spboot.twin.timeline import Order

from .conftest import OUT, out, twin_of

_BIT_PS = 10**12 // 115_200
SOURCES = {
    "STM32L476RG": """
    void irq(void) { uint32_t flags = USART2_ISR;
        if (flags & 32) ((volatile uint8_t *)OUT)[16 + OUT[0]++] = (uint8_t)USART2_RDR;
        if (flags & 16) { USART2_ICR = 16; OUT[2 + OUT[1]] = OUT[0]; OUT[1]++; } }
    void main_(void) { OUT[0] = OUT[1] = 0; clock_80mhz(); console(80000000 / 115200);
        USART2_CR1 |= 32 | 16; NVIC_ISER1 = 1u << 6; OUT[9] = 1; for (;;) __asm volatile("wfi"); }""",
    "STM32F429ZI": """
    void irq(void) { uint32_t flags = USART3_SR;
        if (flags & 48) { uint8_t byte = (uint8_t)USART3_DR;
            if (flags & 32) ((volatile uint8_t *)OUT)[16 + OUT[0]++] = byte;
            if (flags & 16) { OUT[2 + OUT[1]] = OUT[0]; OUT[1]++; } } }
    void main_(void) { OUT[0] = OUT[1] = 0; console(16000000 / 115200);
        USART3_CR1 |= 32 | 16; NVIC_ISER1 = 1u << 7; OUT[9] = 1; for (;;) __asm volatile("wfi"); }""",
}
UARTS = {"STM32L476RG": "USART2", "STM32F429ZI": "USART3"}
every_uart = pytest.mark.parametrize("part", UARTS)


def receiver(part: str) -> Twin:
    """A twin that counts bytes in OUT[0] and silences in OUT[1], and notes for each how many bytes came before."""
    twin = twin_of(SOURCES[part], part)
    twin.run(until=lambda: out(twin, 9) == 1)
    return twin


@every_uart
def test_no_silence_between_bytes_that_follow_each_other(part: str) -> None:
    """Seven bytes, then one silence: what waits for it has seven."""
    twin = receiver(part)
    twin.uart(UARTS[part]).send(b"ABCDEFG")
    twin.run(seconds=0.01)
    assert [out(twin, index) for index in range(3)] == [7, 1, 7]
    assert twin.ram_read(OUT + 16, 7) == b"ABCDEFG"


@every_uart
@pytest.mark.parametrize(("bits", "silences"), [(0, 1), (3, 1), (9, 1), (11, 2)])
def test_a_silence_is_ten_bits(part: str, bits: int, silences: int) -> None:
    """*bits* after the first byte the second one begins."""
    twin = receiver(part)
    twin.uart(UARTS[part]).send(b"A")
    twin.run(until=lambda: out(twin) == 1)
    twin.run(seconds=bits * _BIT_PS / 1e12)
    twin.uart(UARTS[part]).send(b"B")
    twin.run(seconds=0.01)
    assert (out(twin), out(twin, 1)) == (2, silences)
    assert not twin.uart(UARTS[part]).lost


def test_one_moment_has_an_order() -> None:
    """Whatever the names, and in whatever order they were announced; of one kind by name."""
    twin = twin_of("void main_(void) {}")
    timeline, seen = twin.timeline, list[str]()
    names = {Order.WATCHDOG: "a", Order.TICK: "b", Order.SILENCE: "c", Order.DEPARTURE: "d", Order.ARRIVAL: "e"}
    for order, name in names.items():
        timeline.on(name, lambda _when, name=name: seen.append(name), order)  # type: ignore[misc]
    for name in ("g", "f"):
        timeline.on(name, lambda _when, name=name: seen.append(name))  # type: ignore[misc]
    for name in ("g", "a", "b", "c", "d", "e", "f"):
        timeline.at(name, timeline.now)
    timeline.fire()
    assert seen == ["f", "g", "e", "d", "c", "b", "a"]


def test_the_chip_says_what_comes_first() -> None:
    """A byte, one that is sent, silence, a tick, the watchdog: as they are announced by the parts of a chip."""
    twin = receiver("STM32L476RG")
    seen, keys = list[str](), ("IWDG", "SYSTICK", "USART2.idle", "USART2.tx", "USART2.rx", "RCC")
    for key in keys:
        twin.timeline._handlers[key] = lambda _when, key=key: seen.append(key)  # type: ignore[misc]
        twin.timeline.at(key, twin.timeline.now)
    twin.timeline.fire()
    assert seen == ["RCC", "USART2.rx", "USART2.tx", "USART2.idle", "SYSTICK", "IWDG"]
