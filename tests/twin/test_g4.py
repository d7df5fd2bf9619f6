"""STM32G4 on the twin, what its relatives do not have: each misuse and what RM0440 says about it, by section.

What they all have is in test_low_power.py."""

from __future__ import annotations

import pytest

from spboot.boards import Board
from spboot.device import Device
from spboot.errors import TwinError
from spboot.twin import Cut, PowerCut, Twin

from .conftest import finish, firmware, out, twin_of

PART = "STM32G474RE"


def run(code: str, part: str = PART) -> Twin:
    return twin_of(f"void main_(void) {{ {code} }}", part)


HALF = "RCC_CFGR = 8 << 4 | 1; RCC_CFGR = 8 << 4 | 3; while ((RCC_CFGR & 0xc) != 0xc) {}"
MICROSECOND = "for (volatile int i = 0; i < 200; i++) {}"

REFUSED = {
    "6.1.5-above-150-without-boost": (
        f"FLASH_ACR = 4; pll(80); {HALF}",
        "SYSCLK 160 MHz with the regulator in range 1 normal mode.*R1MODE",
    ),
    "6.1.5-boost-left-too-early": (
        f"boost(); FLASH_ACR = 4; pll(85); {HALF} {MICROSECOND} RCC_CFGR = 3; PWR_CR5 = 0x100;",
        "SYSCLK 170 MHz with the regulator in range 1 normal mode",
    ),
    "6.1.5-range-2-ends-at-26": (
        "FLASH_ACR = 2; pll(24); RCC_CFGR = 3; while ((RCC_CFGR & 0xc) != 0xc) {}"
        " RCC_UARTENR |= PWR_EN; (void)RCC_UARTENR; PWR_CR1 = 0x400;",
        "HCLK 48 MHz with 2 wait states in voltage range 2.*[Ss]tay below 26",
    ),
    "6.4.1-vos": ("RCC_UARTENR |= PWR_EN; (void)RCC_UARTENR; PWR_CR1 = 0x600;", "VOS = 3"),
    "7.2.7-one-step": (
        "FLASH_ACR = 4; pll(75); RCC_CFGR = 3; while ((RCC_CFGR & 0xc) != 0xc) {}",
        "HCLK from 16 MHz to 150 MHz in one step",
    ),
    "7.2.7-one-step-down": (
        f"FLASH_ACR = 4; pll(75); {HALF} {MICROSECOND} RCC_CFGR = 3; RCC_CFGR = 1; {MICROSECOND}",
        "HCLK from 150 MHz to 16 MHz in one step",
    ),
    "7.2.7-less-than-1-us": (f"FLASH_ACR = 4; pll(75); {HALF} RCC_CFGR = 3;", "raised to 150 MHz less than 1 us"),
    "3.3.3-latency": (
        f"FLASH_ACR = 3; pll(75); {HALF} {MICROSECOND} RCC_CFGR = 3;",
        "150 MHz with 3 wait states.*to 4",
    ),
    "3.3.3-latency-of-boost": (
        f"boost(); FLASH_ACR = 3; pll(85); {HALF} {MICROSECOND} RCC_CFGR = 3;",
        "170 MHz with 3 wait states in voltage range 0.*to 4",
    ),
    "7.4.3-no-such-source": ("RCC_CFGR = 0;", "RCC_CFGR.SW = 0"),
    "7.4.4-pll-too-fast": ("pll(86);", "output 172 MHz.*at most 170"),
    "7.4.4-pll-factor": ("pll(7);", "N 8..127"),
    "7.4.4-pll-input": ("RCC_PLLCFGR = 2 | 15 << 4 | 96 << 8; RCC_CR |= 1u << 24;", "input 1 MHz.*input 2.66..16"),
    "7.2.4-pll-changed-while-on": (
        "pll(32); RCC_PLLCFGR = 2 | 3 << 4 | 33 << 8 | 1u << 24;",
        "changed while the PLL is",
    ),
    "3.3.5-program-in-range-2": (
        "FLASH_ACR = 2; RCC_UARTENR |= PWR_EN; (void)RCC_UARTENR; PWR_CR1 = 0x400; unlock(); FLASH_CR = 1;",
        "flash operation in voltage range 2",
    ),
    "3.7.1-cache-emptied-while-on": ("FLASH_ACR = 0x40601 | 1u << 12;", "empties a cache that is on"),
    "3.7.1-power-down": ("FLASH_ACR = 0x40601 | 1u << 13;", "does not model flash in power-down"),
    "3.7.2-power-down-key": ("FLASH_PDKEYR = 0x04152637;", "does not model flash in power-down"),
}


