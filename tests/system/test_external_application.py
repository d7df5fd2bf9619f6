"""The driver of external flash under a running application, whose the controller is (external_flash.h, X5)."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

import pytest

from tests.system.external_application import MPU_CTRL, READERS, Application, kept
from tests.system.external_rig import ERASE, FLASH_ERROR, MAPPED, OK, PROGRAM, READ, TICK, WRITABLE, Bench

_SOON: Final = {
    ("1-4-4", "F469"),
    ("1-4-4", "H745"),
    ("QPI", "F769"),
    ("two bits a clock", "L4R9"),
    ("eight lines", "L562"),
}
CASES: Final = [
    pytest.param(reader, name, marks=[] if (reader, name) in _SOON else [pytest.mark.soak])
    for reader, (_, _, names) in READERS.items()
    for name in names
]


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def running(reader: str, name: str, compiler: str = "clang", share: str = "calls") -> tuple[Bench, Application]:
    bench = Bench(name, compiler, share=share)
    application = Application(bench)
    shape, prepare, _ = READERS[reader]
    prepare(bench)
    application.read_by(shape)
    return bench, application


@pytest.mark.parametrize("compiler", ["clang", "gcc"])
@pytest.mark.parametrize(("reader", "name"), CASES)
def test_application(reader: str, name: str, compiler: str) -> None:
    """X5: its way of reading is followed, and all is as it was afterwards; its window reads what was written.

    X2: registers of the chips stay."""
    bench, application = running(reader, name, compiler)
    base = 3 * bench.unit
    bench.package.cells.put(0x90000000 + base, noise(128))
    assert application.load(base, 128) == noise(128)  # the window goes on reading
    before = kept(bench)
    modes = [(chip.protocol, dict(chip.registers)) for chip in bench.chips]
    application.done()
    assert bench.call(MAPPED) == 1
    assert bench.call(ERASE, base) == OK
    assert kept(bench) == before
    assert application.load(base, 128) == b"\xff" * 128
    assert bench.program(base + 0x40, noise(704)) == OK
    assert kept(bench) == before
    assert application.load(base + 0x40, 704) == bench.cells(base + 0x40, 704) == noise(704)
    assert bench.call(WRITABLE, base, bench.unit) == 1
    assert kept(bench) == before
    assert modes == [(chip.protocol, dict(chip.registers)) for chip in bench.chips]


def _other_chip(application: Application) -> None:
    application.bench.chips[0].id = b"\x00\x00\x00"


REFUSED: Final[dict[str, tuple[str, Callable[[Application], None]]]] = {
    "not mapped": ("F469", lambda a: a.set("CCR", 1 << 24 | 1 << 8)),
    "disabled": ("F469", lambda a: a.set("CR", 0)),
    "no clock": ("F469", lambda a: a.clock_off()),
    "another chip": ("F469", _other_chip),
    "no clock of OCTOSPI": ("L562", lambda a: a.clock_off()),
    "OCTOSPI not mapped": ("L562", lambda a: a.set("CR", 1)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    """X5: nothing is touched of what the driver cannot take turns with."""
    name, spoil = REFUSED[case]
    bench, application = running("1-1-1", name)
    spoil(application)
    before, operations = kept(bench), bench.twin.log.total
    application.done()
    assert bench.call(ERASE, 0) == FLASH_ERROR
    bench.program(0, noise(64))
    assert bench.call(PROGRAM, 0, 64) == FLASH_ERROR
    assert bench.call(WRITABLE, 0, bench.unit) == 1
    if case != "another chip":
        assert bench.call(READ, 0, 64) == 0
    assert kept(bench) == before
    assert bench.twin.log.total == operations
    assert not bench.chips[0].write_enabled


def test_a_read_that_goes_on_without_a_command() -> None:
    """The chip takes no other frame then."""
    bench = Bench("L496")
    application = Application(bench)
    READERS["1-4-4"][1](bench)
    application.read_by("1-4-4", once=True)
    before = kept(bench)
    application.done()
    assert bench.call(MAPPED) == 0
    assert bench.call(ERASE, 0) == FLASH_ERROR
    assert kept(bench) == before


@pytest.mark.parametrize("name", ["F769", "H745"])
def test_regions_of_an_application(name: str) -> None:
    """V2: the region with the highest number is borrowed where it is free or of the window, not one of other memory."""
    bench, application = running("1-4-4", name)
    last = bench.board.chip.of_family.mpu_regions - 1
    window = 6 << 24 | 1 << 17 | bench.fitted.fsize << 1 | 1
    for address, rest, answer in ((0x90000000, window, OK), (0x20000000, 3 << 24 | 1 << 19 | 9 << 1 | 1, FLASH_ERROR)):
        bench.poke(0xE000ED98, last)
        bench.poke(0xE000EDA0, 0)
        bench.poke(0xE000ED9C, address)
        bench.poke(0xE000EDA0, rest)
        bench.poke(0xE000ED98, 2)
        bench.poke(MPU_CTRL, 5)
        before = kept(bench)
        application.done()
        assert bench.call(ERASE, 0) == answer
        assert kept(bench) == before
        bench.twin.strict = "none"


_SLICES: Final = [
    pytest.param(
        reader,
        name,
        marks=[] if (reader, name) in {("1-4-4", "F469"), ("two bits a clock", "L4R9")} else [pytest.mark.soak],
    )
    for reader, (_, _, names) in READERS.items()
    for name in names
    if name not in ("F769", "H745")
]


@pytest.mark.parametrize(("reader", "name"), _SLICES)
def test_slices(reader: str, name: str) -> None:
    """X6: an interrupt handler that reads the window finds it there, while a sector is erased and programmed."""
    bench, application = running(reader, name, share="slices")
    bench.package.cells.put(0x90000000, b"code" + bytes(60))
    base = 3 * bench.unit
    bench.package.cells.put(0x90000000 + base, noise(128))
    bench.call(TICK)
    before = kept(bench)
    application.done()
    ticks, began = bench.word(6), bench.twin.time
    assert bench.call(ERASE, base) == OK
    milliseconds = (bench.twin.time - began) * 1000
    assert milliseconds / 4 < bench.word(6) - ticks < milliseconds  # more than a few, and none while it is away
    assert bench.word(7) == int.from_bytes(b"code", "little")
    assert kept(bench) == before
    assert bench.program(base, noise(256)) == OK
    assert bench.cells(base, 256) == noise(256)
    assert bench.cells(base + 256, bench.unit - 256) == b"\xff" * (bench.unit - 256)
    typical = next(c.us[0] for c in bench.chips[0].facts.commands if c.does == "erase" and c.size == 4096) / 1000
    assert typical < milliseconds < 4 * typical + 20
    assert not any(chip.suspended for chip in bench.chips)


def test_without_slices_the_window_is_away() -> None:
    bench, application = running("1-4-4", "F469")
    bench.call(TICK)
    application.done()
    with pytest.raises(AssertionError, match=r"BusFault|HardFault"):
        bench.call(ERASE, bench.unit)
