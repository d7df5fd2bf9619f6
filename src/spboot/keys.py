"""A product's keys: a folder with the signing key, its public half, the encryption key and the product's name.

signing.pem     private, P-256, PKCS#8        sign updates: guard it
verify.pem      public                        checks updates
encryption.key  private, 32 hex digits        AES-128
product.toml    product = "...", development = true | false
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from spboot.disk import reason
from spboot.errors import AuthenticationError, FormatError, KeyFolderError
from spboot.formats import signature as wire
from spboot.formats.spec import spec
from spboot.secret import Secret

SIGNING: Final = "signing.pem"
VERIFY: Final = "verify.pem"
ENCRYPTION: Final = "encryption.key"
PRODUCT: Final = "product.toml"

_FILES: Final = {SIGNING: 0o600, VERIFY: 0o644, ENCRYPTION: 0o600, PRODUCT: 0o644}
"""The files of a key folder with their modes."""
_MISSING: Final = {
    SIGNING: "restore it from your copy, or ask its owner, who alone can sign; devices refuse what new keys sign",
    VERIFY: f"restore it from your copy, or ask the owner of {SIGNING} for it; devices know no other key",
    ENCRYPTION: "restore it from your copy; devices in the field keep the key they have: new keys lose them",
    PRODUCT: 'restore it from your copy; it has a line product = "NAME" with the name that devices in the field have',
}
"""What to do about a file that is not there: new keys lose every device in the field."""

_PRODUCT_NAME = re.compile(r"[A-Za-z0-9._-]{1,16}")
_KEY_SIZE: Final[int] = spec()["cipher"]["key_size"]
_PREHASHED = Prehashed(hashes.SHA256())


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """One product's keys.  *signing* is None when only updates are to be checked.  Its repr shows no key.

    >>> keys = Keys.new("lamp-keys", "lamp", development=True)
    >>> keys
    Keys(product='lamp', development=True)
    >>> Keys.load("lamp-keys").product
    'lamp'
    """

    product: str
    development: bool
    signing: ec.EllipticCurvePrivateKey | None = field(repr=False)
    verify: ec.EllipticCurvePublicKey = field(repr=False)
    encryption: bytes = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "encryption", Secret(self.encryption))

    @classmethod
    def new(cls, folder: str | os.PathLike[str], product: str | None = None, *, development: bool = False) -> Self:
        """Make a key folder; *product* is the folder's own name when not given.  Never overwrites a file.

        Raises KeyFolderError: a file is there already, the name is no product name, or the folder cannot be written."""
        path = Path(folder)
        _fill(path, check_product(Path(os.path.realpath(path)).name if product is None else product), development)
        return cls.load(path, need_private=True)

    @classmethod
    def load(cls, folder: str | os.PathLike[str], *, need_private: bool = False) -> Self:
        """Read a key folder.  verify.pem may be absent where signing.pem is, and signing.pem unless *need_private*.

        Raises KeyFolderError: which file, what was found, what was expected."""
        path = Path(folder)
        _check_folder(path)
        product, development = _read_product(path / PRODUCT)
        signing = _read_signing(path / SIGNING) if need_private or (path / SIGNING).exists() else None
        if (path / VERIFY).exists() or signing is None:
            verify = _read_verify(path / VERIFY)
            if signing and signing.public_key().public_numbers() != verify.public_numbers():
                raise KeyFolderError(
                    f"{path / VERIFY} is not the public half of {SIGNING}: one of them is another key's"
                )
        else:
            verify = signing.public_key()
        return cls(
            product=product,
            development=development,
            signing=signing,
            verify=verify,
            encryption=_read_encryption(path / ENCRYPTION),
        )

    def sign(self, digest: bytes) -> bytes:
        """r || w (formats/signature.py) over a SHA-256 *digest*; the same digest gives the same bytes (RFC 6979).

        Raises KeyFolderError without a signing key."""
        if self.signing is None:
            raise KeyFolderError(f"{SIGNING} is not in the key folder: only its owner can sign updates")
        return wire.from_der(self.signing.sign(digest, ec.ECDSA(_PREHASHED, deterministic_signing=True)))

    def check(self, digest: bytes, signature: bytes) -> None:
        """Raise AuthenticationError unless *signature* (r || w) is ours over the SHA-256 *digest*."""
        try:
            self.verify.verify(wire.to_der(signature), digest, ec.ECDSA(_PREHASHED))
        except (InvalidSignature, FormatError):
            raise AuthenticationError(
                "the signature is wrong: the file was damaged or changed, or signed with the key of another product"
            ) from None


def check_product(name: str) -> str:
    """*name* when it can name a product; raises KeyFolderError otherwise."""
    if not _PRODUCT_NAME.fullmatch(name):
        raise KeyFolderError(
            f"product name is {name!r}, expected 1 .. 16 characters of A-Z a-z 0-9 . _ -: choose one with --product"
        )
    return name


def _fill(folder: Path, product: str, development: bool) -> None:
    """Put new keys into *folder*: all files of it or none.  Raises KeyFolderError."""
    if folder.exists() and not folder.is_dir():
        raise KeyFolderError(f"{folder} is a file, expected a folder to make or to fill: choose another name")
    for name in _FILES:
        if (folder / name).exists():
            raise KeyFolderError(f"{folder / name} exists already: keys are never overwritten, choose another folder")
    made: list[Path] = []
    path, there = folder, folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in _contents(product, development).items():
            path = folder / name
            with os.fdopen(_create(path, _FILES[name]), "wb") as file:
                made.append(path)
                file.write(data)
    except OSError as error:
        _remove(made, None if there else folder)
        raise KeyFolderError(f"{error.filename or path}: cannot be written: {reason(error)}; no key was made") from None
    except KeyboardInterrupt:
        _remove(made, None if there else folder)
        raise


def _contents(product: str, development: bool) -> dict[str, bytes]:
    """The files of a new key folder."""
    signing = ec.generate_private_key(ec.SECP256R1())
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    public_info = serialization.PublicFormat.SubjectPublicKeyInfo
    flag = "true" if development else "false"
    return {
        SIGNING: Secret(signing.private_bytes(pem, pkcs8, serialization.NoEncryption())),
        VERIFY: signing.public_key().public_bytes(pem, public_info),
        ENCRYPTION: Secret(f"{os.urandom(_KEY_SIZE).hex()}\n".encode()),
        PRODUCT: f'product = "{product}"\ndevelopment = {flag}\n'.encode(),
    }


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


def _check_folder(folder: Path) -> None:
    """Raise KeyFolderError unless *folder* is one that holds at least one file of a key folder."""
    if not folder.exists():
        raise KeyFolderError(
            f"{folder}: there is no such folder: give the product's key folder, or make keys for a new product with "
            f"`spboot keys new {folder}`"
        )
    if not folder.is_dir():
        inside = f": it is {folder.absolute().parent}" if folder.name in _FILES else f" with {', '.join(_FILES)}"
        raise KeyFolderError(f"{folder} is not a folder but a file, expected the key folder{inside}")
    if not any((folder / name).exists() for name in _FILES):
        raise KeyFolderError(
            f"{folder} is no key folder: it has none of {', '.join(_FILES)}; give the product's key folder, or "
            "make keys for a new product with `spboot keys new`"
        )


def _read(path: Path, *, private: bool) -> bytes:
    try:
        mode = path.stat().st_mode
        if private and os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyFolderError(
                f"{path} can be read by others (mode {stat.S_IMODE(mode):o}), expected 600: run `chmod 600 {path}`"
            )
        data = path.read_bytes()
        return Secret(data) if private else data
    except FileNotFoundError:
        raise KeyFolderError(f"{path} is missing: {_MISSING[path.name]}") from None
    except OSError as error:
        raise KeyFolderError(f"{path}: cannot be read: {reason(error)}") from None


def _read_product(path: Path) -> tuple[str, bool]:
    try:
        facts = tomllib.loads(_read(path, private=False).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KeyFolderError(f"{path}: not a TOML file: {error}") from None
    unknown = facts.keys() - {"product", "development"}
    if unknown:
        raise KeyFolderError(f"{path}: unknown key {sorted(unknown)[0]!r}, expected product and development")
    product, development = facts.get("product"), facts.get("development", False)
    if not isinstance(product, str) or not _PRODUCT_NAME.fullmatch(product):
        raise KeyFolderError(f"{path}: product is {product!r}, expected 1 .. 16 characters of A-Z a-z 0-9 . _ -")
    if not isinstance(development, bool):
        raise KeyFolderError(f"{path}: development is {development!r}, expected true or false")
    return product, development


def _read_signing(path: Path) -> ec.EllipticCurvePrivateKey:
    data = _read(path, private=True)
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFolderError(f"{path}: not an unencrypted private key in PEM form: {error}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyFolderError(f"{path} holds a {_describe(key)} key, expected an elliptic curve key on P-256")
    return key


def _read_verify(path: Path) -> ec.EllipticCurvePublicKey:
    data = _read(path, private=False)
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


def _read_encryption(path: Path) -> bytes:
    text = Secret(_read(path, private=True).strip())
    if len(text) != 2 * _KEY_SIZE:
        raise KeyFolderError(f"{path} has {len(text)} characters, expected {2 * _KEY_SIZE} hex digits")
    if not re.fullmatch(rb"[0-9a-fA-F]+", text):
        raise KeyFolderError(f"{path} contains characters that are not hex digits, expected {2 * _KEY_SIZE} of them")
    return Secret(bytes.fromhex(text.decode()))
