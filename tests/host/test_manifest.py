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
    assert data[:4] == b"SP\x03\x01"
    assert data[4:8] == b"\x01\0\0\0"  # one signature, by key 0, no trailer
    assert struct.unpack_from("<6I", data, 8) == (0x11223344, 0x55667788, 0x01000203, 1000, 529, 0x01000202)
    assert data[32:40] == b"basehash"
    assert data[40:44] == b"salt"
    assert data[44:] == bytes(range(32))


@pytest.mark.parametrize("manifest", [IMAGE, PATCH])
def test_round_trip(manifest: Manifest) -> None:
    assert Manifest.parse(manifest.pack() + b"more") == manifest


def test_name_id() -> None:
    assert name_id("demo") == struct.unpack("<I", hashlib.sha256(b"demo").digest()[:4])[0]


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, 0x00, "magic is 0x5000, expected 0x5053"),
        (2, 2, "format 2, this spboot knows format 3: make the update again .* older bootloader"),
        (2, 4, "format 4, this spboot knows format 3: use a newer spboot"),
        (3, 2, "a key of 1000 bytes in 529, expected 512 in as many"),
        (3, 2 | 0x80, r"kind is 130, expected 0 \(image\), 1 \(patch\) or 2 \(a key\)"),
        (3, 3, r"kind is 3 \(a new bootloader\), not supported by this version"),
        (3, 4, "kind is 4, expected 0"),
        (4, 0, "signature count is 0, expected 1: anything else is not supported by this version"),
        (4, 2, "signature count is 2, expected 1: anything else is not supported by this version"),
        (5, 1, "key index is 1, expected 0: anything else is not supported by this version"),
        (6, 1, "trailer size is 1, expected 0: anything else is not supported by this version"),
        (7, 1, "trailer size is 256, expected 0: anything else is not supported by this version"),
        (28, 1, "no patch names a base"),
        (39, 1, "no patch names a base"),
    ],
)
def test_parse_refuses(at: int, value: int, message: str) -> None:
    data = bytearray(IMAGE.pack())
    data[at] = value
    with pytest.raises(FormatError, match=message):
        Manifest.parse(bytes(data))


def test_parse_refuses_short() -> None:
    with pytest.raises(FormatError, match="75 bytes, expected 76"):
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
    assert header.signed() == data[:92]
    with pytest.raises(FormatError, match="no image is installed"):
        Header.parse(b"\xff" * 156)
    with pytest.raises(FormatError, match="expected 156"):
        Header.parse(data[:-1])


def test_delta_head() -> None:
    head = DeltaHead(new_size=6, check=b"chck")
    data = head.pack()
    assert len(data) == HEAD_SIZE == 12
    assert data == b"SD\x03\0\x06\0\0\0chck"
    assert is_delta_file(data)
    assert DeltaHead.parse(data) == head
    for at, message in ((0, "magic"), (2, "format 9"), (3, "reserved")):
        bad = bytearray(data)
        bad[at] = 9
        with pytest.raises(FormatError, match=message):
            DeltaHead.parse(bytes(bad))
