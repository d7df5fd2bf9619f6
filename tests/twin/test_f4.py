"""STM32F429 on the twin: each misuse and what RM0090 says about it, by section."""

from __future__ import annotations

import pytest

from spboot.errors import TwinError
from spboot.twin import Cut, PowerCut, Twin

from .conftest import finish, out, twin_of

PART = "STM32F429ZI"
FREE = 0x08180000
"""Sector 20 of 128 KB, in bank 2; SNB 24."""


def make(code: str) -> Twin:
    return twin_of(code, PART)


REFUSED = {
    "7.3.12-clock-off": ("USART3_CR1 = 1;", "clock of USART3 is off.*bit 18 of RCC_APB1ENR"),
    "7.3.10-gpio-clock-off": ("GPIOA_MODER = 0;", "GPIOA_MODER accessed while the clock"),
    "2.3-no-such-block": ("REG(0x40001c00) = 1;", "where the twin has no block"),
    "3.9-no-such-register": ("(void)REG(0x40023c18);", "FLASH has no register at offset 0x18"),
    "3.5.1-latency": (
        "RCC_PLLCFGR = 8 | 168 << 6 | 7 << 24; RCC_CR |= 1u << 24; while (!(RCC_CR & 1u << 25)) {} RCC_CFGR = 0x9402;",
        "168 MHz with 0 wait states at 3300 mV.*LATENCY to 5",
    ),
    "6.2-apb1-too-fast": (
        "FLASH_ACR = 5; RCC_PLLCFGR = 8 | 168 << 6 | 7 << 24; RCC_CR |= 1u << 24; while (!(RCC_CR & 1u << 25)) {}"
        " RCC_CFGR = 4 << 10 | 4 << 13; RCC_CFGR |= 2; while ((RCC_CFGR & 12) != 8) {}",
        "APB1 at 84 MHz",
    ),
    "5.1.3-voltage-scale": (
        "RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; PWR_CR = 1u << 14; clock_168mhz();",
        "168 MHz at a voltage for 120 MHz",
    ),
    "5.1.3-180mhz-without-over-drive": (
        "FLASH_ACR = 5; RCC_PLLCFGR = 8 | 180 << 6 | 8 << 24; RCC_CR |= 1u << 24; while (!(RCC_CR & 1u << 25)) {}"
        " RCC_CFGR = 0x9402; while ((RCC_CFGR & 12) != 8) {}",
        "180 MHz at a voltage for 168 MHz",
    ),
    "5.1.4-over-drive-not-ready": (
        "RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; PWR_CR = 3u << 14 | 1u << 16; PWR_CR = 3u << 14 | 3u << 16;",
        "ODSWEN set before ODRDY",
    ),
    "5.1.4-over-drive-on-pll": (
        "clock_168mhz(); RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; PWR_CR = 3u << 14 | 1u << 16;",
        "over-drive entered while the PLL",
    ),
    "5.4.1-vos-with-pll-on": (
        "RCC_PLLCFGR = 8 | 168 << 6 | 7 << 24; RCC_CR |= 1u << 24; RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR;"
        " PWR_CR = 2u << 14;",
        "VOS changed while the PLL is on",
    ),
    "7.3.2-pll-vco": ("RCC_PLLCFGR = 8 | 432 << 6 | 9 << 24; RCC_CR |= 1u << 24;", "VCO 864 MHz"),
    "7.3.2-pll-input": ("RCC_PLLCFGR = 4 | 100 << 6 | 9 << 24; RCC_CR |= 1u << 24;", "input 4 MHz"),
    "7.3.2-pll-changed-while-on": ("clock_168mhz(); RCC_PLLCFGR = 8 | 100 << 6 | 7 << 24;", "PLLCFGR changed"),
    "3.6.1-locked": ("FLASH_CR = 1;", "FLASH_CR written .* while locked.*FLASH_KEYR"),
    "3.6.2-width-against-voltage": ("unlock(); FLASH_CR = 1 | 3u << 8; REG(0x08180000) = 0;", r"PSIZE = 3 \(x64\)"),
    "3.9.7-sector-between-the-banks": ("unlock(); erase(12);", "SNB = 12, which does not exist"),
    "3.9.7-sector-after-the-last": ("unlock(); erase(28);", "SNB = 28, which does not exist"),
    "3.9.7-reserved-bit": ("unlock(); FLASH_CR = 1u << 20;", "reserved bits 0x100000"),
    "3.9.1-cache-emptied-while-on": ("FLASH_ACR = 0x400; FLASH_ACR = 0x1400;", "empties a cache that is on"),
    "3.6.3-cache-on-after-erase": (
        "FLASH_ACR = 0x400; (void)REG(0x08180000); FLASH_ACR = 0; unlock(); erase(24); FLASH_ACR = 0x400;",
        "may hold what was erased",
    ),
    "3.6.3-cache-left-on": ("FLASH_ACR = 0x400; unlock(); erase(24); FLASH_CR = 1u << 31;", "with a cache on"),
    "3.7-options": ("FLASH_OPTCR = 0;", "OPTLOCK"),
    "8.3.2-no-pin": ("console(139); GPIOD_MODER = 0; USART3_DR = 'x';", r"no TX pin .*PD8 \(AF7\)"),
    "30.6.2-dr-full": ("console(139); for (int i = 0; i < 3; i++) USART3_DR = 'x';", "TXE is 0"),
    "30.6.4-not-enabled": ("console(139); USART3_CR1 = 0; USART3_DR = 1;", "UE or TE is clear"),
    "30.6.3-no-baud-rate": ("console(0);", "BRR 0x0"),
    "2.3-above-flash": ("unlock(); FLASH_CR = 1 | X32; REG(0x1fff7a10) = 0;", "read-only 0x1fff7a10"),
}


