"""Each misuse of a peripheral, and what the manual says about it (section of RM0351 in the test's name)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from spboot.errors import TwinError
from spboot.twin import Twin

from .conftest import finish, out

Make = Callable[[str], Twin]
PAGE = 0x080F0000

REFUSED = {
    "6.4.17-clock-off": ("USART2_CR1 = 1;", "clock of USART2 is off.*bit 17 of RCC_APB1ENR1"),
    "6.4.17-gpio-clock-off": ("GPIOA_MODER = 0;", "GPIOA_MODER accessed while the clock"),
    "6.2.18-no-delay-after-enable": (
        '__asm volatile("str %0, [%1]\\nldr r0, [%2]" :: "r"(1), "r"(0x4002104c), "r"(0x48000000) : "r0");',
        "right after RCC_AHB2ENR",
    ),
    "2.2.2-no-such-block": ("REG(0x40001c00) = 1;", "0x40001c00, where the twin has no block"),
    "6.4-no-such-register": ("(void)REG(0x400210a0);", "RCC has no register at offset 0xa0"),
    "40.8.8-read-only": ("console(35); USART2_ISR = 0;", "USART2_ISR is read-only"),
    "3.7.1-latency": (
        "FLASH_ACR = 0x600; RCC_CR |= 1u << 8; while (!(RCC_CR & 1u << 10)) {} RCC_CR = 0xb9 | 1u << 8;",
        "wait states",
    ),
    "3.3.3-latency-of-80mhz": (
        "RCC_PLLCFGR = 1u | 40u << 8 | 1u << 24; RCC_CR |= 1u << 24; while (!(RCC_CR & 1u << 25)) {} RCC_CFGR = 3;",
        "80 MHz with 0 wait states in voltage range 1.*LATENCY to 4",
    ),
    "5.4.1-range-2-at-80mhz": (
        "clock_80mhz(); RCC_APB1ENR1 |= 1u << 28; (void)RCC_APB1ENR1; PWR_CR1 = 0x400;",
        "voltage range 2.*Stay below 26 MHz",
    ),
    "6.4.4-pll-out-of-range": (
        "RCC_PLLCFGR = 1u | 86u << 8 | 1u << 24; RCC_CR |= 1u << 24;",
        "PLL: .*N 86.*at most 80 MHz",
    ),
    "6.4.4-pll-changed-while-on": ("clock_80mhz(); RCC_PLLCFGR = 1u | 20u << 8 | 1u << 24;", "PLLCFGR changed"),
    "3.3.5-locked": ("FLASH_CR = 1;", "FLASH_CR written .* while locked.*FLASH_KEYR"),
    "3.7.8-options-locked": ("unlock(); REG(0x40022020) = 0;", "OPTLOCK"),
    "8.3.2-no-pin": ("console(35); GPIOA_MODER |= 0x30; put('x');", r"no TX pin .*PA2 \(AF7\)"),
    "8.4.9-wrong-function": ("console(35); GPIOA_AFRL = 0x7100; put('x');", "no TX pin"),
    "40.8.4-no-baud-rate": ("console(0);", "BRR 0x0"),
    "40.8.4-brr-while-enabled": ("console(35); USART2_BRR = 70;", "BRR written while UE"),
    "40.5.2-tdr-full": ("console(35); for (int i = 0; i < 3; i++) USART2_TDR = 'x';", "TXE is 0"),
    "40.5.2-not-enabled": ("console(35); USART2_CR1 = 0; USART2_TDR = 1;", "UE or TE is clear"),
    "38.4.1-no-access": ("IWDG_PR = 3;", "0x5555"),
    "38.4.4-update-running": ("IWDG_KR = 0x5555; IWDG_PR = 3; IWDG_PR = 4;", "update runs"),
    "store-to-system-memory": ("REG(0x1fff7590) = 0;", "read-only 0x1fff7590"),
    "9.2.1-remap": ("RCC_APB2ENR = 1; (void)RCC_APB2ENR; REG(0x40010000) = 3;", "remaps"),
}


@pytest.mark.parametrize(("code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_a_message_that_helps(make: Make, code: str, message: str) -> None:
    twin = make(f"void main_(void) {{ {code} for (volatile int i = 0; i < 9; i++) {{}} }}")
    with pytest.raises(TwinError, match=message) as caught:
        twin.run(seconds=0.1)
    assert "PC 0x0800" in str(caught.value)


FLAGS = {
    "3.3.7-PROGERR-not-erased": ("program(0x080f0000, 1, 2); program(0x080f0000, 1, 0);", 8),
    "3.3.7-zero-over-data-is-fine": ("program(0x080f0000, 1, 2); program(0x080f0000, 0, 0);", 0),
    "3.3.7-ones-over-data-is-PROGERR": ("program(0x080f0000, 1, 2); program(0x080f0000, ~0u, ~0u);", 8),
    "3.3.7-SIZERR-byte": ("FLASH_CR = 1; *(volatile uint8_t *)0x080f0000 = 1;", 64),
    "3.3.7-SIZERR-halfword": ("FLASH_CR = 1; *(volatile unsigned short *)0x080f0000 = 1;", 64),
    "3.3.7-PGAERR-second-half-first": ("FLASH_CR = 1; REG(0x080f0004) = 1;", 32),
    "3.3.7-PGAERR-other-double-word": ("FLASH_CR = 1; REG(0x080f0000) = 1; REG(0x080f000c) = 1;", 32),
    "3.3.7-PGSERR-no-PG": ("REG(0x080f0000) = 1;", 128),
    "3.3.7-PGSERR-PG-with-PER": ("FLASH_CR = 3; REG(0x080f0000) = 1;", 128),
    "3.3.6-PGSERR-STRT-with-PG-and-PER": ("FLASH_CR = 0x10003;", 128),
    "3.3.7-PGSERR-after-an-uncleared-error": (
        "program(0x080f0000, 1, 2); program(0x080f0000, 1, 0); program(0x080f0008, 1, 0);", 8 | 128,
    ),
    "3.7.5-errors-are-write-1-to-clear": (
        "program(0x080f0000, 1, 2); program(0x080f0000, 1, 0); FLASH_SR = 8; program(0x080f0008, 1, 0);", 0,
    ),
    "3.7.5-no-EOP-without-EOPIE": ("program(0x080f0000, 1, 2);", 0),
    "3.7.5-EOP-with-EOPIE": (
        "FLASH_CR = 1u << 24 | 1; REG(0x080f0000) = 1; REG(0x080f0004) = 1; while (!(FLASH_SR & 1)) {}", 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("code", "flags"), FLAGS.values(), ids=FLAGS.keys())
def test_flash_errors_show_in_sr(make: Make, code: str, flags: int) -> None:
    """RM0351 3.7.5; a refused operation changes nothing and is in words in `refusals`."""
    twin = make(f"void main_(void) {{ unlock(); {code} OUT[0] = FLASH_SR; }}")
    finish(twin)
    assert out(twin) == flags
    assert len(twin.flash_controller.refusals) >= flags.bit_count() - (flags & 1)


def test_a_refused_program_leaves_the_cells(make: Make) -> None:
    twin = make("void main_(void) { unlock(); program(0x080f0000, 1, 2); program(0x080f0000, 3, 4); }")
    finish(twin)
    assert twin.flash_read(PAGE, 8) == bytes.fromhex("0100000002000000")
    assert len(twin.log) == 1


@pytest.mark.parametrize("keys", ["0x45670123, 0x12345678", "0x12345678, 0xcdef89ab"])
def test_a_wrong_key_is_a_bus_fault_and_locks_until_reset(make: Make, keys: str) -> None:
    """RM0351 3.3.5."""
    first, second = keys.split(", ")
    source = f"""
    void hard(void) {{ OUT[1]++; }}
    void main_(void) {{ OUT[1] = 0; FLASH_KEYR = {first}; FLASH_KEYR = {second};
        unlock(); OUT[0] = FLASH_CR >> 31; }}"""
    twin = make(source)
    finish(twin)
    assert out(twin, 0) == 1
    assert out(twin, 1) >= 1
    twin.reset("pin")
    again = make("void main_(void) { unlock(); OUT[0] = FLASH_CR >> 31; }")
    finish(again)
    assert out(again) == 0


def test_write_protection_by_option_bytes(make: Make) -> None:
    """RM0351 3.4.4: pages 1 to 2 of bank 2; erase and program set WRPERR and change nothing."""
    twin = make("""void main_(void) { unlock(); erase(1, 2); OUT[0] = FLASH_SR; FLASH_SR = 0xc3fa;
        program(0x08080800, 1, 1); OUT[1] = FLASH_SR; FLASH_SR = 0xc3fa; erase(1, 3); OUT[2] = FLASH_SR; }""")
    twin.flash_controller.options["WRP2AR"] = 0x00020001
    twin.power_on()
    finish(twin)
    assert [out(twin, i) for i in range(3)] == [16, 16, 0]


def test_lock_takes_back(make: Make) -> None:
    """RM0351 3.7.6: LOCK is set by software, cleared by the keys only."""
    twin = make("void main_(void) { unlock(); FLASH_CR = 1u << 31; OUT[0] = FLASH_CR; unlock(); OUT[1] = FLASH_CR; }")
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (0xC0000000, 0x40000000)


RESET_VALUES = {
    "8.4.1-GPIOA_MODER": ("RCC_AHB2ENR = 1; (void)RCC_AHB2ENR; OUT[0] = GPIOA_MODER;", 0xABFFFFFF),
    "6.4.1-RCC_CR": ("OUT[0] = RCC_CR;", 0x63),
    "6.4.29-RCC_CSR-power-on": ("OUT[0] = RCC_CSR;", 0x0C000600),
    "3.7.8-FLASH_OPTR": ("OUT[0] = REG(0x40022020);", 0xFFEFF8AA),
    "48.6.1-DBGMCU_IDCODE": ("OUT[0] = REG(0xe0042000) & 0xfff;", 0x415),
    "49.2-flash-size": ("OUT[0] = REG(0x1fff75e0) & 0xffff;", 1024),
    "CPUID": ("OUT[0] = REG(0xe000ed00);", 0x410FC241),
}


@pytest.mark.parametrize(("code", "value"), RESET_VALUES.values(), ids=RESET_VALUES.keys())
def test_reset_values(make: Make, code: str, value: int) -> None:
    twin = make(f"void main_(void) {{ {code} }}")
    finish(twin)
    assert out(twin) == value


def test_a_block_reset_resets_the_block(make: Make) -> None:
    """RM0351 6.4.12: RSTR is a level, the block holds reset values afterwards."""
    twin = make("void main_(void) { console(35); RCC_AHB1RSTR = 0; REG(0x40021038) = 1u << 17; REG(0x40021038) = 0;"
                " OUT[0] = USART2_CR1; }")  # fmt: skip
    finish(twin)
    assert out(twin) == 0


def test_reset_flags(make: Make) -> None:
    """RM0351 6.4.29: software reset sets SFTRSTF and PINRSTF, RMVF clears."""
    twin = make("""void main_(void) { OUT[0] = RCC_CSR >> 24; if (OUT[0] & 16) return;
        RCC_CSR |= 1u << 23; OUT[1] = RCC_CSR >> 24; SCB_AIRCR = 0x05fa0004; for (;;) {} }""")
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (0x14, 0)


def test_symbols_name_the_place(make: Make, tmp_path: object) -> None:
    from pathlib import Path

    from .conftest import build

    source = (
        "__attribute__((noinline)) void trouble(void) { USART2_CR1 = 1; } void main_(void) { trouble(); OUT[0] = 1; }"
    )
    elf = Path(str(tmp_path)) / "f.elf"
    elf.write_bytes(build(source))
    twin = make(source)
    twin.symbols(elf)
    with pytest.raises(TwinError, match=r"\(trouble\+0x"):
        twin.run()
