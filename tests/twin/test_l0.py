"""STM32L073 on the twin: each misuse and what RM0367 says about it, by section."""

from __future__ import annotations

import pytest

from spboot.twin import Cut, PowerCut, Twin

from .conftest import finish, out, twin_of

PART = "STM32L073RZ"
AT = 0x08020000


def make(code: str) -> Twin:
    return twin_of(f"void main_(void) {{ {code} }}", PART)


CLOCK = "RCC_CR |= 1; while (!(RCC_CR & 4)) {} RCC_CFGR = PLL_32MHZ; RCC_CR |= 1u << 24;"


WRPERR, PGAERR, SIZERR, NOTZERO, FWW = 1 << 8, 1 << 9, 1 << 10, 1 << 16, 1 << 17


def test_a_half_page_is_one_operation() -> None:
    """3.3.4: 16 words take the time of one; DS10685 table 53: 3.28 ms."""
    twin = make("unlock(); half_page(0x08020040, 16, 4); FLASH_PECR = 0; program(0x08020000, 9);")
    finish(twin)
    first, second = twin.log
    assert (first.address, first.size, second.size) == (0x08020040, 64, 4)
    assert first.data == b"".join(word.to_bytes(4, "little") for word in range(1, 17))
    assert second.time - first.time == pytest.approx(3.28e-3, rel=0.02)


@pytest.mark.parametrize(("at", "page"), [(0x08020000, 0x08020000), (0x080200FC, 0x08020080), (0x08017FFC, 0x08017F80)])
def test_an_erase_takes_a_page_of_128_bytes_to_zero(at: int, page: int) -> None:
    """3.3.1, 3.3.4: whichever word of the page is written; pages around it stay."""
    twin = make(f"unlock(); erase({at:#x});")
    twin.flash_load(page - 128, b"\xaa" * 384)
    finish(twin)
    assert [(op.kind, op.address, op.size) for op in twin.log] == [("erase", page, 128)]
    assert twin.flash_read(page - 128, 384) == b"\xaa" * 128 + bytes(128) + b"\xaa" * 128


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
