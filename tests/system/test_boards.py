"""Every board that comes with spboot, on its twin: build, boot, updates, refusals, power cuts, budgets.

`make test` does the reduced form with clang: boot, a full image through the loader, a patch through the application
(with a single slot: another full image).  `make soak` does all of it with both compilers, and cuts each update at 40
points."""

from __future__ import annotations

import dataclasses
import functools
import tomllib
from pathlib import Path

import pytest

from spboot import boards, keys, release
from spboot.boards import Board
from spboot.builder.bootloader import boot_version, sources
from spboot.builder.compiler import NAMES
from spboot.errors import BuildError
from spboot.formats.spec import spec
from spboot.keys import Keys
from spboot.link import ymodem
from spboot.twin import models
from spboot.version import Version
from tests import apps
from tests.crypto.verifier import WORK_SIZE
from tests.families import ALL, Facts, Table, rows
from tests.system.rig import GOOD, Rig, Workshop, functions, workshop
from tests.system.test_budgets import ROOT, cipher_cycles_per_byte
from tests.system.test_handover import as_after_a_reset
from tests.system.test_power_cut import SCENARIOS, Sweep, count_operations

BUDGETS = tomllib.loads((ROOT / "budgets.toml").read_text())
LIMITS = {"cm0p": (21_504, 5_000_000), "cm4": (20_992, 900_000)}
LIMITS |= {"cm7": (21_504, 900_000), "cm33": LIMITS["cm4"]}
"""Core -> what no board may exceed: bytes of bootloader, cycles of a signature check."""
POINTS = 40
SENTENCES: dict[str, str] = dict(spec()["status"]["codes"])


def lacks(board: Board) -> str:
    """What stands between *board* and a run here, "" when nothing does."""
    try:
        sources(board)
    except BuildError as error:
        return str(error).split(";")[0]
    without = [n for n in ("RCC", "PWR", "FLASH") if board.chip.block(n).ip not in models.MODELS]
    return f"{board.chip.name}: the twin has no model of its {', '.join(without)}" if without else ""


def every(*, two_slots: bool | None = None) -> list[object]:
    """The names of all boards; those that lack something are skipped and say what."""
    found = {name: Board.load(name) for name in boards.names()}
    return [
        pytest.param(name, marks=pytest.mark.skip(reason=lacks(board))) if lacks(board) else name
        for name, board in found.items()
        if two_slots is None or two_slots == (board.slot1 is not None)
    ]


