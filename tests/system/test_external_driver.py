"""The drivers of external flash, at the board's chips on the twin: erase, program, read, and a start from every state.

Whatever the twin refuses ends a test: no wait where one is due, a window that is read while it is away, errata."""

from __future__ import annotations

import random

import pytest

from spboot.errors import TwinError
from spboot.twin.nor.chip import NorChip
from tests.system.external_rig import (
    BLOCK,
    ERASE,
    ERASE_FAILED,
    FLASH_ERROR,
    ID,
    MAPPED,
    NAMES,
    OK,
    PROGRAM,
    PROGRAM_FAILED,
    STOP,
    WRITABLE,
    Bench,
)
from tests.system.external_states import STATES, erasing

BOTH = pytest.mark.parametrize("compiler", ["clang", "gcc"])
EVERY = pytest.mark.parametrize("name", NAMES)
FEW = ("F469", "H745", "L4R9")
"""QUADSPI, two chips at it, OCTOSPI."""


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


@BOTH
@EVERY
def test_erase_program_read(name: str, compiler: str) -> None:
    """Over borders of pages, at odd places and in odd lengths; the neighbours stay.  X1: it is read between calls."""
    bench = Bench(name, compiler)
    assert bench.start() == ""
    unit, count = bench.unit, bench.fitted.count
    base = 5 * unit
    bench.package.cells.put(0x90000000 + base - 64, noise(unit + 128))
    around = bench.cells(base - 64, 64), bench.cells(base + unit, 64)
    assert bench.read(base, 64) == bench.cells(base, 64)
    assert bench.call(ERASE, base) == OK
    assert bench.read(base, 64) == b"\xff" * 64
    assert bench.cells(base, unit) == b"\xff" * unit
    pieces = [
        (0, 64),
        (0x80, 64),
        (0xC0 * count, 704),
        (0x600, 2 * count),
        (0x611 * count, 31 * count),
        (unit - 64, 64),
    ]
    for off, size in pieces:
        data = noise(size, off)
        assert bench.program(base + off, data) == OK
        assert bench.cells(base + off, size) == data
        assert bench.load(base + off, size) == data
        start = base + off & ~3
        assert bench.read(start, size + 3 & ~3) == bench.cells(start, size + 3 & ~3)
    assert (bench.cells(base - 64, 64), bench.cells(base + unit, 64)) == around
    assert bench.call(WRITABLE, base, unit) == 1
    assert all(not chip.refusals and not chip.failed for chip in bench.chips)
    last = bench.fitted.size - 2 * unit
    assert bench.call(ERASE, last) == OK
    assert bench.program(last, data) == OK
    assert bench.read(last, len(data) & ~3) == data[: len(data) & ~3]