@pytest.mark.parametrize(("code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_a_message_that_helps(code: str, message: str) -> None:
    twin = make(f"void main_(void) {{ {code} for (volatile int i = 0; i < 9; i++) {{}} }}")
    with pytest.raises(TwinError, match=message) as caught:
        twin.run(seconds=3)
    assert "PC 0x0800" in str(caught.value)


FLAGS = {
    "3.6.4-PGPERR-byte-at-x32": ("FLASH_CR = 1 | X32; BYTE(0x08180000) = 0;", 0x40),
    "3.6.4-PGPERR-half-at-x32": ("FLASH_CR = 1 | X32; HALF(0x08180000) = 0;", 0x40),
    "3.6.4-PGPERR-word-at-x8": ("FLASH_CR = 1 | X8; REG(0x08180000) = 0;", 0x40),
    "3.6.4-PGPERR-misaligned": ("FLASH_CR = 1 | X32; REG(0x08180002) = 0;", 0x40),
    "3.9.5-PGSERR-no-PG": ("REG(0x08180000) = 0;", 0x80),
    "3.9.5-PGSERR-PG-with-SER": ("FLASH_CR = 3 | X32; REG(0x08180000) = 0;", 0x80),
    "3.6.3-PGSERR-SER-with-MER": ("FLASH_CR = 0x10006 | X32;", 0x80),
    "3.6.4-program-twice-only-clears-bits": ("program(0x08180000, 0xff00); program(0x08180000, 0xf000);", 0),
    "3.9.5-errors-are-write-1-to-clear": ("REG(0x08180000) = 0; FLASH_SR = 0x80;", 0),
    "3.9.5-an-error-does-not-block": ("REG(0x08180000) = 0; program(0x08180000, 7); OUT[1] = REG(0x08180000);", 0x80),
    "3.6.6-OPERR-with-ERRIE": ("FLASH_CR = 1u << 25; REG(0x08180000) = 0;", 0x82),
    "3.6.6-no-EOP-without-EOPIE": ("program(0x08180000, 1);", 0),
    "3.6.6-EOP-with-EOPIE": ("FLASH_CR = 1u << 24 | 1 | X32; REG(0x08180000) = 1; while (!(FLASH_SR & 1)) {}", 1),
    "3.6.2-x16": ("FLASH_CR = 1 | X16; HALF(0x08180000) = 7;", 0),
    "3.6.2-x8": ("FLASH_CR = 1 | X8; BYTE(0x08180003) = 7;", 0),
}


@pytest.mark.parametrize(("code", "flags"), FLAGS.values(), ids=FLAGS.keys())
def test_flash_errors_show_in_sr(code: str, flags: int) -> None:
    twin = make(f"void main_(void) {{ unlock(); {code} while (FLASH_SR & 0x10000) {{}} OUT[0] = FLASH_SR; }}")
    finish(twin)
    assert out(twin) == flags
    assert len(twin.flash_controller.refusals) >= (flags & 0xF0).bit_count()


def test_only_an_erase_sets_bits() -> None:
    """3.6.4: a second program clears further bits, without a flag; the twin says so in words."""
    twin = make("void main_(void) { unlock(); program(0x08180000, 0xff00); program(0x08180000, 0xf0f); }")
    finish(twin)
    assert twin.flash_read(FREE, 4) == bytes.fromhex("000f0000")
    assert "gives 000f0000" in twin.flash_controller.refusals[0]


@pytest.mark.parametrize(
    ("snb", "address", "size"),
    [
        *((0, 0, 16), (3, 0xC000, 16), (4, 0x10000, 64), (5, 0x20000, 128), (11, 0xE0000, 128)),
        *((16, 0x100000, 16), (19, 0x10C000, 16), (20, 0x110000, 64), (21, 0x120000, 128), (27, 0x1E0000, 128)),
    ],
)
def test_sectors_and_their_numbers(snb: int, address: int, size: int) -> None:
    """3.4, table 6 and 3.9.7: sector 12, the first of bank 2, is SNB 16."""
    twin = make(f"void main_(void) {{ unlock(); erase({snb}); }}")
    twin.run(until=lambda: len(twin.log) > 0)
    assert [(op.kind, op.address, op.size) for op in twin.log] == [("erase", 0x08000000 + address, size * 1024)]


@pytest.mark.parametrize(("psize", "ms"), [("X8", 2000), ("X16", 1300), ("X32", 1000)])
def test_erase_takes_its_time(psize: str, ms: int) -> None:
    """DS9405: 128 KB by width."""
    twin = make(
        f"void main_(void) {{ unlock(); FLASH_CR = 2 | 24 << 3 | {psize}; FLASH_CR |= 1u << 16;"
        " while (FLASH_SR) {} }"
    )
    finish(twin, 3)
    assert twin.time == pytest.approx(ms / 1000, rel=0.01)


def test_the_other_bank_runs_on() -> None:
    """3.6.5: code in bank 1 sees BSY of an erase in bank 2, and stands still for one in its own bank."""
    twin = make(
        "void main_(void) { unlock(); FLASH_CR = 2 | 24 << 3 | X32; FLASH_CR |= 1u << 16; OUT[0] = FLASH_SR >> 16;"
        " while (FLASH_SR) {} FLASH_CR = 2 | 8 << 3 | X32; FLASH_CR |= 1u << 16; OUT[1] = FLASH_SR >> 16; }"
    )
    finish(twin, 3)
    assert (out(twin, 0), out(twin, 1)) == (1, 0)


@pytest.mark.parametrize("millivolts", [1800, 2400])
def test_low_supply_limits_width_and_clock(millivolts: int) -> None:
    """3.6.2 table 7 and 3.5.1 table 11."""
    twin = make("void main_(void) { unlock(); program(0x08180000, 1); }")
    twin.vdd_mv = millivolts
    with pytest.raises(TwinError, match=f"x32.*at {millivolts} mV"):
        twin.run()
    twin = make("void main_(void) { clock_168mhz(); }")
    twin.vdd_mv = millivolts
    with pytest.raises(TwinError, match=f"168 MHz with 5 wait states at {millivolts} mV"):
        twin.run()


@pytest.mark.parametrize("keys", ["0x45670123, 0x12345678", "0x12345678, 0xcdef89ab"])
def test_a_wrong_key_is_a_bus_fault_and_locks_until_reset(keys: str) -> None:
    """3.6.1."""
    first, second = keys.split(", ")
    twin = make(f"""void hard(void) {{ OUT[1]++; }}
        void main_(void) {{ OUT[1] = 0; FLASH_KEYR = {first}; FLASH_KEYR = {second}; unlock(); OUT[0] = FLASH_CR; }}""")
    finish(twin)
    assert out(twin, 0) == 0x80000000
    assert out(twin, 1) >= 1


def test_write_protection() -> None:
    """3.7.3: nWRP 0 protects; erase and program set WRPERR and change nothing."""
    twin = make("""void main_(void) { unlock(); erase(8); OUT[0] = FLASH_SR; FLASH_SR = 0xf0; program(0x08080000, 0);
        OUT[1] = FLASH_SR; FLASH_SR = 0xf0; erase(9); OUT[2] = FLASH_SR; }""")
    twin.flash_controller.options["OPTCR"] &= ~(1 << 16 + 8)
    twin.power_on()
    finish(twin, 3)
    assert [out(twin, i) for i in range(3)] == [16, 16, 0]


def test_a_torn_word_reads_as_something() -> None:
    """No ECC: neither fault nor flag."""
    twin = make("void main_(void) { OUT[0] = REG(0x08180000); unlock(); program(0x08180000, 0); }")
    twin.arm(Cut(at=0, when="torn", pattern=("prefix", 8)))
    with pytest.raises(PowerCut):
        twin.run()
    twin.power_on()
    finish(twin)
    assert out(twin) == 0xFFFFFF00
    assert not twin.flash.poisoned


RESET_VALUES = {
    "7.3.1-RCC_CR": ("OUT[0] = RCC_CR;", 0x83),
    "7.3.2-RCC_PLLCFGR": ("OUT[0] = RCC_PLLCFGR;", 0x24003010),
    "7.3.21-RCC_CSR-power-on": ("OUT[0] = RCC_CSR;", 0x0E000000),
    "5.4.1-PWR_CR": ("RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; OUT[0] = PWR_CR;", 0xC000),
    "3.9.7-FLASH_CR": ("OUT[0] = FLASH_CR;", 0x80000000),
    "3.9.8-FLASH_OPTCR": ("OUT[0] = FLASH_OPTCR;", 0x0FFFAAED),
    "8.4.1-GPIOA_MODER": ("RCC_AHB1ENR |= 1; (void)RCC_AHB1ENR; OUT[0] = GPIOA_MODER;", 0xA8000000),
    "30.6.1-USART_SR": ("RCC_APB1ENR = 1u << 18; (void)RCC_APB1ENR; OUT[0] = USART3_SR;", 0xC0),
    "38.6.1-DBGMCU_IDCODE": ("OUT[0] = REG(0xe0042000) & 0xfff;", 0x419),
    "39.2-flash-size": ("OUT[0] = HALF(0x1fff7a22);", 2048),
}


@pytest.mark.parametrize(("code", "value"), RESET_VALUES.values(), ids=RESET_VALUES.keys())
def test_reset_values(code: str, value: int) -> None:
    twin = make(f"void main_(void) {{ {code} }}")
    finish(twin)
    assert out(twin) == value


def test_a_byte_each_way_at_168_mhz() -> None:
    """30.3.4: the divider counts cycles of APB1, 42 MHz here."""
    twin = make(
        "void main_(void) { clock_168mhz(); console(365); USART3_DR = 'o'; while (!(USART3_SR & 0x20)) {}"
        " OUT[0] = USART3_DR; OUT[1] = USART3_SR; }"
    )
    uart = twin.uart("USART3")
    twin.run(until=b"o")
    uart.send(b"k")
    finish(twin)
    assert (bytes(uart.output), out(twin, 0), out(twin, 1), uart.lost) == (b"o", ord("k"), 0xC0, [])


def test_an_overrun_goes_away_by_sr_then_dr() -> None:
    """30.6.1: ORE; the byte in DR is the older one."""
    twin = make(
        "void main_(void) { console(139); while (!(USART3_SR & 8)) {} OUT[0] = USART3_DR; OUT[1] = USART3_SR & 0x2f; }"
    )
    uart = twin.uart("USART3")
    twin.run(seconds=0.001)
    uart.send(b"abc")
    finish(twin)
    assert (out(twin, 0), out(twin, 1) & 8) == (ord("a"), 0)
    assert uart.overruns
