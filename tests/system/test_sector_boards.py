"""Boards with sector flash, and Cortex-M7 with caches: what test_boards.py does not ask of every board."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from spboot import chips
from spboot.boards import Board
from spboot.boards.draft import Wish, draft
from spboot.builder import bootloader
from spboot.builder.compiler import NAMES
from tests.system.rig import RUNNING, Rig, Workshop, only_the_last_update_is_left, workshop
from tests.system.test_handover import spinning_application
from tests.system.test_power_cut import Sweep, count_operations

BOARDS = ("NUCLEO-F429ZI", "DISCO-F469I", "DISCO-F769I", "DISCO-H745I")

STAYS = {("RCC", "CR"), ("PWR", "CR3")}
"""What may differ from the state after a reset: flags that the twin settles when they are read, and the supply."""


MADE = [(board, NAMES[i % 2]) for i, board in enumerate(BOARDS)]
ALIKE = ("DISCO-F469I", "DISCO-F769I")
"""Boards whose flash another one of these has, too; the sweeps of theirs are for `make soak`."""


def shops(*alike: str) -> pytest.MarkDecorator:
    """Of all boards, those of *alike* for `make soak`."""
    return pytest.mark.parametrize(
        "shop",
        [pytest.param(made, marks=pytest.mark.soak) if made[0] in alike else made for made in MADE],
        ids=["-".join(made) for made in MADE],
        indirect=True,
    )


SOME = shops(*ALIKE)


@pytest.fixture(scope="module", params=MADE, ids="-".join)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    board, compiler = request.param
    folder = tmp_path_factory.mktemp(f"{board}-{compiler}")
    return workshop(Board.load(board), compiler, folder)


@SOME
def test_updates_without_a_refusal(shop: Workshop) -> None:
    """S2, H2: the twin refuses flash operations while a cache may hold what an erase took away.  S3: a wrong width is a
    flag and would be in `refusals`."""
    update_twice(Rig(shop))


def locked(rig: Rig) -> bool:
    """Whether the flash controller is; in every bank, where each has its own lock."""
    registers = rig.twin.blocks["FLASH"].registers
    if "CR" in registers:
        return bool(registers["CR"] >> 31)
    return bool(registers["BANK0_CR"] & registers["BANK1_CR"] & 1)


def update_twice(rig: Rig) -> None:
    """A full update in the loader, a patch by the application; nothing is refused on the way."""
    shop = rig.shop
    rig.boot()
    rig.enter_loader()
    rig.send(shop.image("1.1.0"))
    assert b"demo 1.1.0 on" in rig.listen(RUNNING, seconds=60)
    rig.ask_application()
    rig.send(shop.patch("1.1.0", "1.2.0"))
    assert b"demo 1.2.0 on" in rig.listen(RUNNING, seconds=60)
    assert locked(rig)
    assert rig.twin.faults == []
    assert rig.twin.flash_controller.refusals == []


def test_g3_all_is_as_after_a_reset(shop: Workshop) -> None:
    """Caches included: K1 and K2 are refused by the twin where they do not hold.  S1, H1: the flash is locked.  The
    supply of a core is chosen once and stays (RM0399 7.8.4)."""
    board = shop.board
    stack = board.ram.end + 0x8000
    rig = Rig(shop, app=spinning_application(board.image_address, stack))
    rig.power_on()
    fresh = {name: dict(block.registers) for name, block in rig.twin.blocks.items()}
    system = dict(rig.twin.nvic.registers)
    rig.listen(b"starting 1.0.0\r\n")
    rig.twin.run(seconds=0.05)
    assert rig.twin.core.pc == board.image_address + 8
    only_the_last_update_is_left(rig)
    assert rig.twin.nvic.registers["VTOR"] == board.image_address
    assert rig.twin.nvic.registers["CCR"] == system["CCR"], "caches are off, faults as they were"
    assert rig.twin.nvic.registers["CFSR"] == 0
    differs = {
        (name, register): (hex(value), hex(rig.twin.blocks[name].registers[register]))
        for name, registers in fresh.items()
        for register, value in registers.items()
        if rig.twin.blocks[name].registers[register] != value and (name, register) not in STAYS
    }
    assert differs == {}


@shops("NUCLEO-F429ZI", *ALIKE)
@pytest.mark.parametrize("kind", ["patch", pytest.param("image", marks=pytest.mark.soak)])
def test_cut_at_a_few_operations(shop: Workshop, kind: str) -> None:
    """H3: torn words of STM32H7 answer with bus errors, half of the time.  The recovery is cut as well."""
    total = count_operations(shop, kind)
    ats = {1, total // 2, total - 1}
    sweep = Sweep(shop, kind, ats, tears=1, again=True)
    sweep.run()
    assert sweep.operations == total
    assert sweep.points == 3 * len(ats)


@pytest.mark.soak
def test_a_watchdog_is_fed_while_a_large_page_is_written(tmp_path: Path) -> None:
    """At 1.8 V bytes are programmed: a page takes longer than its erase, in which the core stands still for 2 s."""
    shop = new_board("STM32F769NI", Wish(clock_hz=100_000_000, vdd_mv=1800), tmp_path)
    update = shop.wrap(shop.demo("1.1.0") + random.Random(1).randbytes(140_000), "1.1.0")
    rig = Rig(shop)
    rig.twin.enable_hardware_watchdog(2150)
    rig.enter_loader()
    rig.send(update)
    assert b"demo 1.1.0 on" in rig.listen(RUNNING, seconds=60)
    assert b"watchdog" not in rig.uart.output


WRONG_OPTIONS = {
    "STM32F769NI": ("OPTCR", 1 << 29, b"flash is not in 1 bank"),  # nDBANK, RM0410 3.7.6
    "STM32F427ZG": ("OPTCR", 1 << 30, b"flash is not in 1 bank"),  # DB1M, RM0090 3.9.10
    "STM32H743ZI": ("OPTSR_CUR", 1 << 31, b"the banks are swapped"),  # SWAP_BANK_OPT, RM0433 4.9.8
}


@pytest.mark.parametrize("part", WRONG_OPTIONS)
def test_flash_that_is_divided_otherwise_is_not_touched(part: str, tmp_path: Path) -> None:
    """A sector number would mean another place: the bootloader says so and stops."""
    register, bit, text = WRONG_OPTIONS[part]
    rig = Rig(new_board(part, Wish(), tmp_path))
    rig.power_on()
    rig.listen(b"starting 1.0.0")
    rig.twin.flash_controller.options[register] ^= bit
    rig.power_on()
    rig.listen(text)
    assert not rig.twin.run(until=b"starting", seconds=2)
    assert not list(rig.twin.log)


def test_a_journal_begins_with_what_stops_a_core() -> None:
    """Where a second core begins after a reset, unless an option bit keeps it off, there is the journal: the first two
    words are erased or page 0 and 0xFF behind it, so that stack and entry lead nowhere (RM0399 2.6: 0x08100000)."""
    board = Board.load("DISCO-H745I")
    assert board.journal is not None
    assert board.journal.address == 0x08100000
    assert board.chip.memory_at(board.journal.address).program_unit >= 8, (
        "the first entry leaves the second word erased"
    )


OTHERS = {
    "STM32F401RE": Wish(),
    "STM32F405RG": Wish(),
    "STM32F411RE": Wish(),
    "STM32F446RE": Wish(clock_hz=180_000_000),
    "STM32F429ZI": Wish(clock_hz=100_000_000, vdd_mv=1800),
    "STM32F722RE": Wish(clock_hz=180_000_000, vdd_mv=2400),
    "STM32F746ZG": Wish(),
    "STM32H743ZI": Wish(),
    "STM32H755ZI": Wish(clock_hz=200_000_000, core_supply="ldo"),
}
"""Parts on no board of ours: other sectors, voltages that narrow a program, one bank, over-drive, another supply."""


def new_board(part: str, wish: Wish, folder: Path) -> Workshop:
    """What `spboot board new` makes of a part, in a workshop."""
    path = folder / f"NEW-{part}.toml"
    path.write_text(draft(path, chips.load(part), wish, bootloader.driven()).text)
    return workshop(Board.load(str(path)), "clang", folder)


@pytest.mark.soak
@pytest.mark.parametrize("part", OTHERS)
def test_a_new_board_of_another_part(part: str, tmp_path: Path) -> None:
    update_twice(Rig(new_board(part, OTHERS[part], tmp_path)))
