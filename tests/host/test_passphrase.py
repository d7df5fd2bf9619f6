"""A signing key behind a passphrase: how it is closed and opened, on a terminal and without one."""

from __future__ import annotations

import io
import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from spboot import release
from spboot.cli import main
from spboot.errors import KeyFolderError
from spboot.keys import Keys
from spboot.keys.folder import open_signing
from spboot.keys.source import first_line

from .conftest import NEW_APP, TARGET, made

posix = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX")
SENTENCE = "a door, a lamp and nine keys"
MAIN = "from spboot.cli import main; main()"
CONTROLLED = f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); {MAIN}"
IMAGE = ["image", "app.bin", "--board", TARGET, "--keys", "lamp", "--version", "1.1.0", "-o", "app.sfb"]
PUBLIC = ("verify", "app.sfb", "--keys", "lamp"), ("inspect", "app.sfb", "--keys", "lamp"), ("keys", "show", "lamp")


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the key folder `lamp`, closed, and an application."""
    home = tmp_path_factory.mktemp("closed")
    Keys.new(home / "lamp", passphrase=SENTENCE)
    (home / "app.bin").write_bytes(NEW_APP)
    return home


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPBOOT_PASSPHRASE", raising=False)


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def spboot(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command without a terminal, in a folder: exit code, and all it says."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    def run(home: Path, *words: str) -> tuple[int, str]:
        monkeypatch.chdir(home)
        monkeypatch.setattr(sys, "argv", ["spboot", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        assert SENTENCE not in said.out + said.err
        return int(stop.value.code or 0), said.out + said.err

    return run


def at_a_terminal(home: Path, *words: str, typed: list[str]) -> tuple[int, str]:
    """The same at a pseudo-terminal, where each question is answered: exit code, and what stands on the screen."""
    import pty

    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", CONTROLLED, *words],
        cwd=home,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    screen, answers, ends = b"", list(typed), time.monotonic() + 60
    while time.monotonic() < ends:
        if not select.select([master], [], [], 0.1)[0]:
            continue
        try:
            new = os.read(master, 4096)
        except OSError:
            break
        if not new:
            break
        screen += new
        if answers and screen.endswith(b": "):
            time.sleep(0.05)  # the echo is turned off by then
            os.write(master, answers.pop(0).encode() + b"\n")
    os.close(master)
    return process.wait(60), screen.decode()


def test_the_file_is_encrypted_and_opens(closed: Path) -> None:
    pem = (closed / "lamp" / "signing.pem").read_bytes()
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in pem
    keys = Keys.load(closed / "lamp", need_private=True, passphrase=SENTENCE)
    update = release.full_image(made(NEW_APP, "1.1.0"), keys=keys)
    assert release.verify(update, Keys.load(closed / "lamp")).image == NEW_APP


def test_wrong_and_absent(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyFolderError, match=r"signing\.pem: the passphrase is wrong"):
        Keys.load(closed / "lamp", need_private=True, passphrase="nine lamps")
    for nothing in (None, lambda: b""):
        with pytest.raises(KeyFolderError, match="nobody to ask for it: give --passphrase-file FILE, or set SPB"):
            Keys.load(closed / "lamp", need_private=True, passphrase=nothing)
    monkeypatch.setenv("SPBOOT_PASSPHRASE", SENTENCE)
    Keys.load(closed / "lamp", need_private=True)
    with pytest.raises(KeyFolderError, match="the passphrase is wrong"):
        Keys.load(closed / "lamp", need_private=True, passphrase="given beats the environment")


def test_nobody_is_asked_who_does_not_sign(closed: Path) -> None:
    def ask() -> bytes:
        raise AssertionError("asked")

    keys = Keys.load(closed / "lamp", passphrase=ask)
    with pytest.raises(KeyFolderError, match="has a passphrase and was not opened: load the keys with need_private"):
        keys.sign(bytes(32))


def test_an_open_key_wants_no_passphrase(key_folder: Path) -> None:
    Keys.load(key_folder, need_private=True, passphrase=SENTENCE)


def test_a_wrong_passphrase_that_decrypts_to_something(key_folder: Path) -> None:
    """Once in 256 times the padding fits by chance, and what fails then is the reading of a key."""
    key = serialization.load_pem_private_key((key_folder / "signing.pem").read_bytes(), password=None)
    quick = serialization.PrivateFormat.TraditionalOpenSSL, serialization.BestAvailableEncryption(b"right")
    pem = key.private_bytes(serialization.Encoding.PEM, *quick)
    for number in range(10_000):
        with pytest.raises(ValueError) as raw:
            serialization.load_pem_private_key(pem, password=str(number).encode())
        if "password" not in str(raw.value):
            break
    else:
        pytest.fail("no such passphrase")
    with pytest.raises(KeyFolderError, match="the passphrase is wrong, or the file is damaged"):
        open_signing(Path("signing.pem"), pem, str(number))


@pytest.mark.parametrize("empty", ["", b"", lambda: b""])
def test_an_empty_passphrase_is_none(empty: object, tmp_path: Path) -> None:
    with pytest.raises(KeyFolderError, match="the passphrase is empty"):
        Keys.new(tmp_path / "lamp", passphrase=empty)  # type: ignore[arg-type]
    assert not (tmp_path / "lamp").exists()


def test_without_a_terminal(closed: Path, tmp_path: Path, spboot: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = spboot(closed, *IMAGE)
    assert (code, "signing.pem has a passphrase, and there is nobody to ask for it" in said) == (1, True)
    (tmp_path / "wrong").write_text("no\n")
    code, said = spboot(closed, *IMAGE, "--passphrase-file", str(tmp_path / "wrong"))
    assert (code, "the passphrase is wrong" in said) == (1, True)
    assert not (closed / "app.sfb").exists()
    (tmp_path / "words").write_text(f"{SENTENCE}\r\n")
    assert spboot(closed, *IMAGE, "--passphrase-file", str(tmp_path / "words"))[0] == 0
    first = (closed / "app.sfb").read_bytes()
    for words in PUBLIC:
        assert spboot(closed, *words)[0] == 0
    monkeypatch.setenv("SPBOOT_PASSPHRASE", SENTENCE)
    assert spboot(closed, *IMAGE)[0] == 0
    assert (closed / "app.sfb").read_bytes() == first


@pytest.mark.parametrize(("text", "said"), [("", "is empty"), ("\n", "is empty"), ("a\nb\n", "more than one line")])
def test_files_that_have_no_secret(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "words").write_text(text)
    with pytest.raises(KeyFolderError, match=said):
        first_line(tmp_path / "words")


def test_new_keys_without_a_terminal(tmp_path: Path, spboot: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = spboot(tmp_path, "keys", "new", "a", "--passphrase")
    wanted = "no terminal to ask for the passphrase on: give --passphrase-file FILE, or set SPBOOT_PASSPHRASE"
    assert (code, wanted in said) == (1, True)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "words").write_text(SENTENCE)
    assert spboot(tmp_path, "keys", "new", "b", "--passphrase-file", "words")[0] == 0
    monkeypatch.setenv("SPBOOT_PASSPHRASE", SENTENCE)
    assert spboot(tmp_path, "keys", "new", "a", "--passphrase")[0] == 0
    assert spboot(tmp_path, "keys", "new", "c")[0] == 0
    locked = {name: b"ENCRYPTED" in (tmp_path / name / "signing.pem").read_bytes() for name in "abc"}
    assert locked == {"a": True, "b": True, "c": False}, "on request only"
    for name in "ab":
        Keys.load(tmp_path / name, need_private=True, passphrase=SENTENCE)


@posix
def test_at_a_terminal(tmp_path: Path) -> None:
    """Asked twice when it is new, once when it is used, and never shown."""
    (tmp_path / "app.bin").write_bytes(NEW_APP)
    code, screen = at_a_terminal(
        tmp_path, "keys", "new", "lamp", "--passphrase", typed=[SENTENCE, "a slip", SENTENCE, SENTENCE]
    )
    assert code == 0, screen
    assert screen.count("Passphrase for the new key: ") == 2 and "do not match" in screen
    code, screen = at_a_terminal(tmp_path, *IMAGE, typed=["wrong"])
    assert (code, "the passphrase is wrong" in screen) == (1, True), screen
    code, screen = at_a_terminal(tmp_path, *IMAGE, typed=[SENTENCE])
    assert (code, screen.count("Passphrase of lamp: ")) == (0, 1), screen
    assert SENTENCE not in screen
    assert (tmp_path / "app.sfb").exists()


@posix
def test_ctrl_c_at_the_question(tmp_path: Path) -> None:
    code, screen = at_a_terminal(tmp_path, "keys", "new", "lamp", "--passphrase", typed=["\x03"])
    assert (code, "interrupted" in screen) == (130, True), screen
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_openssl_opens_the_key(closed: Path) -> None:
    """With scrypt, at a cost that OpenSSL takes; a key that cannot be used elsewhere would be ours alone."""
    file = closed / "lamp" / "signing.pem"
    line = ["openssl", "pkey", "-in", file, "-pubout", "-passin", f"pass:{SENTENCE}"]
    found = subprocess.run(line, check=True, capture_output=True).stdout
    assert found == (closed / "lamp" / "verify.pem").read_bytes()
    parsed = subprocess.run(["openssl", "asn1parse", "-in", file], check=True, capture_output=True, text=True).stdout
    assert re.findall(r"INTEGER +:(\w+)", parsed) == ["4000", "08", "05", "20"]
    assert [name for name in ("PBES2", "scrypt", "aes-256-cbc") if name not in parsed] == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
@pytest.mark.parametrize("words", [("-v2", "aes-256-cbc"), ("-scrypt",)], ids=["pbkdf2", "scrypt"])
def test_keys_that_openssl_closed(words: tuple[str, ...], key_folder: Path, tmp_path: Path) -> None:
    """The line of docs/keys.md that gives an existing key a passphrase, or another one."""
    shutil.copytree(key_folder, tmp_path / "lamp")
    made_by = ["openssl", "pkcs8", "-topk8", "-in", key_folder / "signing.pem", *words, "-passout", f"pass:{SENTENCE}"]
    subprocess.run([*made_by, "-out", tmp_path / "lamp" / "signing.pem"], check=True, capture_output=True)
    keys = Keys.load(tmp_path / "lamp", need_private=True, passphrase=SENTENCE)
    assert keys.sign(bytes(32)) == Keys.load(key_folder).sign(bytes(32))
    with pytest.raises(KeyFolderError, match="the passphrase is wrong"):
        Keys.load(tmp_path / "lamp", need_private=True, passphrase="no")


def test_help_says_whether_it_is_asked_for(closed: Path, spboot: Run) -> None:
    """`dossier` leaves out what a closed key would sign, and asks for nothing."""
    asks = {"image": True, "patch": True, "merge": True, "postbuild": True, "dossier": False}
    for command, asked in asks.items():
        said = " ".join(spboot(closed, command, "--help")[1].split())
        assert ("else it is asked for" in said, "it is not asked for" in said) == (asked, not asked)
