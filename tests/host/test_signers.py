"""Signers outside of the key folder: a class, a command, a file; what they give back is checked first."""

from __future__ import annotations

import base64
import hashlib
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from spboot import release
from spboot.errors import SignerError
from spboot.keys import CommandSigner, Keys, SignatureFile, named_by
from spboot.keys.command import words
from spboot.keys.signer import FolderKey

from .conftest import NEW_APP, made

DIGEST = hashlib.sha256(b"an update").digest()


@pytest.fixture
def folder(key_folder: Path, tmp_path: Path) -> Path:
    """The key folder without its secret half; signing.pem lies beside it, where spboot does not look."""
    shutil.copytree(key_folder, tmp_path / "keys")
    (tmp_path / "keys" / "signing.pem").rename(tmp_path / "far.pem")
    return tmp_path / "keys"


def raw(der: bytes) -> bytes:
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "DER": bytes,
    "raw": raw,
    "DER in hex": lambda der: der.hex().encode() + b"\n",
    "raw in hex, in lines": lambda der: b"\r\n".join(
        (raw(der).hex()[:64].upper().encode(), raw(der).hex()[64:].encode())
    ),
    "DER in base64": lambda der: base64.encodebytes(der),
    "raw in base64url, bare": lambda der: base64.urlsafe_b64encode(raw(der)).rstrip(b"="),
}


class Other:
    """A signer of somebody's own."""

    def __init__(self, secrets: Keys, turned: Callable[[bytes], bytes], digest: bytes | None = None) -> None:
        assert secrets.signing is not None
        self._key, self._turned, self._digest = secrets.signing, turned, digest

    def sign(self, digest: bytes) -> bytes:
        """In one form or another, of another digest if that is wanted."""
        return self._turned(self._key.sign(self._digest or digest))


@pytest.mark.parametrize("form", FORMS)
def test_signatures_in_any_form(form: str, folder: Path, secrets: Keys) -> None:
    keys = Keys.load(folder, signer=Other(secrets, FORMS[form]), need_private=True)
    assert keys.sign(DIGEST) == secrets.sign(DIGEST)
    image = made(NEW_APP, "1.1.0")
    assert release.full_image(image, keys=keys) == release.full_image(image, keys=secrets)


def test_a_high_s_is_a_signature_like_any(folder: Path, secrets: Keys) -> None:
    """(r, n - s) is as good as (r, s), and a device takes it: the format asks for neither."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

    def turned(der: bytes) -> bytes:
        r, s = decode_dss_signature(der)
        return r.to_bytes(32, "big") + (order - s).to_bytes(32, "big")

    keys = Keys.load(folder, signer=Other(secrets, turned))
    update = release.full_image(made(NEW_APP, "1.1.0"), keys=keys)
    assert update != release.full_image(made(NEW_APP, "1.1.0"), keys=secrets)
    assert release.verify(update, secrets).image == NEW_APP


WRONG: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda der: b"",
    "cut": lambda der: der[:-1],
    "zeros": lambda der: bytes(64),
    "a bit": lambda der: bytes([*raw(der)[:5], raw(der)[5] ^ 1, *raw(der)[6:]]),
    "words": lambda der: b"no",
    "much": lambda der: bytes(100_000),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_signature_is_refused(what: str, folder: Path, secrets: Keys) -> None:
    keys = Keys.load(folder, signer=Other(secrets, WRONG[what]))
    with pytest.raises(SignerError, match=rf"not one by key {secrets.fingerprint} over {DIGEST.hex()}: expected DER"):
        keys.sign(DIGEST)


def test_another_key_and_another_digest_are_refused(folder: Path, secrets: Keys, tmp_path: Path) -> None:
    stranger = Keys.new(tmp_path / "stranger")
    for signer in (Other(stranger, bytes), Other(secrets, bytes, hashlib.sha256(b"other").digest())):
        with pytest.raises(SignerError, match="nothing was signed"):
            release.full_image(made(NEW_APP, "1.1.0"), keys=Keys.load(folder, signer=signer))


def test_the_folders_own_key_is_checked_as_well(secrets: Keys, tmp_path: Path) -> None:
    stranger = Keys.new(tmp_path / "stranger")
    with pytest.raises(SignerError):
        replace(secrets, signing=stranger.signing).sign(DIGEST)


PROGRAM = """
import sys, os
from spboot.keys.folder import open_signing
from pathlib import Path
far = Path(sys.argv[1])
if sys.argv[2] == "pipe":
    text = sys.stdin.read()
    assert len(text) == 65 and text.endswith("\\n"), text
    digest = bytes.fromhex(text)
else:
    digest = Path(sys.argv[2]).read_bytes()
