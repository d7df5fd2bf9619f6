"""The files of a key folder: their names, and what is in them.  Every error says which file, and what was expected."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from spboot.disk import reason
from spboot.errors import KeyFolderError
from spboot.formats.spec import spec
from spboot.keys import source, tracked
from spboot.secret import Secret

SIGNING: Final = "signing.pem"
VERIFY: Final = "verify.pem"
ENCRYPTION: Final = "encryption.key"
PRODUCT: Final = "product.toml"

FILES: Final = {SIGNING: 0o600, VERIFY: 0o644, ENCRYPTION: 0o600, PRODUCT: 0o644}
"""The files of a key folder with their modes."""
PRIVATE: Final = (SIGNING, ENCRYPTION)
KEY_SIZE: Final[int] = spec()["cipher"]["key_size"]
"""Bytes of an AES key."""

_MISSING: Final = {
    SIGNING: "restore it from your copy, or ask its owner, who alone can sign; devices refuse what new keys sign; "
    "where an HSM or another machine has the key, name it with --signer",
    VERIFY: f"restore it from your copy, or ask the owner of {SIGNING} for it; devices know no other key",
    ENCRYPTION: "restore it from your copy, or give it with --encryption-key; devices in the field keep the key they "
    "have: new keys lose them",
    PRODUCT: 'restore it from your copy; it has a line product = "NAME" with the name that devices in the field have',
}
"""What to do about a file that is not there: new keys lose every device in the field."""

MOST_INDEX: Final = 0xFFFF
"""Of a key: one that replaces another has a higher index."""

_PRODUCT_NAME = re.compile(r"[A-Za-z0-9._-]{1,16}")
_ENCRYPTED: Final = (b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED")


def check_product(name: str) -> str:
    """*name* when it can name a product; raises KeyFolderError otherwise."""
    if not _PRODUCT_NAME.fullmatch(name):
        raise KeyFolderError(
            f"product name is {name!r}, expected 1 .. 16 characters of A-Z a-z 0-9 . _ -: choose one with --product"
        )
    return name


def product_text(product: str, development: bool, index: int = 0) -> bytes:
    """What product.toml has in it."""
    text = f'product = "{product}"\ndevelopment = {"true" if development else "false"}\n'
    return (text + (f"index = {index}\n" if index else "")).encode()


def check_free(folder: Path) -> None:
    """Raise KeyFolderError unless *folder* can become a key folder: it is none, and no file."""
    if folder.exists() and not folder.is_dir():
        raise KeyFolderError(f"{folder} is a file, expected a folder to make or to fill: choose another name")
    for name in FILES:
        if (folder / name).exists():
            raise KeyFolderError(f"{folder / name} exists already: keys are never overwritten, choose another folder")


def check(folder: Path) -> None:
    """Raise KeyFolderError unless *folder* is one that holds at least one file of a key folder."""
    if not folder.exists():
        raise KeyFolderError(
            f"{folder}: there is no such folder: give the product's key folder, or make keys for a new product with "
            f"`spboot keys new {folder}`"
        )
    if not folder.is_dir():
        inside = f": it is {folder.absolute().parent}" if folder.name in FILES else f" with {', '.join(FILES)}"
        raise KeyFolderError(f"{folder} is not a folder but a file, expected the key folder{inside}")
    if not any((folder / name).exists() for name in FILES):
        raise KeyFolderError(
            f"{folder} is no key folder: it has none of {', '.join(FILES)}; give the product's key folder, or "
            "make keys for a new product with `spboot keys new`"
        )


def check_untracked(folder: Path) -> None:
    """Raise KeyFolderError when git tracks a secret file of *folder*."""
    found = tracked.tracked(path for name in PRIVATE if (path := folder / name).exists())
    if found:
        names = " ".join(path.name for path in found)
        raise KeyFolderError(
            f"{' and '.join(map(str, found))}: tracked by git, so whoever has the repository has the key: run "
            f"`git rm --cached {names}` in that folder, commit, and treat the key as leaked, as the history keeps it: "
            "make new keys for what is not in the field yet (docs/keys.md)"
        )


def read(path: Path, *, private: bool) -> bytes:
    """The bytes of a file of a key folder; a *private* one has to be the owner's alone."""
    try:
        mode = path.stat().st_mode
        if private and os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyFolderError(
                f"{path} can be read by others (mode {stat.S_IMODE(mode):o}), expected 600: run `chmod 600 {path}`"
            )
        data = path.read_bytes()
        return Secret(data) if private else data
    except FileNotFoundError:
        raise KeyFolderError(
            f"{path} is missing: {_MISSING.get(path.name, 'give the PEM file of a public key')}"
        ) from None
    except OSError as error:
        raise KeyFolderError(f"{path}: cannot be read: {reason(error)}") from None


