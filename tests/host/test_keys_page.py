"""docs/keys.md does what it says: every indented line, in its order, in one shell."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import spboot.boards
from spboot import release
from spboot.keys import Keys
from spboot.keys.source import first_line
from spboot.rotation import Rotation

from . import elf, softhsm
from .conftest import BOARD, NEW_APP

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")
BOARD_TEXT = (Path(spboot.boards.__file__).parent / "data" / f"{BOARD.name}.toml").read_text(encoding="utf-8")
(AREA,) = re.findall(r"^keys = .*$", PAGE, re.MULTILINE)
MADE = ("app", "torch", "far", "hsm", "tool", "away", "clean")
"""Updates of the page, by the beginnings of their names."""


def script() -> str:
    """All its commands."""
    text = PAGE[: PAGE.index("## What to back up")]
    return "\n".join(textwrap.dedent(block) for block in re.findall(r"(?:^ {4}.*\n)+", text, re.MULTILINE))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page was followed."""
    if softhsm.lacks():
        pytest.skip(str(softhsm.lacks()))
    folder = tmp_path_factory.mktemp("page")
    (folder / "bin").mkdir()
    spboot = folder / "bin" / "spboot"
    spboot.write_text(
        f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c 'from spboot.cli import main; main()' \"$@\"\n"
    )
    spboot.chmod(0o755)
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    (folder / "words.txt").write_text("nine keys and a lamp\n")
    (folder / "LAMP.toml").write_text(BOARD_TEXT.replace("\n[ram]", f"{AREA}\n\n[ram]"))
    (folder / "app.elf").write_bytes(elf.make([(BOARD.image_address, NEW_APP)]))
    environment = {
        **os.environ,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "SOFTHSM2_CONF": str(folder / "softhsm2.conf"),
        "SPBOOT_PKCS11_MODULE": softhsm.library() or "",
        "SPBOOT_PIN": softhsm.PIN,
        "PIN": softhsm.PIN,
        "SO_PIN": "1234",
    }
    command = ["bash", "-e", "-u", "-x", "-c", script()]
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "said").write_text(done.stdout)
    return folder


def test_it_was_followed_to_its_end(home: Path) -> None:
    assert len(script().splitlines()) > 30
    said = (home / "said").read_text()
    lamp = Keys.load(home / "lamp-keys")
    assert f"signed by key {lamp.fingerprint} of product lamp (lamp-keys)" in said
    assert "not decoded: checker-keys has no encryption key" in said
    assert "Verified OK" in said
    digest = re.search(r"SHA2?-?256\(stdin\)= ([0-9a-f]{64})", said)
    assert digest and digest[1].startswith(lamp.fingerprint)


@pytest.mark.parametrize("name", MADE)
def test_the_updates_are_good(name: str, home: Path) -> None:
    folder = {"torch": "torch-keys", "hsm": "hsm-keys", "tool": "hsm-keys", "clean": "hsm-keys"}.get(name, "lamp-keys")
    update = (home / f"{name}-1.1.0.sfb").read_bytes()
    public = Keys.load(home / folder, public=True)
    assert release.verify(update, public).chunk_count > 1
    assert release.signed_by(update, [public]) is public


def test_the_new_key_is_signed_by_the_old_one(home: Path) -> None:
    old, new = Keys.load(home / "lamp-keys"), Keys.load(home / "lamp-keys-2")
    file = (home / "lamp-2.sfbk").read_bytes()
    assert release.signed_by(file, [new, old]) is old
    assert (Rotation.parse(file).fingerprint, Rotation.parse(file).index) == (new.fingerprint, 1)
    assert new.encryption == old.encryption


def test_what_it_leaves(home: Path) -> None:
    """No work file; no encryption key in the folder of the token; the key that OpenSSL closed opens."""
    assert not list(home.glob("*.unsigned"))
    assert sorted(path.name for path in (home / "hsm-keys").iterdir()) == ["product.toml", "verify.pem"]
    closed = home / "lamp-keys" / "signing.pem"
    closed.write_bytes((home / "closed.pem").read_bytes())
    Keys.load(home / "lamp-keys", need_private=True, passphrase=first_line(home / "words.txt"))
