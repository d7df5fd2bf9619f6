"""STM32F769 and its Cortex-M7 on the twin: each misuse and what RM0410 and PM0253 say about it, by section."""

from __future__ import annotations

import pytest

from spboot.twin import Twin

from .conftest import finish, out, twin_of

PART = "STM32F769NI"


def make(code: str) -> Twin:
    return twin_of(code, PART)


PLL_216 = "RCC_PLLCFGR = 8 | 216 << 6 | 9 << 24 | 2 << 28; RCC_CR |= 1u << 24; while (!(RCC_CR & 1u << 25)) {}"


@pytest.mark.parametrize(
    ("snb", "address", "size"),
    [(0, 0, 32), (3, 0x18000, 32), (4, 0x20000, 128), (5, 0x40000, 256), (11, 0x1C0000, 256)],
)
def test_sectors_and_their_numbers(snb: int, address: int, size: int) -> None:
    """3.3.1 table 3: one bank, nDBANK = 1."""
    twin = make(f"void main_(void) {{ unlock(); erase({snb}); }}")
    twin.run(until=lambda: len(twin.log) > 0)
    assert [(op.kind, op.address, op.size) for op in twin.log] == [("erase", 0x08000000 + address, size * 1024)]


@pytest.mark.parametrize(
    ("part", "psize", "ms"),
    [
        *((PART, 0, (400, 1100, 2100)), (PART, 1, (250, 800, 1500)), (PART, 2, (200, 500, 1000))),
        *(("STM32F722RE", 0, (346, 1027, 1953)), ("STM32F722RE", 2, (208, 505, 927))),
    ],
)
def test_erases_take_the_time_of_their_size_and_width(part: str, psize: int, ms: tuple[int, int, int]) -> None:
    """DS11532 table 56, DS12536 table 53: small, middle and large sectors."""
    erase = "FLASH_CR = 2 | {snb} << 3 | {psize} << 8; FLASH_CR |= 1u << 16; while (FLASH_SR & 1u << 16) {{}}"
    for snb, expected in zip((3, 4, 5), ms, strict=True):
        twin = twin_of(f"void main_(void) {{ unlock(); {erase.format(snb=snb, psize=psize)} }}", part)
        finish(twin, 5)
        assert twin.log.busy_ps == pytest.approx(expected * 1e9)


def test_one_bank_stands_still_for_itself() -> None:
    """3.3.6: with one bank, code in flash does not see BSY."""
    twin = make("void main_(void) { unlock(); FLASH_CR = 2 | 9 << 3 | X32; FLASH_CR |= 1u << 16; OUT[0] = FLASH_SR; }")
    finish(twin, 3)
    assert out(twin) == 0
    assert twin.time == pytest.approx(1.0, rel=0.01)


def test_caches_by_the_book() -> None:
    """PM0253 4.8: emptied, on, an erased sector forgotten, off and written."""
    twin = make(
        "void main_(void) { OUT[0] = SCB_CCSIDR >> 13 & 0x7fff; data_cache_on(); SCB_ICIALLU = 0; SCB_CCR |= 1u << 17;"
        " unlock(); erase(9); for (uint32_t at = 0x08140000; at < 0x08180000; at += 32) SCB_DCIMVAC = at;"
        " program(0x08140000, 1); SCB_CCR &= ~(3u << 16); each_line(0xe000ef74); SCB_VTOR = 0x08040000; }"
    )
    finish(twin, 3)
    assert out(twin) == 127


@pytest.mark.parametrize(("choice", "divider"), [(0, 139), (1, 139), (2, 139)])
def test_the_clock_of_a_uart_is_chosen(choice: int, divider: int) -> None:
    """5.3.26: bus, system clock or HSI, all of them 16 MHz after a reset."""
    twin = make(
        f"void main_(void) {{ RCC_DCKCFGR2 = {choice}; RCC_AHB1ENR |= 1; RCC_APB2ENR = 16; (void)RCC_APB2ENR;"
        f" GPIOA_MODER = 0x280000; GPIOA_AFRH = 0x770; USART1_BRR = {divider}; USART1_CR1 = 13; USART1_TDR = 'o';"
        " while (!(USART1_ISR & 64)) {} }"
    )
    finish(twin)
    assert bytes(twin.uart("USART1").output) == b"o"
