"""SoftHSM, the token in software of Debian, with a key on P-256 in it.  `make tools` installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PIN: Final = "4711-0815"
TOKEN, KEY = "lamp token", "signing"
LIBRARIES: Final = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
)


def library() -> str | None:
    """The path of SoftHSM's library."""
    return next((path for path in LIBRARIES if Path(path).is_file()), None)


def lacks() -> str | None:
    """What is missing here for a test with a token; None: nothing."""
    if library() is None or shutil.which("softhsm2-util") is None:
        return "SoftHSM is not installed: make tools"
    if shutil.which("pkcs11-tool") is None:
        return "pkcs11-tool is not installed: make tools"
    try:
        import pkcs11  # noqa: F401
    except ImportError:
        return 'python-pkcs11 is not installed: pip install "spboot[pkcs11]"'
    return None


@dataclass(frozen=True)
class Token:
    """A token of its own in a folder.  *public*: PEM of its signing key."""

    folder: Path
    public: Path

    @property
    def environment(self) -> dict[str, str]:
        """What SoftHSM and spboot look at, with the PIN."""
        return {
            "SOFTHSM2_CONF": str(self.folder / "softhsm2.conf"),
            "SPBOOT_PKCS11_MODULE": library() or "",
            "SPBOOT_PIN": PIN,
        }

    @property
    def uri(self) -> str:
        """For --signer."""
        return f"pkcs11:token={TOKEN.replace(' ', '%20')};object={KEY}"


def run(*command: str | Path, folder: Path, **environment: str) -> None:
    """A command that has to do its work."""
    done = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, "SOFTHSM2_CONF": str(folder / "softhsm2.conf"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)


def make(folder: Path) -> Token:
    """A new token with a new key, by the commands of docs/keys.md."""
    (folder / "tokens").mkdir(parents=True)
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    words = ("--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", "1234")
    run("softhsm2-util", *words, folder=folder)
    tool = ("pkcs11-tool", "--module", library() or "", "--token-label", TOKEN)
    for key, number in ((KEY, "01"), ("other", "02"), ("twin", "03"), ("twin", "04")):
        words = ("--login", "--pin", PIN, "--keypairgen", "--key-type", "EC:prime256v1", "--label", key, "--id", number)
        run(*tool, *words, folder=folder)
    der, pem = folder / "public.der", folder / "public.pem"
    run(*tool, "--read-object", "--type", "pubkey", "--label", KEY, "-o", der, folder=folder)
    run("openssl", "pkey", "-pubin", "-inform", "DER", "-in", der, "-out", pem, folder=folder)
    return Token(folder, pem)
