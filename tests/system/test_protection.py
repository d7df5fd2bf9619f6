"""Which flash the bootloader takes for protected by option bytes, on every family: each area and bank, its first unit
and its last unit, and the neighbours.  What the flash itself does is in tests/twin/test_write_protection.py."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.twin import Twin
from tests.families import ALL, Table, rows
from tests.system.rig import Rig, Workshop, functions, workshop

PAGES = tuple(name for facts in ALL.values() for name in facts.areas)
SECTORS = tuple(facts.board for facts in ALL.values() if facts.sectors)
REDUCED = ("NUCLEO-L476RG", "NUCLEO-G0B1RE", *SECTORS)
Asked = Callable[..., bool]


@dataclass(frozen=True)
class Area:
    """Registers with the first and the last unit, and the bytes of a unit.  *bank* is 0 or 1."""

    first: str
    last: str
    unit: int
    bank: int

    def set(self, start: int, end: int) -> dict[str, int]:
        """Options that protect the bytes from *start* to *end* of the bank; bits beyond the field are ones."""
        first, last = start // self.unit, (end - 1) // self.unit
        if self.first == self.last:
            return {self.first: last << 16 | first}
        return {self.first: first, self.last: last}


PCROP_UNITS = {
    "flash_l4": (("",), 8),
    "flash_g4c3": (("",), 8),
    "flash_g0x1": (("A", "B"), 512),
    "flash_wl": (("A", "B"), 1024),
}


def areas(board: Board) -> Iterator[Area]:
    page, banks = board.chip.flash[0].erase_unit, len({run.bank for run in board.chip.flash})
    letters, unit = PCROP_UNITS.get(board.chip.block("FLASH").ip, ((), 8))
    for bank in range(banks):
        for letter in "AB":
            name = f"WRP{bank + 1}{letter}R"
            yield Area(name, name, page, bank)
        for letter in letters:
            yield Area(f"PCROP{bank + 1}{letter}SR", f"PCROP{bank + 1}{letter}ER", unit, bank)


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Workshop]:
    folder: Path = tmp_path_factory.mktemp("protection")

    @functools.cache
    def make(name: str) -> Workshop:
        return workshop(Board.load(name), "clang", folder / name)

    return make


def writable(shop: Workshop) -> Callable[[dict[str, int]], Asked]:
    """Given options beside those of the factory, the bootloader's answer for bytes of flash, by their offset."""
    board, made = shop.board, functions(shop, counting=False)
    flash = Twin(board.chip.name).blocks["FLASH"]
    factory = dict(flash.options)  # type: ignore[attr-defined]

    def with_options(options: dict[str, int]) -> Asked:
        assert options.keys() <= factory.keys()
        for offset, name in flash.names.items():
            value = {**factory, **options}.get(name, 0)
            made.uc.mem_write(flash.address + offset, value.to_bytes(4, "little"))
        return lambda off, size: bool(made.call("spb_flash_writable", off, size).r0 & 1)

    return with_options


def slots(board: Board) -> list[tuple[int, int]]:
    """Offset and size of what an update writes."""
    first = board.chip.flash[0].address
    return [(area.address - first, area.size) for area in (board.slot0, board.slot1, board.journal) if area is not None]


@pytest.mark.parametrize("name", [n if n in REDUCED else pytest.param(n, marks=pytest.mark.soak) for n in PAGES])
def test_each_area_protects_its_pages_and_no_others(shops, name: str) -> None:  # type: ignore[no-untyped-def]
    board = shops(name).board
    asked = writable(shops(name))
    page = board.chip.flash[0].erase_unit
    bank_size = sum(run.size for run in board.chip.flash if run.bank == 1)
    free = asked({})
    assert all(free(off, size) for off, size in slots(board))
    count = 0
    for area in areas(board):
        for off, size in slots(board):
            bank, in_bank = divmod(off, bank_size)
            if bank != area.bank:
                continue
            for start in {in_bank, in_bank + size - page}:
                one = asked(area.set(start, start + page))
                at = bank * bank_size + start
                around = [one(at - page, page), one(at, page), at + page >= bank_size * 2 or one(at + page, page)]
                assert around == [True, False, True], (area, hex(at))
                assert not one(off, size)
                assert [one(*other) for other in slots(board) if other != (off, size)].count(False) == 0
                count += 1
            assert not asked(area.set(0, bank_size))(off, page)
    assert count >= 2 * len(list(areas(board))) or board.slot1 is None