from spboot.keys.signer import FolderKey
signature = FolderKey(open_signing(far, far.read_bytes(), None)).sign(digest)
sys.stderr.write("touch the key\\n")
if len(sys.argv) > 3:
    Path(sys.argv[3]).write_bytes(signature)
    print("signed")
else:
    print(signature.hex())
"""


def line(folder: Path, *arguments: str) -> str:
    """A command line for --signer, of a program in a folder with a blank in its name."""
    place = folder.parent / "my tools"
    place.mkdir(exist_ok=True)
    (place / "sign.py").write_text(PROGRAM)
    return f"'{sys.executable}' '{place / 'sign.py'}' {folder.parent / 'far.pem'} {' '.join(arguments)}"


@pytest.mark.parametrize("arguments", [("pipe",), ("{digest}",), ("{digest}", "{signature}"), ("pipe", "{signature}")])
def test_a_command_signs(arguments: tuple[str, ...], folder: Path, secrets: Keys) -> None:
    keys = Keys.load(folder, signer=line(folder, *arguments))
    assert keys.sign(DIGEST) == secrets.sign(DIGEST)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_openssl_signs(folder: Path, secrets: Keys) -> None:
    """The line of docs/keys.md."""
    command = f"openssl pkeyutl -sign -inkey {folder.parent / 'far.pem'} -in {{digest}} -out {{signature}}"
    keys = Keys.load(folder, signer=command)
    release.verify(release.full_image(made(NEW_APP, "1.1.0"), keys=keys), secrets)


FAILS = {
    "exit 3": ("import sys; sys.stdin.read(); sys.exit(3)", "ended with exit code 3, expected 0"),
    "deaf": ("pass", "left no signature on its standard output"),
    "no file": ("print('{signature}')", "left no signature in the file that stood for {signature}"),
    "words": ("print('who are you?')", "not one by key"),
}


@pytest.mark.parametrize("what", FAILS)
def test_commands_that_fail(what: str, folder: Path) -> None:
    program, said = FAILS[what]
    with pytest.raises(SignerError, match=said):
        Keys.load(folder, signer=CommandSigner((sys.executable, "-c", program))).sign(DIGEST)


def test_a_command_that_is_not_there(folder: Path) -> None:
    with pytest.raises(SignerError, match="the signer no-such-program cannot be started: No such file"):
        Keys.load(folder, signer="no-such-program --sign").sign(DIGEST)


def test_a_command_is_told_no_secret_of_ours(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SPBOOT_PASSPHRASE", "SPBOOT_ENCRYPTION_KEY", "SPBOOT_PIN"):
        monkeypatch.setenv(name, "00112233445566778899aabbccddeeff")
    program = f"import os; open({str(tmp_path / 'seen')!r}, 'w').write(repr(dict(os.environ)))"
    with pytest.raises(SignerError):
        CommandSigner((sys.executable, "-c", program)).sign(DIGEST)
    seen = (tmp_path / "seen").read_text()
    assert "PATH" in seen and "00112233" not in seen


def test_no_shell_sees_the_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SignerError, match="not one by key"):
        Keys.load(folder, signer=f"echo $(touch {tmp_path}/owned) ; touch {tmp_path}/owned").sign(DIGEST)
    assert not (tmp_path / "owned").exists()


def test_words_of_a_line() -> None:
    assert words("a 'b c' \"d e\" f\\ g", windows=False) == ("a", "b c", "d e", "f g")
    line = r'"C:\Program Files\hsm\sign.exe" -k C:\keys\a {digest} "-o {signature}"'
    assert words(line, windows=True) == (
        r"C:\Program Files\hsm\sign.exe",
        "-k",
        r"C:\keys\a",
        "{digest}",
        "-o {signature}",
    )
    for text, said in (("a 'b", "No closing quotation"), ("  ", "is empty"), ("", "is empty")):
        with pytest.raises(SignerError, match=said):
            words(text, windows=False)


def test_which_signer_a_line_names() -> None:
    assert named_by("sign --pin 1234") == CommandSigner(("sign", "--pin", "1234"))
    assert "1234" not in repr(named_by("sign --pin 1234"))
    found = named_by("pkcs11:token=a%20b;object=c;serial=12?module-path=/lib/x.so", pin="1234")
    assert "1234" not in repr(found)
    assert "token='a b'" in repr(found) and "label='c'" in repr(found)


def test_a_signature_in_a_file(folder: Path, secrets: Keys, tmp_path: Path) -> None:
    assert isinstance(secrets.signing, FolderKey)
    (tmp_path / "sig").write_bytes(secrets.signing.sign(DIGEST))
    assert Keys.load(folder, signer=SignatureFile(tmp_path / "sig")).sign(DIGEST) == secrets.sign(DIGEST)
