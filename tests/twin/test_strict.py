"""Each misuse of a peripheral, and what the manual says about it (section of RM0351 in the test's name)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from spboot.errors import TwinError
from spboot.twin import Twin

from .conftest import finish, out

Make = Callable[[str], Twin]
PAGE = 0x080F0000


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


def test_a_block_reset_resets_the_block(make: Make) -> None:
    """RM0351 6.4.12: RSTR is a level, the block holds reset values afterwards."""
    twin = make(
        "void main_(void) { console(35); RCC_AHB1RSTR = 0; REG(0x40021038) = 1u << 17; REG(0x40021038) = 0;"
        " OUT[0] = USART2_CR1; }"
    )
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
