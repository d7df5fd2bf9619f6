"""STM32L4+ on the twin, what STM32L4 does not have: range 1 in boost mode, and the step to it (RM0432 5.1.8, 5.4.5)."""

from __future__ import annotations

import pytest

from .conftest import finish, out, refuses, twin_of

PART = "STM32L4R9AI"
CR5 = "REG(0x40007080)"
POWER = "RCC_UARTENR |= 1u << 28; (void)RCC_UARTENR;"
BOOST = f"{POWER} {CR5} = 0;"
PLL_120 = "RCC_PLLCFGR = 1u | 60u << 8 | 1u << 24; RCC_CR |= 1u << 24; while (!(RCC_CR & 1u << 25)) {}"
HALF = "RCC_CFGR = 8u << 4; RCC_CFGR = 8u << 4 | 3; while ((RCC_CFGR & 0xc) != 0xc) {}"
MICROSECOND = "for (volatile int i = 0; i < 99; i++) {}"


def test_120_mhz_in_boost_mode_and_back() -> None:
    """Boost, wait states, the PLL with HPRE dividing by 2, 1 us, then HPRE."""
    up = f"OUT[0] = {CR5}; FLASH_ACR = 5; {PLL_120} {HALF} {MICROSECOND} RCC_CFGR = 3;"
    twin = twin_of(f"void main_(void) {{ {POWER} OUT[1] = {CR5}; {BOOST} {up} }}", PART)
    finish(twin)
    assert twin.rcc.hclk == 120_000_000
    assert (out(twin), out(twin, 1)) == (0, 0x100)
    down = f"RCC_CFGR = 8u << 4 | 3; RCC_CFGR = 8u << 4; {MICROSECOND} RCC_CFGR = 0; {CR5} = 0x100; OUT[0] = {CR5};"
    twin = twin_of(f"void main_(void) {{ {BOOST} {up} {down} }}", PART)
    finish(twin)
    assert (twin.rcc.hclk, out(twin)) == (4_000_000, 0x100)


REFUSED = {
    "120-without-boost": (f"FLASH_ACR = 5; {PLL_120} {HALF}", "SYSCLK 120 MHz.*range 1 normal mode.*R1MODE"),
    "boost-left-too-early": (
        f"{BOOST} FLASH_ACR = 5; {PLL_120} {HALF} {MICROSECOND} RCC_CFGR = 3; {CR5} = 0x100;",
        "SYSCLK 120 MHz.*range 1 normal mode",
    ),
    "one-step": (
        f"{BOOST} FLASH_ACR = 5; {PLL_120} RCC_CFGR = 3; while ((RCC_CFGR & 0xc) != 0xc) {{}}",
        "HCLK from 4 MHz to 120 MHz in one step",
    ),
    "less-than-1-us": (f"{BOOST} FLASH_ACR = 5; {PLL_120} {HALF} RCC_CFGR = 3;", "raised to 120 MHz less than 1 us"),
    "wait-states": (
        f"{BOOST} FLASH_ACR = 4; {PLL_120} {HALF} {MICROSECOND} RCC_CFGR = 3;",
        "120 MHz with 4 wait states in voltage range 0.*to 5",
    ),
    "pll-too-fast": (f"{BOOST} {PLL_120.replace('60u', '61u')}", "output 122 MHz.*at most 120"),
}


@pytest.mark.parametrize(("code", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(code: str, message: str) -> None:
    refuses(PART, code, message)


RANGE_2 = "REG(0x40007000) = 2u << 9; while (REG(0x40007014) & 1u << 10) {}"
MSI = "RCC_CR = (RCC_CR & ~0xf0u) | {} << 4 | 8;"


def pll(n: int) -> str:
    """2 MHz * *n* by the book."""
    return f"{PLL_120.replace('60u', f'{n}u')} {HALF} {MICROSECOND} RCC_CFGR = 3;"


STATES = {
    **{
        f"range-1-{mhz}": (MSI.format(number), states) for mhz, number, states in ((24, 9, 1), (32, 10, 1), (48, 11, 2))
    },
    "range-1-80": (pll(40), 3),
    **{f"range-2-{mhz}": (RANGE_2 + MSI.format(number), states) for mhz, number, states in ((16, 8, 1), (24, 9, 2))},
    "boost-100": (f"{CR5} = 0; {pll(50)}", 4),
    "boost-120": (f"{CR5} = 0; {pll(60)}", 5),
}
"""A clock, and the wait states that it needs."""


@pytest.mark.parametrize(("clock", "states"), STATES.values(), ids=STATES)
def test_wait_states_by_range(clock: str, states: int) -> None:
    """RM0432, read access latency: 20 MHz each in range 1 and in boost mode, 8, 16 and 26 MHz in range 2."""
    finish(twin_of(f"void main_(void) {{ {POWER} FLASH_ACR = {states}; {clock} }}", PART))
    refuses(PART, f"{POWER} FLASH_ACR = {states - 1}; {clock}", f"with {states - 1} wait states.*to {states}")


def test_stm32l4_has_no_boost() -> None:
    refuses("STM32L476RG", f"RCC_APB1ENR1 |= 1u << 28; (void)RCC_APB1ENR1; (void){CR5};", "no register at offset 0x80")


def test_option_bytes_that_are_written_keep_dbank() -> None:
    """RM0432 3.7.8: bit 22; a driver that changes BOR_LEV writes the rest as it is."""
    code = """unlock(); REG(0x4002200c) = 0x08192a3b; REG(0x4002200c) = 0x4c5d6e7f;
        FLASH_OPTR = (FLASH_OPTR & ~0x700u) | 0x200; FLASH_CR |= 1u << 17; while (FLASH_SR & BUSY) {}"""
    twin = twin_of(f"void main_(void) {{ OUT[0] = FLASH_OPTR; {code} OUT[1] = FLASH_OPTR; }}", PART)
    finish(twin)
    assert out(twin) & 1 << 22
    named = 0x0F7F77FF  # the bits that have a name
    assert out(twin, 1) & named == (out(twin) & ~0x700 | 0x200) & named
    assert twin.flash_controller.stored_options()["OPTR"] == out(twin, 1)
