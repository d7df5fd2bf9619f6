"""Write protection by areas of pages, each family; and option bits that turn write protection into one from reading.
Sectors are in the tests of their families."""

from __future__ import annotations

import pytest

from spboot import chips
from spboot.twin import Twin

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


SECOND = [
    ("STM32L476RG-RM0351", 2048, {"WRP2AR": 0xFF09FF08}, range(8, 10)),
    ("STM32L4R9AI-RM0432", 4096, {"WRP2BR": 0xFF09FF08}, range(8, 10)),
    ("STM32L562QE-RM0438", 2048, {"WRP2AR": 0xFF89FF88}, range(8, 10)),
    ("STM32G0B1RE-RM0444", 2048, {"WRP2BR": 0x00090008}, range(8, 10)),
    ("STM32G474RE-RM0440", 2048, {"WRP2AR": 0xFF89FF88}, range(8, 10)),
    ("STM32L476RG-RM0351", 2048, {"PCROP2SR": 0xFFFF0800, "PCROP2ER": 0xFFFF09FF}, range(8, 10)),
    ("STM32L4R9AI-RM0432", 4096, {"PCROP2SR": 0x1000, "PCROP2ER": 0x13FF}, range(8, 10)),
    ("STM32G0B1RE-RM0444", 2048, {"PCROP2BSR": 0x20, "PCROP2BER": 0x27}, range(8, 10)),
    ("STM32G474RE-RM0440", 2048, {"PCROP2SR": 0x0800, "PCROP2ER": 0x09FF}, range(8, 10)),
]
"""The same of bank 2, and areas protected from reading (PCROP), whose units are smaller than a page."""
PCROP = [
    ("STM32L412KB-RM0394", 2048, {"PCROP1SR": 0xFFFFD000, "PCROP1ER": 0xFFFFD1FF}, range(0x10, 0x12)),
    ("STM32L452RE-RM0394", 2048, {"PCROP1SR": 0x5000, "PCROP1ER": 0x51FF}, range(0x50, 0x52)),
    ("STM32L476RG-RM0351", 2048, {"PCROP1SR": 0x1000, "PCROP1ER": 0x11FF}, range(0x10, 0x12)),
    ("STM32WL55JC-RM0453", 2048, {"PCROP1ASR": 0x190, "PCROP1AER": 0x193}, range(0x48, 0x4A)),
    ("STM32WL55JC-RM0453", 2048, {"PCROP1BSR": 0x10, "PCROP1BER": 0x13}, range(8, 10)),
    ("STM32G0B1RE-RM0444", 2048, {"PCROP1ASR": 0x20, "PCROP1AER": 0x27}, range(8, 10)),
    ("STM32G0B1RE-RM0444", 2048, {"PCROP1BSR": 0x20, "PCROP1BER": 0x27}, range(8, 10)),
    ("STM32G431RB-RM0440", 2048, {"PCROP1SR": 0x1000, "PCROP1ER": 0x11FF}, range(0x10, 0x12)),
    ("STM32G474RE-RM0440", 2048, {"PCROP1SR": 0x0800, "PCROP1ER": 0x09FF}, range(8, 10)),
    ("STM32G491RE-RM0440", 2048, {"PCROP1SR": 0x9000, "PCROP1ER": 0x91FF}, range(0x90, 0x92)),
]
CLEAR = "FLASH_SR = 0xfa;"


def attempts(part: str, steps: str, options: dict[str, int], count: int) -> list[int]:
    """The error flags that each of *steps* leaves in OUT."""
    twin = twin_of(f"void main_(void) {{ unlock(); {steps} }}", part.partition("-")[0])
    assert options.keys() <= twin.flash_controller.options.keys()
    twin.flash_controller.options.update(options)
    twin.power_on()
    finish(twin)
    return [out(twin, i) for i in range(count)]


def pages_are_protected(part: str, page: int, options: dict[str, int], pages: range, bank: int) -> None:
    """These, neither erased nor programmed, and not their neighbours."""
    start = 0x08000000 + bank * Twin(part.partition("-")[0]).flash.bank_step
    tries = (pages.start - 1, *pages, pages.stop)
    steps = (
        f"program({start + number * page:#x}, 1, 2); OUT[{2 * i}] = FLASH_SR & 0xff; {CLEAR}"
        f" erase({bank}, {number}); OUT[{2 * i + 1}] = FLASH_SR & 0xff; {CLEAR}"
        for i, number in enumerate(tries)
    )
    flags = attempts(part, " ".join(steps), options, 8)
    assert flags == [0, 0, WRPERR, WRPERR, WRPERR, WRPERR, 0, 0]