def read_product(path: Path) -> tuple[str, bool, int]:
    """Product name, whether these are development keys, and the index of the key: 0 for the first of a product."""
    try:
        facts = tomllib.loads(read(path, private=False).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KeyFolderError(f"{path}: not a TOML file: {error}") from None
    unknown = facts.keys() - {"product", "development", "index"}
    if unknown:
        raise KeyFolderError(f"{path}: unknown key {sorted(unknown)[0]!r}, expected product, development and index")
    product, development = facts.get("product"), facts.get("development", False)
    if not isinstance(product, str) or not _PRODUCT_NAME.fullmatch(product):
        raise KeyFolderError(f"{path}: product is {product!r}, expected 1 .. 16 characters of A-Z a-z 0-9 . _ -")
    if not isinstance(development, bool):
        raise KeyFolderError(f"{path}: development is {development!r}, expected true or false")
    index = facts.get("index", 0)
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index <= MOST_INDEX:
        raise KeyFolderError(f"{path}: index is {index!r}, expected 0 for the first key of a product, to {MOST_INDEX}")
    return product, development, index


def is_locked(pem: bytes) -> bool:
    """Whether a private key in PEM form has a passphrase."""
    return any(mark in pem for mark in _ENCRYPTED)


def open_signing(path: Path, pem: bytes, passphrase: source.Source) -> ec.EllipticCurvePrivateKey:
    """The private key that *path* holds as *pem*; the passphrase is asked for only where there is one."""
    secret = _passphrase(path, passphrase) if is_locked(pem) else None
    try:
        key = serialization.load_pem_private_key(pem, password=secret)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # What a wrong one makes of the file ends like a key once in 256 times: the error then is that of a file.
        if secret is not None and not isinstance(error, UnsupportedAlgorithm):
            raise KeyFolderError(
                f"{path}: the passphrase is wrong, or the file is damaged: try again with the right one, or restore "
                "the file from your copy"
            ) from None
        raise KeyFolderError(f"{path}: not a private key in PEM form: {error}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyFolderError(f"{path} holds a {_describe(key)} key, expected an elliptic curve key on P-256")
    return key


def _passphrase(path: Path, given: source.Source) -> Secret:
    found = source.obtained(given, source.PASSPHRASE)
    if not found:
        raise KeyFolderError(
            f"{path} has a passphrase, and there is nobody to ask for it: give --passphrase-file FILE, or set "
            f"{source.PASSPHRASE}"
        )
    return found


def read_public(path: Path) -> ec.EllipticCurvePublicKey:
    """The public key of a PEM file on P-256."""
    data = read(path, private=False)
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFolderError(f"{path}: not a public key in PEM form: {error}") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyFolderError(f"{path} holds a {_describe(key)} key, expected an elliptic curve key on P-256")
    return key


def _describe(key: object) -> str:
    curve = getattr(key, "curve", None)
    return curve.name if isinstance(curve, ec.EllipticCurve) else type(key).__name__.removesuffix("Key")


def read_encryption(path: Path) -> Secret:
    """The AES key of a key folder's file."""
    return parse_encryption(read(path, private=True), str(path))


def parse_encryption(text: bytes, where: str) -> Secret:
    """The AES key that *where* has as hex digits."""
    text = Secret(text.strip())
    if len(text) != 2 * KEY_SIZE:
        raise KeyFolderError(f"{where} has {len(text)} characters, expected {2 * KEY_SIZE} hex digits")
    if not re.fullmatch(rb"[0-9a-fA-F]+", text):
        raise KeyFolderError(f"{where} contains characters that are not hex digits, expected {2 * KEY_SIZE} of them")
    return Secret(bytes.fromhex(text.decode()))
