"""The whole way, on the shipped binary: factory, full image through the loader, patch through the application."""

from __future__ import annotations

from spboot.builder.bootloader import boot_version
from tests.system.rig import Rig, Workshop


def test_boot(shop: Workshop) -> None:
    rig = Rig(shop)
    text = rig.boot()
    ours = f"spboot {boot_version()} for NUCLEO-L476RG, 80 MHz".encode()
    for words in (ours, b"SLOT0 08008000", b"DEVELOPMENT KEYS", b"starting 1.0.0"):
        assert words in text
    assert f"demo 1.0.0 on NUCLEO-L476RG, installed as 1.0.0, bootloader {boot_version()}".encode() in text
    assert not list(rig.twin.log), "a boot without update touches no flash"


def test_image_through_the_loader_then_patch_through_the_application(shop: Workshop) -> None:
    rig = Rig(shop)
    rig.enter_loader()
    rig.send(shop.image("1.1.0"))
    assert b"demo 1.1.0 on NUCLEO-L476RG, installed as 1.1.0" in rig.listen()
    rig.ask_application()
    rig.send(shop.patch("1.1.0", "1.2.0"))
    assert b"demo 1.2.0 on NUCLEO-L476RG, installed as 1.2.0" in rig.listen()
    assert rig.twin.flash_read(rig.board.image_address, len(shop.demo("1.2.0"))) == shop.demo("1.2.0")


def test_a_version_only_change_costs_what_it_changes(shop: Workshop) -> None:
    """At most 3 pages erased in SLOT0, by patch as by full image, and twice as many in SLOT1; one page of journal."""
    for update in (shop.patch("1.0.0", "1.1.0"), shop.image("1.1.0")):
        rig = Rig(shop)
        rig.enter_loader()
        rig.send(update)
        rig.listen()
        board = rig.board
        used = -(-(board.vector_size + len(shop.demo("1.1.0"))) // 8)
        changed = rig.erases(board.slot0)
        assert changed <= 3 and rig.erases(board.slot1) == 2 * changed
        assert rig.erases(board.journal) == 1
        assert rig.erases(board.bootloader) == 0
        assert rig.programs(board.slot0) <= min(used, 256 * changed)
        assert rig.programs(board.slot1) - 256 * changed <= min(used, 256 * changed), "kept pages are whole"
        rig.twin.run(seconds=0.05)
        mark, begun, kept, installed, started, confirmed = 1, 1, 1, 1, 1, 1
        assert rig.programs(board.journal) == changed + mark + begun + kept + installed + started + confirmed


def test_no_application_stays_in_the_loader_and_says_so(shop: Workshop) -> None:
    rig = Rig(shop, None)
    rig.enter_loader()
    assert b"no valid firmware in SLOT0" in rig.heard
    assert not rig.twin.run(until=b"starting", seconds=70)
    rig.listen(b"C")
    rig.send(shop.image("1.0.0"))
    assert b"demo 1.0.0" in rig.listen()


def test_loader_gives_up_when_there_is_an_application(shop: Workshop) -> None:
    rig = Rig(shop)
    rig.enter_loader()
    assert b"demo 1.0.0" in rig.listen(seconds=90)


def test_button_enters_the_loader(shop: Workshop) -> None:
    rig = Rig(shop)
    rig.hold()
    rig.power_on()
    rig.listen(b"loader: send")
