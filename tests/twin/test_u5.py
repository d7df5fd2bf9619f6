"""STM32U5 on the twin, what its relatives do not have: ranges of voltage, the booster and its clock, PLL1, quad-words
that wait in the buffer, banks that are swapped, IWDG version 3.

What they all have is in test_low_power.py and the table of misuse."""

from __future__ import annotations

import pytest

from spboot import chips
from spboot.twin import Twin

from .conftest import finish, out, refuses, twin_of

PART = "STM32U575ZI"
UP = "range(3); pll(4, 80, 2);"
FAST = f"{UP} boost(); FLASH_ACR = 4; pll_on(); run_on_pll();"


def run(code: str) -> Twin:
    twin = twin_of(f"void main_(void) {{ {code} }}", PART)
    finish(twin)
    return twin


def test_160_mhz_and_back() -> None:
    twin = run(f"{FAST} OUT[0] = PWR_VOSR; OUT[1] = PWR_SVMSR; OUT[2] = RCC_CFGR1;")
    assert twin.rcc.hclk == 160_000_000
    assert [out(twin, i) for i in range(3)] == [0x7C000, 0x38000, 0xF]
    twin = run(f"{FAST} RCC_CFGR1 = 0; while (RCC_CFGR1 & 0xc) {{}} RCC_CR &= ~(1u << 24); FLASH_ACR = 0; range(0);")
    assert twin.rcc.hclk == 4_000_000


def test_outputs_of_pll1_go_on_and_off_while_it_runs() -> None:
    """RM0456 11.8.9: but for PLL1REN while PLL1 is the system clock."""
    outputs = (
        "RCC_PLL1CFGR &= ~(7u << 16); pll_on(); RCC_PLL1CFGR |= 7u << 16; run_on_pll(); RCC_PLL1CFGR &= ~(3u << 16);"
    )
    twin = run(f"{UP} boost(); FLASH_ACR = 4; {outputs} OUT[0] = RCC_PLL1CFGR >> 16;")
    assert (twin.rcc.hclk, out(twin)) == (160_000_000, 4)


REFUSED = {
    "pll-in-range-4": ("pll(4, 80, 2); pll_on();", "PLL1ON in voltage range 4"),
    "no-source": ("range(3); pll(4, 80, 2); RCC_PLL1CFGR = 1u << 18; pll_on();", "source none not ready"),
    "no-booster": (f"{UP} FLASH_ACR = 4; pll_on(); run_on_pll();", "160 MHz without the booster.*BOOSTEN"),
    "booster-left-too-early": (f"{FAST} PWR_VOSR &= ~(1u << 18);", "160 MHz without the booster"),
    "voltage-after-the-clock": (f"{FAST} PWR_VOSR = 6u << 16;", "160 MHz with 4 wait states in voltage range 2"),
    "range-2": (
        "range(2); pll(4, 60, 2); boost(); FLASH_ACR = 3; pll_on(); run_on_pll();",
        "120 MHz with 3 wait states in voltage range 2.*[Ss]tay below 110",
    ),
    "wait-states": (f"{UP} boost(); FLASH_ACR = 3; pll_on(); run_on_pll();", "160 MHz with 3 wait states.*to 4"),
    "odd-divider": ("range(3); pll(4, 120, 3); pll_on();", "R 3,.*R 1 or even"),
    "input-outside-of-its-range": (
        "range(3); pll(1, 10, 1); RCC_PLL1CFGR &= ~(3u << 2); pll_on();",
        "input 16 MHz.*4..8",
    ),
    "input-too-low": ("range(3); pll(8, 80, 2); pll_on();", "input 2 MHz"),
    "vco-too-low": ("range(3); pll(4, 30, 2); pll_on();", "VCO 120 MHz"),
    "vco-too-high": ("range(3); pll(4, 140, 4); pll_on();", "VCO 560 MHz"),
    "vco-too-high-for-range-3": ("range(1); pll(4, 100, 8); pll_on();", "VCO 400 MHz.*128..330"),
    "output-too-fast": ("range(3); pll(4, 82, 2); pll_on();", "output 164 MHz"),
    "divider-while-on": (f"{UP} pll_on(); RCC_PLL1DIVR = 79;", "PLL1DIVR written while PLL1 is on"),
    "input-divider-while-on": (f"{UP} pll_on(); RCC_PLL1CFGR ^= 1u << 8;", "PLL1CFGR changed while PLL1 is on"),
    "output-of-the-core-off": (f"{FAST} RCC_PLL1CFGR &= ~(1u << 18);", "PLL1REN cleared while PLL1 is the system"),
    "no-output": (
        "range(3); pll(4, 80, 2); RCC_PLL1CFGR &= ~(1u << 18); boost(); FLASH_ACR = 4; pll_on(); RCC_CFGR1 = 3;",
        "PLL1REN clear",
    ),
    "mboost-with-the-booster-on": (f"{UP} boost(); RCC_PLL1CFGR |= 1u << 12;", "PLL1MBOOST changed while BOOSTEN"),
    "smps": ("range(3); REG(0x46020808) = 2;", "REGSEL was set"),
    "range-after-standby": ("RCC_CSR = 0x7400;", "MSISSRANGE = 7 with MSIRGSEL = 0"),
    "early-wake-up": (
        "REG(0x40003000) = 0xcccc; REG(0x40003000) = 0x5555; REG(0x40003014) = 1u << 15;",
        "EWIE was set",
    ),
    "flash-in-low-power": ("FLASH_ACR = 1u << 11;", "neither LPM nor"),
    "secure-register": ("REG(0x4002202c) = 1;", "FLASH_SECCR written with TZEN = 0"),
}