@pytest.mark.parametrize(("part", "page", "options", "pages"), AREAS, ids=lambda v: v if isinstance(v, str) else "")
def test_areas(part: str, page: int, options: dict[str, int], pages: range) -> None:
    """FLASH_WRP1AR, FLASH_WRP1BR: first page in the lower half, last one, which belongs to it, in the upper."""
    pages_are_protected(part, page, options, pages, 0)


@pytest.mark.parametrize(("part", "page", "options", "pages"), SECOND, ids=lambda v: v if isinstance(v, str) else "")
def test_areas_of_bank_2(part: str, page: int, options: dict[str, int], pages: range) -> None:
    pages_are_protected(part, page, options, pages, 1)


@pytest.mark.parametrize(("part", "page", "options", "pages"), PCROP, ids=lambda v: v if isinstance(v, str) else "")
def test_areas_protected_from_reading(part: str, page: int, options: dict[str, int], pages: range) -> None:
    """FLASH_PCROP1SR, FLASH_PCROP1ER: first and last unit of 8 bytes (G0 512, WL 1024), both belong to it."""
    pages_are_protected(part, page, options, pages, 0)


def test_a_page_with_one_unit_protected_from_reading() -> None:
    """RM0351 3.5.2: it is not erased; its other units are programmed."""
    steps = (
        "program(0x08008000, 1, 2); OUT[0] = FLASH_SR & 0xff; FLASH_SR = 0xfa; program(0x08008008, 1, 2);"
        " OUT[1] = FLASH_SR & 0xff; FLASH_SR = 0xfa; program(0x08008010, 1, 2); OUT[2] = FLASH_SR & 0xff;"
        " FLASH_SR = 0xfa; erase(0, 16); OUT[3] = FLASH_SR & 0xff;"
    )
    assert attempts("STM32L476RG", steps, {"PCROP1SR": 0x1001, "PCROP1ER": 0x1001}, 4) == [0, WRPERR, 0, WRPERR]


@pytest.mark.parametrize(
    ("part", "options", "first"),
    [
        ("STM32F429ZI", {"OPTCR1": 0x0FFB0000}, 18),  # sector 14, RM0090 3.9.11
        ("STM32F769NI", {"OPTCR": 0xF7FFAAFD}, 11),  # the last one, RM0410 3.7.6
        ("STM32F722RE", {"OPTCR2": 0x80000020}, 5),  # protected from reading, RM0431 3.7.8
    ],
)
def test_sectors_of_f4_and_f7(part: str, options: dict[str, int], first: int) -> None:
    steps = f"erase({first}); OUT[0] = FLASH_SR & 0xff; FLASH_SR = 0xf2; erase({first - 1}); OUT[1] = FLASH_SR & 0xff;"
    twin = twin_of(f"void main_(void) {{ unlock(); {steps} }}", part)
    assert options.keys() <= twin.flash_controller.options.keys()
    twin.flash_controller.options.update(options)
    twin.power_on()
    finish(twin, 5)
    assert [out(twin, i) for i in range(2)] == [WRPERR, 0]


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({"BANK1_PRAR_CUR": 0x09FF0800}, (0, 1, 0)),  # sector 4 from its first byte to its last
        ({"BANK1_PRAR_CUR": 0x09FE09FD}, (0, 1, 0)),
        ({"BANK1_PRAR_CUR": 0x0A0007FF}, (1, 1, 1)),
        ({"BANK1_PRAR_CUR": 0x08000800}, (1, 1, 1)),  # the same twice: the whole bank
        ({"BANK1_PRAR_CUR": 0x080009FF}, (0, 0, 0)),
        ({"BANK0_PRAR_CUR": 0x09FF0800}, (0, 0, 0)),
        ({"BANK1_SCAR_CUR": 0x09FF0800}, (0, 0, 0)),
        ({"BANK1_SCAR_CUR": 0x09FF0800, "OPTSR_CUR": 0x1BE6AAF0}, (0, 1, 0)),  # with SECURITY
    ],
)
def test_areas_of_h7(options: dict[str, int], flags: tuple[int, int, int]) -> None:
    """RM0399 4.5.5, 4.5.6: from START to END in 256 bytes; a sector with one byte of it is not erased."""
    steps = " ".join(f"erase({3 + i}); OUT[{i}] = FLASH_SR2 >> 17 & 1; FLASH_CCR2 = 1u << 17;" for i in range(3))
    twin = twin_of(f"void main_(void) {{ unlock(); {steps} }}", "STM32H745XI")
    twin.flash_controller.options.update(options)
    twin.power_on()
    finish(twin, 5)
    assert tuple(out(twin, i) for i in range(3)) == flags


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
