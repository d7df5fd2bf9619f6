"""A signing key that never leaves its token: SoftHSM, by PKCS#11 and by a command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spboot import release
from spboot.errors import KeyFolderError, SignerError
from spboot.keys import CommandSigner, Keys, TokenSigner

from . import softhsm
from .conftest import NEW_APP, OLD_APP, TARGET, made

needs_token = pytest.mark.skipif(softhsm.lacks() is not None, reason=str(softhsm.lacks()))
MAIN = "from spboot.cli import main; main()"
HEX = "00112233445566778899aabbccddeeff"


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> softhsm.Token:
    """One for all tests: the library reads its configuration once in a process."""
    return softhsm.make(tmp_path_factory.mktemp("token"))


@pytest.fixture
def home(token: softhsm.Token, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A key folder whose signing key is in the token."""
    for name, value in token.environment.items():
        monkeypatch.setenv(name, value)
    Keys.new(tmp_path / "keys", "lamp", verify=token.public)
    yield tmp_path / "keys"


@needs_token
def test_a_folder_for_a_key_in_a_token(home: Path) -> None:
    assert sorted(path.name for path in home.iterdir()) == ["encryption.key", "product.toml", "verify.pem"]
    with pytest.raises(KeyFolderError, match=r"signing\.pem is missing: .*--signer"):
        Keys.load(home, need_private=True)


@needs_token
def test_the_token_signs(home: Path, token: softhsm.Token) -> None:
    keys = Keys.load(home, signer=token.uri, need_private=True)
    for update in (
        release.full_image(made(NEW_APP, "1.1.0"), keys=keys),
        release.patch(made(OLD_APP, "1.0.0"), made(NEW_APP, "1.1.0"), keys=keys),
    ):
        assert release.verify(update, Keys.load(home), old=made(OLD_APP, "1.0.0")).image == NEW_APP


REFUSED = {
    "pkcs11:token=none;object=signing": "there is no such token",
    "pkcs11:token=lamp%20token;object=none": "has no such private key",
    "pkcs11:token=lamp%20token;object=twin": "several private keys of it are called so: add id=",
    "pkcs11:token=lamp%20token;object=other": "not one by key",
    "pkcs11:token=lamp%20token;object=signing?module-path=/none.so": "/none.so: there is no such PKCS#11 library",
}


@needs_token
@pytest.mark.parametrize("uri", REFUSED)
def test_what_the_token_refuses(uri: str, home: Path) -> None:
    """A key of the same token, but not ours, signs well: what it signed is not taken."""
    with pytest.raises(SignerError, match=REFUSED[uri]):
        release.full_image(made(NEW_APP, "1.1.0"), keys=Keys.load(home, signer=uri))


@needs_token
def test_an_id_tells_keys_of_one_name_apart(home: Path, token: softhsm.Token) -> None:
    signer = TokenSigner.parse("pkcs11:token=lamp%20token;id=%01")
    release.full_image(made(NEW_APP, "1.1.0"), keys=Keys.load(home, signer=signer))


@needs_token
def test_pins(home: Path, token: softhsm.Token, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment, from a file, from who is asked; never from the URI; wrong and absent ones are said."""

    def sign(uri: str = token.uri, pin: object = None) -> None:
        signer = TokenSigner.parse(uri).asking(pin)  # type: ignore[arg-type]
        Keys.load(home, signer=signer).sign(bytes(32))

    monkeypatch.setenv("SPBOOT_PIN", "wrong-pin")
    with pytest.raises(SignerError, match="the PIN is wrong"):
        sign()
    file = tmp_path / "my pin"
    file.write_text(f"{softhsm.PIN}\n")
    sign(f"{token.uri}?pin-source=file:{str(file).replace(' ', '%20')}")
    monkeypatch.delenv("SPBOOT_PIN")
    with pytest.raises(SignerError, match="wants its PIN: set SPBOOT_PIN"):
        sign()
    with pytest.raises(SignerError, match="the PIN is not UTF-8 text") as caught:
        sign(pin=lambda: b"\xff\xfe1234")
    assert "1234" not in str(caught.value)
    sign(pin=softhsm.PIN)
    sign(pin=lambda: softhsm.PIN.encode())


@needs_token
def test_a_machine_without_a_secret_on_its_disk(token: softhsm.Token, tmp_path: Path) -> None:
    """The signing key in the token, the encryption key and the PIN in the environment: no file of the machine has one,
    before, while the release is made, or after."""
    keys = tmp_path / "machine" / "keys"
    Keys.new(keys, "lamp", verify=token.public)
    (keys / "encryption.key").write_text(f"{HEX}\n")
    whole = Keys.load(keys)
    (keys / "encryption.key").unlink()
    (keys.parent / "app.bin").write_bytes(NEW_APP)
    environment = {**os.environ, **token.environment, "SPBOOT_ENCRYPTION_KEY": HEX}
    line = ["image", "app.bin", "--board", TARGET, "--keys", "keys", "--version", "1.1.0", "-o", "app.sfb"]
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *line, "--signer", token.uri],
        cwd=keys.parent,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    update = (keys.parent / "app.sfb").read_bytes()
    assert release.verify(update, whole).image == NEW_APP
    files = {path.name: path.read_bytes() for path in keys.parent.rglob("*") if path.is_file()}
    assert sorted(files) == ["app.bin", "app.sfb", "product.toml", "verify.pem"]
    for data in files.values():
        assert HEX.encode() not in data and bytes.fromhex(HEX) not in data and b"PRIVATE" not in data
    assert softhsm.PIN not in done.stdout + done.stderr and HEX not in done.stdout + done.stderr


@needs_token
def test_the_tool_of_a_token_as_a_command(home: Path, token: softhsm.Token) -> None:
    """The line of docs/keys.md: a tool that reads one file and writes another."""
    line = (
        f"pkcs11-tool --module {softhsm.library()} --token-label '{softhsm.TOKEN}' --login --pin {softhsm.PIN} "
        f"--sign --mechanism ECDSA --id 01 --input-file {{digest}} --output-file {{signature}}"
    )
    update = release.full_image(made(NEW_APP, "1.1.0"), keys=Keys.load(home, signer=CommandSigner.parse(line)))
    assert release.verify(update, Keys.load(home)).image == NEW_APP


URIS = {
    "pkcs11:object=x?module-path=/x": "names no token",
    "pkcs11:token=x": "no PKCS#11 library is named: add .module-path",
    "pkcs11:token=x;colour=red?module-path=/x": "has 'colour', expected NAME=VALUE",
    "pkcs11:token=x;object?module-path=/x": "has 'object', expected NAME=VALUE",
    "pkcs11:token=x;token=y?module-path=/x": "has token twice",
    "pkcs11:token=x;type=public?module-path=/x": "expected type=private",
    "pkcs11:token=x?module-path=/x&pin-value=1234": "a PIN does not belong on a command line",
}


@pytest.mark.parametrize("uri", URIS)
def test_uris_that_are_refused(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPBOOT_PKCS11_MODULE", raising=False)
    with pytest.raises(SignerError, match=URIS[uri]):
        TokenSigner.parse(uri)


def test_without_the_extra() -> None:
    program = (
        "import sys; sys.modules['pkcs11'] = None\n"
        "from spboot.keys import TokenSigner\n"
        "TokenSigner.parse('pkcs11:token=x?module-path=/x').sign(bytes(32))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert 'ExtraError: signing by PKCS#11 is not installed here: pip install "spboot[pkcs11]"' in done.stderr
