"""Boards whose slots are in external flash, on their twins: updates of all of it, refusals, trials, and code that
nobody can read from outside.  `make test` does the reduced form; `make soak` all.  Power cuts are in
test_external_rehearsal.py."""

from __future__ import annotations

import functools
import itertools
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from spboot import boards
from spboot.boards import Board
from spboot.builder.compiler import NAMES
from spboot.twin import Twin
from tests.system.rig import RUNNING, Rig, Workshop, functions, workshop
from tests.system.test_boards import files_are_refused, greeting
from tests.system.test_budgets import ROOT, stacks

BUDGETS = tomllib.loads((ROOT / "budgets.toml").read_text())["external"]
TWO_PARTS = [name for name in boards.external_names() if Board.load(name).slot0.rest]


def some(*names: str, of: list[str] | None = None) -> list[object]:
    """All boards, or those *of* a kind; others than *names* with `make soak`."""
    every = boards.external_names() if of is None else of
    return [name if name in names else pytest.param(name, marks=pytest.mark.soak) for name in every]


def both(*soon: tuple[str, str]) -> list[object]:
    """All boards with each compiler; others than *soon* with `make soak`."""
    every = itertools.product(boards.external_names(), NAMES)
    return [one if one in soon else pytest.param(*one, marks=pytest.mark.soak) for one in every]