@pytest.fixture(scope="session")
def workshops(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """Workshops by board and compiler, each made when it is first asked for."""
    folder: Path = tmp_path_factory.mktemp("boards")

    @functools.cache
    def make(name: str, compiler: str = "clang") -> Workshop:
        return workshop(Board.load(name), compiler, folder / f"{name}-{compiler}")

    return make


def greeting(board: Board, version: str) -> bytes:
    return f"demo {version} on {board.name}, installed as {version}, bootloader {boot_version()}".encode()


def updates_arrive(shop: Workshop) -> None:
    """Boot; a full image through the loader; a patch through the application, or another image; and nothing garbled."""
    board = shop.board
    rig = Rig(shop)
    text = rig.boot()
    assert (
        f"spboot {boot_version()} for {board.name}, {board.clock_hz // 10**6} MHz, reset by power on".encode() in text
    )
    assert f"SLOT0 {board.slot0.address:08x}".encode() in text
    assert b"protection: read level 0, write off\r" in text
    assert greeting(board, "1.0.0") in text
    assert not list(rig.twin.log), "a boot without update touches no flash"
    rig.enter_loader()
    rig.send(shop.image("1.1.0"))
    assert greeting(board, "1.1.0") in rig.listen()
    if board.slot1 is None:
        rig.enter_loader()
        rig.send(shop.image("1.2.0"))
    else:
        rig.ask_application()
        rig.send(shop.patch("1.1.0", "1.2.0"))
    assert greeting(board, "1.2.0") in rig.listen()
    assert rig.twin.flash_read(board.image_address, len(shop.demo("1.2.0"))) == shop.demo("1.2.0")
    assert rig.erases(board.bootloader) == 0
    assert not [line for line in rig.uart.lost if "garbled" in line]
    assert not rig.twin.faults
    assert not rig.twin.flash_controller.refusals


def files_are_refused(shop: Workshop) -> None:
    """For another board, by another key, of an older version; the installed one runs on."""
    board, target = shop.board, shop.board.name
    folder = shop.folder / "other-keys"
    others = Keys.load(folder) if folder.exists() else Keys.new(folder, "demo", development=True)

    def image(version: str = "1.1.0", target: str = target, secrets: keys.Keys = shop.keys) -> bytes:
        return apps.forced_image(
            shop.demo("1.1.0"),
            target=target,
            capacity=board.image_capacity,
            keys=secrets,
            version=Version.parse(version),
            rest=shop.rest("1.1.0") if board.slot0.rest else None,
        )

    bad = {
        "WRONG_BOARD": image(target="another board"),
        "IMAGE_VERIFY_ALG_FAILURE": image(secrets=dataclasses.replace(others, product=shop.keys.product)),
        "IMAGE_VERSION_FAILURE": image("0.9.0"),
    }
    for code, data in bad.items():
        rig = Rig(shop)
        rig.enter_loader()
        with pytest.raises(ymodem.LinkError):
            rig.send(data)
        rig.twin.run(until=b"this device:", seconds=5)
        assert SENTENCES[code].encode() in bytes(rig.uart.output), code
        assert not list(rig.twin.log), code
        assert greeting(board, "1.0.0") in rig.boot()


def within_budget(shop: Workshop) -> None:
    """Bytes of bootloader and of reserved RAM, cycles of a signature check and of the cipher."""
    board, budget = shop.board, BUDGETS[shop.board.name]
    flash, cycles = LIMITS[board.chip.core]
    usb = BUDGETS["usb"][board.name] if board.usb is not None else 0
    assert shop.boot.size <= budget["flash"] <= flash + usb
    assert board.ram.size <= budget["reserved_ram"] <= 5_376
    made = functions(shop)
    assert made.symbols["spb_last_update"] - made.symbols["spb_bss_end"] >= budget["ram_free"]
    header, work = made.allocate(release.header_for(shop.image("1.0.0"))), made.allocate(WORK_SIZE)
    result = made.call("spb_header_verify", header, work)
    print(f"{board.name}, {shop.compiler}: {shop.boot.size} bytes, signature check {result.cycles} cycles")
    assert result.r0 == GOOD
    assert result.cycles <= budget["verify_cycles"] <= cycles
    per_byte = cipher_cycles_per_byte(made)
    print(f"cipher: {per_byte:.1f} cycles per byte")
    assert per_byte <= BUDGETS["aes_cycles_per_byte"][board.chip.core]


def of_each_flash() -> list[object]:
    """A board of each core and flash; those that have both in common with one before are for `make soak`."""
    seen: set[tuple[str, str]] = set()
    rows: list[object] = []
    for name in boards.names():
        chip = Board.load(name).chip
        kind = chip.core, chip.block("FLASH").ip
        rows.append(pytest.param(name, marks=pytest.mark.soak) if kind in seen else name)
        seen.add(kind)
    return rows


@pytest.mark.parametrize("name", of_each_flash())
def test_updates_arrive(workshops, name: str) -> None:  # type: ignore[no-untyped-def]
    updates_arrive(workshops(name))
    as_after_a_reset(workshops(name))
    within_budget(workshops(name))


@pytest.mark.parametrize("row", rows("unfit"), ids=lambda row: f"{row['board']}-{row['options']}")
def test_flash_that_is_laid_out_otherwise_is_not_touched(workshops, row: Table) -> None:  # type: ignore[no-untyped-def]
    """Option bits as DUAL_BANK, nSWAP_BANK, DBANK, TZEN, the other way round: page numbers would name other pages."""
    rig, sentence = Rig(workshops(row["board"])), row["sentence"].encode()
    for register, bits in row["options"].items():
        rig.twin.flash_controller.options[register] ^= bits
    rig.power_on()
    if "idcode" in row:  # of a revision that is refused
        rig.twin.blocks["DBGMCU"].registers["IDCODE"] = row["idcode"]
    assert sentence in rig.listen(sentence)
    assert not rig.twin.run(until=b"starting", seconds=3)
    assert not list(rig.twin.log)


@pytest.mark.parametrize(("rdp", "level"), [(0xAA, 0), (0x55, 1), (0, 1), (0xCC, 2)])
@pytest.mark.parametrize("facts", [f for f in ALL.values() if f.read_protection], ids=lambda facts: facts.board)
def test_read_protection_is_reported(workshops, facts: Facts, rdp: int, level: int) -> None:  # type: ignore[no-untyped-def]
    rig = Rig(workshops(facts.board))
    options, register = rig.twin.flash_controller.options, facts.read_protection
    options[register] = options[register] & ~0xFF | rdp
    rig.power_on()
    rig.listen(f"protection: read level {level}, write off\r".encode())


@pytest.mark.parametrize("row", rows("write_protection"), ids=lambda row: f"{row['board']}-{row['options']}")
def test_write_protection_is_reported(workshops, row: Table) -> None:  # type: ignore[no-untyped-def]
    """On only if the whole bootloader is protected: not all but its first or last unit, not another bank, and not with
    the bits that make it a protection from reading.  L412 has 64 pages: six bits of their numbers count."""
    rig, said = Rig(workshops(row["board"])), "on" if row["on"] else "off"
    assert row["options"].keys() <= rig.twin.flash_controller.options.keys()
    rig.twin.flash_controller.options.update(row["options"])
    rig.power_on()
    rig.listen(f"protection: read level 0, write {said}\r".encode())


def test_updates_go_past_a_protected_bootloader(workshops) -> None:  # type: ignore[no-untyped-def]
    rig = Rig(workshops("NUCLEO-L476RG"))
    rig.twin.flash_controller.options["WRP1AR"] = 0xFF0BFF00
    rig.enter_loader()
    rig.send(workshops("NUCLEO-L476RG").image("1.1.0"))
    assert greeting(rig.board, "1.1.0") in rig.listen()
    assert not rig.twin.flash_controller.refusals


def test_every_board_has_budgets() -> None:
    for name in boards.names():
        assert {"flash", "reserved_ram", "ram_free", "verify_cycles"} <= BUDGETS.get(name, {}).keys(), name


@pytest.mark.soak
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", every())
def test_whole(workshops, name: str, compiler: str) -> None:  # type: ignore[no-untyped-def]
    shop = workshops(name, compiler)
    updates_arrive(shop)
    as_after_a_reset(shop)
    files_are_refused(shop)
    within_budget(shop)


@pytest.mark.soak
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("kind", SCENARIOS)
@pytest.mark.parametrize("name", every(two_slots=True))
def test_power_cuts(workshops, name: str, kind: str, compiler: str) -> None:  # type: ignore[no-untyped-def]
    """At POINTS operations, spread over the update: before, after and torn; a second cut on the way back."""
    shop = workshops(name, compiler)
    total = count_operations(shop, kind)
    ats = {total * i // POINTS for i in range(POINTS)}
    sweep = Sweep(shop, kind, ats, tears=1, again=True)
    sweep.run()
    assert sweep.points == 3 * len(ats)
    assert len(ats) == min(POINTS, total)
