"""No repr, no log and no traceback shows a key: signing key, AES key, user data, and what they were put into."""

from __future__ import annotations

import dataclasses
import importlib
import io
import logging
import os
import pickle
import pkgutil
import struct
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from rich.console import Console
from rich.traceback import Traceback

import spboot
from spboot import disk, release
from spboot.boards import Board
from spboot.builder import merge, personal
from spboot.formats.spec import Record
from spboot.keys import ENCRYPTION, Keys, closing, creation, folder
from spboot.keys.signer import FolderKey
from spboot.secret import Secret
from spboot.twin import Twin

from . import bootloader
from .conftest import NEW_APP, TARGET, made

USER_DATA = Secret(b"the owner's own secret, 0123456789abcdef")
PASSPHRASE = Secret(b"a long sentence that opens the signing key")
HOLDERS = {
    "spboot.dossier.subject.Subject",
    "spboot.keys.keys.Keys",
    "spboot.keys.signer.FolderKey",
    "spboot.keys.token.TokenSigner",
    "spboot.making.Making",
    "spboot.reproduce._Kept",
    "spboot.twin.snapshot.Snapshot",
}
"""Classes with a key in them.  A new one joins, and gets a repr that does not show it."""


def shapes(secret: bytes) -> Iterator[str]:
    """What a secret looks like when somebody prints it, in parts that no chance makes."""
    for start in range(0, len(secret) - 8, 8):
        part = secret[start : start + 9]
        yield repr(b"'" + part)[3:-1]  # whichever quotes stand around it
        yield repr(b"'\"" + part)[5:-1]
        yield part.hex()
    yield str(list(secret))[1:-1]
    yield str(int.from_bytes(secret, "big"))


@pytest.fixture(scope="module")
def forbidden(secrets: Keys) -> list[str]:
    """Pieces of text that nobody may see."""
    assert isinstance(secrets.signing, FolderKey)
    value = secrets.signing.key.private_numbers().private_value
    pem = secrets.signing.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    body = pem.split(b"-----")[2].strip()
    plain = (bytes(secrets.cipher_key), bytes(USER_DATA), bytes(PASSPHRASE), value.to_bytes(32, "big"))
    return [*(text for data in plain for text in shapes(data)), body[50:62].decode(), body[66:90].decode()]


def check(text: str, forbidden: list[str]) -> None:
    found = [piece for piece in forbidden if piece in text]
    assert not found, text[:2000]


def test_the_pieces_are_found_where_a_key_is_shown(secrets: Keys, forbidden: list[str]) -> None:
    """Else the other tests would see nothing."""
    key = bytes(secrets.cipher_key)
    for text in (repr(key), key.hex(), repr(b"x" * 3 + key), repr({"key": key}), repr(list(key))):
        with pytest.raises(AssertionError):
            check(text, forbidden)


def test_a_secret_is_bytes_that_do_not_show(secrets: Keys, forbidden: list[str]) -> None:
    secret = Secret(secrets.encryption)
    text = f"{secret} {secret!r} {secret!s:>40} %s %r {[secret]} { ({'a': secret}) }" % (secret, secret)
    check(text, forbidden)
    assert "16 secret bytes" in text
    assert secret == secrets.encryption == bytes(secrets.cipher_key)
    assert pickle.loads(pickle.dumps(secret)) == secret
    assert isinstance(pickle.loads(pickle.dumps(secret)), Secret)


def test_keys_in_repr_format_and_log(secrets: Keys, forbidden: list[str], caplog: pytest.LogCaptureFixture) -> None:
    plain = Keys(
        product="demo",
        development=False,
        signing=secrets.signing,
        verify=secrets.verify,
        encryption=bytes(secrets.cipher_key),
    )
    console = Console(file=io.StringIO(), width=200)
    for each in (secrets, plain, dataclasses.replace(secrets, product="other")):
        caplog.set_level(logging.DEBUG)
        logging.getLogger("spboot").debug("%s %r %s", each, each, {"keys": each})
        console.print(each, [each], vars(type(each)))
        check(f"{each} {each!r} {each.encryption} {each.encryption!r} {each.signing!r} {each.signing}", forbidden)
    check(caplog.text, forbidden)
    assert isinstance(console.file, io.StringIO)
    check(console.file.getvalue(), forbidden)
    assert "demo" in caplog.text


def holders() -> Iterator[type]:
    """Classes of spboot with fields whose name or type speaks of keys, or that hold a whole memory."""
    for module in pkgutil.walk_packages(spboot.__path__, "spboot."):
        for value in vars(importlib.import_module(module.name)).values():
            if not isinstance(value, type) or value.__module__ != module.name:
                continue
            fields = {f.name: str(f.type) for f in dataclasses.fields(value)} if dataclasses.is_dataclass(value) else {}
            fields |= {name: str(kind) for name, kind in getattr(value, "_field_types", {}).items()}
            if any(
                name in ("encryption", "signing", "user_data", "aes_key", "states", "passphrase", "pin")
                or "PrivateKey" in kind
                or kind in ("Secret", "Keys", "Keys | None")
                for name, kind in fields.items()
            ):
                yield value


def test_every_class_that_holds_a_key_is_known() -> None:
    assert {f"{kind.__module__}.{kind.__name__}" for kind in holders()} == HOLDERS


