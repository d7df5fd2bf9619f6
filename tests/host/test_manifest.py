"""spboot.formats: manifest, header, delta file head."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace

import pytest

from spboot.errors import FormatError
from spboot.formats.delta_file import HEAD_SIZE, DeltaHead, is_delta_file
from spboot.formats.header import Header
from spboot.formats.manifest import KIND_IMAGE, KIND_PATCH, Manifest, name_id

IMAGE = Manifest(
    kind=KIND_IMAGE,
    product=0x11223344,
    target=0x55667788,
    version=0x01000203,
    image_size=1000,
    payload_size=529,
    base_version=0,
    base_hash=bytes(8),
    salt=b"salt",
    image_hash=bytes(range(32)),
)
PATCH = replace(IMAGE, kind=KIND_PATCH, base_version=0x01000202, base_hash=b"basehash")


def test_bytes() -> None:
    """Offsets written out by hand, as a reader of the spec would."""
    data = PATCH.pack()
    assert data[:4] == b"SP\x02\x01"
    assert struct.unpack_from("<6I", data, 4) == (0x11223344, 0x55667788, 0x01000203, 1000, 529, 0x01000202)
    assert data[28:36] == b"basehash"
    assert data[36:40] == b"salt"
    assert data[40:] == bytes(range(32))


@pytest.mark.parametrize("manifest", [IMAGE, PATCH])
def test_round_trip(manifest: Manifest) -> None:
    assert Manifest.parse(manifest.pack() + b"more") == manifest


def test_name_id() -> None:
    assert name_id("demo") == struct.unpack("<I", hashlib.sha256(b"demo").digest()[:4])[0]


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, 0x00, "magic is 0x5000, expected 0x5053"),
        (2, 1, "format 1, this spboot knows format 2"),
        (3, 2, "kind is 2"),
        (24, 1, "full image names a base"),
        (35, 1, "full image names a base"),
    ],
)
def test_parse_refuses(at: int, value: int, message: str) -> None:
    data = bytearray(IMAGE.pack())
    data[at] = value
    with pytest.raises(FormatError, match=message):
        Manifest.parse(bytes(data))


def test_parse_refuses_short() -> None:
    with pytest.raises(FormatError, match="71 bytes, expected 72"):
        Manifest.parse(IMAGE.pack()[:-1])


@pytest.mark.parametrize("size", [0, 513, 527, 528, 528 + 513, 1056])
def test_payload_size_shape(size: int) -> None:
    with pytest.raises(FormatError, match="payload of"):
        replace(IMAGE, payload_size=size)


@pytest.mark.parametrize("size", [1, 512, 529, 528 + 512])
def test_payload_size_good(size: int) -> None:
    assert replace(IMAGE, payload_size=size).payload_size == size


def test_values_refused() -> None:
    with pytest.raises(FormatError, match="7 bytes, expected at least 8"):
        replace(IMAGE, image_size=7)
    with pytest.raises(FormatError, match="not above base version"):
        replace(PATCH, version=PATCH.base_version)


def test_header() -> None:
    header = Header(manifest=IMAGE, chunk_hash=b"c" * 16, signature=b"s" * 64)
    data = header.pack()
    assert data == IMAGE.pack() + b"c" * 16 + b"s" * 64
    assert Header.parse(data) == header
    assert header.signed() == data[:88]
    with pytest.raises(FormatError, match="no image is installed"):
        Header.parse(b"\xff" * 152)
    with pytest.raises(FormatError, match="expected 152"):
        Header.parse(data[:-1])


def test_delta_head() -> None:
    head = DeltaHead(new_size=6, check=b"chck")
    data = head.pack()
    assert len(data) == HEAD_SIZE == 12
    assert data == b"SD\x02\0\x06\0\0\0chck"
    assert is_delta_file(data)
    assert DeltaHead.parse(data) == head
    for at, message in ((0, "magic"), (2, "format 9"), (3, "reserved")):
        bad = bytearray(data)
        bad[at] = 9
        with pytest.raises(FormatError, match=message):
            DeltaHead.parse(bytes(bad))
