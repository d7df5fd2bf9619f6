"""spboot.keys: the key folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from spboot.errors import AuthenticationError, KeyFolderError
from spboot.keys import Keys

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh key folder."""
    Keys.new(tmp_path / "lamp", development=True)
    return tmp_path / "lamp"


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """PKCS#8."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_new(folder: Path) -> None:
    loaded = Keys.load(folder)
    assert loaded.product == "lamp"
    assert loaded.development
    assert loaded.signing is not None
    text = (folder / "encryption.key").read_bytes()
    assert len(text) == 33
    assert text.endswith(b"\n")
    assert loaded.encryption.hex().encode() + b"\n" == text
    assert b"BEGIN PRIVATE KEY" in (folder / "signing.pem").read_bytes()
    assert b"BEGIN PUBLIC KEY" in (folder / "verify.pem").read_bytes()


@posix
def test_private_files_are_private(folder: Path) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert (modes["signing.pem"], modes["encryption.key"]) == (0o600, 0o600)


@posix
@pytest.mark.parametrize("name", ["signing.pem", "encryption.key"])
@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_readable_by_others_is_refused(folder: Path, name: str, mode: int) -> None:
    (folder / name).chmod(mode)
    with pytest.raises(KeyFolderError, match=f"chmod 600 .*{name}"):
        Keys.load(folder)


def test_two_folders_differ(tmp_path: Path) -> None:
    one, two = Keys.new(tmp_path / "one"), Keys.new(tmp_path / "two", "lamp")
    assert one.encryption != two.encryption
    assert one.verify.public_numbers() != two.verify.public_numbers()
    assert two.product == "lamp"
    assert not two.development


@pytest.mark.parametrize("name", ["signing.pem", "verify.pem", "encryption.key", "product.toml"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / "k").mkdir()
    (tmp_path / "k" / name).write_text("mine")
    with pytest.raises(KeyFolderError, match="never overwritten"):
        Keys.new(tmp_path / "k")
    assert [path.name for path in (tmp_path / "k").iterdir()] == [name]
    assert (tmp_path / "k" / name).read_text() == "mine"


def test_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "k").mkdir()
    (tmp_path / "k" / "signing.pem").write_text("mine")
    monkeypatch.setattr(Path, "exists", lambda self: False)
    with pytest.raises(KeyFolderError, match="File exists"):
        Keys.new(tmp_path / "k")
    assert (tmp_path / "k" / "signing.pem").read_text() == "mine"


@pytest.mark.parametrize("name", ["", "a" * 17, "two words", "ümlaut", "a/b", "x\n"])
def test_product_names_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(KeyFolderError, match=r"expected 1 \.\. 16 characters"):
        Keys.new(tmp_path / "k", name)
    assert not (tmp_path / "k").exists()


def test_folder_name_that_is_no_product_name(tmp_path: Path) -> None:
    with pytest.raises(KeyFolderError, match="--product"):
        Keys.new(tmp_path / "a folder")


@pytest.mark.parametrize("name", ["encryption.key", "product.toml"])
def test_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(KeyFolderError, match=f"{name} is missing"):
        Keys.load(folder)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyFolderError, match="spboot keys new"):
        Keys.load(tmp_path / "none")


def test_signing_key_alone_is_enough(folder: Path) -> None:
    (folder / "verify.pem").unlink()
    loaded = Keys.load(folder, need_private=True)
    digest = hashlib.sha256(b"x").digest()
    loaded.check(digest, loaded.sign(digest))


def test_public_key_alone_checks_but_does_not_sign(folder: Path) -> None:
    digest = hashlib.sha256(b"x").digest()
    signature = Keys.load(folder).sign(digest)
    (folder / "signing.pem").unlink()
    loaded = Keys.load(folder)
    loaded.check(digest, signature)
    with pytest.raises(KeyFolderError, match="only its owner"):
        loaded.sign(digest)
    with pytest.raises(KeyFolderError, match=r"signing.pem is missing"):
        Keys.load(folder, need_private=True)


def test_neither_pem(folder: Path) -> None:
    (folder / "signing.pem").unlink()
    (folder / "verify.pem").unlink()
    with pytest.raises(KeyFolderError, match=r"verify.pem is missing"):
        Keys.load(folder)


def test_wrong_curve(folder: Path) -> None:
    (folder / "signing.pem").write_bytes(pem(ec.generate_private_key(ec.SECP384R1())))
    with pytest.raises(KeyFolderError, match=r"secp384r1 key, expected .* P-256"):
        Keys.load(folder)


def test_wrong_kind_of_key(folder: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    (folder / "signing.pem").unlink()
    (folder / "verify.pem").write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(KeyFolderError, match="expected an elliptic curve key on P-256"):
        Keys.load(folder)


def test_halves_of_two_keys(folder: Path) -> None:
    (folder / "signing.pem").write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(KeyFolderError, match="not the public half"):
        Keys.load(folder)


@pytest.mark.parametrize("name", ["signing.pem", "verify.pem"])
def test_not_pem(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"garbage")
    with pytest.raises(KeyFolderError, match="PEM"):
        Keys.load(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [("ab" * 15, "30 characters, expected 32"), ("ab" * 17, "34 characters"), ("x" * 32, "hex digits")],
)
def test_bad_encryption_key(folder: Path, text: str, message: str) -> None:
    (folder / "encryption.key").write_text(text)
    with pytest.raises(KeyFolderError, match=message):
        Keys.load(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("product = ", "not a TOML file"),
        ('name = "x"', "unknown key 'name'"),
        ("development = true", "product is None"),
        ('product = "two words"', "expected 1 .. 16"),
        ('product = "x"\ndevelopment = 1', "true or false"),
    ],
)
def test_bad_product_file(folder: Path, text: str, message: str) -> None:
    (folder / "product.toml").write_text(text)
    with pytest.raises(KeyFolderError, match=message):
        Keys.load(folder)


def test_signature(folder: Path) -> None:
    loaded = Keys.load(folder)
    digest = hashlib.sha256(b"message").digest()
    signature = loaded.sign(digest)
    assert len(signature) == 64
    assert signature == loaded.sign(digest)
    loaded.check(digest, signature)
    for bad in (signature[32:] + signature[:32], bytes(64), bytes([signature[0] ^ 1]) + signature[1:]):
        with pytest.raises(AuthenticationError, match="signature is wrong"):
            loaded.check(digest, bad)
