"""Somebody else's firmware, 206 KB in two releases, through the engine of the shipped bootloader."""

from __future__ import annotations

import hashlib

import pytest

from bench.delta import corpus
from spboot import release
from spboot.version import Version
from tests import apps
from tests.system.rig import Rig, Workshop, changed_pages

OLD, NEW = Version.parse("7.27.0"), Version.parse("7.28.0")
PAGE = 2048
LINKED_AT = 0x0800_8000  # bench/delta/corpus.toml


def update(shop: Workshop, kind: str, old: bytes, new: bytes) -> bytes:
    common = {"target": shop.board.name, "capacity": shop.board.image_capacity, "keys": shop.keys, "version": NEW}
    if kind == "image":
        return apps.forced_image(new, **common)  # type: ignore[arg-type]
    return apps.forced_patch(release.Base(image=old, version=OLD, address=LINKED_AT), new, **common)  # type: ignore[arg-type]


def as_the_engine_sees_it(rig: Rig, size: int) -> bytes:
    """NEW through the list of pages that the journal holds."""
    board, changed = rig.board, changed_pages(rig)
    pages = -(-(board.vector_size + size) // PAGE)
    parts = []
    for page in range(pages):
        slot = board.slot1 if page in changed else board.slot0
        parts.append(rig.twin.flash_read(slot.address + page * PAGE, PAGE))
    return b"".join(parts)[board.vector_size : board.vector_size + size]


@pytest.mark.parametrize("kind", ["patch", pytest.param("image", marks=pytest.mark.soak)])
def test_technichub(shop: Workshop, kind: str) -> None:
    old, new = corpus.firmware("technichub", str(OLD)), corpus.firmware("technichub", str(NEW))
    file = update(shop, kind, old, new)
    print(f"{kind}: {len(file)} bytes for {len(new)}")
    rig = Rig(shop, str(OLD), app=old)
    rig.hold()
    rig.power_on()
    rig.call("loader")
    rig.send(file)
    rig.listen(b"verified", seconds=5)
    rig.listen(b"installing", seconds=5)
    assert hashlib.sha256(as_the_engine_sees_it(rig, len(new))).digest() == hashlib.sha256(new).digest()
    rig.listen(b"] installed\r", seconds=60)
    assert rig.twin.flash_read(rig.board.image_address, len(new)) == new
    assert rig.erases(rig.board.slot1) == rig.erases(rig.board.slot0) <= 102
    assert not rig.twin.flash_controller.refusals
