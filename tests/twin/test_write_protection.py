"""Write protection by areas of pages, each family; and option bits that turn write protection into one from reading.
Sectors are in the tests of their families."""

from __future__ import annotations

import pytest

from spboot import chips
from spboot.twin import Twin
from tests.families import Table, rows

from .conftest import finish, out, twin_of

WRPERR = 16
CLEAR = "FLASH_SR = 0xfa;"


def attempts(part: str, steps: str, options: dict[str, int], count: int) -> list[int]:
    """The error flags that each of *steps* leaves in OUT."""
    twin = twin_of(f"void main_(void) {{ unlock(); {steps} }}", part)
    assert options.keys() <= twin.flash_controller.options.keys()
    twin.flash_controller.options.update(options)
    twin.power_on()
    finish(twin)
    return [out(twin, i) for i in range(count)]


@pytest.mark.parametrize("row", rows("protected"), ids=lambda row: f"{row['part']}-{row['manual']}")
def test_areas(row: Table) -> None:
    """FLASH_WRP1AR, FLASH_WRP1BR: first page in the lower half, last one, which belongs to it, in the upper; and areas
    protected from reading (FLASH_PCROP1SR, FLASH_PCROP1ER), whose units are 8 bytes (G0 512, WL 1024).  These pages are
    neither erased nor programmed, and their neighbours are."""
    part, page, bank = row["part"], row["page"], row["bank"]
    start = 0x08000000 + bank * Twin(part).flash.bank_step
    tries = range(row["first"] - 1, row["last"] + 2)
    steps = (
        f"program({start + number * page:#x}, 1, 2); OUT[{2 * i}] = FLASH_SR & 0xff; {CLEAR}"
        f" erase({bank}, {number}); OUT[{2 * i + 1}] = FLASH_SR & 0xff; {CLEAR}"
        for i, number in enumerate(tries)
    )
    flags = attempts(part, " ".join(steps), row["options"], 8)
    assert flags == [0, 0, WRPERR, WRPERR, WRPERR, WRPERR, 0, 0]


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