@pytest.fixture(scope="session")
def workshops(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    folder: Path = tmp_path_factory.mktemp("external")

    @functools.cache
    def make(name: str, compiler: str = "clang") -> Workshop:
        return workshop(quick(Board.load(name)), compiler, folder / f"{name}-{compiler}")

    return make


def quick(board: Board) -> Board:
    """*board* with chips that erase a sector in 2 ms, and blocks as many times longer as they do, as loops that wait
    are what a twin is slow at.  The times of real ones are those of test_external_costs.py, and their limits those of
    test_external_driver.py."""
    assert board.external is not None
    chip = board.external.chip
    unhurried = chip.erase_us(chip.sector)[0]
    commands = tuple(
        replace(command, us=(command.us[0] * 2_000 // unhurried, command.us[1])) if command.does == "erase" else command
        for command in chip.commands
    )
    return replace(board, external=replace(board.external, chip=replace(chip, commands=commands)))


def installed(shop: Workshop, twin: Twin, version: str) -> None:
    """SLOT0 is what was signed as *version*, each part of it."""
    board = shop.board
    image = shop.made(shop.demo(version), version)
    assert twin.flash_read(board.image_address, len(image.data)) == image.data
    if board.slot0.rest:
        assert twin.flash_read(board.slot0.rest.address, len(image.rest)) == image.rest


def nothing_is_plain(shop: Workshop, twin: Twin, *versions: str) -> None:
    """SLOT1 has no 32 bytes of code in a row that any of *versions* has, as far as they are no filler."""
    slot1 = shop.board.slot1
    assert slot1 is not None
    there = re.sub(rb"\xff{99,}", b"\xff" * 64, twin.flash_read(slot1.address, slot1.size))  # most of it, and no code
    for version in versions:
        code = shop.demo(version)
        pieces = {code[at : at + 32] for at in range(0, len(code) - 32, 16)}
        assert not [piece for piece in pieces if len(set(piece)) > 8 and piece in there], version


@pytest.mark.parametrize(("name", "compiler"), both(("DISCO-L476G-EXT", "clang"), ("DISCO-L4R9I-EXT", "gcc")))
def test_updates_arrive(workshops, name: str, compiler: str) -> None:  # type: ignore[no-untyped-def]
    """A full image through the loader, a patch through the application; and what the chips were told was strict."""
    shop = workshops(name, compiler)
    rig = Rig(shop)
    assert greeting(shop.board, "1.0.0") in rig.boot()
    assert not list(rig.twin.log), "a boot without update touches no flash"
    rig.enter_loader()
    rig.send(shop.image("1.1.0"))
    nothing_is_plain(shop, rig.twin, "1.1.0")
    assert greeting(shop.board, "1.1.0") in rig.listen()
    installed(shop, rig.twin, "1.1.0")
    nothing_is_plain(shop, rig.twin, "1.0.0", "1.1.0")
    rig.ask_application()
    rig.send(shop.patch("1.1.0", "1.2.0"))
    assert greeting(shop.board, "1.2.0") in rig.listen()
    installed(shop, rig.twin, "1.2.0")
    assert not rig.twin.faults
    made = functions(shop)
    assert shop.boot.size <= BUDGETS[name]
    assert made.symbols["spb_last_update"] - made.symbols["spb_bss_end"] >= BUDGETS["ram_free"]
    assert shop.board.ram.size <= 5_376


@pytest.mark.parametrize(("name", "compiler"), both(("DISCO-L4R9I-EXT", "clang")))
def test_stack(workshops, name: str, compiler: str) -> None:  # type: ignore[no-untyped-def]
    """A program operation is deeper here, and code is sealed at its depth."""
    stacks(workshops(name, compiler))


@pytest.mark.parametrize("name", some("DISCO-L476G-EXT"))
def test_updates_that_are_not_for_it(workshops, name: str) -> None:  # type: ignore[no-untyped-def]
    files_are_refused(workshops(name))


@pytest.mark.parametrize("name", some("DISCO-L4R9I-EXT"))
def test_an_update_that_is_not_confirmed_goes_back(workshops, name: str) -> None:  # type: ignore[no-untyped-def]
    """Each part of it."""
    shop = workshops(name)
    rig = Rig(shop)
    rig.boot()
    rig.enter_loader()
    rig.send(shop.image("1.1.0"))
    rig.listen(b"on trial")
    rig.power_on()
    text = rig.listen()
    assert b"reverted" in text
    assert greeting(shop.board, "1.0.0") in text
    installed(shop, rig.twin, "1.0.0")
    nothing_is_plain(shop, rig.twin, "1.0.0", "1.1.0")


@pytest.mark.parametrize("name", some("DISCO-L4R9I-EXT", of=TWO_PARTS))
def test_a_byte_that_turns_over_outside(workshops, name: str) -> None:  # type: ignore[no-untyped-def]
    """It is not started."""
    turned_over(workshops(name))


@pytest.mark.soak
@pytest.mark.parametrize("name", TWO_PARTS)
def test_the_loader_mends_a_byte_that_turned_over_outside(workshops, name: str) -> None:  # type: ignore[no-untyped-def]
    shop = workshops(name)
    rig = turned_over(shop)
    rig.send(shop.image("1.0.0"))
    assert greeting(shop.board, "1.0.0") in rig.listen()
    installed(shop, rig.twin, "1.0.0")


def turned_over(shop: Workshop) -> Rig:
    """A device that waits in its loader, as one byte of its image in external flash is another."""
    rig = Rig(shop)
    rest = rig.board.slot0.rest
    assert rest is not None
    (byte,) = rig.twin.flash_read(rest.address + 70_000, 1)
    rig.twin.flash_load(rest.address + 70_000, bytes([byte ^ 1]))
    rig.power_on()
    rig.listen(b"loader: send")
    assert b"SLOT0: version 1.0.0 is not whole" in bytes(rig.uart.output)
    return rig


@pytest.mark.parametrize("name", some("DISCO-L476G-EXT", "DISCO-L4R9I-EXT"))
def test_other_chips(workshops, name: str) -> None:  # type: ignore[no-untyped-def]
    """A sentence; an image that is inside is started, one that is not waits for the loader; no update is lost."""
    rig = Rig(workshops(name))
    for package in rig.twin.external.values():
        for chip in package.chips:
            chip.id = bytes(3)
    rig.power_on()
    rig.listen(b"its id is")
    outside = rig.board.slot0.rest is not None
    rig.listen(b"loader: send" if outside else b"r resets")


def _over(rig: Rig, start: int) -> bool:
    said = rig.uart.output[start:]
    return RUNNING in said or b"loader: send" in said


@pytest.mark.parametrize("step", [2, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("name", ["DISCO-L476G-EXT"])
def test_a_chip_that_answers_otherwise_the_next_time(workshops, name: str, step: int) -> None:  # type: ignore[no-untyped-def]
    """At each of the times that SLOT1 is read in an install: what starts is what was signed, or nothing does."""
    shop = workshops(name)
    rig = Rig(shop)
    slot1 = rig.board.slot1
    assert slot1 is not None
    rig.boot()
    rig.enter_loader()
    rig.send(shop.image("1.1.0"))
    before, ends = rig.twin.snapshot(), set()
    for times in range(1, 10, step):
        rig.twin.restore(before)
        start = len(rig.uart.output)
        rig.fault(f"swapped:{slot1.address:#x}={times}")
        rig.twin.run(until=functools.partial(_over, rig, start), seconds=60)
        said = bytes(rig.uart.output[start:])
        running = [version for version in ("1.0.0", "1.1.0") if greeting(rig.board, version) in said]
        for version in running:
            installed(shop, rig.twin, version)
        assert running or b"no valid firmware in SLOT0" in said, said
        ends.add(running[0] if running else "")
    assert len(ends) > 1, "the swap was never between a check and what follows it"
