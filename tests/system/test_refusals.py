"""What must not be installed: through the API and through the loader of the shipped bootloader.

Each refusal has its own code and sentence, touches no flash where nothing may be touched, and the old version stays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from spboot import release
from spboot.formats.spec import record, spec
from spboot.keys import Keys
from spboot.link import ymodem
from spboot.twin.host.port import TwinPort
from spboot.version import Version
from tests import apps
from tests.core.later import unsupported
from tests.system.feeder import CODES, SENTENCES, Feeder, Stage, feeder_app
from tests.system.rig import Rig, Workshop

HEAD = spec()["manifest"]["size"] + spec()["signature"]["size"]
CHUNK = spec()["chunk"]["data_size"] + spec()["chunk"]["hash_size"]
FIELDS = {field.name: field for field in record("manifest").fields}


@dataclasses.dataclass(frozen=True)
class Bad:
    """A file, the code that refuses it, and whether flash may have been touched by then."""

    data: bytes
    code: str
    touches: bool = False


def files(shop: Workshop, old: bytes, new: bytes) -> Iterator[tuple[str, Bad]]:
    """One file for each kind of refusal on a device that runs *old* as 1.0.0."""
    target, secrets, room = shop.board.name, shop.keys, shop.board.image_capacity
    names = {n: Version.parse(n) for n in ("0.9.0", "0.9.9", "1.0.0", "1.1.0")}

    def image(
        app: bytes = new, *, version: str = "1.1.0", target: str = target, keys: Keys = secrets, room: int = room
    ) -> bytes:
        return apps.forced_image(app, target=target, capacity=room, keys=keys, version=names[version])

    def patch(base: bytes = old, *, start: str = "1.0.0", target: str = target) -> bytes:
        return apps.forced_patch(
            release.Base(image=base, version=names[start]),
            new,
            target=target,
            capacity=room,
            keys=secrets,
            version=names["1.1.0"],
        )

    other_product = dataclasses.replace(secrets, product="other")
    folder = shop.folder / "other-keys"
    other_keys = Keys.load(folder) if folder.exists() else Keys.new(folder, "demo", development=True)
    good, good_patch = image(), patch()
    yield "older version", Bad(image(version="0.9.9"), "IMAGE_VERSION_FAILURE")
    yield "equal version", Bad(image(version="1.0.0"), "SAME_VERSION")
    yield "other product", Bad(image(keys=other_product), "INVALID_SECTION_KEY")
    yield "keys of another product", Bad(image(keys=other_keys), "IMAGE_VERIFY_ALG_FAILURE")
    yield "image for another board", Bad(image(target="OTHER-BOARD"), "WRONG_BOARD")
    yield "patch for another board", Bad(patch(target="OTHER-BOARD"), "WRONG_BOARD")
    yield "another base image", Bad(patch(new[:-1]), "INVALID_SOURCE_IMAGE")
    yield "another base version", Bad(patch(start="0.9.0"), "INVALID_SOURCE_IMAGE")
    yield "image too large", Bad(image(bytes(room + 1), room=1 << 20), "IMAGE_TOO_LARGE")
    yield "no update at all", Bad(b"\x7fELF" + bytes(300), "INVALID_PATCH_IMAGE")
    for name, data in unsupported(good, secrets).items():
        yield name, Bad(data, "UNSUPPORTED")
    yield "byte behind an image", Bad(good + b"\0", "TOO_MANY_BYTES", touches=True)
    yield "byte behind a patch", Bad(good_patch + b"\x1a", "TOO_MANY_BYTES", touches=True)
    yield "bit in the signature", Bad(flipped(good, 8 * HEAD - 1), "IMAGE_VERIFY_ALG_FAILURE")
    yield "bit in chunk 0", Bad(flipped(good, 8 * (HEAD + 5)), "IMAGE_VERIFY_ALG_FAILURE")
    yield "bit in chunk 2", Bad(flipped(good, 8 * (HEAD + 2 * CHUNK + 5)), "INVALID_PATCH_TAG", touches=True)


def flipped(data: bytes, bit: int) -> bytes:
    out = bytearray(data)
    out[bit // 8] ^= 1 << bit % 8
    return bytes(out)


def assert_refused(feeder: Feeder, code: str) -> None:
    status = feeder.status
    assert (feeder.last.result, status.completed, status.error, status.code, status.stage) == (
        0,
        0,
        1,
        code,
        Stage.IDLE,
    )


def bad_files(feeder: Feeder) -> dict[str, Bad]:
    return dict(files(feeder.shop, feeder.app, feeder_app(feeder.shop, "1.1.0")))


def test_every_kind_by_the_api(feeder: Feeder) -> None:
    before = feeder.flash()
    found = bad_files(feeder)
    for name, bad in found.items():
        feeder.again()
        feeder.init()
        feeder.load(bad.data)
        assert (name, feeder.feed(0, len(bad.data)).code) == (name, bad.code)
        assert_refused(feeder, bad.code)
        assert feeder.sentence(CODES.index(bad.code)) == SENTENCES[bad.code]
        assert bad.touches or (not len(feeder.twin.log) and feeder.flash() == before), name
        assert not feeder.rig.erases(feeder.shop.board.slot0)
        feeder.simple("InstallAtNextReset")
        assert_refused(feeder, "INVALID_STATE")
        feeder.assert_old_boots()


def expected_for(bit: int, data: bytes) -> str:
    """The code for *data* with one bit of manifest or signature flipped, fed in one call."""
    at, size, kinds = bit // 8, FIELDS["payload_size"], spec()["manifest"]
    first, kind = 8 * FIELDS["kind"].offset, data[FIELDS["kind"].offset] & kinds["kind_mask"]
    if at < FIELDS["format"].offset:
        return "INVALID_PATCH_IMAGE"
    if at < FIELDS["product"].offset and bit not in (first, first + 7):  # image or patch; on trial
        return "UNSUPPORTED"
    if bit == first and kind == kinds["kind_patch"]:
        return "INVALID_PATCH_IMAGE"  # a patch as an image has a base, which no image has
    if not size.offset <= at < size.offset + size.size:
        base = FIELDS["base_version"].offset <= at < FIELDS["salt"].offset
        return "INVALID_PATCH_IMAGE" if base and kind == kinds["kind_image"] else "IMAGE_VERIFY_ALG_FAILURE"
    old = int.from_bytes(data[size.offset : size.offset + 4], "little")
    new = old ^ 1 << bit - 8 * size.offset
    if not 1 <= new % CHUNK <= spec()["chunk"]["data_size"]:
        return "INVALID_PATCH_IMAGE"
    if new > 2 * 0x70000:
        return "IMAGE_TOO_LARGE"
    return "TOO_MANY_BYTES" if new < old else "length"


def flip_bits(feeder: Feeder, data: bytes, step: int) -> None:
    """Every *step*th bit of the head, and all of payload_size, whose codes differ most."""
    size = FIELDS["payload_size"]
    bits = sorted({*range(0, 8 * HEAD, step), *range(8 * size.offset, 8 * (size.offset + size.size))})
    feeder.init()
    feeder.load(data)
    begun, before = feeder.twin.snapshot(), feeder.flash()
    seen = set()
    for bit in bits:
        feeder.twin.restore(begun)
        at, expected = bit // 8, expected_for(bit, data)
        feeder.write(feeder.buffer + 1 + at, bytes([data[at] ^ 1 << bit % 8]))
        code = feeder.feed(0, len(data)).code
        if expected == "length":  # more was announced than came: a whole first chunk is refused, else it is waited for
            expected = "IMAGE_VERIFY_ALG_FAILURE" if code != "COMPLETED" else "TOO_FEW_BYTES"
            code = feeder.simple("InstallAtNextReset").code if code == "COMPLETED" else code
        assert (bit, code) == (bit, expected)
        assert_refused(feeder, expected)
        assert not len(feeder.twin.log)
        seen.add(code)
    assert {"INVALID_PATCH_IMAGE", "UNSUPPORTED", "IMAGE_VERIFY_ALG_FAILURE", "IMAGE_TOO_LARGE"} <= seen
    assert feeder.flash() == before
    feeder.assert_old_boots()


def test_bits_of_manifest_and_signature(feeder: Feeder) -> None:
    """Steps without a divisor in common with 8, so that all bits of a byte have their turn."""
    flip_bits(feeder, feeder.patch(), 7)
    feeder.again()
    flip_bits(feeder, feeder.image(), 41)


@pytest.mark.soak
def test_every_bit_of_manifest_and_signature(feeder: Feeder) -> None:
    whole = feeder.shop.compiler == "clang"
    flip_bits(feeder, feeder.patch(), 1 if whole else 5)
    feeder.again()
    flip_bits(feeder, feeder.image(), 3 if whole else 11)


def test_every_truncation(feeder: Feeder) -> None:
    data = feeder.patch()
    feeder.init()
    feeder.load(data)
    begun = feeder.twin.snapshot()
    for end in range(len(data)):
        feeder.twin.restore(begun)
        status = feeder.feed(0, end)
        assert (status.code, status.accum, status.stage) == ("COMPLETED", end, Stage.UPDATE)
        feeder.simple("InstallAtNextReset")
        assert_refused(feeder, "TOO_FEW_BYTES")
        assert not len(feeder.twin.log), "one chunk, and it never was whole"
    feeder.assert_old_boots()


def test_truncations_between_chunks(feeder: Feeder) -> None:
    data = feeder.image()
    for end in (HEAD + CHUNK, HEAD + CHUNK + 1, HEAD + 3 * CHUNK, len(data) - 1):
        feeder.again()
        feeder.init()
        assert feeder.data(data[:end]).code == "COMPLETED"
        feeder.simple("InstallAtNextReset")
        assert_refused(feeder, "TOO_FEW_BYTES")
        feeder.assert_old_boots()


def test_payload_flips_in_every_chunk(feeder: Feeder) -> None:
    data = feeder.image()
    assert len(data) > HEAD + 4 * CHUNK
    places = [at for start in range(HEAD, len(data), CHUNK) for at in (start, start + 300, start + CHUNK - 1)]
    for at in [at for at in places if at < len(data)] + [len(data) - 1]:
        feeder.again()
        feeder.init()
        feeder.data(flipped(data, 8 * at + at % 8))
        first = at < HEAD + CHUNK
        assert_refused(feeder, "IMAGE_VERIFY_ALG_FAILURE" if first else "INVALID_PATCH_TAG")
        assert not feeder.rig.erases(feeder.shop.board.slot0)
        assert not first or not len(feeder.twin.log)
        feeder.simple("InstallAtNextReset")
        assert_refused(feeder, "INVALID_STATE")
        if (at - HEAD) % CHUNK == 300:
            feeder.assert_old_boots()


@pytest.fixture(scope="module")
def calling(shop: Workshop) -> Rig:
    """A device with the demo 1.0.0 whose loader calls for a file."""
    rig = Rig(shop)
    rig.enter_loader()
    return rig


def offer(rig: Rig, data: bytes) -> bytes:
    """Send a file that is to be refused; what is said then.  The refusal is read off the line, not off the sender: a
    file that ended early looks whole to the sender."""
    start = len(rig.uart.output)
    try:
        rig.send(data)
        said = "whole"
    except ymodem.RefusedError:
        said = "refused"
    rig.twin.run(until=b"C", seconds=3)
    rig.twin.run(seconds=0.2)
    rig.port = TwinPort(rig.twin, rig.board.console.port)
    return said.encode() + bytes(rig.uart.output[start:])


@pytest.mark.parametrize("accepting", [9, pytest.param(1, marks=pytest.mark.soak)])
def test_every_kind_by_the_loader(calling: Rig, accepting: int) -> None:
    """Afterwards the old version boots, and, shown for one kind in *accepting*, a good update is taken."""
    rig, shop = calling, calling.shop
    ready, before = rig.twin.snapshot(), rig.twin.flash_read(rig.board.slot0.address, rig.board.slot0.size)
    found = dict(files(shop, shop.demo("1.0.0"), shop.demo("1.1.0")))
    found["ends early"] = Bad(shop.image("1.1.0")[:-1], "TOO_FEW_BYTES", touches=True)
    for number, (name, bad) in enumerate(found.items()):
        rig.twin.restore(ready)
        rig.port = TwinPort(rig.twin, rig.board.console.port)
        text = offer(rig, bad.data)
        assert f"refused, code {CODES.index(bad.code)}: {SENTENCES[bad.code]}\r\n".encode() in text, (name, text)
        assert text.startswith(b"whole" if name == "ends early" else b"refused")
        assert bad.touches or not len(rig.twin.log), name
        assert rig.twin.flash_read(rig.board.slot0.address, len(before)) == before
        assert not rig.erases(rig.board.slot0)
        again = rig.twin.snapshot()
        rig.twin.reset()
        assert b"demo 1.0.0 on" in rig.listen()
        if number % accepting:
            continue
        rig.twin.restore(again)
        rig.port = TwinPort(rig.twin, rig.board.console.port)
        ymodem.wait_for_call(rig.port, 10, on_text=rig.hear)
        rig.send(shop.image("1.1.0"))
        assert b"demo 1.1.0 on" in rig.listen(), name


def test_a_patch_without_an_application(shop: Workshop) -> None:
    rig = Rig(shop, None)
    rig.enter_loader()
    text = offer(rig, shop.patch("1.0.0", "1.1.0"))
    code = "SECTION_NOT_AVAILABLE"
    assert f"refused, code {CODES.index(code)}: {SENTENCES[code]}".encode() in text
    assert not len(rig.twin.log)
