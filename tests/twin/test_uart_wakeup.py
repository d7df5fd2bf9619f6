"""A UART ends Stop, on every family whose UARTs can: RM0351 40.5.18, RM0440 37.5.21, RM0444 33.5.21, RM0399 48.

USART2 runs from HSI, which is on before Stop, and which the UART starts by itself in Stop."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from spboot.twin import Twin
from tests.families import ALL

from .conftest import done, finish, out, twin_of
from .dma import UART, dma, ready, refuses_dma

DEEP = "REG(0xe000ed10) = 4; "
SLEEP = '__asm volatile("wfi"); '
WUF, RXNE = 1 << 20, 1 << 5


@dataclass(frozen=True)
class Way:
    """What a family does for it: HSI on, USART2 from HSI, its frequency, the line of EXTI and the interrupt."""

    hsi: str
    choose: str
    hertz: int = 16_000_000
    line: int | None = None
    irq: int = 38


_MSI_HSI = "REG({cr:#x}) |= 1u << 8; while (!(REG({cr:#x}) & 1u << 10)) {{}} "
WAYS = {
    "STM32L4": Way(_MSI_HSI.format(cr=0x40021000), "REG(0x40021088) |= 2u << 2;", line=27),
    "STM32L4+": Way(_MSI_HSI.format(cr=0x40021000), "REG(0x40021088) |= 2u << 2;", line=27),
    "STM32L5": Way(_MSI_HSI.format(cr=0x40021000), "REG(0x40021088) |= 2u << 2;", line=27, irq=62),
    "STM32WL": Way(_MSI_HSI.format(cr=0x58000000), "REG(0x58000088) |= 2u << 2;", line=27, irq=37),
    "STM32U5": Way(_MSI_HSI.format(cr=0x46020C00), "REG(0x46020ce0) |= 2u << 2;", irq=62),
    "STM32L0": Way(
        "REG(0x40021000) |= 1; while (!(REG(0x40021000) & 4)) {} ", "REG(0x4002104c) |= 2u << 2;", line=26, irq=28
    ),
    "STM32G0": Way("", "REG(0x40021054) |= 2u << 2;", line=26, irq=28),
    "STM32G4": Way("", "REG(0x40021088) |= 2u << 2;", line=26),
    "STM32H7": Way("", "REG(0x58024454) |= 3;", 64_000_000, line=27),
    "STM32H5": Way("", "REG(0x44020cd8) |= 3u << 3;", 32_000_000, irq=59),
}
BY_FAMILY = pytest.mark.parametrize("name", WAYS)
HANDLER = "void irq(void) { OUT[0]++; OUT[1] = REG(STATUS); OUT[2] = REG(RDR); REG(0x40004420) = 1u << 20; }"


def program(name: str, cr1: str, cr3: str = "", code: str = SLEEP, *, masked: bool = False) -> Twin:
    """USART2 with UESM and more in CR1 and CR3; the interrupt counts in OUT[0], and leaves ISR and RDR behind it."""
    way, facts = WAYS[name], ALL[name]
    line = "" if way.line is None else f"REG({facts.exti['imr']:#x}) {'&= ~' if masked else '|='}(1u << {way.line});"
    number = f"REG({0xE000E100 + 4 * (way.irq // 32):#x}) = 1u << {way.irq % 32};"
    body = f"""{way.hsi} REG(CR1_AT) = 0; {way.choose} REG(BRR) = {way.hertz // 115_200};
        {cr3} REG(CR1_AT) = 2 | {cr1}; REG(CR1_AT) |= 0xd; {line} {number} {DEEP} OUT[7] = 1; {code} OUT[6] = OUT[0];"""
    return ready(dma(facts, body, handlers=HANDLER))


def asleep(twin: Twin) -> Twin:
    assert twin.run(until=lambda: twin.in_stop, seconds=0.5), twin.faults
    return twin


def enters(twin: Twin) -> bool:
    """Whether Stop ends within some milliseconds."""
    return twin.run(until=lambda: not twin.in_stop, seconds=0.005)


@BY_FAMILY
def test_a_byte_ends_stop_and_is_not_lost(name: str) -> None:
    """RXNE with RXNEIE: the interrupt of the UART, through its line of EXTI."""
    twin = asleep(program(name, "1u << 5"))
    twin.uart(UART).send(b"x")
    finish(twin, seconds=0.01)
    assert (out(twin, 0), out(twin, 2)) == (1, ord("x"))
    assert out(twin, 1) & (WUF | RXNE) == RXNE, "WUF is for what WUS chooses"
    assert not twin.uart(UART).lost


@BY_FAMILY
def test_without_the_interrupt_it_sleeps_on_and_receives(name: str) -> None:
    """Nothing asks for the core: the byte waits in RDR."""
    twin = asleep(program(name, "0"))
    twin.uart(UART).send(b"x")
    assert not enters(twin)
    assert not twin.uart(UART).lost


@pytest.mark.parametrize("name", [name for name, way in WAYS.items() if way.line is not None])
def test_a_masked_line_of_exti_does_not_end_it(name: str) -> None:
    """EXTI_IMR of the direct line says whether the interrupt may wake (RM0351 14.3.3)."""
    twin = asleep(program(name, "1u << 5", masked=True))
    twin.uart(UART).send(b"x")
    assert not enters(twin)


@BY_FAMILY
def test_a_start_bit_ends_it(name: str) -> None:
    """WUS = 2 and WUFIE: WUF comes with the start bit, a whole byte before RXNE."""
    code = f"{SLEEP} while (!(REG(STATUS) & {RXNE})) {{}} OUT[3] = REG(RDR);"
    if WAYS[name].hsi:  # after Stop the UART needs HSI from the program
        code = f"{SLEEP} {WAYS[name].hsi} while (!(REG(STATUS) & {RXNE})) {{}} OUT[3] = REG(RDR);"
    twin = asleep(program(name, "0", "REG(CR3_AT) = 2u << 20 | 1u << 22;", code))
    begins = twin.time
    twin.uart(UART).send(b"x")
    assert twin.run(until=lambda: out(twin) == 1, seconds=0.01)
    assert twin.time - begins < 60e-6, "a byte takes 87 us"
    assert out(twin, 1) & (WUF | RXNE) == WUF
    finish(twin, seconds=0.01)
    assert (out(twin, 0), out(twin, 3)) == (1, ord("x"))
    assert not twin.uart(UART).lost


@BY_FAMILY
def test_a_whole_byte_sets_the_flag(name: str) -> None:
    """WUS = 3 and WUFIE."""
    twin = asleep(program(name, "0", "REG(CR3_AT) = 3u << 20 | 1u << 22;"))
    twin.uart(UART).send(b"x")
    finish(twin, seconds=0.01)
    assert out(twin) == 1
    assert out(twin, 1) & (WUF | RXNE) == WUF | RXNE
    assert out(twin, 2) == ord("x")


@BY_FAMILY
def test_a_snapshot_between(name: str) -> None:
    twin = asleep(program(name, "1u << 5"))
    twin.uart(UART).send(b"x")
    taken = twin.snapshot()
    for _ in range(2):
        finish(twin, seconds=0.01)
        assert out(twin, 2) == ord("x")
        twin.restore(taken)
        assert twin.in_stop


@pytest.mark.parametrize("name", ["STM32G0", "STM32G4", "STM32H7", "STM32L4+", "STM32WL"])
def test_a_threshold_of_the_fifo_ends_it(name: str) -> None:
    """RXFTIE: half of the FIFO (RM0440 37.5.21)."""
    half = 8 if name == "STM32H7" else 4
    cr3 = "REG(CR1_AT) = 1u << 29; REG(CR3_AT) = 1u << 28 | 2u << 25;"
    twin = program(name, "1u << 29", cr3, f"{SLEEP} while (OUT[0] < {half}) {{}}")
    asleep(twin).uart(UART).send(b"abcdefgh"[: half - 1])
    assert not enters(twin)
    twin.uart(UART).send(b"x")
    assert twin.run(until=lambda: not twin.in_stop, seconds=0.01)
    assert not twin.uart(UART).lost


def test_lpuart_on_lse_in_stop_2() -> None:
    """RM0351 chapter 41 and 5.3.7: LPUART1 has its clock in Stop 2; 9600 baud from 32768 Hz (41.4.4)."""
    code = f"""REG(0x40021058) |= 1u << 28; (void)REG(0x40021058); REG(0x40007000) = 0x302;
        REG(0x40021090) |= 1; while (!(REG(0x40021090) & 2)) {{}} REG(0x40021088) |= 3u << 10;
        REG(0x4002104c) |= 4; REG(0x4002105c) |= 1; (void)REG(0x4002105c);
        REG(0x48000800) = REG(0x48000800) & ~15u | 10; REG(0x48000820) = 0x88;
        REG(0x4000800c) = 0x369; REG(0x40008000) = 0x2f; REG(0xe000e108) = 1u << 6; {DEEP} {SLEEP}"""
    twin = twin_of(
        f"void irq(void) {{ OUT[0]++; OUT[1] = REG(0x40008024); }} void main_(void) {{ OUT[0] = 0; {code} }}"
    )
    twin.uart("LPUART1").baud = 9600
    assert twin.run(until=lambda: twin.in_stop, seconds=3), twin.faults
    twin.uart("LPUART1").send(b"z")
    assert twin.run(until=lambda: done(twin), seconds=0.1)
    assert (out(twin, 0), out(twin, 1)) == (1, ord("z"))


WRONG = {
    "a-clock-that-stops": ("STM32G4", "REG(CR1_AT) = 0xf;", "a clock that stops"),
    "an-address": ("STM32G4", "{hsi} REG(CR1_AT) = 2; REG(CR3_AT) = 1u << 22; REG(CR1_AT) |= 0xd;", "by an address"),
    "stop-2": (
        "STM32L4",
        "{hsi} REG(CR1_AT) = 0xf; REG(0x40021058) |= 1u << 28; (void)REG(0x40021058); REG(0x40007000) = 0x202;",
        "Stop 2 with USART2 enabled",
    ),
    "stm32f7": ("STM32F7", "REG(CR1_AT) = 0xf;", "USART2 cannot end Stop"),
}


@pytest.mark.parametrize(("name", "code", "message"), WRONG.values(), ids=WRONG)
def test_refused(name: str, code: str, message: str) -> None:
    way = WAYS.get(name)
    hsi = f"{way.hsi} REG(CR1_AT) = 0; {way.choose} REG(BRR) = {way.hertz // 115_200};" if way else ""
    refuses_dma(ALL[name], f"{code.replace('{hsi}', hsi)} {DEEP} {SLEEP}", message)


def test_the_source_is_chosen_while_it_is_off() -> None:
    """USART_CR3.WUS (RM0351 40.8.3)."""
    refuses_dma(ALL["STM32L4"], "REG(CR3_AT) = 2u << 20;", "WUS changed while UE is set")
