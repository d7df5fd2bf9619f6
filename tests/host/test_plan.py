"""Plans and new boards: every part of the table has one that the strict loader takes, or is too small and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from spboot import chips
from spboot.boards.draft import Draft, Wish, consoles, draft
from spboot.boards.model import Area, core_supplies
from spboot.boards.plan import BOOTLOADER_SIZE, RESERVED_RAM, plan
from spboot.chips import Chip
from spboot.errors import BoardError
from tests.families import ALL

from .test_chips import NAMES

K = 1024
DRIVEN = frozenset({"usart_v2", "usart_v3", "usart_v4", "lpuart_v3", "lpuart_v4"})


def new(part: str, wish: Wish | None = None) -> Draft:
    chip = chips.load(part)
    supply = core_supplies(chip)[0] if len(core_supplies(chip)) > 1 else None
    return draft(Path("LAMP.toml"), chip, wish or Wish(core_supply=supply), DRIVEN)


def test_two_cores_and_two_supplies() -> None:
    """RM0399 2.6 and 7.4.1: the journal is where the second core begins; the supply must be named, and only there."""
    board = new("STM32H747XI").board
    assert board.journal is not None and board.slot1 is not None
    assert (board.journal.address, board.slot1.address) == (0x0810_0000, 0x0812_0000)
    with pytest.raises(BoardError, match=r"by LDO or by SMPS, .* add --core-supply ldo or smps, as the board is wired"):
        new("STM32H747XI", Wish())
    with pytest.raises(BoardError, match="core_supply is 'smps', expected 'ldo'"):
        new("STM32H743ZI", Wish(core_supply="smps"))
    assert new("STM32H743ZI").board.core_supply == "ldo"


@pytest.mark.parametrize("family", ALL)
def test_every_part_has_a_board_or_is_too_small(family: str) -> None:
    count = 0
    for name in NAMES:
        chip = chips.load(name)
        if chip.family != family:
            continue
        try:
            made = new(name)
        except BoardError as error:
            check_too_small(chip, str(error))
            continue
        count += 1
        check(chip, made)
    assert count > 0


def check_too_small(chip: Chip, message: str) -> None:
    """Only 32 KB of flash or less, a single erase unit, or 2 KB of RAM excuse."""
    assert message.startswith(f"{chip.name}: ")
    flash = sum(run.size for run in chip.flash)
    ram = sum(m.size for m in chip.memories if m.kind == "ram")
    assert flash <= 32 * K or flash == chip.flash[0].erase_unit or ram == 2 * K


def check(chip: Chip, made: Draft) -> None:
    """What the loader does not check: the plan is a good one."""
    board = made.board
    assert board.chip is chip
    assert board.bootloader.size >= BOOTLOADER_SIZE
    assert board.ram.size == RESERVED_RAM
    assert board.ram.address in ALL[chip.family].main_ram
    if board.slot1 is not None and len({run.bank for run in chip.flash}) > 1:
        assert board.journal is not None
        assert {chip.memory_at(area.address).bank for area in (board.slot1, board.journal)} == {2}
    used = sum(area.size for area in board.areas.values())
    largest = max(run.erase_unit for run in chip.flash)
    if board.slot1 is not None and largest == chip.flash[0].erase_unit and len({r.bank for r in chip.flash}) == 1:
        assert sum(run.size for run in chip.flash) - used < 2 * board.page_size + largest


def areas(part: str) -> dict[str, Area]:
    found = plan(chips.load(part))
    named = {key: getattr(found, key) for key in ("bootloader", "slot0", "slot1", "journal")}
    return {key: area for key, area in named.items() if area}


def test_small_sectors_take_the_journal() -> None:
    assert {key: str(area) for key, area in areas("STM32F746NG").items()} == {
        "bootloader": "0x08000000+0x8000",
        "slot0": "0x08040000+0x40000",
        "slot1": "0x08080000+0x40000",
        "journal": "0x08008000+0x8000",
    }


def test_one_slot_where_two_would_be_a_quarter() -> None:
    assert {key: str(area) for key, area in areas("STM32F401CB").items()} == {
        "bootloader": "0x08000000+0x8000",
        "slot0": "0x08010000+0x10000",
    }
    assert any("a single slot: two would have 16 KB each" in text for text in new("STM32F401CB").choices)


def test_write_protection_of_h7a3() -> None:
    assert areas("STM32H7A3ZI")["bootloader"].size == 32 * K
    assert any("write protection covers 32 KB" in text for text in new("STM32H7A3ZI").choices)


def test_what_was_chosen_is_said() -> None:
    made = new("STM32L4R5ZI")
    for part in (
        "console USART2 on PA2 (TX) and PA3 (RX)",
        "clock 80 MHz, of 120 MHz at most",
        "bootloader 24 KB",
        "two slots of 1000 KB: 250 pages of 4 KB",
        "SLOT1 and journal in bank 2",
        "as STM32L4R5ZI is shipped, 2 banks; with other option bytes its erase units differ",
        "reserved RAM 5376 bytes at 0x20000000",
        "no button and no LED",
    ):
        assert sum(part in choice for choice in made.choices) == 1, part


def test_what_was_asked_is_not_chosen() -> None:
    made = new(
        "STM32L073RZ",
        Wish(
            console=("USART1", "PA9", "PA10"),
            button=("PC13", "low"),
            led=("PA5", "high"),
            clock_hz=16_000_000,
            vdd_mv=3000,
            keep_free=8 * K,
            single_slot=True,
        ),
    )
    board = made.board
    assert (board.console.port, board.console.tx.name, board.console.rx.name) == ("USART1", "PA9", "PA10")
    assert board.button and board.led
    assert (board.button.name, board.button.active_high, board.led.name, board.led.active_high) == (
        "PC13",
        False,
        "PA5",
        True,
    )
    assert (board.clock_hz, board.vdd_mv, board.slot1) == (16_000_000, 3000, None)
    assert not any(word in text for text in made.choices for word in ("console", "clock", "button", "LED"))


def test_the_end_of_flash_stays_free() -> None:
    found = new("STM32WLE5JC", Wish(keep_free=4 * K)).board
    assert max(area.end for area in found.areas.values()) <= 0x0803_F000


def test_slots_stay_apart_when_that_costs_little() -> None:
    """What stays free in bank 2 could be won back by a journal in bank 1: 2 KB more, but code would stand still."""
    found = new("STM32L476RE", Wish(keep_free=32 * K)).board
    assert found.journal and found.chip.memory_at(found.journal.address).bank == 2
    assert found.slot0.size == 222 * K


def test_consoles() -> None:
    """The usual place first; a pin with another duty is not taken, nor an IP version without a driver."""
    chip = chips.load("STM32L476RG")
    found = list(consoles(chip))
    assert found[0] == ("USART2", "PA2", "PA3")
    assert len(found) == len(set(found)) and {port for port, _, _ in found} == {
        "LPUART1",
        "UART4",
        "UART5",
        "USART1",
        "USART2",
        "USART3",
    }
    assert new("STM32L476RG", Wish(button=("PA3", "low"))).board.console.port == "USART1"
    made = draft(Path("LAMP.toml"), chip, Wish(), frozenset({"lpuart_v3"}))
    assert made.board.console.port == "LPUART1"


def test_a_wish_that_cannot_be() -> None:
    with pytest.raises(BoardError, match=r"LAMP.toml: led.pin is 'PK7', expected a pin of STM32L476RG"):
        new("STM32L476RG", Wish(led=("PK7", "high")))
    with pytest.raises(BoardError, match=r"leave no slot of 12 KB beside a bootloader of 24 KB"):
        new("STM32L476RG", Wish(keep_free=1000 * K))
