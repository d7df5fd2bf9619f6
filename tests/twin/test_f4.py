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
    """DS9405 table 48: 128 KB by width."""
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