@pytest.mark.parametrize(("code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(code: str, message: str) -> None:
    with pytest.raises(TwinError, match=message):
        run(code).run(seconds=0.1)


@pytest.mark.parametrize("factor", [40, 75, 85])
def test_allowed(factor: int) -> None:
    """7.2.7, 6.1.5: half the clock for a microsecond; boost above 150 MHz; 80 MHz needs no step between."""
    step = HALF if factor > 40 else "RCC_CFGR = 3;"
    code = f"{'boost();' if factor > 75 else ''} FLASH_ACR = 4; pll({factor}); {step} {MICROSECOND} RCC_CFGR = 3;"
    twin = run(code + " OUT[0] = RCC_CFGR;")
    finish(twin)
    assert out(twin) == 0xF
    assert twin.rcc.hclk == factor * 2_000_000


def test_more_wait_states_than_a_clock_needs() -> None:
    """3.7.1: LATENCY has 0 to 15, and too many are slow and no fault: they are set before the clock is raised."""
    twin = run("FLASH_ACR = 8; OUT[0] = FLASH_ACR; FLASH_ACR = 15; OUT[1] = FLASH_ACR;")
    finish(twin)
    assert [out(twin, i) & 15 for i in range(2)] == [8, 15]


def test_after_a_reset() -> None:
    """3.7.1: one wait state, and the clock that it is for; 3.4.1: two banks as shipped."""
    twin = run("OUT[0] = FLASH_ACR; OUT[1] = RCC_CFGR; OUT[2] = RCC_CR; OUT[3] = FLASH_OPTR;")
    finish(twin)
    assert [out(twin, i) for i in range(4)] == [0x40601, 5, 0x500, 0xFFEFF8AA]
    assert twin.rcc.hclk == 16_000_000


def test_boost_outlives_a_reset() -> None:
    """6.4.22: PWR_CR5 is reset by power on only."""
    twin = run("boost(); OUT[0] = PWR_CR5;")
    finish(twin)
    assert out(twin) == 0
    twin.reset("software")
    assert twin.blocks["PWR"].registers["CR5"] == 0
    twin.power_on()
    assert twin.blocks["PWR"].registers["CR5"] == 0x100


def test_the_second_bank_does_not_move() -> None:
    """Table 7: at 0x08040000 in a part of 128 KB as well, and its pages count from 0."""
    twin = run("unlock(); erase(1, 0); erase(1, 31); program(0x0804f800, 1, 2);", "STM32G474CB")
    finish(twin)
    assert [(op.kind, op.address) for op in twin.log] == [
        ("erase", 0x08040000), ("erase", 0x0804F800), ("program", 0x0804F800),
    ]  # fmt: skip


def test_a_torn_unit_of_the_second_bank() -> None:
    """3.7.7: BK_ECC is bit 21, ADDR_ECC counts bytes in the bank."""
    source = """void nmi(void) { OUT[0] = FLASH_ECCR; FLASH_ECCR = 1u << 31; }
    void main_(void) { OUT[0] = 0; if (REG(0x08040808) != 1) OUT[3] = 5; if (OUT[0]) return;
        unlock(); program(0x08040808, 1, 2); }"""
    twin = twin_of(source, "STM32G474CB")
    twin.arm(Cut(at=0, when="torn", pattern=("prefix", 9)))
    with pytest.raises(PowerCut):
        twin.run(seconds=1)
    twin.power_on()
    finish(twin)
    assert out(twin) == 1 << 31 | 1 << 21 | 0x808


@pytest.mark.parametrize(("part", "first"), [("STM32G431RB", 0x20005800), ("STM32G474RE", 0x20018000)])
def test_ccm_has_two_addresses(part: str, first: int) -> None:
    """2.4: the CCM SRAM is at 0x10000000 and behind SRAM2."""
    twin = run(
        f"REG({first:#x}) = 0x1234; OUT[0] = REG(0x10000000); REG(0x10000004) = 7; OUT[1] = REG({first + 4:#x});", part
    )
    finish(twin)
    assert (out(twin), out(twin, 1)) == (0x1234, 7)


def test_an_application_without_a_bootloader_is_warned() -> None:
    """RM0440 7.2.7 asks for 1 us and silicon bears less: only spboot itself, where it is in flash, is stopped."""
    with Device(Board.load("NUCLEO-G474RE")) as device:
        code = f"FLASH_ACR = 4; pll(75); {HALF} RCC_CFGR = 3; OUT[0] = 7;"
        device.twin.flash_load(0x08000000, firmware(f"void main_(void) {{ {code} }}", PART))
        device.power_on()
        device.wait(0.01)
        assert out(device.twin) == 7
        assert len(device.twin.warnings) == 1
