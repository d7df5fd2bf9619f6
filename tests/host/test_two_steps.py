"""Signing in two steps: what is to be signed leaves the machine, the signature comes back, the file is the same."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from spboot import release
from spboot.boards import Board
from spboot.builder import personal
from spboot.errors import AuthenticationError, FormatError, SignerError
from spboot.formats.manifest import MANIFEST_SIZE
from spboot.keys import Keys
from spboot.keys.signer import FolderKey
from spboot.release import Unsigned

from . import bootloader
from .conftest import NEW_APP, OLD_APP, TARGET, made
from .typed import run

RELEASE = f"--board {TARGET} --keys keys --version 1.1.0"
PATCH = f"patch --from old.bin --from-version 1.0.0 --to new.bin {RELEASE} -o app.sfbp"
IMAGE = f"image new.bin {RELEASE} -o app.sfb"


@pytest.fixture
def home(key_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose key folder cannot sign."""
    shutil.copytree(key_folder, tmp_path / "keys")
    (tmp_path / "keys" / "signing.pem").unlink()
    (tmp_path / "old.bin").write_bytes(OLD_APP)
    (tmp_path / "new.bin").write_bytes(NEW_APP)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def signature_of(home: Path, secrets: Keys) -> None:
    """What happens elsewhere."""
    assert isinstance(secrets.signing, FolderKey)
    (home / "app.sig").write_bytes(secrets.signing.sign(bytes.fromhex((home / "app.digest").read_text())))


