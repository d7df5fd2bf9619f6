"""Stores that a reset loses on STM32H7 (RM0399 and RM0433, embedded SRAM, error code correction): the last incomplete
word is not really written.  PM0253 4.8 for the cache."""

from __future__ import annotations

import pytest

from spboot.errors import TwinError

from .conftest import finish, out, twin_of

AXI, SRAM1, SRAM4 = 0x24001000, 0x30001000, 0x38001000
HEAD = """
#define NOW() do { __asm volatile("dsb"); SCB_AIRCR = 0x05fa0004; for (;;) {} } while (0)
#define BACKUP REG(0x20003000)
"""


def kept(stores: str, reads: str, *, part: str = "STM32H745XI", before: str = "") -> list[int]:
    """What *reads* find after a reset behind *stores*."""
    source = (
        HEAD
        + f"""void main_(void) {{
        if (BACKUP == 0x1234) {{ uint32_t n = 0; {reads} return; }}
        {before} REG(0x58024510) = 0; BACKUP = 0x1234; {stores} NOW(); }}"""
    )
    twin = twin_of(source.replace("REG(0x58024510) = 0;", ""), part)
    twin.held.hold()
    for ram in (AXI, SRAM1, SRAM4):
        twin.rams.put(ram, bytes(64))
    twin.core.uc.mem_write(0x20003000, bytes(4))
    finish(twin)
    return [out(twin, n) for n in range(reads.count("OUT"))]


def words(base: int, count: int) -> str:
    return " ".join(f"OUT[n++] = REG({base + 4 * n:#x});" for n in range(count))


ON = "REG(0x580244d8) |= 7u << 29; (void)REG(0x580244d8);"
"""RCC_AHB2ENR: SRAM1 to 3 have a clock (RM0399 8.7.41)."""


def test_a_half_of_a_word_of_axi_sram_is_lost() -> None:
    assert kept(f"REG({AXI:#x}) = 5;", words(AXI, 2)) == [0, 0]
    assert kept(f"REG({AXI:#x}) = 5; REG({AXI + 4:#x}) = 6;", words(AXI, 2)) == [0, 0]


def test_a_part_of_another_word_brings_it_there() -> None:
    stores = f"REG({AXI:#x}) = 5; REG({AXI + 4:#x}) = 6; REG({AXI + 8:#x}) = 7;"
    assert kept(stores, words(AXI, 3)) == [5, 6, 0]


def test_another_ram_does_not() -> None:
    assert kept(f"REG({AXI:#x}) = 5; BYTE({SRAM4:#x}) = 7;", words(AXI, 1) + words(SRAM4, 1)) == [0, 0]


@pytest.mark.parametrize("ram", [SRAM4])
def test_words_of_32_bits(ram: int) -> None:
    """A whole word is there at once; a byte is not, a whole word elsewhere does not help, the same whole word does."""
    assert kept(f"REG({ram:#x}) = 5;", words(ram, 1)) == [5]
    assert kept(f"REG({ram:#x}) = 5; BYTE({ram:#x}) = 6;", words(ram, 1)) == [5]
    assert kept(f"BYTE({ram:#x}) = 6; REG({ram + 8:#x}) = 1;", words(ram, 1)) == [0]
    assert kept(f"BYTE({ram:#x}) = 6; BYTE({ram + 8:#x}) = 1;", words(ram, 1)) == [6]
    assert kept(f"BYTE({ram:#x}) = 6; REG({ram:#x}) = 7;", words(ram, 1)) == [7]


CACHE = """for (uint32_t way = 0; way < 4; way++) for (uint32_t set = 0; set < 128; set++)
    REG(0xe000ef60) = way << 30 | set << 5; REG(0xe000ed14) |= 1u << 16;"""


@pytest.mark.parametrize(
    ("clean", "found"), [("", 0), ("REG(0xe000ef68) = 0x24001000;", 5), ("REG(0xe000ef70) = 0x24001000;", 5)]
)
def test_what_the_data_cache_has_to_write(clean: str, found: int) -> None:
    """Without a clean by address the line is lost; with one all of it is in RAM, as whole words."""
    assert kept(f"REG({AXI:#x}) = 5; {clean}", words(AXI, 1), before=CACHE) == [found]


def test_nothing_is_lost_unless_asked_for() -> None:
    source = (
        HEAD + f"void main_(void) {{ if (BACKUP == 0x1234) {{ OUT[0] = REG({AXI:#x}); return; }} "
        f"BACKUP = 0x1234; REG({AXI:#x}) = 5; NOW(); }}"
    )
    twin = twin_of(source, "STM32H745XI")
    finish(twin)
    assert out(twin) == 5


@pytest.mark.parametrize("part", ["STM32L476RG", "STM32U575ZI", "STM32H563ZI"])
def test_other_families_are_not_said_to(part: str) -> None:
    """STM32U5 and H5 have an ECC of some RAMs by option byte, off as shipped (RM0456, RM0481: SRAM2_ECC)."""
    with pytest.raises(TwinError, match="no RAM that loses"):
        twin_of("void main_(void) {}", part).held.hold()


def test_a_clean_of_a_cache_that_is_off_brings_nothing() -> None:
    assert kept(f"REG({AXI:#x}) = 5; REG(0xe000ef68) = {AXI:#x};", words(AXI, 1)) == [0]
