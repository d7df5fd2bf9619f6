"""`spboot keys show` and `export`, and fingerprints: one form of them wherever a key is named."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from spboot import inspection, release
from spboot.builder import personal
from spboot.errors import KeyFolderError
from spboot.keys import Keys, inventory, public

from . import bootloader
from .conftest import NEW_APP, OLD_APP, TARGET, made
from .typed import run

HEX = "00112233445566778899aabbccddeeff"


@pytest.fixture
def home(key_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The key folder `keys`, a stranger's, an update of each, what checkers get, and what updates are made from."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(key_folder, tmp_path / "keys")
    ours, strange = Keys.load(tmp_path / "keys"), Keys.new(tmp_path / "stranger", "demo")
    for name, keys in (("ours", ours), ("theirs", strange)):
        (tmp_path / f"{name}.sfb").write_bytes(release.full_image(made(NEW_APP, "1.1.0"), keys=keys))
    public.copy(ours, tmp_path / "checkers")
    for name, data in (("app", NEW_APP), ("new", OLD_APP), ("boot", personal.finish(bootloader.make(TARGET), ours))):
        (tmp_path / f"{name}.bin").write_bytes(data)
    return tmp_path


def test_the_fingerprint_is_openssls(secrets: Keys, key_folder: Path) -> None:
    der = secrets.verify.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert secrets.fingerprint == hashlib.sha256(der).hexdigest()[:16]
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    line = ["openssl", "pkey", "-pubin", "-in", key_folder / "verify.pem", "-outform", "DER"]
    found = subprocess.run(line, check=True, capture_output=True).stdout
    said = subprocess.run(["openssl", "dgst", "-sha256"], input=found, check=True, capture_output=True).stdout
    assert said.decode().split()[-1].startswith(secrets.fingerprint)


def test_every_command_names_the_key_alike(
    home: Path, secrets: Keys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in (
        "keys show keys",
        "keys show keys --json",
        "keys export keys -o key.pem",
        "verify ours.sfb --keys keys",
        "verify ours.sfb --keys checkers",
        "inspect ours.sfb --keys keys",
        "inspect ours.sfb --keys keys --json",
        f"image app.bin --board {TARGET} --keys keys --version 1.2.0 -o app.sfb",
        f"patch --from app.bin --from-version 1.2.0 --to new.bin --version 1.3.0 --board {TARGET} --keys keys -o x",
        f"merge boot.bin app.bin --board {TARGET} --keys keys --version 1.2.0 -o factory.hex",
    ):
        code, said = run(line, monkeypatch, capsys)
        assert code == 0, said
        assert re.findall(r"\b[0-9a-f]{16}\b", said).count(secrets.fingerprint) == 1, line
    code, said = run("keys new fresh", monkeypatch, capsys)
    assert (code, f"fingerprint {Keys.load('fresh').fingerprint}\n" in said) == (0, True)


@pytest.mark.parametrize("order", ["--keys keys --keys stranger", "--keys stranger --keys keys"])
def test_which_keys_made_this_file(
    order: str, home: Path, secrets: Keys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = Keys.load("stranger")
    for file, folder, fingerprint in (
        ("ours.sfb", "keys", secrets.fingerprint),
        ("theirs.sfb", "stranger", strange.fingerprint),
    ):
        code, said = run(f"verify {file} {order}", monkeypatch, capsys)
        assert code == 0, said
        assert f"signed by key {fingerprint} of product demo ({folder})" in said
        facts = json.loads(run(f"inspect {file} {order} --json", monkeypatch, capsys)[1])
        assert facts["signed_by"] == fingerprint and facts["check"].startswith("signature and chunks good, decodes")


def test_a_file_of_nobody(
    home: Path, secrets: Keys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Keys.new("third", "demo")
    code, said = run("verify ours.sfb --keys stranger --keys third", monkeypatch, capsys)
    assert (code, "the signature is wrong for each of the keys" in said) == (1, True)
    assert Keys.load("stranger").fingerprint in said and Keys.load("third").fingerprint in said
    update = Path("ours.sfb").read_bytes()
    facts = inspection.inspect(update, [Keys.load("stranger"), Keys.load("third")])
    assert facts["signed_by"] is None and "none by a key that was given" in str(facts["check"])
    code, said = run("verify ours.sfb --keys stranger", monkeypatch, capsys)
    assert (code, f"expected key {Keys.load('stranger').fingerprint}" in said) == (1, True)
    assert "signed_by" not in inspection.inspect(update)


def test_checkers_have_no_secret(
    home: Path, secrets: Keys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What they can say is said, and what they cannot as well."""
    assert sorted(path.name for path in Path("checkers").iterdir()) == ["product.toml", "verify.pem"]
    code, said = run("verify ours.sfb --keys checkers", monkeypatch, capsys)
    assert (code, "signature good" in said, "not decoded: checkers has no encryption key" in said) == (0, True, True)
    assert "decodes to" not in said
    facts = inspection.inspect(Path("ours.sfb").read_bytes(), Keys.load("checkers", public=True))
    assert facts["check"] == "signature and chunks good, not decoded without the encryption key"
    code, said = run("verify theirs.sfb --keys checkers", monkeypatch, capsys)
    assert (code, "the signature is wrong" in said) == (1, True)
    damaged = Path("ours.sfb").read_bytes()
    Path("damaged.sfb").write_bytes(damaged[:-1] + bytes([damaged[-1] ^ 1]))
    code, said = run("verify damaged.sfb --keys checkers", monkeypatch, capsys)
    assert (code, "does not have the hash that was signed" in said) == (1, True)
    with pytest.raises(KeyFolderError, match=r"encryption\.key was not read"):
        personal.personal_area(Keys.load("checkers", public=True))


