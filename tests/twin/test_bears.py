"""What a manual forbids and silicon bears: code that is not strict goes on with what silicon would have, and a warning.
On STM32L476 (RM0351); that the rules stop strict code is in test_refused.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from spboot.twin import Twin

from .conftest import finish, out, twin_of

Make = Callable[[str], Twin]
RTC_ON = "RCC_APB1ENR1 |= 1u << 28; (void)RCC_APB1ENR1; "
DBP = RTC_ON + "PWR_CR1 |= 256; REG(0x40021090) = 1u << 9 | 1u << 15; REG(0x40021094) |= 1; "
"""The RTC is clocked by LSI (RM0351 6.4.28)."""
LPTIM = "RCC_APB1ENR1 |= 1u << 31; (void)RCC_APB1ENR1; REG(0x40007c10) = 1; "
"""Enabled, on the clock of its bus (RM0351 34.7.5)."""

BORNE = {
    "6.2.18-a-register-without-its-clock": (
        "OUT[0] = USART2_ISR;",
        0,
        "USART2_ISR accessed while the clock of USART2 is",
    ),
    "6.2.18-it-takes-nothing": (
        "USART2_BRR = 35; RCC_APB1ENR1 |= 1u << 17; (void)RCC_APB1ENR1; OUT[0] = USART2_BRR;",
        0,
        "USART2_BRR accessed while the clock",
    ),
    "6.2.18-right-after-its-clock": (
        '__asm volatile("str %1, [%0]; str %3, [%2]" :: "r"(&RCC_APB1ENR1), "r"(1u << 17), "r"(&USART2_BRR), "r"(35));'
        " OUT[0] = USART2_BRR;",
        35,
        "right after RCC_APB1ENR1",
    ),
    "38.4.1-iwdg-without-access": ("IWDG_PR = 3; OUT[0] = IWDG_PR;", 0, "IWDG_PR written without access"),
    "8.4.8-a-locked-port": (
        "RCC_AHB2ENR |= 1; (void)RCC_AHB2ENR; volatile uint32_t *lock = &REG(0x4800001c);"
        " *lock = 0x10001; *lock = 1; *lock = 0x10001; (void)*lock; uint32_t was = GPIOA_MODER; GPIOA_MODER = 0;"
        " OUT[0] = GPIOA_MODER == was;",
        1,
        "configuration written after it was locked",
    ),
    "PM0214-4.4.5-the-key-of-aircr": ("SCB_AIRCR = 4; OUT[0] = 7;", 7, "SCB_AIRCR written with key 0x0000"),
    "38.3.8-rtc-without-dbp": (
        RTC_ON + "REG(0x40002824) = 0xca; REG(0x40002824) = 0x53; REG(0x40002850) = 5; OUT[0] = REG(0x40002850);",
        0,
        "while PWR_CR1.DBP is clear",
    ),
    "38.3.8-rtc-behind-its-key": (
        DBP + "REG(0x4000281c) = 77; OUT[0] = REG(0x4000281c);",
        0,
        "written while it is protected",
    ),
    "34.7.3-ier-while-enabled": (
        LPTIM + "REG(0x40007c08) = 2; OUT[0] = REG(0x40007c08);",
        2,
        "LPTIM1_IER written while ENABLE is set",
    ),
    "34.7.8-the-counter-is-read": (
        LPTIM + "REG(0x40007c1c) = 7; OUT[0] = REG(0x40007c1c);",
        0,
        "LPTIM1_CNT is read-only",
    ),
    "RM0090-18.4.4-a-reserved-interrupt": (
        "RCC_APB1ENR1 |= 1; (void)RCC_APB1ENR1; REG(0x4000000c) = 0xa1; OUT[0] = REG(0x4000000c);",
        1,
        "TIM2_DIER: reserved bits 0xa0 were set",
    ),
    "RM0090-18.4.9-ccnp-of-an-output": (
        "RCC_APB1ENR1 |= 1; (void)RCC_APB1ENR1; REG(0x40000020) = 0x9; OUT[0] = REG(0x40000020);",
        9,
        "TIM2_CCER: bits 0x8 were set",
    ),
    "RM0090-17.4.9-a-reserved-output": (
        "REG(0x40021060) |= 1u << 17; (void)REG(0x40021060); REG(0x40014420) = 0x15; OUT[0] = REG(0x40014420);",
        5,
        "TIM16_CCER: reserved bits 0x10 were set",
    ),
}


@pytest.mark.parametrize("name", BORNE)
def test_it_goes_on_with_a_warning(make: Make, name: str) -> None:
    code, result, warning = BORNE[name]
    twin = make(f"void main_(void) {{ OUT[0] = 99; {code} }}")
    twin.strict = "none"
    finish(twin)
    assert out(twin) == result
    assert any(warning in said for said in twin.warnings), twin.warnings


@pytest.mark.parametrize(
    ("part", "enable", "bit", "timer"),
    [("STM32F429ZI", 0x40023840, 4, 0x40001000), ("STM32L073RZ", 0x40021034, 2, 0x40010800)],
)
def test_a_bit_that_a_family_lacks(part: str, enable: int, bit: int, timer: int) -> None:
    """UIFREMAP, which neither RM0090 20.4.1 nor RM0367 (TIM21_CR1) has."""
    twin = twin_of(
        f"void main_(void) {{ REG({enable:#x}) |= 1u << {bit}; (void)REG({enable:#x}); REG({timer:#x}) = 0x880;"
        f" OUT[0] = REG({timer:#x}); }}",
        part,
    )
    twin.strict = "none"
    finish(twin)
    assert out(twin) == 0x80
    assert any("UIFREMAP was set" in said for said in twin.warnings), twin.warnings


def test_what_the_twin_cannot_tell() -> None:
    """A line of RAM dropped from the data cache of a Cortex-M7 (PM0253 4.8), as behind a transfer by DMA."""
    twin = twin_of("void main_(void) { data_cache_on(); SCB_DCIMVAC = 0x20020000; OUT[0] = 7; }", "STM32F769NI")
    twin.strict = "none"
    finish(twin)
    assert out(twin) == 7
    (warning,) = twin.warnings
    assert "drops what RAM has to get" in warning and "It may be right, which the twin cannot tell: do so" in warning


def test_a_bus_that_is_too_fast() -> None:
    """RM0090 6.2: SYSCLK is raised before the divider of its bus is set, as Zephyr does it."""
    twin = twin_of(
        "void main_(void) { FLASH_ACR = 5; RCC_PLLCFGR = 8 | 168 << 6 | 7 << 24; RCC_CR |= 1u << 24;"
        " while (!(RCC_CR & 1u << 25)) {} RCC_CFGR = 2;"
        " while ((RCC_CFGR & 12) != 8) {} RCC_CFGR = 0x9402; OUT[0] = 7; }",
        "STM32F429ZI",
    )
    twin.strict = "none"
    finish(twin)
    assert out(twin) == 7
    assert any("APB1 at 168 MHz" in said for said in twin.warnings), twin.warnings
    assert twin.rcc.pclk(1) == 42_000_000