def test_nothing_that_a_user_handles_shows_a_key(secrets: Keys, forbidden: list[str]) -> None:
    """What `import spboot` gives: keys, a factory program, a device that was programmed with it, a report."""
    image = personal.finish(bootloader.make(TARGET), secrets, USER_DATA)
    program = merge.factory(image, made(NEW_APP, "1.0.0"), secrets)
    assert bytes(secrets.cipher_key) in program.segments[0].data
    report = spboot.verify(spboot.full_image(made(NEW_APP, "1.0.0"), keys=secrets), secrets)
    with spboot.Device(spboot.Board.load(TARGET)) as device:
        device.program(program)
        making = spboot.Making(
            app=Path("app.elf"),
            board=device.board,
            keys=secrets,
            version=spboot.Version(1, 0, 0),
            name="lamp",
            bootloader=Path(),
        )
        for each in (secrets, making, program, program.segments, report, device, made(NEW_APP, "1.0.0")):
            check(f"{each} {each!r} {[each]}", forbidden)


def test_a_snapshot_shows_no_memory(secrets: Keys, forbidden: list[str]) -> None:
    twin = Twin("STM32L412KB")
    twin.flash_load(0x08000000, personal.finish(bootloader.make(TARGET), secrets, USER_DATA))
    assert bytes(secrets.cipher_key) in twin.flash_read(0x08000000, 0x3000)
    twin.power_on()
    check(repr(twin.snapshot()), forbidden)


@dataclasses.dataclass(frozen=True)
class Bench:
    """What the works below work on."""

    secrets: Keys
    folder: Path
    image: bytes


def fail(*_args: object, **_options: object) -> None:
    raise ZeroDivisionError("a bug of ours")


def fail_late(path: Path, mode: int) -> int:
    """creation._create that has its bug at the second secret file."""
    if path.name == ENCRYPTION:
        fail()
    return os.open(path, os.O_WRONLY | os.O_CREAT, mode)


@property  # type: ignore[misc]
def fail_personal(self: Record) -> struct.Struct:
    """Record._struct that has its bug at the personalisation area."""
    if self.name == "personal":
        fail()
    return struct.Struct(
        "<" + "".join({"u8": "B", "u16": "H", "u32": "I"}.get(f.type, f"{f.size}s") for f in self.fields)
    )


def new_folder(bench: Bench) -> None:
    Keys.new(bench.folder / "fresh")


def load_folder(bench: Bench) -> None:
    Keys.load(bench.folder / "copy")


def new_locked(bench: Bench) -> None:
    Keys.new(bench.folder / "fresh", passphrase=PASSPHRASE)


def load_locked(bench: Bench) -> None:
    Keys.load(bench.folder / "locked", need_private=True, passphrase=PASSPHRASE)


def full_image(bench: Bench) -> None:
    release.full_image(made(NEW_APP, "1.0.0"), keys=bench.secrets)


def finished(bench: Bench) -> None:
    personal.finish(bootloader.make(TARGET), bench.secrets, USER_DATA)


def merged(bench: Bench) -> None:
    merge.factory(bench.image, made(NEW_APP, "1.0.0"), bench.secrets)


def saved(bench: Bench) -> None:
    merge.factory(bench.image, made(NEW_APP, "1.0.0"), bench.secrets).save(bench.folder / "factory.bin")


BUGS: list[tuple[Callable[[Bench], None], object, str, object]] = [
    (new_folder, creation, "_create", fail),
    (new_folder, creation, "_create", fail_late),
    (new_folder, Keys, "load", fail),
    (load_folder, folder, "read_encryption", fail),
    (load_folder, folder.re, "fullmatch", fail),
    (load_folder, folder.serialization, "load_pem_private_key", fail),
    (new_locked, creation, "_create", fail),
    (new_locked, closing, "_integer", fail),
    (new_locked, closing.base64, "b64encode", fail),
    (new_locked, Keys, "load", fail),
    (load_locked, folder.serialization, "load_pem_private_key", fail),
    (load_locked, folder, "read_encryption", fail),
    (full_image, release.payload, "build", fail),
    (full_image, Keys, "sign", fail),
    (finished, personal, "self_hash", fail),
    (finished, personal, "comb_table", fail),
    (finished, Record, "_struct", fail_personal),
    (merged, release, "header_for", fail),
    (merged, personal, "comb_table", fail),
    (merged, merge, "joined", fail),
    (saved, disk, "write", fail),
]


@pytest.mark.parametrize(("work", "place", "name", "bug"), BUGS, ids=[f"{row[0].__name__}-{row[2]}" for row in BUGS])
def test_tracebacks_with_locals(
    work: Callable[[Bench], None],
    place: object,
    name: str,
    bug: object,
    secrets: Keys,
    key_folder: Path,
    forbidden: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bug at the worst moment, shown by Python and by rich with all local variables."""
    (tmp_path / "copy").mkdir()
    for file in key_folder.iterdir():
        (tmp_path / "copy" / file.name).write_bytes(file.read_bytes())
        (tmp_path / "copy" / file.name).chmod(file.stat().st_mode)
    Keys.new(tmp_path / "locked", passphrase=PASSPHRASE)
    Board.load(TARGET)
    image = personal.finish(bootloader.make(TARGET), secrets, USER_DATA)
    assert isinstance(secrets.signing, FolderKey)
    own = secrets.signing.key
    monkeypatch.setattr(creation.ec, "generate_private_key", lambda _curve: own)
    monkeypatch.setattr(creation.os, "urandom", lambda _size: bytes(secrets.cipher_key))
    monkeypatch.setattr(place, name, bug)
    with pytest.raises(ZeroDivisionError) as caught:
        work(Bench(secrets, tmp_path, image))
    assert caught.tb.tb_next is not None
    error = caught.value.with_traceback(caught.tb.tb_next)  # without this function, which knows what is forbidden
    lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    check("".join(lines), forbidden)
    console = Console(file=io.StringIO(), width=300)
    console.print(Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "locals" in shown
    check(shown, forbidden)
