"""STM32F769 and its Cortex-M7 on the twin: each misuse and what RM0410 and PM0253 say about it, by section."""

from __future__ import annotations

import pytest

from spboot.errors import TwinError
from spboot.twin import Twin

from .conftest import finish, out, twin_of

PART = "STM32F769NI"


def make(code: str) -> Twin:
    return twin_of(code, PART)


PLL_216 = "RCC_PLLCFGR = 8 | 216 << 6 | 9 << 24 | 2 << 28; RCC_CR |= 1u << 24; while (!(RCC_CR & 1u << 25)) {}"

REFUSED = {
    "5.3.14-clock-off": ("USART1_CR1 = 1;", "clock of USART1 is off.*bit 4 of RCC_APB2ENR"),
    "3.7-no-such-register": ("(void)REG(0x40023c20);", "FLASH has no register at offset 0x20"),
    "3.3.2-latency": (
        f"{PLL_216} RCC_CFGR = 0x9402; while ((RCC_CFGR & 12) != 8) {{}}",
        "216 MHz with 0 wait states at 3300 mV.*LATENCY to 7",
    ),
    "4.1.4-216mhz-without-over-drive": (
        f"FLASH_ACR = 7; {PLL_216} RCC_CFGR = 0x9402; while ((RCC_CFGR & 12) != 8) {{}}",
        "216 MHz at a voltage for 180 MHz",
    ),
    "5.2-apb2-too-fast": (
        "FLASH_ACR = 7; RCC_PLLCFGR = 8 | 180 << 6 | 8 << 24; RCC_CR |= 1u << 24; while (!(RCC_CR & 1u << 25)) {}"
        " RCC_CFGR = 5 << 10 | 2; while ((RCC_CFGR & 12) != 8) {}",
        "APB2 at 180 MHz",
    ),
    "3.3.4-locked": ("FLASH_CR = 1;", "FLASH_CR written .* while locked.*FLASH_KEYR"),
    "3.3.5-width-against-voltage": ("unlock(); FLASH_CR = 1 | 3u << 8; REG(0x08180000) = 0;", r"PSIZE = 3 \(x64\)"),
    "3.7.5-sector-after-the-last": ("unlock(); erase(12);", "SNB = 12, which does not exist"),
    "3.7.1-accelerator-emptied-while-on": ("FLASH_ACR = 0x200; FLASH_ACR = 0xa00;", "empties a cache that is on"),
    "3.7.1-accelerator-on-after-erase": (
        "FLASH_ACR = 0x200; FLASH_ACR = 0; unlock(); erase(9); FLASH_ACR = 0x200;",
        "may hold what was erased",
    ),
    "2.2.2-no-such-block": ("REG(0x40001c00) = 1;", "where the twin has no block"),
    "PM0253-4.8-data-cache-not-emptied": ("SCB_CCR |= 1u << 16;", "contents that nobody emptied"),
    "PM0253-4.8-one-way-forgotten": (
        "for (uint32_t i = 0; i < 384; i++) SCB_DCISW = (i >> 7) << 30 | (i & 127) << 5; SCB_CCR |= 1u << 16;",
        "contents that nobody emptied",
    ),
    "PM0253-4.8-instruction-cache-not-emptied": ("SCB_CCR |= 1u << 17;", "not emptied"),
    "PM0253-4.8-dropped-while-on": ("data_cache_on(); SCB_DCISW = 0;", "drops what the data cache has to write"),
    "PM0253-4.8-off-but-not-written": (
        "data_cache_on(); SCB_CCR &= ~(1u << 16); SCB_VTOR = 0x08040000;",
        "holds unwritten data",
    ),
    "PM0253-4.8-ram-dropped": ("data_cache_on(); SCB_DCIMVAC = 0x20020000;", "drops what RAM has to get"),
    "PM0253-4.8-stale-after-erase": (
        "data_cache_on(); unlock(); erase(9); program(0x08140000, 1);",
        "0x08140000 was erased, and the data cache may still hold",
    ),
    "PM0253-4.8-stale-but-for-the-last-line": (
        "data_cache_on(); unlock(); erase(9); for (uint32_t at = 0x08140000; at < 0x0817ffe0; at += 32)"
        " SCB_DCIMVAC = at; program(0x08140000, 1);",
        "0x0817ffe0 was erased",
    ),
    "ES0392-2.1.1-stale-after-program": (
        "data_cache_on(); unlock(); program(0x08180000, 1); FLASH_CR = 1u << 31; unlock();",
        "0x08180000 was programmed, and the data cache may still hold",
    ),
    "PM0253-4.4.4-vectors-not-on-1-KB": ("SCB_VTOR = 0x08040200;", "not on a 1024-byte boundary"),
}


