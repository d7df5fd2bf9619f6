"""The USB host and mass storage at the twin's flash drive: each way in which one is odd is mastered, or told in words.

Whatever the twin refuses ends a test: no debounce, a packet too early, a clock that is not exact, a write."""

from __future__ import annotations

import random
from typing import Any, Final

import pytest

from spboot.twin.usb import descriptors
from spboot.twin.usb.descriptors import INTERRUPT, Interface
from spboot.twin.usb.scsi import INQUIRY, READ_10, READ_CAPACITY, REQUEST_SENSE, TEST_UNIT_READY
from tests.system.usb_rig import CLOSE, LEAVE, MOST, NAMES, OPEN, POKE, READ, SECTOR, SECTORS, Bench, make

BOTH = pytest.mark.parametrize("compiler", ["clang", "gcc"])
EVERY = pytest.mark.parametrize("name", NAMES)
IMAGE: Final = random.Random(87).randbytes(64 * SECTOR)
OPENING: Final = 20
"""Transfers of an opening without oddities, at least; what comes later reads."""
_KEYBOARD: Final = Interface(kind=(3, 1, 1), endpoints=((0x81, INTERRUPT, 8),))
_HUB: Final = Interface(kind=(9, 0, 0), endpoints=((0x81, INTERRUPT, 1),))
_UAS_ALONE: Final = Interface(kind=(8, 6, 0x62), endpoints=((0x81, 2, 64), (0x02, 2, 64)))

MOST_BYTES: Final = 3_200
MORE_BYTES: Final = {"H745": 3_328}
"""Where the clock needs another PLL, and the PLL of the core the same source."""

MASTERED: Final[dict[str, dict[str, Any]]] = {
    "packets of 8 bytes": {"mps0": 8},
    "UAS as well": {"interfaces": descriptors.WITH_UAS},
    "a second interface": {"interfaces": descriptors.SECOND},
    "ATAPI subclass": {"interfaces": (Interface(kind=(8, 2, 0x50)),)},
    "packets of 32 bytes": {"interfaces": (Interface(endpoints=((0x81, 2, 64), (0x02, 2, 64))),)},
    "slow to connect": {"connect_s": 0.9},
    "not ready for a second": {"ready_s": 1.0},
    "three attentions": {"attentions": 3},
    "attention after reset": {"attention_code": 0x29},
    "two resets": {"resets": 2},
    "NAK": {"naks": 3},
    "NAK at endpoint 0": {"control_naks": 3},
    "GET_MAX_LUN is answered": {"max_lun_stalls": False},
    "the third unit has the medium": {"max_lun_stalls": False, "luns": 3, "empty_luns": 2},
    "INQUIRY is refused": {"inquiry_stalls": 1},
    "a short CSW": {"short_csw": 1},
    "a long CSW": {"long_csw": 1},
    "another tag": {"wrong_tag": 1},
    "another signature": {"wrong_signature": 1},
    "CSW at the second try": {"csw_stalls": 1},
    "a phase error": {"phase_error": 1},
    "a STALL amid data": {"read_stalls": 1},
    "a failure": {"read_fails": 1},
    "a STALL in place of data": {"halts_at": OPENING + 1},
    "a failure behind the data": {"late_fails": 1},
    "half of the data": {"short_read": 1},
    "the wrong DATA PID": {"toggle_error_at": OPENING + 1},
    "no answer once": {"silent_at": OPENING + 1},
    "no answer for a while": {"silent_at": OPENING + 1, "silences": 5},
    "babble": {"babble_at": OPENING + 1},
    "a fixed disk": {"removable": False},
}
TOLD: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "a hub": ({"hub": True}, "a hub: plug the stick in directly"),
    "a hub by its interface": ({"interfaces": (_HUB,)}, "a hub: plug the stick in directly"),
    "a keyboard": ({"interfaces": (_KEYBOARD,)}, "no stick, but another device"),
    "bulk-only as alternate 1": ({"interfaces": (_UAS_ALONE, Interface(alternate=1))}, "no stick, but another device"),
    "UAS alone": ({"interfaces": (_UAS_ALONE,)}, "no stick, but another device"),
    "low speed": ({"low_speed": True}, "at low speed"),
    "a CD": ({"kind": 5}, "no stick, but another device"),
    "a reader without a card": ({"empty_luns": 1}, "no card in the reader"),
    "sectors of 4096 bytes": ({"sector_size": 4096}, "sectors of another size than 512 bytes"),
    "never ready": ({"ready_s": 60.0}, "the stick does not get ready"),
    "no answer ever": ({"resets": 9}, "the device does not answer"),
    "NAK for ever at endpoint 0": ({"control_naks": -1}, "the device does not answer"),
    "no such descriptor": ({"device_descriptor": b""}, "the device does not answer"),
    "a configuration that is cut": (
        {"configuration_descriptor": bytes([9, 2, 0, 2, 1, 1, 0, 128, 50])},
        "another device",
    ),
    "a descriptor of no bytes": (
        {"configuration_descriptor": bytes([9, 2, 32, 0, 1, 1, 0, 128, 50]) + bytes(23)},
        "another device",
    ),
    "packets of 0 bytes": ({"interfaces": (Interface(endpoints=((0x81, 2, 0), (2, 2, 0))),)}, "another device"),
    "packets of 33 bytes": ({"interfaces": (Interface(endpoints=((0x81, 2, 33), (2, 2, 33))),)}, "another device"),
    "packets of 512 bytes": ({"interfaces": (Interface(endpoints=((0x81, 2, 512), (2, 2, 512))),)}, "another device"),
    "always a failure": ({"inquiry_stalls": 0, "short_csw": 99}, "the stick does not get ready"),
}
_SLOW: Final = {"never ready", "no answer ever", "NAK for ever at endpoint 0"}


