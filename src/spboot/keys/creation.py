"""New key folders: all files of one or none, and none of its secrets in git."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from spboot import disk
from spboot.disk import reason
from spboot.errors import KeyFolderError
from spboot.keys.closing import closed
from spboot.keys.folder import (
    ENCRYPTION,
    FILES,
    KEY_SIZE,
    PRIVATE,
    PRODUCT,
    SIGNING,
    VERIFY,
    check_free,
    product_text,
)
from spboot.keys.tracked import in_work_tree
from spboot.secret import Secret

IGNORE: Final = ".gitignore"
_IGNORED: Final = "# secrets of this product: git must not have them (spboot keys new)\n"
_PEM: Final = serialization.Encoding.PEM


def fill(
    folder: Path,
    product: str,
    *,
    development: bool,
    passphrase: Secret | None,
    public: ec.EllipticCurvePublicKey | None,
    encryption: bytes | None = None,
    index: int = 0,
) -> None:
    """Put new keys into *folder*: all files of it or none.  With *public* the signing key is elsewhere.

    *encryption*: an AES key that is there already, as that of devices in the field.  *index*: of the signing key.

    Raises KeyFolderError."""
    check_free(folder)
    made: list[Path] = []
    path, there = folder, folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _ignore(folder, made)
        files = _keys(passphrase, public) | {
            ENCRYPTION: Secret(f"{(encryption or os.urandom(KEY_SIZE)).hex()}\n".encode()),
            PRODUCT: product_text(product, development, index),
        }
        for name, data in files.items():
            path = folder / name
            with os.fdopen(_create(path, FILES[name]), "wb") as file:
                made.append(path)
                file.write(data)
    except OSError as error:
        _remove(made, None if there else folder)
        raise KeyFolderError(f"{error.filename or path}: cannot be written: {reason(error)}; no key was made") from None
    except BaseException:
        _remove(made, None if there else folder)
        raise


def _keys(passphrase: Secret | None, public: ec.EllipticCurvePublicKey | None) -> dict[str, bytes]:
    """The files of a new signing key."""
    files: dict[str, bytes] = {}
    if public is None:
        signing = ec.generate_private_key(ec.SECP256R1())
        public = signing.public_key()
        files[SIGNING] = closed(signing, passphrase) if passphrase else _opened(signing)
    return files | {VERIFY: public.public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo)}


def _opened(key: ec.EllipticCurvePrivateKey) -> Secret:
    return Secret(key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def _ignore(folder: Path, made: list[Path]) -> None:
    """Inside a git work tree: the secrets are ignored before they exist.  Lines of an older file stay."""
    if not in_work_tree(folder):
        return
    path = folder / IGNORE
    there = disk.read(path) if path.exists() else None
    missing = [name for name in PRIVATE if name.encode() not in (there or b"").split()]
    if missing:
        before = there if not there or there.endswith(b"\n") else there + b"\n"
        disk.write(path, (before or b"") + _IGNORED.encode() + "".join(f"{name}\n" for name in missing).encode())
    if there is None:
        made.append(path)


def _create(path: Path, mode: int) -> int:
    """The descriptor of a new file."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)


def _remove(made: list[Path], folder: Path | None) -> None:
    """Half a key folder is none."""
    with contextlib.suppress(OSError):
        for path in made:
            path.unlink()
        if folder is not None:
            folder.rmdir()
