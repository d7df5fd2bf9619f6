"""Write protection by areas of pages, each family; and option bits that turn write protection into one from reading.
Sectors are in the tests of their families."""

from __future__ import annotations

import pytest

from spboot import chips

from .conftest import finish, out, twin_of

WRPERR = 16
AREAS = [
    ("STM32L412KB-RM0394", 2048, {"WRP1AR": 0xFF51FF50}, range(0x10, 0x12)),  # 64 pages: bits 6 and 7 number none
    ("STM32L452RE-RM0394", 2048, {"WRP1BR": 0xFF51FF50}, range(0x50, 0x52)),
    ("STM32L4R9AI-RM0432", 4096, {"WRP1AR": 0xFF09FF08}, range(8, 10)),
    ("STM32L562QE-RM0438", 2048, {"WRP1BR": 0xFF89FF88}, range(8, 10)),
    ("STM32WL55JC-RM0453", 2048, {"WRP1BR": 0xFF89FF88}, range(8, 10)),
    ("STM32G0B1RE-RM0444", 2048, {"WRP1AR": 0x00090008}, range(8, 10)),
    ("STM32G431RB-RM0440", 2048, {"WRP1AR": 0xFFD1FFD0}, range(0x10, 0x12)),  # 64 pages
    ("STM32G474RE-RM0440", 2048, {"WRP1BR": 0xFF89FF88}, range(8, 10)),
    ("STM32G491RE-RM0440", 2048, {"WRP1AR": 0xFF91FF90}, range(0x90, 0x92)),
]


@pytest.mark.parametrize(("part", "page", "options", "pages"), AREAS, ids=lambda v: v if isinstance(v, str) else "")
def test_areas(part: str, page: int, options: dict[str, int], pages: range) -> None:
    """FLASH_WRP1AR, FLASH_WRP1BR: first page in the lower half, last one, which belongs to it, in the upper."""
    tries = (pages.start - 1, *pages, pages.stop)
    clear = "FLASH_SR = 0xfa;"
    steps = (
        f"program({0x08000000 + number * page:#x}, 1, 2); OUT[{2 * i}] = FLASH_SR & 0xff; {clear}"
        f" erase(0, {number}); OUT[{2 * i + 1}] = FLASH_SR & 0xff; {clear}"
        for i, number in enumerate(tries)
    )
    twin = twin_of(f"void main_(void) {{ unlock(); {' '.join(steps)} }}", part.partition("-")[0])
    twin.flash_controller.options.update(options)
    twin.power_on()
    finish(twin)
    assert [out(twin, i) for i in range(8)] == [0, 0, WRPERR, WRPERR, WRPERR, WRPERR, 0, 0]


@pytest.mark.parametrize(
    "ip", ["flash_g0x1", "flash_g4c2", "flash_g4c3", "flash_g4c4", "flash_l4", "flash_l5", "flash_wl"]
)
def test_areas_are_laid_out_alike(ip: str) -> None:
    """STRT in bits 0 and up, END in 16 and up, B right behind A, as drivers take them."""
    registers = chips.registers(ip)
    for name in ("WRP1AR", "WRP1BR"):
        ends = {field[-3:]: low for field, (low, _) in registers[name].fields.items()}
        assert ends == {"TRT": 0, "END": 16}
    assert registers["WRP1BR"].offset == registers["WRP1AR"].offset + 4


def test_l0_wprmod_turns_the_sectors_around() -> None:
    """RM0367, FLASH_OPTR: with WPRMOD a bit that is 0 protects its sector."""
    twin = twin_of(
        "void main_(void) { unlock(); program(0x08008000, 1); OUT[0] = FLASH_SR >> 8 & 1; FLASH_SR = 1u << 8;"
        " program(0x08009000, 1); OUT[1] = FLASH_SR >> 8 & 1; }",
        "STM32L073RZ",
    )
    twin.flash_controller.options.update(OPTR=0x807001AA, WRPROT=1 << 8)
    twin.power_on()
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (0, 1)


def test_f4_sprmod_turns_the_sectors_around() -> None:
    """RM0090, FLASH_OPTCR: with SPRMOD a bit that is 1 protects its sector."""
    twin = twin_of(
        "void main_(void) { unlock(); erase(2); OUT[0] = FLASH_SR; FLASH_SR = 0xf0; erase(3); OUT[1] = FLASH_SR; }",
        "STM32F429ZI",
    )
    twin.flash_controller.options["OPTCR"] = 0x8004AAED
    twin.power_on()
    finish(twin, 3)
    assert (out(twin, 0), out(twin, 1)) == (16, 0)