@pytest.mark.parametrize(("code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(code: str, message: str) -> None:
    refuses(PART, code, message)


@pytest.mark.parametrize(
    "start", ["", "pll(4, 80, 2); RCC_PLL1CFGR = 0;", "pll(4, 80, 2); RCC_PLL1CFGR = 2 | 8u << 12;"]
)
def test_the_booster_waits_for_the_input_of_pll1(start: str) -> None:
    """None, or one that is too slow: BOOSTRDY never comes; a core that polls it hangs."""
    wait = "for (volatile int i = 0; i < 2000; i++) {}"
    twin = run(f"range(3); {start} PWR_VOSR |= 1u << 18; {wait} OUT[0] = PWR_VOSR >> 14 & 1;")
    assert out(twin) == 0


def test_the_range_takes_its_time_upwards() -> None:
    twin = run("RCC_AHB3ENR |= 4; (void)RCC_AHB3ENR; PWR_VOSR = 3u << 16; OUT[0] = PWR_VOSR; OUT[1] = PWR_SVMSR;")
    assert (out(twin, 0), out(twin, 1)) == (0x30000, 0)


def test_bker_is_the_physical_bank() -> None:
    """With SWAP_BANK the other half of the addresses is erased (RM0456, FLASH_NSCR)."""
    twin = twin_of("void main_(void) { unlock(); erase(1, 3); }", PART)
    twin.flash_controller.options["OPTR"] |= 1 << 20
    twin.power_on()
    finish(twin)
    assert [op.address for op in twin.log] == [0x08006000]


def test_the_cache_may_not_be_on_while_flash_changes() -> None:
    refuses(PART, "while (ICACHE_SR & 1) {} ICACHE_CR |= 1; unlock(); erase(1, 3); FLASH_CR = 1u << 31;", "ICACHE on")


def test_areas_are_laid_out_as_on_its_relatives() -> None:
    """First page from bit 0, last from bit 16, B right behind A, bank 2 behind both: as flash_ecc.c takes them."""
    registers = chips.registers("flash_u5")
    for name in ("WRP1AR", "WRP1BR", "WRP2AR", "WRP2BR"):
        fields = registers[name].fields
        assert {field[-5:]: low for field, (low, _) in fields.items() if "_" in field} == {"PSTRT": 0, "_PEND": 16}
    assert [registers[name].offset for name in ("WRP1AR", "WRP1BR", "WRP2AR")] == [0x58, 0x5C, 0x68]