@pytest.mark.parametrize("line", [IMAGE, PATCH], ids=["image", "patch"])
def test_the_file_is_the_same(
    line: str, home: Path, secrets: Keys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As if it was signed at once; and the second step has neither a secret nor the application."""
    output = home / line.split()[-1]
    image = made(NEW_APP, "1.1.0")
    direct = (
        release.full_image(image, keys=secrets)
        if line == IMAGE
        else release.patch(made(OLD_APP, "1.0.0"), image, keys=secrets)
    )
    code, said = run(f"{line} --digest-out app.digest", monkeypatch, capsys)
    assert code == 0, said
    assert secrets.fingerprint in said and "--signature-in" in said
    work = home / f"{output.name}.unsigned"
    assert not output.exists()
    before = work.read_bytes()
    start, end = MANIFEST_SIZE, MANIFEST_SIZE + 64
    assert before == direct[:start] + bytes(64) + direct[end:], "in between lies what is published, and no secret"
    with pytest.raises(AuthenticationError, match="signature is wrong"):
        release.verify(before, secrets)
    signature_of(home, secrets)
    for name in ("old.bin", "new.bin", "keys/encryption.key"):
        (home / name).unlink()
    code, said = run(f"{line} --signature-in app.sig", monkeypatch, capsys)
    assert code == 0, said
    assert output.read_bytes() == direct
    assert not work.exists()


def test_a_raw_digest(
    home: Path, secrets: Keys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For tools that read 32 bytes: the name says so.  This one is OpenSSL."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    assert isinstance(secrets.signing, FolderKey)
    code, _ = run(f"{IMAGE} --digest-out app.bin", monkeypatch, capsys)
    assert (code, (home / "app.bin").stat().st_size) == (0, 32)
    from cryptography.hazmat.primitives import serialization as form

    pem = secrets.signing.key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    (home / "far.pem").write_bytes(pem)
    line = "openssl pkeyutl -sign -inkey far.pem -in app.bin -out app.sig"
    subprocess.run(line.split(), cwd=home, check=True)
    code, said = run(f"{IMAGE} --signature-in app.sig", monkeypatch, capsys)
    assert code == 0, said
    assert release.verify((home / "app.sfb").read_bytes(), secrets).image == NEW_APP


def test_a_factory_file_takes_the_same_signature(
    home: Path, secrets: Keys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "boot.bin").write_bytes(personal.finish(bootloader.make(TARGET), secrets))
    assert run(f"{IMAGE} --digest-out app.digest", monkeypatch, capsys)[0] == 0
    signature_of(home, secrets)
    code, said = run(f"merge boot.bin new.bin {RELEASE} -o factory.bin --signature-in app.sig", monkeypatch, capsys)
    assert code == 0, said
    board = Board.load(TARGET)
    at = board.slot0.address - board.bootloader.address
    header = release.header_for(release.full_image(made(NEW_APP, "1.1.0"), keys=secrets))
    assert (home / "factory.bin").read_bytes()[at : at + len(header)] == header


def changed(home: Path, at: int) -> None:
    work = home / "app.sfb.unsigned"
    data = bytearray(work.read_bytes())
    data[at] ^= 1
    work.write_bytes(data)


def test_second_steps_that_are_refused(
    home: Path, secrets: Keys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Each in words, and without a file."""

    def refused(said: str, line: str = IMAGE) -> None:
        code, text = run(f"{line} --signature-in app.sig", monkeypatch, capsys)
        assert (code, said in text) == (1, True), text
        assert not (home / "app.sfb").exists()

    refused("app.sfb.unsigned is missing: make it with --digest-out first")
    assert run(f"{IMAGE} --digest-out app.digest", monkeypatch, capsys)[0] == 0
    whole = (home / "app.sfb.unsigned").read_bytes()
    refused("app.sig: cannot be read")
    signature_of(home, secrets)
    refused("is version 1.1.0 for board id", IMAGE.replace("1.1.0", "1.1.1"))
    refused("is version 1.1.0 for board id", IMAGE.replace(TARGET, "NUCLEO-L452RE"))
    for at, said in ((80, "has a signature already"), (len(whole) - 1, "does not have the hash that was signed")):
        changed(home, at)
        refused(said)
        refused("app.sfb.unsigned: ")
        (home / "app.sfb.unsigned").write_bytes(whole)
    changed(home, MANIFEST_SIZE + 64)
    refused("not one by key")
    (home / "app.sfb.unsigned").write_bytes(whole)
    stranger = Keys.new(home / "stranger", secrets.product)
    signature_of(home, stranger)
    refused(f"app.sig: the signature has {(home / 'app.sig').stat().st_size} bytes and is not one by key")
    (home / "app.sig").write_bytes(b"")
    refused("app.sig: the signature is empty")


USAGE = {
    "--signer x --digest-out d": (2, "--signer and --digest-out are ways to sign: give one"),
    "--digest-out d --signature-in s": (2, "--digest-out and --signature-in are ways to sign: give one"),
    "--digest-out new.bin": (1, "new.bin is an input"),
    "--digest-out app.sfb": (1, "app.sfb is the output or its work file"),
    "--digest-out app.sfb.unsigned": (1, "is the output or its work file"),
    "--digest-out keys/../app.sfb.unsigned": (1, "is the output or its work file"),
    "--digest-out keys/product.toml": (1, "keys/product.toml is an input"),
    "-o keys/encryption.key": (1, "keys/encryption.key is an input"),
    "--digest-out nowhere/d": (1, "there is no folder"),
    "--signer no-such-program": (1, "the signer no-such-program cannot be started"),
    "--signer=": (1, "the signer's command line is empty"),
    "--signer pkcs11:object=a": (1, "the signer's URI names no token"),
    "": (1, "signing.pem is missing"),
    "--encryption-key new.bin": (1, "more than one line"),
}


@pytest.mark.parametrize("options", USAGE)
def test_options_that_are_refused(
    options: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "new.bin").write_bytes(NEW_APP[:8] + b"\n\n" + NEW_APP[10:])
    before = sorted(home.rglob("*"))
    code, said = run(f"{IMAGE} {options}", monkeypatch, capsys)
    assert (code, USAGE[options][1] in said) == (USAGE[options][0], True), said
    assert sorted(home.rglob("*")) == before


def test_both_steps_tell_their_facts(
    home: Path, secrets: Keys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, first = run(f"{PATCH} --digest-out app.digest --json", monkeypatch, capsys)
    assert code == 0, first
    signature_of(home, secrets)
    code, second = run(f"{PATCH} --signature-in app.sig --json", monkeypatch, capsys)
    assert code == 0, second
    size = (home / PATCH.split()[-1]).stat().st_size
    facts = {"kind": "patch", "base": "1.0.0", "version": "1.1.0", "image_bytes": len(NEW_APP)}
    for said, number in ((first, None), (second, size)):
        assert json.loads(said).items() >= (facts | {"bytes": number, "key": secrets.fingerprint}).items()


def test_a_work_file_of_another_product(
    home: Path, secrets: Keys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the work file that is wrong, not the signature."""
    assert run(f"{IMAGE} --digest-out app.digest", monkeypatch, capsys)[0] == 0
    signature_of(home, secrets)
    (home / "keys" / "product.toml").write_text('product = "other"\n')
    code, said = run(f"{IMAGE} --signature-in app.sig", monkeypatch, capsys)
    assert (code, "app.sfb.unsigned: the update is for another product" in said) == (1, True), said


def test_in_the_library(secrets: Keys, key_folder: Path) -> None:
    """Both halves as values, with nothing but the public folder for the second."""
    unsigned = release.unsigned_image(made(NEW_APP, "1.1.0"), keys=secrets)
    again = Unsigned.parse(unsigned.pack())
    assert again == unsigned and len(again.digest) == 32

    class Elsewhere:
        def sign(self, digest: bytes) -> bytes:
            assert secrets.signing is not None
            return secrets.signing.sign(digest)

    public = Keys.load(key_folder, public=True, signer=Elsewhere())
    assert public.encryption is None
    assert again.signed(public) == release.full_image(made(NEW_APP, "1.1.0"), keys=secrets)
    with pytest.raises(FormatError, match="signature already"):
        Unsigned.parse(again.signed(public))


def test_another_product_is_not_signed(secrets: Keys, tmp_path: Path) -> None:
    other = Keys.new(tmp_path / "other")
    with pytest.raises((SignerError, AuthenticationError), match="for another product"):
        release.unsigned_image(made(NEW_APP, "1.1.0"), keys=secrets).signed(other)
