"""spboot.release: full images and patches, made, checked and refused."""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from spboot import delta, release
from spboot.boards import Board, Slot
from spboot.errors import AuthenticationError, FormatError, KeyFolderError, VersionError
from spboot.formats.header import Header
from spboot.formats.spec import record
from spboot.keys import Keys
from spboot.version import Version

from .conftest import BOARD, NEW_APP, OLD_APP, TARGET, made

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def offset(field: str) -> int:
    """Where a field of the manifest begins."""
    return record("manifest").field(field).offset


def open_by_hand(data: bytes, secrets: Keys) -> tuple[dict[str, int], bytes]:
    """Manifest numbers and patch stream, with nothing but `cryptography`; asserts signature, hashes and salt."""
    head, signature, wire = data[:76], data[76:140], data[140:]
    names = ("product", "target", "version", "image_size", "payload_size", "base_version")
    numbers = dict(zip(names, struct.unpack_from("<6I", head, 8), strict=True))
    signed = head + hashlib.sha256(wire[:528]).digest()[:16]
    r, w = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    s = pow(2, 256, ORDER) * pow(w, -1, ORDER) % ORDER
    secrets.verify.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    assert numbers["payload_size"] == len(wire)
    cipher_text = b""
    while len(wire) > 512:
        chunk, wire = wire[:528], wire[528:]
        cipher_text += chunk[:512]
        assert chunk[512:] == hashlib.sha256(wire[:528]).digest()[:16]
    cipher_text += wire
    encryptor = Cipher(AES(secrets.encryption), ECB()).encryptor()
    nonce = hashlib.sha256(head).digest()[:12]
    blocks = (encryptor.update(nonce + struct.pack(">I", n)) for n in range(len(cipher_text) // 16 + 1))
    stream = bytes(a ^ b for a, b in zip(cipher_text, b"".join(blocks), strict=False))
    salt_key = hashlib.sha256(b"spboot salt" + secrets.encryption).digest()
    assert head[40:44] == hmac.new(salt_key, stream, hashlib.sha256).digest()[:4]
    return numbers, stream


def test_image_by_hand(image_file: bytes, secrets: Keys) -> None:
    numbers, stream = open_by_hand(image_file, secrets)
    assert len(image_file) > 76 + 64 + 3 * 528
    assert image_file[:4] == b"SP\x03\x00"
    assert numbers["version"] == 0x01000203
    assert numbers["product"] == struct.unpack("<I", hashlib.sha256(b"demo").digest()[:4])[0]
    assert numbers["target"] == struct.unpack("<I", hashlib.sha256(TARGET.encode()).digest()[:4])[0]
    assert image_file[28:36] == bytes(8)
    assert image_file[44:76] == hashlib.sha256(NEW_APP).digest()
    assert delta.decode(b"", stream, numbers["image_size"]) == NEW_APP


def test_patch_by_hand(patch_file: bytes, secrets: Keys) -> None:
    numbers, stream = open_by_hand(patch_file, secrets)
    assert patch_file[:4] == b"SP\x03\x01"
    assert (numbers["version"], numbers["base_version"]) == (0x01000203, 0x01000202)
    assert patch_file[32:40] == hashlib.sha256(OLD_APP).digest()[:8]
    assert delta.decode(OLD_APP, stream, numbers["image_size"]) == NEW_APP


def test_report(image_file: bytes, patch_file: bytes, secrets: Keys) -> None:
    assert release.verify(image_file, secrets).image == NEW_APP
    report = release.verify(patch_file, secrets)
    assert report.image is None
    assert report.chunk_count == (len(patch_file) - 140 + 527) // 528
    assert release.verify(patch_file, secrets, old=made(OLD_APP, "1.2.2")).image == NEW_APP


def test_the_same_inputs_give_the_same_file(image_file: bytes, secrets: Keys) -> None:
    again = release.full_image(made(NEW_APP, "1.2.3"), keys=secrets)
    assert again == image_file


def test_artefacts_that_differ_have_their_own_nonce(image_file: bytes, patch_file: bytes, secrets: Keys) -> None:
    other = release.full_image(made(NEW_APP, "1.2.4"), keys=secrets)
    heads = {hashlib.sha256(data[:76]).digest()[:12] for data in (image_file, patch_file, other)}
    assert len(heads) == 3


@pytest.mark.parametrize("kind", ["image_file", "patch_file"])
def test_every_flipped_byte_is_refused(kind: str, secrets: Keys, request: pytest.FixtureRequest) -> None:
    data = request.getfixturevalue(kind)
    for at in range(len(data)):
        for bits in (1 << at % 8, 0xFF):
            bad = bytearray(data)
            bad[at] ^= bits
            with pytest.raises((AuthenticationError, FormatError)):
                release.verify(bytes(bad), secrets)


@pytest.mark.parametrize("kind", ["image_file", "patch_file"])
def test_every_cut_and_every_extra_byte_is_refused(kind: str, secrets: Keys, request: pytest.FixtureRequest) -> None:
    data = request.getfixturevalue(kind)
    for size in range(len(data)):
        with pytest.raises(FormatError):
            release.verify(data[:size], secrets)
    with pytest.raises(FormatError, match="get the whole file"):
        release.verify(data + b"\0", secrets)


def test_signature_covers_manifest_and_first_chunk(image_file: bytes, secrets: Keys) -> None:
    for at in (offset("version"), offset("image_hash"), offset("salt"), 76, 140):
        bad = bytearray(image_file)
        bad[at] ^= 1
        with pytest.raises(AuthenticationError, match="signature is wrong"):
            release.verify(bytes(bad), secrets)


def test_another_key_is_refused(image_file: bytes, secrets: Keys, tmp_path: Path) -> None:
    other = Keys.new(tmp_path / "demo")
    with pytest.raises(AuthenticationError, match="signature is wrong"):
        release.verify(image_file, other)
    with pytest.raises(AuthenticationError, match=r"check encryption\.key"):
        release.verify(image_file, replace(secrets, encryption=other.encryption))
    with pytest.raises(AuthenticationError, match="another product"):
        release.verify(image_file, replace(secrets, product="other"))


def test_patch_of_another_base_is_refused(patch_file: bytes, secrets: Keys) -> None:
    with pytest.raises(AuthenticationError, match=r"starts from another image: found .* \(version 1\.2\.2\)"):
        release.verify(patch_file, secrets, old=made(NEW_APP, "1.2.2"))


def with_room(capacity: int | None) -> Board:
    """The board, with a slot that takes *capacity* bytes of image."""
    if capacity is None:
        return BOARD
    return replace(BOARD, slot0=Slot(address=BOARD.slot0.address, size=capacity + BOARD.vector_size))


def make_image(
    app: bytes,
    secrets: Keys,
    *,
    capacity: int | None = None,
    version: Version = Version(1, 0, 0),  # noqa: B008
) -> bytes:
    """make_image with defaults."""
    return release.full_image(made(app, str(version), with_room(capacity)), keys=secrets)


def make_patch(old: bytes, new: bytes, secrets: Keys, versions: str = "1.0 1.1", capacity: int | None = None) -> bytes:
    """make_patch with defaults."""
    before, after = versions.split()
    board = with_room(capacity)
    return release.patch(made(old, before, board), made(new, after, board), keys=secrets)


@pytest.mark.parametrize("size", [10, 11, 512, 600])
def test_small_images(size: int, secrets: Keys) -> None:
    app = OLD_APP[:size]
    assert release.verify(make_image(app, secrets, capacity=size), secrets).image == app


def test_image_refusals(secrets: Keys) -> None:
    with pytest.raises(FormatError, match="7 bytes, a vector table needs at least 8"):
        make_image(bytes(7), secrets)
    with pytest.raises(FormatError, match="3000 bytes, the slot takes 2999: 1 too many"):
        make_image(OLD_APP, secrets, capacity=2999)
    with pytest.raises(VersionError, match=r"use 0\.0\.1 or higher"):
        make_image(OLD_APP, secrets, version=Version(0, 0, 0))
    with pytest.raises(KeyFolderError, match="only its owner"):
        make_image(OLD_APP, replace(secrets, signing=None))


def test_patch_refusals(secrets: Keys) -> None:
    for versions in ("1.1 1.1", "1.1 1.0.9"):
        with pytest.raises(VersionError, match=r"is not above 1\.1\.0"):
            make_patch(OLD_APP, NEW_APP, secrets, versions)
    with pytest.raises(VersionError, match="means no version"):
        make_patch(OLD_APP, NEW_APP, secrets, "0.0.0 1.0")
    with pytest.raises(FormatError, match="nothing to patch"):
        make_patch(OLD_APP, OLD_APP, secrets)
    with pytest.raises(FormatError, match="the new image has"):
        make_patch(OLD_APP, NEW_APP, secrets, capacity=3000)
    with pytest.raises(FormatError, match="the old image has"):
        make_patch(NEW_APP, OLD_APP, secrets, capacity=3000)
    with pytest.raises(FormatError, match="the old image has 4 bytes"):
        make_patch(bytes(4), OLD_APP, secrets)


def test_header_for(image_file: bytes, patch_file: bytes) -> None:
    header = release.header_for(image_file)
    assert header == image_file[:76] + hashlib.sha256(image_file[140 : 140 + 528]).digest()[:16] + image_file[76:140]
    assert Header.parse(header).pack() == header
    with pytest.raises(FormatError, match="this is a patch"):
        release.header_for(patch_file)


def test_artefact_that_does_not_decode_is_never_returned(secrets: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    real = delta.encode
    monkeypatch.setattr(
        delta, "encode", lambda old, new, *options, **rests: real(old, new[:-1] + b"?", *options, **rests)
    )
    with pytest.raises(AuthenticationError, match="decoded image has hash"):
        make_image(OLD_APP, secrets)