@pytest.mark.parametrize("name", ["NUCLEO-L476RG", "NUCLEO-G0B1RE"])
def test_one_unit_protected_from_reading_protects_its_page(shops, name: str) -> None:  # type: ignore[no-untyped-def]
    board = shops(name).board
    asked, off, page = writable(shops(name)), slots(board)[0][0], board.chip.flash[0].erase_unit
    for area in (area for area in areas(board) if area.unit < page and area.bank == 0):
        for start in (off, off + page - area.unit):
            one = asked(area.set(start, start + area.unit))
            assert [one(at, page) for at in (off - page, off, off + page)] == [True, False, True]
        assert asked({area.first: 5, area.last: 4})(0, 8 * page), "it ends before it begins"


def sectors(board: Board) -> Iterator[tuple[int, int, int]]:
    """Number in its bank, offset and size of each sector that a bit protects; STM32L0 has 4 KB by 32 pages."""
    first, counts = board.chip.flash[0].address, [0, 0]
    for run in board.chip.flash:
        unit = run.protect_unit
        for address in range(run.address, run.end, unit):
            yield counts[run.bank - 1], address - first, unit
            counts[run.bank - 1] += 1


def protected_sector(board: Board, number: int, bank: int) -> dict[str, int]:
    """Options that protect a sector: table `sectors` of its family."""
    how = ALL[board.chip.family].sectors
    if "in_bank" in how:
        bank, number = divmod(number + bank * how["in_bank"], 32)
    register, bit = how["registers"][bank], 1 << how["low"] + number
    factory = Twin(board.chip.name).flash_controller.options[register]
    return {register: factory | bit if how["protects"] else factory & ~bit}


@pytest.mark.parametrize("name", SECTORS)
def test_each_bit_protects_its_sector_and_no_other(shops, name: str) -> None:  # type: ignore[no-untyped-def]
    board = shops(name).board
    asked, everything = writable(shops(name)), list(sectors(shops(name).board))
    bank_size = sum(run.size for run in board.chip.flash if run.bank == 1)
    assert all(asked({})(off, size) for _, off, size in everything)
    for number, off, size in everything:
        one = asked(protected_sector(board, number, off // bank_size))
        near = [other for other in everything if abs(other[1] - off) <= 0x40000 or other[0] == number]
        assert [other for other in near if not one(*other[1:])] == [(number, off, size)]


@pytest.mark.parametrize(
    ("name", "options", "protected"),
    [
        ("NUCLEO-L073RZ", {"OPTR": 0x807001AA, "WRPROT": 0xFFFFFFBF, "WRPROT2": 0xFFFF}, [0x6000]),  # WPRMOD
        ("NUCLEO-F429ZI", {"OPTCR": 0x8020AAED, "OPTCR1": 0}, [0x20000]),  # SPRMOD
        ("DISCO-H745I", {"BANK0_PRAR_CUR": 0x02000200}, [0x20000, 0x40000, 0xE0000]),  # a whole bank
        ("DISCO-H745I", {"BANK1_PRAR_CUR": 0x03FF0200}, [0x120000]),
        ("DISCO-H745I", {"BANK1_PRAR_CUR": 0x02000100}, [0x120000]),  # its first 256 bytes
        ("DISCO-H745I", {"BANK1_PRAR_CUR": 0x02000400}, []),
        ("DISCO-H745I", {"BANK1_SCAR_CUR": 0x03FF0200}, []),
        ("DISCO-H745I", {"BANK1_SCAR_CUR": 0x03FF0200, "OPTSR_CUR": 0x1BE6AAF0}, [0x120000]),  # SECURITY
    ],
)
def test_protection_from_reading(shops, name: str, options: dict[str, int], protected: list[int]) -> None:  # type: ignore[no-untyped-def]
    """RM0367 and RM0090: it turns the bits around; RM0399 4.5.5, 4.5.6."""
    one = writable(shops(name))(options)
    unit = 0x1000 if name == "NUCLEO-L073RZ" else 0x20000
    offs = [0x6000, 0x7000, 0x20000] if unit == 0x1000 else [0x20000, 0x40000, 0xE0000, 0x120000, 0x140000]
    assert [off for off in offs if not one(off, unit)] == protected


@pytest.mark.parametrize("row", rows("warned"), ids=lambda row: f"{row['board']}-{row['options']}")
def test_options_that_are_better_otherwise_are_named(shops, row: Table) -> None:  # type: ignore[no-untyped-def]
    """And the state of a product; the boot goes on."""
    rig, said = Rig(shops(row["board"])), row["said"]
    rig.twin.flash_controller.options.update(row["options"])
    rig.power_on()
    text = rig.listen(b"starting 1.0.0", seconds=10).decode()
    assert ("option b" in text) == bool(said)
    assert said in text
    assert f"protection: read level {row.get('level', 0)}" in text
