"""STM32L073 on the twin: each misuse and what RM0367 says about it, by section."""

from __future__ import annotations

import pytest

from spboot.errors import TwinError
from spboot.twin import Cut, PowerCut, Twin

from .conftest import finish, out, twin_of

PART = "STM32L073RZ"
AT = 0x08020000


def make(code: str) -> Twin:
    return twin_of(f"void main_(void) {{ {code} }}", PART)


CLOCK = "RCC_CR |= 1; while (!(RCC_CR & 4)) {} RCC_CFGR = PLL_32MHZ; RCC_CR |= 1u << 24;"
REFUSED = {
    "3.3.4-locked": ("FLASH_PECR = PROG;", "FLASH_PECR written .* while PELOCK.*FLASH_PEKEYR"),
    "3.3.4-mode-that-is-none": ("unlock(); FLASH_PECR = PROG; REG(0x08020000) = 1;", "PROG and ERASE, PROG and FPRG"),
    "3.3.4-half-page-given-up": (
        "unlock(); half_page(0x08020000, 15, 4); FLASH_PECR = 0;", "inside a half-page.*all 16 words",
    ),
    "3.7-half-a-register": ("unlock(); *(volatile unsigned short *)&FLASH_PECR = 8;", "2-byte write to a FLASH"),
    "3.3.3-latency": (
        "RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; PWR_CR = 0x800; while (PWR_CSR & 16) {}" + CLOCK
        + " while (!(RCC_CR & 1u << 25)) {} RCC_CFGR |= 3; for (volatile int i = 0; i < 99; i++) {}",
        "32 MHz with 0 wait states in voltage range 1.*LATENCY to 1",
    ),
    "7.2.4-vco-in-range-2": (CLOCK, "VCO 64 MHz.*VCO at most 48"),
    "7.3.4-factors-while-on": (
        "RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; PWR_CR = 0x800; while (PWR_CSR & 16) {}" + CLOCK + " RCC_CFGR = 0;",
        "CFGR changed while the PLL is on",
    ),
    "6.1.5-vos-while-vosf": (
        "RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; PWR_CR = 0x800; PWR_CR = 0x1000;", "changed while VOSF",
    ),
    "6.4.1-vos-0": ("RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; PWR_CR = 0;", "VOS = 0"),
    "7.3.15-clock-off": ("USART2_CR1 = 1;", "clock of USART2 is off"),
    "7.3.12-port-clock-off": ("GPIOA_MODER = 0;", "GPIOA_MODER accessed while the clock"),
    "28.5.4-lpuart-brr-below-300": (
        "RCC_IOPENR = 1; RCC_APB1ENR = 1u << 18; (void)RCC_APB1ENR; LPUART1_BRR = 0x2ff; LPUART1_CR1 = 9;", "BRR 0x2ff",
    ),
    "2.2-bit-band": ("(void)REG(0x42000000);", "no block|fault"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_a_message_that_helps(code: str, message: str) -> None:
    with pytest.raises(TwinError, match=message):
        make(f"{code} for (volatile int i = 0; i < 9; i++) {{}}").run(seconds=0.1)


WRPERR, PGAERR, SIZERR, NOTZERO, FWW = 1 << 8, 1 << 9, 1 << 10, 1 << 16, 1 << 17
FLAGS = {
    "3.3.4-program-without-unlock": ("program(0x08020000, 1);", WRPERR, ""),
    "3.3.4-only-PELOCK-opened": (
        "FLASH_PEKEYR = 0x89abcdef; FLASH_PEKEYR = 0x02030405; program(0x08020000, 1);", WRPERR, "",
    ),
    "3.3.4-word": ("unlock(); program(0x08020000, 1);", 0, "01000000"),
    "3.3.4-second-program": ("unlock(); program(0x08020000, 1); program(0x08020000, 3);", NOTZERO, "01000000"),
    "3.3.4-zero-over-data": ("unlock(); program(0x08020000, 1); program(0x08020000, 0);", NOTZERO, "01000000"),
    "3.3.4-byte": ("unlock(); *(volatile uint8_t *)0x08020000 = 1;", SIZERR, ""),
    "3.3.4-halfword": ("unlock(); *(volatile unsigned short *)0x08020000 = 1;", SIZERR, ""),
    "3.3.4-erase": ("unlock(); program(0x08020000, 1); erase(0x08020040);", 0, "00000000"),
    "3.3.4-half-page": ("unlock(); half_page(0x08020040, 16, 4);", 0, ""),
    "3.3.4-half-page-at-one-address": ("unlock(); half_page(0x08020040, 16, 0);", 0, ""),
    "3.3.4-half-page-misaligned": ("unlock(); half_page(0x08020004, 1, 4);", PGAERR, ""),
    "3.3.4-half-page-over-its-end": ("unlock(); half_page(0x08020040, 9, 8);", PGAERR, ""),
    "3.3.4-half-page-from-flash": ("unlock(); FLASH_PECR = PROG | FPRG; REG(0x08020000) = 1;", FWW, ""),
    "3.3.4-half-page-not-erased": ("unlock(); program(0x0802007c, 1); half_page(0x08020040, 16, 4);", NOTZERO, ""),
    "3.7.7-errors-are-write-1-to-clear": ("program(0x08020000, 1); FLASH_SR = 1u << 8;", 0, ""),
}  # fmt: skip


@pytest.mark.parametrize(("code", "flags", "cells"), FLAGS.values(), ids=FLAGS.keys())
def test_flash_errors_show_in_sr(code: str, flags: int, cells: str) -> None:
    twin = make(f"{code} OUT[0] = FLASH_SR & 0x3ff02;")
    finish(twin)
    assert out(twin) == flags
    assert len(twin.flash_controller.refusals) >= flags.bit_count()
    assert twin.flash_read(AT, 4).hex() == (cells or "00000000")


def test_a_half_page_is_one_operation() -> None:
    """3.3.4: 16 words take the time of one; DS10690: 3.2 ms."""
    twin = make("unlock(); half_page(0x08020040, 16, 4); FLASH_PECR = 0; program(0x08020000, 9);")
    finish(twin)
    first, second = twin.log
    assert (first.address, first.size, second.size) == (0x08020040, 64, 4)
    assert first.data == b"".join(word.to_bytes(4, "little") for word in range(1, 17))
    assert second.time - first.time == pytest.approx(3.2e-3, rel=0.02)


@pytest.mark.parametrize(("at", "page"), [(0x08020000, 0x08020000), (0x080200FC, 0x08020080), (0x08017FFC, 0x08017F80)])
def test_an_erase_takes_a_page_of_128_bytes_to_zero(at: int, page: int) -> None:
    """3.3.1, 3.3.4: whichever word of the page is written; pages around it stay."""
    twin = make(f"unlock(); erase({at:#x});")
    twin.flash_load(page - 128, b"\xaa" * 384)
    finish(twin)
    assert [(op.kind, op.address, op.size) for op in twin.log] == [("erase", page, 128)]
    assert twin.flash_read(page - 128, 384) == b"\xaa" * 128 + bytes(128) + b"\xaa" * 128


def test_a_page_above_the_memory() -> None:
    """Table 7: 192 KB; a store behind them ends in a HardFault."""
    twin = twin_of(
        "void hard(void) { OUT[0] = 7; for (;;) {} } void main_(void) { unlock(); FLASH_PECR = PROG | ERASE;"
        " REG(0x08030000) = 0; }",
        PART,
    )
    twin.run(seconds=0.01)
    assert (out(twin), twin.faults[0].kind, twin.faults[0].address) == (7, "BusFault", 0x08030000)


def test_write_protection() -> None:
    """3.4.2: a bit of WRPROT is a sector of 4 KB; here sector 32, in WRPROT2."""
    source = (
        "unlock(); program(0x08020000, 1); OUT[0] = FLASH_SR >> 8 & 1; FLASH_SR = 1u << 8;"
        " erase(0x08020f80); OUT[1] = FLASH_SR >> 8 & 1; FLASH_SR = 1u << 8;"
        " program(0x08021000, 1); OUT[2] = FLASH_SR >> 8 & 1;"
    )
    twin = make(source)
    twin.flash_controller.options["WRPROT2"] = 1
    twin.power_on()
    finish(twin)
    assert [out(twin, i) for i in range(3)] == [1, 1, 0]


def test_a_torn_word_reads_without_complaint() -> None:
    """3.3.2: the ECC corrects one bit and reports none, so no read ever faults."""
    twin = make("OUT[0] = REG(0x08020000); if (OUT[0]) return; unlock(); program(0x08020000, 0xffffffff);")
    twin.arm(Cut(at=0, when="torn", pattern=("prefix", 9)))
    with pytest.raises(PowerCut):
        twin.run(seconds=1)
    twin.power_on()
    finish(twin)
    assert out(twin) == 0x1FF
    assert not twin.flash.poisoned
