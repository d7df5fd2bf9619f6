"""The table of parts: every one loads, and its memories are what the reference manuals say."""

from __future__ import annotations

import itertools

import pytest

from spboot import chips
from spboot.boards import Board
from spboot.chips import Chip, Memory, family
from spboot.errors import BoardError
from tests.families import ALL

NAMES = chips.names()
K = 1024

Run = tuple[int, int, int]
"""Bank, size and erase unit."""


def runs(memories: tuple[Memory, ...]) -> list[Run]:
    return [(m.bank, m.size, m.erase_unit) for m in memories if m.kind == "flash"]


SHIPPED = {
    part: [(bank, int(size * K), int(unit * K)) for bank, size, unit in banks]
    for facts in ALL.values()
    for part, banks in facts.shipped.items()
}


@pytest.mark.parametrize("family", ALL)
def test_every_part_is_whole(family: str) -> None:
    for name in NAMES:
        if chips.load(name).family == family:
            check_part(chips.load(name))


def check_part(chip: Chip) -> None:
    check_flash(chip.memories)
    for memories in chip.alternatives:
        check_flash(memories)
    assert chip.flash[0].address == 0x0800_0000
    assert any(m.kind == "ram" for m in chip.memories)
    rcc = chips.registers(chip.block("RCC").ip)
    for block in (*chip.blocks.values(), *chip.others.values()):
        for where in (block.enable, block.reset):
            assert where is None or where[1] in rcc[where[0]].fields
    for block in chip.blocks.values():
        assert chips.registers(block.ip)
        assert {pin for pin, _, _ in block.pins} <= chip.pins
    assert {"FLASH", "RCC", "PWR", "IWDG", "GPIOA"} <= chip.blocks.keys()
    assert not chip.blocks.keys() & chip.others.keys()
    assert {"ADC1", "I2C1", "SPI1"} <= chip.others.keys() or chip.family == "STM32WL"


def test_peripherals_without_registers() -> None:
    """RM0351 table 1, RM0090 table 1: what a silent block has to know."""
    lcd = chips.load("STM32L476RG").others["LCD"]
    assert (lcd.address, lcd.enable, lcd.reset) == (0x40002400, ("APB1ENR1", "LCDEN"), ("APB1RSTR1", "LCDRST"))
    assert chips.load("STM32F429ZI").others["ETH"].address == 0x40028000
    assert "LCD" not in chips.load("STM32L452RE").others


@pytest.mark.parametrize("name", ["STM32L562QE", "STM32U575ZI", "STM32U535CB", "STM32H563ZI", "STM32H503RB"])
def test_vectors_are_those_of_the_side_without_security(name: str) -> None:
    """RTC is 2 and RCC 9, RTC_S and RCC_S are 3 and 10 (RM0438, RM0456, RM0481, RM0492: vector tables)."""
    blocks = chips.load(name).blocks
    assert set(blocks["RTC"].interrupts.values()) == {2}
    assert blocks["RCC"].interrupts["RCC"] == 9


def test_who_serves_dma_of_a_uart() -> None:
    """RM0351 table 44, RM0090 table 43, RM0444 table 55 (and DMAMUX inputs of others), RM0456 table 137."""
    served = {part: chips.load(part).blocks["USART2"].dma for part in ("STM32L476RG", "STM32F429ZI", "STM32G0B1RE")}
    assert served["STM32L476RG"] == (("RX", "DMA1_CH6", 2), ("TX", "DMA1_CH7", 2))
    assert served["STM32F429ZI"] == (("RX", "DMA1_CH5", 4), ("TX", "DMA1_CH6", 4))
    assert served["STM32G0B1RE"] == (("RX", "DMAMUX1", 52), ("TX", "DMAMUX1", 53))


def check_flash(memories: tuple[Memory, ...]) -> None:
    flash = [m for m in memories if m.kind == "flash"]
    for run in flash:
        assert run.size % run.erase_unit == run.address % run.erase_unit == 0
        assert run.erase_unit % run.program_unit == run.protect_unit % run.erase_unit == 0
    for low, high in itertools.pairwise(flash):
        assert low.end == high.address or high.bank == low.bank + 1


def test_program_unit_and_erased_value() -> None:
    for name in NAMES:
        chip = chips.load(name)
        facts = ALL[chip.family]
        assert {(m.program_unit, m.erased) for m in chip.flash} == {(facts.unit_of(name), facts.erased)}, name


@pytest.mark.parametrize("name", SHIPPED)
def test_flash_as_shipped(name: str) -> None:
    assert runs(chips.load(name).memories) == SHIPPED[name]


def test_how_many_parts() -> None:
    """All of the families but STM32H7R/S, which another flash controller drives."""
    assert {f: sum(chips.load(name).family == f for name in NAMES) for f in ALL} == {f: ALL[f].count for f in ALL}