@BOTH
@EVERY
def test_a_block_is_erased_at_once(name: str, compiler: str) -> None:
    """All of it and nothing beside it, in the time of one command; then it can be programmed and read."""
    bench = Bench(name, compiler)
    external = bench.fitted.external()
    block, place = external.block, 0x90000000 + 3 * external.block
    assert block == 0x10000
    assert bench.start() == ""
    bench.package.cells.put(place - 64, bytes(block + 128))
    assert bench.read(3 * block, 64) == bytes(64)
    began = bench.twin.timeline.now
    assert bench.call(BLOCK, 3 * block) == OK
    took = (bench.twin.timeline.now - began) / 1e6
    assert (
        external.chip.erase_us(block // external.count)[0] < took < external.chip.erase_us(external.chip.sector)[0] * 11
    )
    assert bench.cells(3 * block - 64, block + 128) == bytes(64) + b"\xff" * block + bytes(64)
    assert bench.read(4 * block - 64, 64) == b"\xff" * 64
    assert bench.program(4 * block - 64, noise(64)) == OK
    assert bench.read(4 * block - 64, 64) == noise(64)
    assert bench.twin.log.erases() == 1
    assert len(bench.package.cells.wear) == 16 // external.count


_SOON = {
    ("F469", "suspended"), ("F769", "quad erasing"), ("H745", "quad"), ("L496", "continuous"),
    ("L562", "double asleep"), ("L4R9", "double erasing"), ("L476", "continuous"), ("L4S5", "asleep"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "state"),
    [
        pytest.param(name, state, marks=[] if (name, state) in _SOON else [pytest.mark.soak])
        for name, states in STATES.items()
        for state in states
    ],
)
def test_start_from_a_state(name: str, state: str) -> None:
    """A reset of the microcontroller leaves the chips in it."""
    bench = Bench(name)
    assert bench.start() == ""
    bench.package.cells.put(0x90000000, noise(64))
    STATES[name][state](bench)
    bench.reset()
    assert bench.start() == ""
    assert bench.read(0, 64) == noise(64)
    assert {(chip.protocol, chip.asleep, chip.busy, chip.suspended, chip.continuing) for chip in bench.chips} == {
        ("spi", False, False, None, None)
    }
    assert bench.call(ERASE, bench.unit * 4) == OK
    assert bench.program(bench.unit * 4, noise(64)) == OK
    assert bench.call(STOP) == 0


@EVERY
def test_stop(name: str) -> None:
    """All is as after a reset, and the chips are in SPI."""
    bench = Bench(name)
    bench.reset()
    bench.call(STOP)  # the clocks, too
    before = _state(bench)
    bench.reset()
    assert bench.start() == ""
    bench.read(0, 4)
    bench.call(STOP)
    assert _state(bench) == before
    assert {(chip.protocol, chip.write_enabled, chip.busy) for chip in bench.chips} == {("spi", False, False)}


def _state(bench: Bench) -> dict[str, object]:
    twin = bench.twin
    names = [name for name in twin.blocks if name.startswith(("QUADSPI", "OCTOSPI", "GPIO", "RCC", "PWR"))]
    regions = [rest & 1 for _, rest in twin.nvic.mpu.regions]
    return {**{name: dict(twin.blocks[name].registers) for name in names}, "MPU": (twin.nvic.mpu.control, regions)}


# what is wrong with a chip


@BOTH
@EVERY
def test_another_chip(name: str, compiler: str) -> None:
    bench = Bench(name, compiler)
    bench.chips[-1].id = b"\xc2\x20\x99"
    assert bench.start() == "external flash is another one"
    assert bench.call(ID) == 0xC22099
    assert bench.call(STOP) == 0


@pytest.mark.parametrize("name", FEW)
def test_no_chip(name: str) -> None:
    bench = Bench(name)
    for chip in bench.chips:
        chip.id = b"\xff\xff\xff"
    assert "another one" in bench.start()
    assert bench.call(ID) == 0xFFFFFF


def test_the_second_of_two_chips_alone_is_another() -> None:
    """X3"""
    bench = Bench("H745")
    assert bench.start() == ""
    bench.chips[1].id = b"\x20\xba\x19"
    cells = bench.cells(0, 64)
    assert bench.call(ERASE, 0) == FLASH_ERROR
    assert bench.program(0, noise(64)) == FLASH_ERROR
    assert bench.cells(0, 64) == cells
    assert not any(chip.write_enabled for chip in bench.chips)
    assert bench.read(0, 64) == cells


def test_the_second_chip_is_slower() -> None:
    bench = Bench("H745")
    assert bench.start() == ""
    bench.ask(ERASE, 0)
    bench.until(lambda: bench.chips[1].running is not None)
    assert bench.chips[1].running is not None
    bench.chips[1].ready_at = bench.chips[1].running.until + 50 * 10**9
    assert bench.answer() == OK
    assert bench.twin.timeline.now >= bench.chips[1].ready_at


@pytest.mark.parametrize("name", ["F769", "H745"])
def test_what_the_core_may_read(name: str) -> None:
    """V1: the chips, but for the last 4 KB of STM32H7 (ES0392), and nothing behind them; and no code."""
    bench = Bench(name)
    assert bench.start() == ""
    mpu, end = bench.twin.nvic.mpu, 0x90000000 + bench.fitted.size
    last = end - (0x1000 if name == "H745" else 0)
    places = (0x90000000, last - 4, last, end, 0x9FFFFFFC)
    allowed = [mpu.allows(place, "read", privileged=True) for place in places]
    assert allowed == [True, True, False, False, False]
    assert not mpu.allows(0x90000000, "write", privileged=True)
    assert not mpu.allows(0x90000000, "fetch", privileged=True)
    assert mpu.caching(0x90000000, "back") == "through"


@EVERY
def test_protected(name: str) -> None:
    """By the bits of any of the chips; a refused erase says so by a flag, and the next one of another place works."""
    bench = Bench(name)
    assert bench.start() == ""
    place = bench.fitted.size - 2 * bench.unit
    chip = bench.chips[-1]
    chip.registers["SR"] |= 1 << 2
    assert bench.call(WRITABLE, 0, bench.unit) == 0
    assert bench.call(ERASE, place) == ERASE_FAILED
    assert bench.program(place, noise(64)) == PROGRAM_FAILED
    assert chip.refusals
    chip.registers["SR"] = 0
    assert bench.call(WRITABLE, 0, bench.unit) == 1
    if (
        bench.fitted.external().chip.flags.get("ready") is not None
    ):  # others clear the flags of the last failure themselves
        assert bench.call(ERASE, place) == OK
        assert bench.program(place, noise(64)) == OK


# time


@pytest.mark.parametrize("name", FEW)
def test_an_erase_that_never_ends(name: str) -> None:
    """X4: it is waited for twice the longest time, then the chip is reset, and can be read again."""
    bench = Bench(name)
    assert bench.start() == ""
    began = bench.twin.timeline.now
    bench.ask(ERASE, 0)
    bench.until(lambda: bench.chips[-1].running is not None)
    for chip in bench.chips:
        assert chip.running is not None
        chip.running.left = 10**18
    assert bench.answer() == ERASE_FAILED
    longest = max(c.us[1] for c in bench.chips[0].facts.commands if c.does == "erase" and c.size == 4096)
    assert longest < (bench.twin.timeline.now - began) / 1e6 < 4 * longest + 400_000
    assert bench.read(8 * bench.unit, 4) == b"\xff" * 4
    assert bench.word(5) > 100


@pytest.mark.parametrize("name", FEW)
def test_a_chip_that_does_not_recover(name: str) -> None:
    """X4"""
    bench = Bench(name)
    began = bench.twin.timeline.now
    bench.ask(0)
    bench.until(lambda: all(chip.deaf_until > bench.twin.timeline.now for chip in bench.chips))
    for chip in bench.chips:
        _deaf(chip)
    number = bench.answer()
    assert bench.made.sentences[number] == "external flash does not answer, or stays busy"
    assert (bench.twin.timeline.now - began) / 1e12 < 4
    assert bench.call(STOP) == 0


def _deaf(chip: NorChip) -> None:
    chip.deaf_until = 10**18
    chip.restart = lambda _until: None  # type: ignore[method-assign]


@EVERY
def test_watchdog(name: str) -> None:
    """It runs with the period that a reset leaves, 512 ms, and flash takes its longest times."""
    bench = Bench(name)
    bench.twin.flash.ageing.slow = True
    bench.poke(bench.board.chip.block("IWDG").address, 0xCCCC)
    assert bench.start() == ""
    assert bench.call(ERASE, 0) == OK
    assert bench.program(0, noise(256)) == OK
    erasing(bench)
    bench.reset()
    bench.poke(bench.board.chip.block("IWDG").address, 0xCCCC)
    assert bench.start() == ""
    assert bench.twin.iwdg.running
    assert bench.call(MAPPED) == 1


def test_not_mapped() -> None:
    """Nothing is touched, and nothing is read, of a controller that nobody started."""
    bench = Bench("F469")
    assert bench.call(MAPPED) == 0
    assert bench.call(ERASE, 0) == FLASH_ERROR
    assert bench.call(PROGRAM, 0, 64) == FLASH_ERROR
    with pytest.raises(AssertionError):
        bench.read(0, 4)
    with pytest.raises((AssertionError, TwinError)):
        bench.load(0, 4)