def opened(bench: Bench, **how: Any) -> Any:
    stick = bench.plug(IMAGE, **how)
    assert bench.open() == ""
    return stick


@BOTH
@EVERY
def test_sectors(name: str, compiler: str) -> None:
    """The first one and the last one, some between, and none behind; T1, D2: nothing else is sent."""
    bench = Bench(name, compiler)
    stick = opened(bench)
    assert bench.twin.rcc.hclk == bench.board.clock_hz
    assert bench.call(SECTORS) == 64
    assert bench.read(0, MOST) == IMAGE[: MOST * SECTOR]
    assert bench.read(63, 1) == IMAGE[63 * SECTOR :]
    assert bench.read(17, 3) == IMAGE[17 * SECTOR : 20 * SECTOR]
    transfers = stick.transfers
    assert bench.read(64, 1) == b""
    assert bench.call(READ, 0xFFFFFFFF, 1) == 0
    assert stick.transfers == transfers
    asked = stick.storage.disk.commands
    assert set(asked) <= {INQUIRY, TEST_UNIT_READY, REQUEST_SENSE, READ_CAPACITY, READ_10}
    assert asked[0] == INQUIRY


@BOTH
@EVERY
def test_size(name: str, compiler: str) -> None:
    """Driver, clock, control transfers and storage, without their sentences."""
    without = make(name, compiler, ("usb_reader.c", "    switch (what) {", "    switch (what * 0 + POKE) {"))
    assert len(make(name, compiler).image) - len(without.image) <= MORE_BYTES.get(name, MOST_BYTES)


@pytest.mark.parametrize("oddity", MASTERED)
def test_mastered(oddity: str) -> None:
    """T2: what came is what was announced, or it is read again."""
    bench = Bench("F429")
    opened(bench, **MASTERED[oddity])
    assert bench.read(3, 2) == IMAGE[3 * SECTOR : 5 * SECTOR]
    assert bench.call(SECTORS) == 64


RECOVERED: Final = {
    "no answer once": 0, "no answer for a while": 1, "another tag": 1, "another signature": 1, "a short CSW": 1,
    "a long CSW": 1, "a phase error": 1, "babble": 1, "the wrong DATA PID": 1, "a failure": 0,
    "CSW at the second try": 0, "half of the data": 0,
}  # fmt: skip
"""How often the transport is reset for each."""


@pytest.mark.parametrize("oddity", RECOVERED)
def test_recovered(oddity: str) -> None:
    """Bulk-Only Transport 5.3.4: where it lost step, and there alone."""
    bench = Bench("F429")
    stick = opened(bench, **MASTERED[oddity])
    assert bench.read(3, 2) == IMAGE[3 * SECTOR : 5 * SECTOR]
    assert stick.storage.recoveries == RECOVERED[oddity]