@pytest.mark.parametrize(("code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_a_message_that_helps(code: str, message: str) -> None:
    twin = make(f"void main_(void) {{ {code} for (volatile int i = 0; i < 9; i++) {{}} }}")
    with pytest.raises(TwinError, match=message) as caught:
        twin.run(seconds=3)
    assert "PC 0x0800" in str(caught.value)


FLAGS = {
    "3.3.7-PGPERR-byte-at-x32": ("FLASH_CR = 1 | X32; BYTE(0x08180000) = 0;", 0x40),
    "3.3.7-PGPERR-half-at-x8": ("FLASH_CR = 1 | X8; HALF(0x08180000) = 0;", 0x40),
    "3.3.7-PGPERR-misaligned": ("FLASH_CR = 1 | X32; REG(0x08180002) = 0;", 0x40),
    "3.7.4-ERSERR-no-PG": ("REG(0x08180000) = 0;", 0x80),
    "3.7.4-ERSERR-PG-with-SER": ("FLASH_CR = 3 | X32; REG(0x08180000) = 0;", 0x80),
    "3.3.7-program-twice-only-clears-bits": ("program(0x08180000, 0xff00); program(0x08180000, 0xf000);", 0),
    "3.7.4-errors-are-write-1-to-clear": ("REG(0x08180000) = 0; FLASH_SR = 0x80;", 0),
    "3.7.4-EOP-with-EOPIE": ("FLASH_CR = 1u << 24 | 1 | X32; REG(0x08180000) = 1; while (!(FLASH_SR & 1)) {}", 1),
}


@pytest.mark.parametrize(("code", "flags"), FLAGS.values(), ids=FLAGS.keys())
def test_flash_errors_show_in_sr(code: str, flags: int) -> None:
    twin = make(f"void main_(void) {{ unlock(); {code} while (FLASH_SR & 0x10000) {{}} OUT[0] = FLASH_SR; }}")
    finish(twin)
    assert out(twin) == flags
    assert len(twin.flash_controller.refusals) >= (flags & 0xF0).bit_count()


@pytest.mark.parametrize(
    ("snb", "address", "size"),
    [(0, 0, 32), (3, 0x18000, 32), (4, 0x20000, 128), (5, 0x40000, 256), (11, 0x1C0000, 256)],
)
def test_sectors_and_their_numbers(snb: int, address: int, size: int) -> None:
    """3.3.1 table 3: one bank, nDBANK = 1."""
    twin = make(f"void main_(void) {{ unlock(); erase({snb}); }}")
    twin.run(until=lambda: len(twin.log) > 0)
    assert [(op.kind, op.address, op.size) for op in twin.log] == [("erase", 0x08000000 + address, size * 1024)]


def test_one_bank_stands_still_for_itself() -> None:
    """3.3.6: with one bank, code in flash does not see BSY."""
    twin = make("void main_(void) { unlock(); FLASH_CR = 2 | 9 << 3 | X32; FLASH_CR |= 1u << 16; OUT[0] = FLASH_SR; }")
    finish(twin, 3)
    assert out(twin) == 0
    assert twin.time == pytest.approx(1.0, rel=0.01)


def test_a_wrong_key_locks_until_reset() -> None:
    """3.3.4."""
    twin = make(
        "void hard(void) { OUT[1]++; } void main_(void) { OUT[1] = 0; FLASH_KEYR = 1; unlock(); OUT[0] = FLASH_CR; }"
    )
    finish(twin)
    assert out(twin, 0) == 0x80000000
    assert out(twin, 1) >= 1


def test_caches_by_the_book() -> None:
    """PM0253 4.8: emptied, on, an erased sector forgotten, off and written."""
    twin = make(
        "void main_(void) { OUT[0] = SCB_CCSIDR >> 13 & 0x7fff; data_cache_on(); SCB_ICIALLU = 0; SCB_CCR |= 1u << 17;"
        " unlock(); erase(9); for (uint32_t at = 0x08140000; at < 0x08180000; at += 32) SCB_DCIMVAC = at;"
        " program(0x08140000, 1); SCB_CCR &= ~(3u << 16); each_line(0xe000ef74); SCB_VTOR = 0x08040000; }"
    )
    finish(twin, 3)
    assert out(twin) == 127


RESET_VALUES = {
    "5.3.1-RCC_CR": ("OUT[0] = RCC_CR;", 0x83),
    "4.4.1-PWR_CR1": ("RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; OUT[0] = PWR_CR1;", 0xC000),
    "3.7.5-FLASH_CR": ("OUT[0] = FLASH_CR;", 0x80000000),
    "3.7.6-FLASH_OPTCR": ("OUT[0] = FLASH_OPTCR;", 0xFFFFAAFD),
    "6.4.1-GPIOA_MODER": ("RCC_AHB1ENR |= 1; (void)RCC_AHB1ENR; OUT[0] = GPIOA_MODER;", 0xA8000000),
    "2.2-ITCM-side": ("OUT[0] = REG(0x00200000) == REG(0x08000000);", 1),
    "2.2.2-vectors": ("OUT[0] = SCB_VTOR;", 0x00200000),
    "40.6.1-DBGMCU_IDCODE": ("OUT[0] = REG(0xe0042000) & 0xfff;", 0x451),
    "CPUID": ("OUT[0] = REG(0xe000ed00) >> 4 & 0xfff;", 0xC27),
    "41.2-flash-size": ("OUT[0] = HALF(0x1ff0f442);", 2048),
}


@pytest.mark.parametrize(("code", "value"), RESET_VALUES.values(), ids=RESET_VALUES.keys())
def test_reset_values(code: str, value: int) -> None:
    twin = make(f"void main_(void) {{ {code} }}")
    finish(twin)
    assert out(twin) == value


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
