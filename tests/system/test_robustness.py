"""The shipped bootloader among noise, watchdogs, unreadable flash and garbage: it starts the application, or it stays
in the loader and says why.  It never hangs."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import Literal

import pytest

from spboot.builder import headers, personal
from spboot.link import ymodem
from spboot.twin.host.port import TwinPort
from tests.system.feeder import NEXT, Feeder, Stage
from tests.system.rig import Rig, Workshop, changed_pages

WINDOW_S = headers.WINDOW_MS / 1000
LONG_S = 2.0
JUDGED = b"SLOT0 holds 1.0.0"
LOADER = b"loader: send"
NO_APPLICATION = b"no valid firmware in SLOT0"
WATCHDOG_MS = 100
Flavour = Literal["at", "after"]


def started(rig: Rig) -> float:
    """Seconds from power on to the hand-over."""
    rig.power_on()
    at = rig.twin.time
    rig.listen(b"starting 1.0.0\r\n")
    return rig.twin.time - at


def noise(seed: int, size: int) -> bytes:
    """Random bytes, many of them the beginning of the word, never all of it."""
    rnd = random.Random(seed)
    out = b""
    while len(out) < size:
        out += rnd.choice((b"l", b"lo", b"loa", b"loaload"[:6], b"d", b"C", rnd.randbytes(3)))
    return out.replace(b"load", b"lo-d")


def test_t1_noise_prolongs_the_window_once(shop: Workshop) -> None:
    rig = Rig(shop)
    quiet = started(rig)
    assert WINDOW_S < quiet < WINDOW_S + 0.05
    for seed in range(3):
        rig.power_on()
        at = rig.twin.time
        rig.listen(JUDGED)
        rig.uart.send(noise(seed, 40_000))
        heard = rig.twin.time
        text = rig.listen(b"starting 1.0.0\r\n")
        assert LOADER not in text
        assert heard - at < WINDOW_S
        assert abs(rig.twin.time - heard - LONG_S) < 0.01


@pytest.mark.parametrize("prefix", [b"", b"l", b"lo", b"loa", b"loal", b"\xff\x00lol"])
def test_the_word_in_the_window(shop: Workshop, prefix: bytes) -> None:
    rig = Rig(shop)
    rig.power_on()
    rig.listen(JUDGED)
    rig.uart.send(prefix + b"load")
    assert b"starting" not in rig.listen(LOADER, seconds=2)


def test_a_person_who_types_while_images_are_hashed_is_given_time_to_type_again(shop: Workshop) -> None:
    rig = Rig(shop)
    rig.power_on()
    rig.twin.run(seconds=0.008)
    rig.uart.send(b"load")
    rig.twin.run(seconds=1.5)
    assert b"starting" not in rig.uart.output
    assert LOADER not in rig.uart.output
    rig.uart.send(b"load")
    assert b"starting" not in rig.listen(LOADER, seconds=2)


def test_the_word_at_the_end_of_the_window_and_after_it(shop: Workshop) -> None:
    rig = Rig(shop)
    rig.power_on()
    powered = rig.twin.snapshot()
    quiet = started(rig)
    rig.twin.restore(powered)
    rig.twin.run(seconds=quiet - 0.008)
    rig.uart.send(b"load")
    assert b"starting" not in rig.listen(LOADER, seconds=2)
    for late in (0.001, 0.003, 0.1):
        rig.twin.restore(powered)
        rig.twin.run(seconds=quiet + late)
        start = len(rig.uart.output)
        rig.uart.send(b"load")
        rig.twin.run(seconds=1)
        assert LOADER not in rig.uart.output
        assert rig.uart.output.endswith(b"r resets\r\n"), bytes(rig.uart.output[start:])


def test_a_hardware_watchdog_is_kept_content_all_the_way(shop: Workshop) -> None:
    rig = Rig(shop)
    rig.twin.enable_hardware_watchdog(WATCHDOG_MS)
    rig.enter_loader()
    rig.twin.run(seconds=4)
    ymodem.wait_for_call(rig.port, 10, on_text=rig.hear)
    rig.send(shop.image("1.1.0"))
    assert b"demo 1.1.0 on" in rig.listen()
    rig.twin.run(seconds=2)
    rig.ask_application()
    rig.send(shop.patch("1.1.0", "1.2.0"))
    assert b"demo 1.2.0 on" in rig.listen()
    said = bytes(rig.uart.output)
    assert b"watchdog" not in said
    assert (said.count(b"reset by power on\r"), said.count(b"reset by power on/software\r")) == (1, 2)


def test_the_watchdog_bites_an_application_that_does_not_feed_it_but_not_during_a_call(shop: Workshop) -> None:
    feeder = Feeder(shop)
    feeder.twin.enable_hardware_watchdog(WATCHDOG_MS)
    assert b"ready" in feeder.reset()
    feeder.init(delay=NEXT)
    data = feeder.image()
    feeder.load(data)
    feeder.write(feeder.feeding, bytes(4))
    assert feeder.feed(0, len(data)).stage == Stage.VERIFIED
    assert feeder.last.cycles > shop.board.clock_hz // 1000 * WATCHDOG_MS, "the call alone was longer than the watchdog"
    text = feeder.rig.listen(b"starting 1.1.0", seconds=2)
    assert b"reset by power on/watchdog\r" in text


@pytest.fixture(scope="module")
def device(shop: Workshop) -> Rig:
    return Rig(shop)


@pytest.fixture
def rig(device: Rig) -> Rig:
    """A device as it leaves production, without power."""
    flash = device.twin.flash
    flash.put(flash.address, b"\xff" * flash.size)
    flash.poisoned.clear()
    device.program(device.shop.factory("1.0.0"))
    device.twin.log.clear()
    return device


@pytest.fixture(scope="module")
def committed(shop: Workshop) -> Callable[[Rig], None]:
    """Flash of a device that is to install 1.1.0 at its next reset."""
    feeder = Feeder(shop, compiler=None)
    feeder.init(delay=NEXT)
    feeder.data(feeder.image())
    flash = feeder.flash()
    return lambda rig: rig.twin.flash_load(rig.twin.flash.address, flash)


def poison(rig: Rig, *addresses: int) -> None:
    rig.twin.flash.poisoned |= {address & ~7 for address in addresses}


def reset_outcome(rig: Rig) -> str:
    """What a power-on leads to, within the time that it may take."""
    rig.power_on()
    start = len(rig.uart.output)
    ends = (b"r resets\r\n", b"ready\r\n", b"file by YMODEM\r\nC")
    done = rig.twin.run(until=lambda: rig.uart.output[start:].endswith(ends), seconds=5)
    text = bytes(rig.uart.output[start:])
    assert done, f"it hangs after {text!r}"
    rig.port = TwinPort(rig.twin, rig.board.console.port)
    return text.decode()


@pytest.mark.parametrize("flavour", ["at", "after"])
def test_unreadable_words_of_slot0_lead_to_the_loader_which_repairs_them(rig: Rig, flavour: Flavour) -> None:
    board, app = rig.board, rig.shop.demo("1.0.0")
    rig.twin.ecc_nmi = flavour
    fresh = rig.twin.flash_read(rig.twin.flash.address, rig.twin.flash.size)
    places = {
        "header": board.slot0.address,
        "end of header": board.slot0.address + 151,
        "vector table": board.image_address,
        "reset vector": board.image_address + 4,
        "middle": board.image_address + len(app) // 2,
        "end": board.image_address + len(app) - 1,
    }
    for name, address in places.items():
        rig.twin.flash_load(rig.twin.flash.address, fresh)
        poison(rig, address)
        assert NO_APPLICATION.decode() in reset_outcome(rig), name
        if name in ("header", "reset vector"):
            ymodem.wait_for_call(rig.port, 10, on_text=rig.hear)
            rig.send(rig.shop.image("1.0.0"))
            assert b"demo 1.0.0 on" in rig.listen(), name


@pytest.mark.parametrize("flavour", ["at", "after"])
def test_unreadable_words_elsewhere_are_in_nobodys_way(rig: Rig, flavour: Flavour) -> None:
    board = rig.board
    rig.twin.ecc_nmi = flavour
    poison(rig, board.slot0.end - 1, board.journal.end - 1)
    for address in (board.slot1.address, board.slot1.address + 150, board.slot1.address + 3000, board.slot1.end - 1):
        poison(rig, address)
    for offset in range(0, 100, 8):
        poison(rig, board.journal.address + offset)
    assert "demo 1.0.0 on" in reset_outcome(rig)
    rig.ask_application()
    rig.send(rig.shop.patch("1.0.0", "1.1.0"))
    assert b"demo 1.1.0 on" in rig.listen()


@pytest.mark.parametrize("flavour", ["at", "after"])
def test_unreadable_words_of_an_update(rig: Rig, committed: Callable[[Rig], None], flavour: Flavour) -> None:
    """A page and the mark: there was no update.  SLOT1: it is dropped.  A step: not counted, and then on trial."""
    slot1, journal = rig.board.slot1.address, rig.board.journal.address
    committed(rig)
    mark = journal + 8 * len(changed_pages(rig))
    rig.twin.ecc_nmi = flavour
    old, new = "feeder 1.0.0 ready", "feeder 1.1.0 ready"
    dropped = "image in SLOT1 refused and dropped"
    for name, address, said, version in (
        ("page", journal, "", old),
        ("last page", mark - 8, "", old),
        ("mark", mark, "", old),
        ("step", mark + 8, "on trial", new),
        ("header", slot1, "", old),
        ("image", slot1 + rig.board.vector_size + 9, dropped, old),
        ("image", slot1 + 2048 + 9, dropped, old),
    ):
        committed(rig)
        poison(rig, address)
        text = reset_outcome(rig)
        assert (said in text, version in text) == (True, True), (name, text)
        text = reset_outcome(rig)
        assert (dropped not in text, ("reverted" if name == "step" else "SLOT0 holds 1.0.0") in text) == (True, True), (
            name
        )
        assert old in text


def test_a_reset_vector_outside_the_image_is_not_followed(shop: Workshop) -> None:
    board, app = shop.board, shop.demo("1.0.0")
    end = board.image_address + len(app)
    for vector in (
        0x20000001,
        0x08000101,
        end | 1,
        board.image_address - 1,
        0xFFFFFFFF,
        0,
        board.image_address + 0x100,
    ):
        bad = app[:4] + vector.to_bytes(4, "little") + app[8:]
        assert NO_APPLICATION.decode() in reset_outcome(Rig(shop, app=bad)), hex(vector)


@pytest.mark.parametrize("garbage", ["zero", "random", "erased", "marks"])
def test_garbage_in_slot1_and_journal(rig: Rig, garbage: str) -> None:
    rnd = random.Random(3)
    make: dict[str, Callable[[int], bytes]] = {
        "zero": bytes,
        "random": rnd.randbytes,
        "erased": lambda size: b"\xff" * size,
        "marks": lambda size: (b"COMM" + rnd.randbytes(4)) * (size // 8),
    }
    for area in (rig.board.slot1, rig.board.journal):
        rig.twin.flash_load(area.address, make[garbage](area.size))
    assert "demo 1.0.0 on" in reset_outcome(rig)
    assert not len(rig.twin.log)


def test_an_old_slot1_header_with_a_garbled_journal(rig: Rig, committed: Callable[[Rig], None]) -> None:
    committed(rig)
    fresh = rig.twin.flash_read(rig.board.journal.address, 64)
    mark = 8 * len(changed_pages(rig))
    for at in (*range(4), *range(mark - 8, mark - 4), *range(mark, mark + 8)):
        committed(rig)
        rig.twin.flash_load(rig.board.journal.address, fresh[:at] + bytes([fresh[at] ^ 1 << at % 8]) + fresh[at + 1 :])
        assert "feeder 1.0.0 ready" in reset_outcome(rig), at


@pytest.mark.parametrize("development", [True, False])
def test_development_keys_are_announced(rig: Rig, development: bool) -> None:
    shop = rig.shop
    boot = personal.finish(shop.boot.bin.read_bytes(), dataclasses.replace(shop.keys, development=development))
    rig.twin.flash_load(rig.board.bootloader.address, boot)
    text = reset_outcome(rig)
    assert ("DEVELOPMENT KEYS" in text) == development
    assert "demo 1.0.0 on" in text