def test_two_stalls() -> None:
    """Of data, and of the status behind them: each is cleared, the transport is not reset."""
    bench = Bench("F429")
    stick = opened(bench, read_fails=1)
    stick.storage.left["csw_stalls"] = 1
    assert bench.read(3, 1) == IMAGE[3 * SECTOR : 4 * SECTOR]
    assert stick.storage.recoveries == 0


def test_a_short_status() -> None:
    """Of a command without data, where it looks good in what there was before."""
    bench = Bench("F429")
    stick = bench.plug(IMAGE, attentions=0)
    bench.ask(OPEN, 1000)
    bench.until(lambda: stick.storage.disk.commands[-1:] == [TEST_UNIT_READY])
    stick.storage.left["short_csw"] = 1
    assert bench.answer() == 0
    assert stick.storage.recoveries == 1


def test_room() -> None:
    """B2: what comes beyond it is nowhere in RAM."""
    bench = Bench("F429")
    opened(bench, long_csw=1)
    assert b"\xa5" * 8 not in bench.twin.ram_read(bench.ram, 0x2000)


def test_sense() -> None:
    """A failure is asked about before the next try: some do nothing else until then."""
    bench = Bench("F429")
    stick = opened(bench, read_fails=1)
    assert bench.read(3, 1) == IMAGE[3 * SECTOR : 4 * SECTOR]
    assert stick.storage.disk.commands[-3:] == [READ_10, REQUEST_SENSE, READ_10]


@pytest.mark.parametrize(
    "oddity", [pytest.param(each, marks=[pytest.mark.soak] if each in _SLOW else []) for each in TOLD]
)
def test_told(oddity: str) -> None:
    """D1, B1: within 30 s.  V2: what is not bulk-only storage as alternate setting 0 is not used."""
    how, said = TOLD[oddity]
    bench = Bench("F429")
    bench.plug(IMAGE, **how)
    began = bench.twin.time
    assert said in bench.open()
    assert bench.twin.time - began < 31
    assert bench.call(SECTORS) == 0


def test_nobody() -> None:
    bench = Bench("F429")
    began = bench.twin.time
    assert bench.open(300) == "no USB stick"
    assert 0.3 < bench.twin.time - began < 0.6


@pytest.mark.parametrize(("name", "pin"), [("F429", "PG7"), ("F769", "PD4"), ("L476", "PC10")])
def test_too_much_current(name: str, pin: str) -> None:
    bench = Bench(name)
    bench.twin.pins.set(pin, 0)
    assert "too much current" in bench.open()


@pytest.mark.soak
def test_nak_for_ever() -> None:
    """D1: a sector within 30 s."""
    bench = Bench("F429")
    stick = opened(bench)
    stick.quirks = stick.storage.disk.quirks = type(stick.quirks)(naks=-1)
    began = bench.twin.time
    assert bench.read(0, 1) == b""
    assert bench.twin.time - began < 30
    assert bench.call(SECTORS) == 0


PULLS: Final = 29
"""Transfers of an opening and of one sector."""


@pytest.mark.parametrize(
    "at", [pytest.param(at, marks=[] if at in (0, 6, 12, 24, 27) else [pytest.mark.soak]) for at in range(PULLS)]
)
def test_pulled(at: int) -> None:
    """D1, B1: at each transfer of an opening and of a read; and put in again it is read."""
    bench = Bench("F429")
    stick = bench.plug(IMAGE, pulled_at=at)
    began = bench.twin.time
    said = bench.open()
    if said == "":
        while bench.read(0, 1):
            pass
    assert bench.call(SECTORS) == 0
    assert stick.pulled
    assert bench.twin.time - began < 31
    bench.plug(IMAGE)
    assert bench.open() == ""
    assert bench.read(5, 2) == IMAGE[5 * SECTOR : 7 * SECTOR]


