"""The engine on the host: acceptance, refusals, divisions, cuts.  Names E1, C2, J1, I2 ... are those of the headers."""

from __future__ import annotations

import hashlib
import random

import pytest

from spboot import release
from spboot.keys import Keys
from spboot.version import Version
from tests import apps
from tests.core.conftest import World
from tests.core.later import unsupported

V = {name: Version.parse(name).pack() for name in ("1.0.0", "1.0.1", "1.1.0", "1.2.0")}


def update(world: World, data: bytes) -> None:
    assert world.device.feed(data) == "OK"
    assert world.device.commit() == "OK"
    world.device.power_on()
    assert world.device.install() == "done"


def test_full_image_then_patch(world: World) -> None:
    world.fresh()
    update(world, world.image("1.1.0"))
    assert world.device.installed == V["1.1.0"]
    update(world, world.patch("1.1.0", "1.2.0"))
    assert world.device.installed == V["1.2.0"]
    assert world.device.read(world.board.vector_size, 5000) == world.images["1.2.0"]
    assert world.device.misuse == 0


def test_c3_a_torn_slot0_is_not_looked_at(world: World) -> None:
    """SLOT0 is garbage with units that cannot be read: the same image takes all its pages in SLOT1."""
    world.fresh()
    world.device.lib.hp_poison(0, world.device.slot_size)
    assert world.device.feed(world.image("1.0.0"), active=False) == "OK"
    assert world.device.commit() == "OK"
    pages = -(-(world.board.vector_size + len(world.images["1.0.0"])) // 2048)
    assert world.device.changed(224) == list(range(pages))
    world.device.power_on()
    assert world.device.install() == "done"
    assert world.device.installed == V["1.0.0"]


def test_e3_flash_that_stores_something_else_is_seen(world: World) -> None:
    """One bit of SLOT1 that does not take: found when NEW is read back, before any commit."""
    for unit in (1, 70, 600, 400):
        world.fresh()
        world.device.lib.hp_stuck(world.device.slot_size + 8 * unit)
        status = world.device.feed(world.image("1.1.0"))
        world.device.lib.hp_stuck(0xFFFFFFFF)
        assert status in ("IMAGE_VERIFY_TAG_FAILURE", "FLASH_ERROR", "OK"), status
        touched = unit // 256 in world.device.changed(224)
        assert (status != "OK") == touched
    assert touched


def test_f1_an_area_does_not_reach_outside_itself(world: World) -> None:
    size = world.device.slot_size
    assert world.device.lib.hp_area(0, 64) == 7
    assert world.device.lib.hp_area(0, 65) == world.device.lib.hp_area(0, size) == 5, "more than is read at once"
    for off, length in ((0, size + 8), (size, 8), (size - 8, 16), (8, 0xFFFFFFF8), (0xFFFFFFF8, 16)):
        assert world.device.lib.hp_area(off, length) == 0, (off, length)


def test_no_application_takes_a_full_image_and_no_patch(world: World) -> None:
    world.device.lib.hp_blank()
    world.device.power_on()
    assert world.device.feed(world.patch("1.0.0", "1.1.0"), active=False) == "SECTION_NOT_AVAILABLE"
    assert world.device.feed(world.image("1.0.0"), active=False) == "OK"
    assert world.device.commit() == "OK"
    world.device.power_on()
    assert world.device.install() == "done"
    assert world.device.installed == V["1.0.0"]


@pytest.mark.parametrize("kind", ["image", "patch"])
def test_e5_divisions_leave_identical_flash(world: World, kind: str) -> None:
    data = world.image("1.1.0") if kind == "image" else world.patch("1.0.0", "1.1.0")
    rnd = random.Random(5)
    divisions = [[], list(range(1, len(data)))]
    divisions += [sorted(rnd.sample(range(1, len(data)), rnd.randrange(1, 9))) for _ in range(20)]
    left = set()
    for cuts in divisions:
        world.fresh()
        assert world.device.feed(data, cuts) == "OK"
        assert world.device.commit() == "OK"
        left.add(hashlib.sha256(world.device.save()).hexdigest())
    assert len(left) == 1


def refusals(world: World) -> dict[str, tuple[bytes, str]]:
    base = release.Base(image=world.images["1.1.0"], version=Version.parse("1.0.0"))
    other_version = release.Base(image=world.images["1.0.0"], version=Version.parse("0.9.0"))
    common = {"target": world.board.name, "keys": world.keys, "version": Version.parse("1.2.0")}
    image, patch = world.image("1.1.0"), world.patch("1.0.0", "1.1.0")
    large = bytes(world.board.image_capacity + 1)
    other_keys = Keys(
        product="other", development=True, signing=world.keys.signing, verify=world.keys.verify, encryption=bytes(16)
    )
    same = apps.forced_image(
        world.images["1.1.0"],
        version=Version.parse("1.0.0"),
        capacity=1 << 20,
        target=world.board.name,
        keys=world.keys,
    )
    old = apps.forced_image(
        world.images["1.1.0"],
        version=Version.parse("0.9.9"),
        capacity=1 << 20,
        target=world.board.name,
        keys=world.keys,
    )
    capacity = 1 << 20
    return {
        "older": (old, "IMAGE_VERSION_FAILURE"),
        "equal": (same, "SAME_VERSION"),
        "product": (world.image("1.1.0", keys=other_keys), "INVALID_SECTION_KEY"),
        "board": (world.patch("1.0.0", "1.1.0", target="OTHER-BOARD"), "WRONG_BOARD"),
        "base image": (
            apps.forced_patch(base, world.images["1.2.0"], capacity=capacity, **common),
            "INVALID_SOURCE_IMAGE",
        ),
        "base version": (
            apps.forced_patch(other_version, world.images["1.2.0"], capacity=capacity, **common),
            "INVALID_SOURCE_IMAGE",
        ),
        "too large": (apps.forced_image(large, capacity=capacity, **common), "IMAGE_TOO_LARGE"),
        "not an update": (b"\x7fELF" + bytes(300), "INVALID_PATCH_IMAGE"),
        **{name: (data, "UNSUPPORTED") for name, data in unsupported(image, world.keys).items()},
        "bytes behind the end": (image + b"\0", "TOO_MANY_BYTES"),
        "bytes behind the end of a patch": (patch + b"\x1a", "TOO_MANY_BYTES"),
    }


def test_e1_refusals_have_their_code_and_touch_no_flash(world: World) -> None:
    for name, (data, expected) in refusals(world).items():
        world.fresh()
        world.device.count()
        before = world.device.save()
        assert (name, world.device.feed(data)) == (name, expected)
        if "behind" not in name:
            assert world.device.operations == 0, name
            assert world.device.save() == before, name
        assert world.device.commit() == "INVALID_STATE"
        world.device.power_on()
        assert world.device.install() == "nothing"
        assert world.device.installed == V["1.0.0"]


@pytest.mark.parametrize("kind", ["image", "patch"])
def test_e1_every_bit_of_manifest_and_signature(world: World, kind: str) -> None:
    """And M1, M2: a length that lies is refused before it is used, a signature that does not fit before all else."""
    data = world.image("1.1.0") if kind == "image" else world.patch("1.0.0", "1.1.0")
    world.fresh()
    before = world.device.save()
    seen = set()
    for bit in range(140 * 8):
        bad = bytearray(data)
        bad[bit // 8] ^= 1 << bit % 8
        world.device.count()
        status = world.device.feed(bytes(bad))
        if status == "OK":  # a longer payload was announced than came
            status = world.device.commit()
        seen.add(status)
        assert status in {
            "INVALID_PATCH_IMAGE",
            "UNSUPPORTED",
            "IMAGE_VERIFY_ALG_FAILURE",
            "TOO_FEW_BYTES",
            "TOO_MANY_BYTES",
            "IMAGE_TOO_LARGE",
        }
        assert world.device.operations == 0
        assert world.device.save() == before
    assert {"INVALID_PATCH_IMAGE", "UNSUPPORTED", "IMAGE_VERIFY_ALG_FAILURE"} <= seen


def test_e2_payload_flips_in_every_chunk(world: World) -> None:
    """And P1: no byte of a chunk reaches cipher or decoder before its hash was found right."""
    data = world.image("1.1.0")
    for at in range(140, len(data), 97):
        bad = bytearray(data)
        bad[at] ^= 0x10
        world.fresh()
        world.device.count()
        status = world.device.feed(bytes(bad))
        first = at < 140 + 528
        assert status == ("IMAGE_VERIFY_ALG_FAILURE" if first else "INVALID_PATCH_TAG")
        assert world.device.erases("slot0") == 0
        assert not first or world.device.operations == 0
        world.device.power_on()
        assert world.device.install() == "nothing"
        assert world.device.installed == V["1.0.0"]


def test_every_truncation(world: World) -> None:
    data = world.patch("1.0.0", "1.1.0")
    for end in range(len(data)):
        world.fresh()
        assert world.device.feed(data[:end]) == "OK"
        assert world.device.commit() == "TOO_FEW_BYTES"
        world.device.power_on()
        assert world.device.install() == "nothing"
        assert world.device.installed == V["1.0.0"]


def test_only_changed_pages_are_touched(world: World) -> None:
    for data in (world.image("1.0.1"), world.patch("1.0.0", "1.0.1")):
        world.fresh()
        world.device.count()
        assert world.device.feed(data) == "OK"
        assert world.device.commit() == "OK"
        assert (world.device.erases("slot1"), world.device.erases("slot0"), world.device.erases("journal")) == (2, 0, 1)
        world.device.count()
        assert world.device.install() == "done"
        assert (world.device.erases("slot1"), world.device.erases("slot0"), world.device.erases("journal")) == (0, 2, 0)


def committed(world: World, data: bytes) -> None:
    world.fresh()
    assert (world.device.feed(data), world.device.commit()) == ("OK", "OK")
    world.device.power_on()


def test_i1_a_damaged_slot1_is_dropped_and_the_old_image_stays(world: World) -> None:
    for off in (10, 100, world.board.vector_size + 8, world.board.vector_size + 2500):
        committed(world, world.image("1.1.0"))
        at = world.device.slot_size + off
        world.device.write(at, bytes([world.device.read(at, 1)[0] ^ 4]))
        assert world.device.install() in ("refused", "nothing")
        assert world.device.install() == "nothing"
        assert world.device.installed == V["1.0.0"]


def test_i4_an_older_image_put_into_slot1_by_an_application_is_dropped(world: World) -> None:
    committed(world, world.image("1.1.0"))
    same = world.images["1.1.0"]  # so that nothing but the version speaks against it
    newer = apps.forced_image(
        same, version=Version.parse("1.2.0"), target=world.board.name, capacity=1 << 20, keys=world.keys
    )
    world.device.write(0, b"\xff" * world.device.slot_size)
    world.device.write(0, release.header_for(newer))
    world.device.write(world.board.vector_size, same)
    assert world.device.installed == V["1.2.0"]
    assert world.device.install() == "refused"
    assert world.device.installed == V["1.2.0"]


def test_a_commit_is_bound_to_its_header(world: World) -> None:
    committed(world, world.image("1.1.0"))
    other = release.Artefact.parse(world.patch("1.0.0", "1.1.0")).header.pack()  # vouched for, and the same image
    world.device.write(world.device.slot_size, other)
    assert world.device.install() == "nothing"
    assert world.device.installed == V["1.0.0"]


def test_a_broken_image_is_repaired_by_its_own_version_but_not_by_an_older_one(world: World) -> None:
    """And S1: a good signature over the header is not enough."""
    world.fresh()
    update(world, world.image("1.1.0"))
    world.device.write(world.board.vector_size + 4000, b"\0\0\0\0")
    assert world.device.installed == 0
    assert world.device.feed(world.image("1.0.0"), active=False) == "IMAGE_VERSION_FAILURE"
    assert (world.device.feed(world.image("1.1.0"), active=False), world.device.commit()) == ("OK", "OK")
    world.device.power_on()
    assert world.device.install() == "done"
    assert world.device.installed == V["1.1.0"]


def test_calls_out_of_order(world: World) -> None:
    world.fresh()
    assert world.device.commit() == "INVALID_STATE"
    data = world.image("1.1.0")
    assert world.device.feed(data[:100]) == "OK"
    assert world.device.feed(data) == "INVALID_STATE"
    assert world.device.lib.hp_abort() == 0
    assert (world.device.feed(data), world.device.commit()) == ("OK", "OK")
    assert world.device.lib.hp_abort() == 0
    world.device.power_on()
    assert world.device.install() == "nothing"
    assert world.device.feed(data, total=1 << 30) == "IMAGE_TOO_LARGE"


def test_a_device_without_keys_takes_nothing(world: World) -> None:
    world.fresh()
    key = bytes(world.device.lib.hp_personal()[:4])
    world.device.lib.hp_personal()[0] ^= 1
    assert world.device.feed(world.image("1.1.0")) == "NOT_PERSONALISED"
    world.device.lib.hp_personal()[0] = key[0]


def sweep(world: World, data: bytes, cuts: tuple[str, ...], seeds: int, every: int = 1) -> int:
    """Cut at every operation of download and install; and once more at an operation of the recovery.  *every*: of the
    ways to cut so many-th ones, other ones at the next operation."""
    points = 0
    rnd = random.Random(7)
    world.fresh()
    clean = world.device.save()
    world.device.count()
    assert (world.device.feed(data), world.device.commit()) == ("OK", "OK")
    downloading = world.device.operations
    downloaded = world.device.save()
    world.device.count()
    assert world.device.install() == "done"
    installing = world.device.operations
    for phase, total, start in (("download", downloading, clean), ("install", installing, downloaded)):
        for at in range(total):
            for cut in (cuts * 2)[at % every : at % every + len(cuts) : every]:
                for seed in range(seeds if cut.startswith("torn") else 1):
                    points += 1
                    world.device.restore(start)
                    world.device.power_on(cut, at, seed)
                    if phase == "download":
                        world.device.feed(data)
                        world.device.commit()
                    else:
                        world.device.install()
                    world.device.power_on(rnd.choice(cuts), rnd.randrange(2 * installing), seed)  # again, in recovery
                    world.device.install()
                    world.device.power_on()
                    world.device.install()
                    where = (phase, at, cut, seed)
                    assert world.device.installed in (V["1.0.0"], V["1.1.0"]), where
                    assert phase == "download" or world.device.installed == V["1.1.0"], where
                    if world.device.installed == V["1.0.0"]:  # and it can be updated
                        world.device.power_on()
                        assert (world.device.feed(data), world.device.commit()) == ("OK", "OK"), where
                        world.device.power_on()
                        assert world.device.install() == "done", where
                    assert world.device.installed == V["1.1.0"], where
    return points


@pytest.mark.parametrize(
    ("kind", "every"), [("patch", 4), *(pytest.param(kind, 1, marks=pytest.mark.soak) for kind in ("patch", "image"))]
)
def test_i2_power_cuts(world: World, kind: str, every: int) -> None:
    """Also E4 (a cut download is forgotten), I3 (a torn page is erased again), F3 (torn units are not read), C1; and C2
    and F2: no unit is programmed twice or before its erase, which host_port.c counts as misuse."""
    data = world.image("1.1.0") if kind == "image" else world.patch("1.0.0", "1.1.0")
    assert sweep(world, data, ("before", "after", "torn", "torn-readable"), 1, every) > 3000 // every
    assert world.device.misuse == 0