def test_every_family_has_facts_for_tests() -> None:
    """And parts: one list of families, in three places."""
    assert tuple(ALL) == chips.families() == tuple(sorted({chips.load(name).family for name in NAMES}))
    for name, facts in ALL.items():
        assert facts.manual == family.load(name).manual
        assert {chips.load(facts.part).family, Board.load(facts.board).chip.family} == {name}


def test_a_memory_with_two_addresses_is_there_once() -> None:
    """SRAM2 of most STM32L4 (RM0394 2.2), CCM SRAM of STM32G4 (RM0440 2.4)."""
    assert [m.name for m in chips.load("STM32L452RE").ram] == ["SRAM", "SRAM2"]
    assert chips.load("STM32L452RE").mirrors == {"SRAM2_ICODE": "SRAM2"}
    assert [m.name for m in chips.load("STM32L476RG").ram] == ["SRAM2_ICODE", "SRAM"]
    assert chips.load("STM32L476RG").mirrors == {}
    assert sum(m.size for m in chips.load("STM32G474RE").ram) == 128 * K
    assert sum(m.size for m in chips.load("STM32G431RB").ram) == 32 * K


def test_other_option_bytes() -> None:
    (single,) = chips.load("STM32L4R9AI").alternatives
    assert runs(single) == [(1, 2048 * K, 8 * K)]
    (single,) = chips.load("STM32L552RC").alternatives
    assert runs(single) == [(1, 256 * K, 4 * K)]
    (dual,) = chips.load("STM32F769NI").alternatives
    assert runs(dual) == SHIPPED["STM32F429ZI"]
    assert chips.load("STM32L476RG").alternatives == ()


def test_write_protection() -> None:
    assert chips.load("STM32L073RZ").flash[0].protect_unit == 4 * K
    assert chips.load("STM32H7A3ZI").flash[0].protect_unit == 32 * K
    assert chips.load("STM32L476RG").flash[0].protect_unit == 2 * K


def test_pins_are_those_of_the_package() -> None:
    small, large = chips.load("STM32L476RG"), chips.load("STM32L476ZG")
    assert "PC13" in small.pins and "PG7" not in small.pins and "PG7" in large.pins
    assert not any(pin == "PG7" for pin, _, _ in small.block("LPUART1").pins)
    assert large.block("LPUART1").alternate("PG7", "TX") == 8


def test_an_lpuart_is_not_a_usart() -> None:
    chip = chips.load("STM32WL55JC")
    assert (chip.block("LPUART1").ip, chip.block("USART1").ip) == ("lpuart_v4", "usart_v4")
    assert chips.registers("lpuart_v4")["BRR"].fields["BRR"] == (0, 20)
    assert chips.registers("usart_v4")["BRR"].fields["BRR"] == (0, 16)


def test_ram_counts_once() -> None:
    """SRAM2 is at 0x10000000 on STM32L476 (RM0351 2.2.1), and also behind SRAM1 on STM32L496."""
    assert {m.name: m.size for m in chips.load("STM32L476RG").ram} == {"SRAM": 96 * K, "SRAM2_ICODE": 32 * K}
    assert {m.name: m.size for m in chips.load("STM32L496ZG").ram} == {"SRAM": 256 * K, "SRAM2": 64 * K}


def test_clocks() -> None:
    chip = chips.load("STM32F429ZI")
    assert (chip.block("USART1").clock, chip.block("USART3").clock) == ("PCLK2", "PCLK1")
    assert chips.load("STM32L476RG").block("USART2").clock == "CCIPR.USART2SEL"


def test_nested_registers() -> None:
    """BANK is a cluster in the facts; KEYR2 is at 0x104 (RM0433 4.9)."""
    registers = chips.registers("flash_h7")
    assert (registers["BANK0_KEYR"].offset, registers["BANK1_KEYR"].offset) == (4, 0x104)
    assert registers["BANK1_CR"].offset == 0x10C


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("STM32L476RGT6", "did you mean STM32L476RG?"),
        ("stm32l476rg", "did you mean STM32L476RG?"),
        ("STM32L476RX", "did you mean STM32L476R"),
        ("ATmega328", "`spboot chips` lists those we know"),
    ],
)
def test_unknown_parts(typed: str, hint: str) -> None:
    with pytest.raises(BoardError) as error:
        chips.load(typed)
    assert repr(typed) in str(error.value) and hint in str(error.value)


def test_what_a_part_lacks() -> None:
    chip: Chip = chips.load("STM32L476RG")
    with pytest.raises(BoardError, match="has no USART9; it has USART1, USART2, USART3"):
        chip.block("USART9")
    with pytest.raises(BoardError, match="has no TX on PB2; it is on PA2"):
        chip.block("USART2").alternate("PB2", "TX")
    with pytest.raises(BoardError, match="no memory at 0x60000000"):
        chip.memory_at(0x6000_0000)
    with pytest.raises(BoardError, match="unknown IP version 'flash_x9'"):
        chips.registers("flash_x9")