@EVERY
def test_close(name: str) -> None:
    """B3: clocks, core and pins are as after a reset, the stick has no power; and it can be opened again."""
    bench = Bench(name)
    bench.call(CLOSE)
    before = _state(bench)
    bench.reset()
    bench.twin.run(seconds=0.01)
    clocks = _clocks(bench)
    stick = opened(bench)
    assert bench.twin.usb is not None
    assert bench.twin.usb.powered
    bench.read(0, 1)
    bench.call(LEAVE)
    assert not bench.twin.usb.powered
    assert _clocks(bench) == clocks
    bench.call(CLOSE)
    assert _state(bench) == before
    bench.reset()
    assert bench.open() == ""
    assert stick.transfers >= OPENING - 4


def _clocks(bench: Bench) -> dict[str, int]:
    """What is chosen and divided while it runs; of CR the flags were written back."""
    rcc = bench.twin.blocks["RCC"]
    return {name: value for name, value in rcc.registers.items() if name != "CR"}


def _state(bench: Bench) -> dict[str, Any]:
    names = [name for name in bench.twin.blocks if name.startswith(("USB", "GPIO", "RCC", "PWR"))]
    return {name: dict(bench.twin.blocks[name].registers) for name in names}


def test_opened_twice() -> None:
    bench = Bench("F429")
    opened(bench)
    assert bench.open() == ""
    assert bench.read(1, 1) == IMAGE[SECTOR : 2 * SECTOR]


@EVERY
def test_watchdog(name: str) -> None:
    """It runs with the period that a reset leaves, 512 ms, while a stick takes its time, and the LSE."""
    bench = Bench(name)
    bench.plug(IMAGE, ready_s=1.0, connect_s=0.8)
    bench.call(POKE, bench.board.chip.block("IWDG").address, 0xCCCC)
    assert bench.open() == ""
    assert bench.twin.iwdg.running


@pytest.mark.parametrize("name", ["F429", "H745"])
def test_no_oscillator(name: str) -> None:
    """B1: and the core goes on with the clock that it had."""
    bench = Bench(name)
    bench.twin.run(seconds=0.01)
    before = dict(bench.twin.blocks["PWR"].registers)
    bench.twin.rcc.START_US = {**bench.twin.rcc.START_US, "HSE": 10**9}  # type: ignore[misc]
    bench.plug(IMAGE)
    assert bench.open() == "no USB: the oscillator at OSC_IN does not start"
    assert bench.twin.rcc.hclk == bench.board.clock_hz
    assert not bench.twin.rcc.on("HSE")  # type: ignore[attr-defined]
    assert bench.twin.blocks["PWR"].registers == before


def test_no_supply() -> None:
    """B1: a board that leaves VDD33USB open."""
    bench = Bench("H745")
    bench.twin.run(seconds=0.01)
    before = dict(bench.twin.blocks["PWR"].registers)
    bench.twin.blocks["PWR"].vdd33usb = False  # type: ignore[attr-defined]
    bench.plug(IMAGE)
    assert bench.open() == "no USB: there is no voltage at VDD33USB"
    assert bench.twin.rcc.hclk == bench.board.clock_hz
    assert not bench.twin.rcc.on("HSE")  # type: ignore[attr-defined]
    assert bench.twin.blocks["PWR"].registers == before


def test_no_clock_of_a_phy() -> None:
    """B1: CSRST does not end; and with a clock again it is opened."""
    bench = Bench("F769")
    assert bench.twin.usb is not None
    bench.twin.usb.phy_silent = True
    bench.plug(IMAGE)
    began = bench.twin.time
    assert bench.open() == "no USB: its core does not start"
    assert bench.twin.time - began < 0.5
    bench.call(LEAVE)
    bench.twin.usb.phy_silent = False
    assert bench.open() == ""


def test_a_halt_that_is_never_told() -> None:
    """U3: it is asked for once more; where that does not help either the core is started anew by the next opening."""
    bench = Bench("F429")
    opened(bench)
    assert bench.twin.usb is not None
    bench.twin.usb.lost_halts = 1
    assert bench.read(0, 2) == IMAGE[: 2 * SECTOR]
    bench.twin.usb.lost_halts = 9
    assert bench.read(0, 2) == b""
    bench.twin.usb.lost_halts = 0
    assert bench.open() == ""
    assert bench.read(0, 2) == IMAGE[: 2 * SECTOR]
