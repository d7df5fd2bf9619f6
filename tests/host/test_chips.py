"""The table of parts: every one loads, and its memories are what the reference manuals say."""

from __future__ import annotations

import itertools

import pytest

from spboot import chips
from spboot.chips import Chip, Memory
from spboot.errors import BoardError

NAMES = chips.names()
FAMILIES = ("F4", "F7", "G0", "G4", "H7", "L0", "L4", "L4+", "L5", "WL")
K = 1024

Run = tuple[int, int, int]
"""Bank, size and erase unit."""


def runs(memories: tuple[Memory, ...]) -> list[Run]:
    return [(m.bank, m.size, m.erase_unit) for m in memories if m.kind == "flash"]


def f4_bank(bank: int, large: int) -> list[Run]:
    """Four sectors of 16 KB, one of 64 KB, then *large* of 128 KB (RM0090 3.4)."""
    return [(bank, 64 * K, 16 * K), (bank, 64 * K, 64 * K), (bank, large * 128 * K, 128 * K)]


SHIPPED: dict[str, list[Run]] = {
    "STM32F401CB": [(1, 64 * K, 16 * K), (1, 64 * K, 64 * K)],  # RM0368 3.3
    "STM32F411RE": f4_bank(1, 3),  # RM0383 3.3
    "STM32F413ZH": f4_bank(1, 11),  # RM0430 3.4
    "STM32F429ZI": f4_bank(1, 7) + f4_bank(2, 7),  # RM0090 3.4, table 6
    "STM32F429ZG": f4_bank(1, 7),  # the same, DB1M = 0
    "STM32F722ZE": f4_bank(1, 3),  # RM0431 3.3.2
    "STM32F746NG": [(1, 128 * K, 32 * K), (1, 128 * K, 128 * K), (1, 768 * K, 256 * K)],  # RM0385 3.3.2
    "STM32F769NI": [(1, 128 * K, 32 * K), (1, 128 * K, 128 * K), (1, 1792 * K, 256 * K)],  # RM0410 3.3.2, nDBANK = 1
    "STM32G071RB": [(1, 128 * K, 2 * K)],  # RM0444 3.3.1
    "STM32G0B1RE": [(1, 256 * K, 2 * K), (2, 256 * K, 2 * K)],
    "STM32G0B1RC": [(1, 128 * K, 2 * K), (2, 128 * K, 2 * K)],  # DUAL_BANK = 1
    "STM32G431RB": [(1, 128 * K, 2 * K)],  # RM0440 5.3.1
    "STM32G474RE": [(1, 256 * K, 2 * K), (2, 256 * K, 2 * K)],  # RM0440 3.3.1, DBANK = 1
    "STM32G471CC": [(1, 128 * K, 2 * K), (2, 128 * K, 2 * K)],
    "STM32G491RE": [(1, 512 * K, 2 * K)],  # RM0440 4.3.1
    "STM32H743ZI": [(1, 1024 * K, 128 * K), (2, 1024 * K, 128 * K)],  # RM0433 4.3.4
    "STM32H7A3ZI": [(1, 1024 * K, 8 * K), (2, 1024 * K, 8 * K)],  # RM0455 4.3.4
    "STM32L073RZ": [(1, 96 * K, 128), (2, 96 * K, 128)],  # RM0367 3.3.1
    "STM32L053R8": [(1, 64 * K, 128)],
    "STM32L083V8": [(1, 64 * K, 128)],
    "STM32L452RE": [(1, 512 * K, 2 * K)],  # RM0394 3.3.1
    "STM32L476RG": [(1, 512 * K, 2 * K), (2, 512 * K, 2 * K)],  # RM0351 3.3.1
    "STM32L4R9AI": [(1, 1024 * K, 4 * K), (2, 1024 * K, 4 * K)],  # RM0432 3.3.1, DBANK = 1
    "STM32L562QE": [(1, 256 * K, 2 * K), (2, 256 * K, 2 * K)],  # RM0438 6.3.1, DBANK = 1
    "STM32L552RC": [(1, 128 * K, 2 * K), (2, 128 * K, 2 * K)],  # DBANK = DB256 = 1
    "STM32WLE5JC": [(1, 256 * K, 2 * K)],  # RM0461 3.3.1
}

PROGRAM_UNIT = {"F4": 4, "F7": 4, "G0": 8, "G4": 8, "H7": 32, "L0": 4, "L4": 8, "L5": 8, "WL": 8}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_part_is_whole(family: str) -> None:
    for name in NAMES:
        if chips.load(name).family == f"STM32{family}":
            check_part(chips.load(name))


def check_part(chip: Chip) -> None:
    check_flash(chip.memories)
    for memories in chip.alternatives:
        check_flash(memories)
    assert chip.flash[0].address == 0x0800_0000
    assert any(m.kind == "ram" for m in chip.memories)
    rcc = chips.registers(chip.block("RCC").ip)
    for block in chip.blocks.values():
        assert chips.registers(block.ip)
        for where in (block.enable, block.reset):
            assert where is None or where[1] in rcc[where[0]].fields
        assert {pin for pin, _, _ in block.pins} <= chip.pins
    assert {"FLASH", "RCC", "PWR", "IWDG", "GPIOA"} <= chip.blocks.keys()


def check_flash(memories: tuple[Memory, ...]) -> None:
    flash = [m for m in memories if m.kind == "flash"]
    for run in flash:
        assert run.size % run.erase_unit == run.address % run.erase_unit == 0
        assert run.erase_unit % run.program_unit == run.protect_unit % run.erase_unit == 0
    for low, high in itertools.pairwise(flash):
        assert low.end == high.address or high.bank == low.bank + 1


def test_program_unit_and_erased_value() -> None:
    for name in NAMES:
        family = name.removeprefix("STM32")[:2]
        unit = 16 if name.startswith(("STM32H7A", "STM32H7B")) else PROGRAM_UNIT[family]
        erased = 0x00 if family == "L0" else 0xFF
        assert {(m.program_unit, m.erased) for m in chips.load(name).flash} == {(unit, erased)}, name


@pytest.mark.parametrize("name", SHIPPED)
def test_flash_as_shipped(name: str) -> None:
    assert runs(chips.load(name).memories) == SHIPPED[name]


def test_how_many_parts() -> None:
    """All of the families but STM32H7R/S, which another flash controller drives."""
    count = {f: sum(chips.load(name).family == f"STM32{f}" for name in NAMES) for f in FAMILIES}
    assert count == {
        "F4": 149, "F7": 88, "G0": 104, "G4": 93, "H7": 113, "L0": 100, "L4": 94, "L4+": 45, "L5": 17, "WL": 16,
    }  # fmt: skip


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
    assert runs(dual) == f4_bank(1, 7) + f4_bank(2, 7)
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
