"""STM32H743 with 1 MB: two banks of 512 KB, the second at the place that it has with 2 MB (RM0433 table 16)."""

from __future__ import annotations

import re

import pytest

from spboot.errors import TwinError

from .conftest import finish, out, twin_of

PART = "STM32H743ZG"
GAP, BANK_2 = 0x0808_0000, 0x0810_0000


def test_the_second_bank_is_where_it_is_with_2_mb() -> None:
    """Its sector 0 is erased by a number of its own bank, and programmed at its address."""
    twin = twin_of(
        """void main_(void) {
            FLASH_KEYR2 = 0x45670123; FLASH_KEYR2 = 0xCDEF89AB;
            FLASH_CR2 = 0x34; FLASH_CR2 = 0xB4; while (FLASH_SR2 & 5) {}
            FLASH_CR2 = 0x32;
            for (int i = 0; i < 32; i += 4) REG(0x08100000 + i) = 0x11111111;
            while (FLASH_SR2 & 5) {}
            OUT[0] = FLASH_SR2; }""",
        PART,
    )
    finish(twin, seconds=5)
    assert [(op.kind, op.address) for op in twin.log] == [("erase", BANK_2), ("program", BANK_2)]
    assert twin.flash_read(BANK_2, 4) == b"\x11" * 4
    assert not twin.flash_controller.refusals


def test_a_bank_has_four_sectors() -> None:
    twin = twin_of(
        """void main_(void) { FLASH_KEYR1 = 0x45670123; FLASH_KEYR1 = 0xCDEF89AB;
            FLASH_CR1 = 0x34 | 4 << 8; FLASH_CR1 = 0xB4 | 4 << 8; }""",
        PART,
    )
    with pytest.raises(TwinError, match="erase of sector 4, a bank has 4"):
        finish(twin)


@pytest.mark.parametrize("access", ["OUT[0] = REG(0x08080000)", "REG(0x080ffffc) = 1"])
def test_there_is_nothing_between_the_banks(access: str) -> None:
    """Reserved: the access is answered with a bus fault (RM0433 2.1, 2.3)."""
    twin = twin_of(
        "void bus(void) { OUT[1] = 7; DONE = 1; for (;;) {} }"
        f"void main_(void) {{ SCB_SHCSR = 1u << 17; {access}; }}",
        PART,
    )
    finish(twin)
    assert out(twin, 1) == 7


def test_a_file_for_another_part_is_refused() -> None:
    twin = twin_of("void main_(void) {}", PART)
    twin.flash_load(GAP - 8, b"12345678" + b"\xff" * 16)
    with pytest.raises(TwinError, match=re.escape("there is no flash from 0x08080000 to 0x08100000")):
        twin.flash_load(GAP - 8, b"123456789")
    with pytest.raises(TwinError, match="there is no flash"):
        twin.flash_load(BANK_2 - 4, b"12345678")


def test_the_size_that_the_factory_wrote() -> None:
    """RM0433 61.2: in KB, without the gap."""
    twin = twin_of("void main_(void) { OUT[0] = REG(0x1FF1E880) & 0xFFFF; }", PART)
    finish(twin)
    assert out(twin) == 1024