def test_the_encryption_key_from_elsewhere(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("keys/encryption.key").rename("aes.key")
    line = f"image app.bin --board {TARGET} --keys keys --version 1.1.0 -o app.sfb"
    code, said = run(line, monkeypatch, capsys)
    assert (code, "encryption.key is missing" in said, "--encryption-key" in said) == (1, True, True)
    assert run(f"{line} --encryption-key aes.key", monkeypatch, capsys)[0] == 0
    assert Path("app.sfb").read_bytes() == Path("ours.sfb").read_bytes()
    Path("app.sfb").unlink()
    monkeypatch.setenv("SPBOOT_ENCRYPTION_KEY", Path("aes.key").read_text())
    assert run(line, monkeypatch, capsys)[0] == 0
    assert Path("app.sfb").read_bytes() == Path("ours.sfb").read_bytes()
    code, said = run("verify ours.sfb --keys keys", monkeypatch, capsys)
    assert (code, "decodes to image 1.1.0" in said) == (0, True)
    Path("aes.key").rename("keys/encryption.key")
    assert run(line, monkeypatch, capsys)[0] == 0, "the same key twice is no mistake"
    for text, found in ((HEX, "is another key than the one that was given"), ("xyz", "SPBOOT_ENCRYPTION_KEY has 3")):
        monkeypatch.setenv("SPBOOT_ENCRYPTION_KEY", text)
        code, said = run(line, monkeypatch, capsys)
        assert (code, found in said) == (1, True), said
    monkeypatch.delenv("SPBOOT_ENCRYPTION_KEY")
    with pytest.raises(KeyFolderError, match="has 3 bytes, expected 16"):
        Keys.load("keys", encryption=b"abc")


def test_show(home: Path, secrets: Keys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run("keys show keys", monkeypatch, capsys)
    assert code == 0
    assert said.splitlines() == [
        "product         demo",
        "development     no",
        f"fingerprint     {secrets.fingerprint}",
        "signing.pem     there, in the clear",
        "verify.pem      there",
        "encryption.key  there",
        "product.toml    there",
    ]
    assert secrets.cipher_key.hex() not in said
    Keys.new("locked", passphrase="open", development=True)
    facts = inventory.facts(Path("locked"))
    assert (facts["signing.pem"], facts["development"]) == ("there, with a passphrase", True)
    Path("locked/verify.pem").unlink()
    assert inventory.facts(Path("locked"))["fingerprint"] is None
    assert "fingerprint     not known" in run("keys show locked", monkeypatch, capsys)[1]
    Path("keys/verify.pem").unlink()
    assert inventory.facts(Path("keys"))["fingerprint"] == secrets.fingerprint
    for name in ("signing.pem", "encryption.key", "product.toml"):
        Path("keys", name).unlink()
        if name != "product.toml":
            assert str(inventory.facts(Path("keys"))[name]).startswith("missing: ")
    code, said = run("keys show keys", monkeypatch, capsys)
    assert (code, "is no key folder" in said) == (1, True)


def test_export(home: Path, secrets: Keys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for suffix in ("pem", "der", "h"):
        assert run(f"keys export keys -o key.{suffix}", monkeypatch, capsys)[0] == 0
    assert Path("key.pem").read_bytes() == Path("keys/verify.pem").read_bytes()
    der = secrets.verify.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert Path("key.der").read_bytes() == der
    text = Path("key.h").read_text()
    point = secrets.verify.public_numbers()
    array = bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2}),\s", text.split("{")[1]))
    assert array == b"\x04" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    assert secrets.fingerprint in text and "demo_verify_key[65]" in text
    if shutil.which("gcc"):
        Path("use.c").write_text('#include "key.h"\nint main(void) { return sizeof demo_verify_key - 65; }\n')
        subprocess.run(["gcc", "-Wall", "-Werror", "use.c", "-o", "use"], check=True)
        assert subprocess.run(["./use"], check=False).returncode == 0
    code, said = run("keys export keys -o others --public-only", monkeypatch, capsys)
    assert code == 0, said
    assert Keys.load("others", public=True).fingerprint == secrets.fingerprint


def test_export_of_a_folder_without_its_public_half(
    home: Path, secrets: Keys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path("keys/verify.pem").read_bytes()
    Path("keys/verify.pem").unlink()
    assert run("keys export keys -o keys/verify.pem", monkeypatch, capsys)[0] == 0
    assert Path("keys/verify.pem").read_bytes() == before


REFUSED = {
    "keys export keys -o key.txt": "expected a name that ends in .pem, .der, .h, or --public-only",
    "keys export keys -o keys/signing.pem": "is an input of this command",
    "keys export keys -o keys --public-only": "exists already: keys are never overwritten",
    "keys export keys -o ours.sfb --public-only": "is a file, expected a folder",
    "keys export nowhere -o key.pem": "there is no such folder",
    "keys show nowhere": "there is no such folder",
    "keys show ours.sfb": "not a folder but a file",
    "keys new fresh --verify ours.sfb": "not a public key in PEM form",
    "keys new fresh --verify none.pem": "none.pem is missing: give the PEM file of a public key",
    "keys new fresh --verify keys/verify.pem --passphrase-file keys/product.toml": "more than one line",
    "keys new fresh --verify keys/verify.pem --passphrase-file app.key": "give one of both",
}


@pytest.mark.parametrize("line", REFUSED)
def test_refused(line: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("app.key").write_text("words\n")
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    code, said = run(line, monkeypatch, capsys)
    assert (code, REFUSED[line] in said) == (1, True), said
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_development_keys_and_releases(tmp_path: Path, secrets: Keys) -> None:
    secrets.check_release()
    keys = Keys.new(tmp_path / "dev", development=True)
    with pytest.raises(KeyFolderError, match=rf"product dev \(key {keys.fingerprint}\) are development keys"):
        keys.check_release()


def test_a_bootloader_takes_public_and_encryption_key_alone(home: Path, secrets: Keys) -> None:
    """`build` asks for no passphrase and needs no signing key."""
    Path("keys/signing.pem").unlink()
    found = personal.finish(bootloader.make(TARGET), Keys.load("keys"))
    assert found == personal.finish(bootloader.make(TARGET), secrets)


def test_an_encryption_key_from_a_pipe_serves_all_folders(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It can be read once."""
    pipe, feed = os.pipe()
    os.write(feed, (home / "keys" / "encryption.key").read_bytes())
    os.close(feed)
    code, said = run(
        f"inspect ours.sfb --keys checkers --keys checkers --encryption-key /dev/fd/{pipe}", monkeypatch, capsys
    )
    os.close(pipe)
    assert code == 0 and "decodes to the signed image" in said, said


def test_a_delta_file_is_signed_by_nobody(home: Path, secrets: Keys) -> None:
    from spboot import delta

    facts = inspection.inspect(delta.encode_file(NEW_APP, NEW_APP[:-1]), [secrets])
    assert facts["kind"] == "delta file" and "signed_by" not in facts and int(str(facts["stream_size"])) >= 0
