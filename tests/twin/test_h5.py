"""STM32H5 on the twin, what its relatives do not have: scales of voltage, the divider of HSI, delays of the
flash's signals, write protection by bits, banks that are swapped, an ECC that a second program spoils.

What they all have is in test_low_power.py and the table of misuse."""

from __future__ import annotations

import pytest

from spboot.formats.spec import data_path
from spboot.twin import Twin, models

from .conftest import finish, out, refuses, twin_of

PART = "STM32H563ZI"
UP = "scale(3); pll(8, 125, 2, 2);"
FAST = f"{UP} FLASH_ACR = 0x25; pll_on(); run_on_pll();"


def run(code: str) -> Twin:
    twin = twin_of(f"void main_(void) {{ {code} }}", PART)
    finish(twin)
    return twin


def test_250_mhz_and_back() -> None:
    twin = run(f"{FAST} OUT[0] = PWR_VOSSR;")
    assert twin.rcc.hclk == 250_000_000
    assert out(twin) == 0xE008
    down = "RCC_CFGR1 = 0; while (RCC_CFGR1 & 0x38) {} RCC_CR &= ~(1u << 24); FLASH_ACR = 0x13; scale(0);"
    twin = run(f"{FAST} {down} OUT[0] = PWR_VOSSR;")
    assert (twin.rcc.hclk, out(twin)) == (32_000_000, 0x2008)


DELAYED = f"{UP} FLASH_ACR = 0x15; pll_on(); run_on_pll(); unlock();"


def test_the_delay_matters_to_flash_operations_alone() -> None:
    """RM0481, FLASH_ACR: WRHIGHFREQ is for programming; it may follow the clock, as long as it comes before that."""
    twin = run(f"{DELAYED} FLASH_ACR = 0x25; erase(1, 3);")
    assert twin.rcc.hclk == 250_000_000
    assert len(twin.log) == 1


REFUSED = {
    "no-source": ("pll(8, 50, 4, 2); RCC_PLL1CFGR &= ~3u; pll_on();", "source none not ready"),
    "scale-3-ends-at-100": (
        "pll(8, 60, 2, 2); FLASH_ACR = 0x25; pll_on(); run_on_pll();",
        "core at 120 MHz at VOS3, for 100 MHz.*VOSCR",
    ),
    "voltage-after-the-clock": (f"{FAST} PWR_VOSCR = 2u << 4;", "core at 250 MHz at VOS1, for 200 MHz"),
    "wait-states": (f"{UP} FLASH_ACR = 0x24; pll_on(); run_on_pll();", "250 MHz with 4 wait states.*LATENCY to 5"),
    "delay-of-an-erase": (f"{DELAYED} erase(1, 3);", "operation at 250 MHz with WRHIGHFREQ 1 at VOS0.*to 2"),
    "delay-of-a-program": (
        f"{DELAYED} FLASH_CR = 2; for (int i = 0; i < 16; i += 4) REG(0x08100000 + i) = i;",
        "operation at 250 MHz with WRHIGHFREQ 1 at VOS0.*to 2",
    ),
    "odd-divider": ("pll(8, 75, 3, 2); pll_on();", "P 3,.*P even"),
    "input-outside-of-its-range": ("pll(2, 16, 4, 2); pll_on();", "input 16 MHz.*input 4..8"),
    "input-too-low-for-its-range": ("pll(16, 100, 2, 2); pll_on();", "input 2 MHz"),
    "vco-too-low": ("pll(8, 30, 2, 2); pll_on();", "VCO 120 MHz.*128..560"),
    "vco-too-high": ("pll(8, 150, 4, 2); pll_on();", "VCO 600 MHz"),
    "divider-while-on": ("pll(8, 50, 4, 2); pll_on(); RCC_PLL1DIVR = 9;", "PLL1DIVR written while PLL1 is on"),
    "output-while-on": ("pll(8, 50, 4, 2); pll_on(); RCC_PLL1CFGR |= 1u << 17;", "PLL1CFGR changed while PLL1 is on"),
    "no-output": ("pll(8, 50, 4, 2); RCC_PLL1CFGR &= ~(1u << 16); pll_on(); RCC_CFGR1 = 3;", "PLL1PEN clear"),
    "no-such-source": ("RCC_CFGR1 = 5;", "RCC_CFGR.SW = 5"),
    "regulator": ("PWR_SCCR = 0x100;", "[Tt]he package decides"),
    "cache-on": (
        "while (ICACHE_SR & 1) {} ICACHE_CR |= 1; unlock(); erase(1, 3); FLASH_CR = 1;",
        "flash was changed with ICACHE on",
    ),
}


@pytest.mark.parametrize(("code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(code: str, message: str) -> None:
    refuses(PART, code, message)


def test_the_divider_of_hsi_is_fixed_while_it_feeds_a_pll() -> None:
    """RM0481, RCC_CR: the new value is ignored; HSI is 64 MHz where it is not divided."""
    twin = run("RCC_CR &= ~(3u << 3); OUT[0] = RCC_CR >> 3 & 7;")
    assert (twin.rcc.hclk, out(twin)) == (64_000_000, 4)
    twin = run("pll(8, 50, 4, 2); pll_on(); RCC_CR &= ~(3u << 3); OUT[0] = RCC_CR >> 3 & 3;")
    assert (twin.rcc.hclk, out(twin)) == (32_000_000, 1)


def test_the_scale_takes_its_time_upwards() -> None:
    twin = run("PWR_VOSCR = 3u << 4; OUT[0] = PWR_VOSSR;")
    assert out(twin) == 0


WRPERR = 1 << 17


@pytest.mark.parametrize(("register", "bank"), [("WRP1R_CUR", 0), ("WRP2R_CUR", 1)])
def test_a_bit_protects_four_sectors(register: str, bank: int) -> None:
    """RM0481, FLASH_WRP1R: those of bit 2 are 8 to 11, neither erased nor programmed."""
    start = 0x08000000 + bank * 0x100000
    steps = (
        f"program({start + n * 0x2000:#x}, 1, 2); OUT[{2 * i}] = FLASH_SR & {WRPERR}; FLASH_CCR = {WRPERR};"
        f" erase({bank}, {n}); OUT[{2 * i + 1}] = FLASH_SR & {WRPERR}; FLASH_CCR = {WRPERR};"
        for i, n in enumerate((7, 8, 11, 12))
    )
    twin = twin_of(f"void main_(void) {{ unlock(); {' '.join(steps)} }}", PART)
    twin.flash_controller.options[register] = 0xFFFFFFFB
    twin.power_on()
    finish(twin)
    assert [out(twin, i) for i in range(8)] == [0, 0, WRPERR, WRPERR, WRPERR, WRPERR, 0, 0]


def test_bksel_is_the_physical_bank() -> None:
    """With SWAP_BANK the other half of the addresses is erased, by one write (RM0481, FLASH_NSCR)."""
    twin = twin_of("void main_(void) { unlock(); erase(1, 3); OUT[0] = FLASH_SR; OUT[1] = FLASH_CR; }", PART)
    twin.flash_controller.options["OPTSR_CUR"] |= 1 << 31
    twin.power_on()
    finish(twin)
    assert [op.address for op in twin.log] == [0x08006000]
    assert (out(twin, 0), out(twin, 1)) == (1 << 16, 0)


def test_a_second_program_spoils_the_ecc() -> None:
    """An NMI, ECCD, and the number of the quad-word in its bank; nothing new is noted until ECCD is cleared."""
    twin = twin_of(
        """void nmi(void) { OUT[0] = FLASH_ECCR; FLASH_ECCR = 1u << 31; OUT[1]++; }
        void main_(void) { OUT[1] = 0; unlock(); program(0x08104010, 1, 2); program(0x08104010, 3, 2);
            OUT[2] = REG(0x08104010); }""",
        PART,
    )
    finish(twin)
    assert out(twin, 0) == 1 << 31 | 1 << 22 | 0x401
    assert out(twin, 1) == 1


def test_the_driver_brings_back_the_wait_states_of_a_reset() -> None:
    text = (data_path("firmware") / "driver" / "rcc_h5.c").read_text()
    assert f"#define LATENCY_RESET {models.MODELS['flash_h5'].RESET['ACR']:#x}u" in text
