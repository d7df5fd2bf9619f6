"""A product's keys: a folder with the signing key, its public half, the encryption key and the product's name.

signing.pem     private, P-256, PKCS#8        signs updates: guard it; absent where a Signer has the key
verify.pem      public                        checks updates
encryption.key  private, 32 hex digits        AES-128; absent where it comes from elsewhere, or nothing is decoded
product.toml    product = "...", development = true | false
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from spboot.errors import AuthenticationError, FormatError, KeyFolderError
from spboot.formats import signature as wire
from spboot.keys import creation, folder, signers, source
from spboot.keys.fingerprint import fingerprint
from spboot.keys.folder import ENCRYPTION, PRODUCT, SIGNING, VERIFY
from spboot.keys.signer import PREHASHED, FolderKey, LockedKey, Signer, checked
from spboot.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """One product's keys.  *signing* is None when only updates are to be checked, *encryption* when only their
    signatures are.  Its repr shows no key.

    >>> keys = Keys.new("lamp-keys", "lamp", development=True)
    >>> keys
    Keys(product='lamp', development=True, index=0)
    >>> Keys.load("lamp-keys").fingerprint == keys.fingerprint
    True
    """

    product: str
    development: bool
    signing: Signer | None = field(repr=False)
    verify: ec.EllipticCurvePublicKey = field(repr=False)
    encryption: bytes | None = field(repr=False)
    index: int = 0
    """Of the signing key: 0 for the first of a product, higher for each that replaced another."""

    def __post_init__(self) -> None:
        if self.encryption is not None:
            object.__setattr__(self, "encryption", Secret(self.encryption))

    @classmethod
    def new(
        cls,
        path: str | os.PathLike[str],
        product: str | None = None,
        *,
        development: bool = False,
        passphrase: source.Source = None,
        verify: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Make the key folder *path*; *product* is the folder's own name when not given.  Never overwrites a file.

        *passphrase* closes signing.pem.  *verify*: PEM file of the public key, where the signing key is elsewhere, as
        in an HSM; then there is no signing.pem.  Inside a git work tree .gitignore keeps the secrets out.
        Raises KeyFolderError: a file is there already, the name is no product name, or the folder cannot be written."""
        passphrase = source.hidden(passphrase)
        place = Path(path)
        name = folder.check_product(Path(os.path.realpath(place)).name if product is None else product)
        secret = _closing(passphrase)
        if secret and verify is not None:
            raise KeyFolderError(
                "a passphrase is for signing.pem, and with a public key there is none: give one of both"
            )
        public = folder.read_public(Path(verify)) if verify is not None else None
        creation.fill(place, name, development=development, passphrase=secret, public=public)
        return cls.load(place, need_private=public is None, passphrase=secret)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        need_private: bool = False,
        public: bool = False,
        signer: Signer | str | None = None,
        passphrase: source.Source = None,
        encryption: bytes | None = None,
    ) -> Self:
        """Read the key folder *path*.  verify.pem may be absent where signing.pem is, and that unless *need_private*.

        *public*: verify.pem and product.toml alone, no secret is read, and updates are not decrypted.
        *signer* signs in place of signing.pem, which is not read then: a Signer, "pkcs11:..." or a command line.
        *passphrase* of signing.pem: itself, or a callable that is asked; without either SPBOOT_PASSPHRASE of the
        environment.  It is wanted with *need_private* only.
        *encryption*: the AES key, where encryption.key is not in the folder; else SPBOOT_ENCRYPTION_KEY, in hex.
        Raises KeyFolderError: which file, what was found, what was expected; and when git tracks a secret file, unless
        these are development keys.  SignerError: *signer* is no line that names one.

        >>> Keys.load("keys", public=True).encryption is None
        True
        """
        passphrase = source.hidden(passphrase)
        encryption = Secret(encryption) if encryption is not None else None
        place = Path(path)
        folder.check(place)
        product, development, index = folder.read_product(place / PRODUCT)
        if not public and not development:
            folder.check_untracked(place)
        signing = None if public and signer is None else _signing(place, signer, need_private, passphrase)
        return cls(
            product=product,
            development=development,
            signing=signing,
            verify=_verify(place, signing),
            encryption=None if public else _encryption(place / ENCRYPTION, encryption),
            index=index,
        )

    def successor(
        self,
        path: str | os.PathLike[str],
        *,
        passphrase: source.Source = None,
        verify: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Make the key folder *path* with a new signing key that is to replace this one in devices (`rotation`): the
        same product, the same encryption key, which devices keep.

        *passphrase*, *verify* and what is raised: as in `new`, and KeyFolderError without an encryption key.

        >>> keys.successor("lamp-keys-2").index == keys.index + 1
        True
        """
        passphrase = source.hidden(passphrase)
        secret = _closing(passphrase)
        public = folder.read_public(Path(verify)) if verify is not None else None
        creation.fill(
            Path(path), self.product, development=self.development, passphrase=secret, public=public,
            encryption=self.cipher_key, index=self.index + 1,
        )  # fmt: skip
        return type(self).load(path, need_private=public is None, passphrase=secret)

    @property
    def fingerprint(self) -> str:
        """The name of the signing key: 16 hex digits (keys/fingerprint.py)."""
        return fingerprint(self.verify)

    @property
    def cipher_key(self) -> bytes:
        """*encryption*.  Raises KeyFolderError without one."""
        if self.encryption is None:
            raise KeyFolderError(
                f"{ENCRYPTION} was not read: load the whole key folder to encrypt, to decode or to build a bootloader"
            )
        return self.encryption

    def sign(self, digest: bytes) -> bytes:
        """r || w (formats/signature.py) over a SHA-256 *digest*, by whoever signs, checked with verify.pem.

        signing.pem gives the same bytes for the same digest (RFC 6979).  Raises KeyFolderError without a signing key,
        SignerError."""
        if self.signing is None:
            raise KeyFolderError(
                f"{SIGNING} is not in the key folder: only its owner can sign updates; where an HSM has the key, "
                "name it with --signer"
            )
        return checked(self.signing.sign(digest), digest, self.verify)

    def check(self, digest: bytes, signature: bytes) -> None:
        """Raise AuthenticationError unless *signature* (r || w) is ours over the SHA-256 *digest*."""
        if not self.signed(digest, signature):
            raise AuthenticationError(
                "the signature is wrong: the file was damaged or changed, or signed with the key of another product; "
                f"expected key {self.fingerprint}"
            )

    def signed(self, digest: bytes, signature: bytes) -> bool:
        """Whether *signature* (r || w) is ours over the SHA-256 *digest*."""
        try:
            self.verify.verify(wire.to_der(signature), digest, ec.ECDSA(PREHASHED))
        except (InvalidSignature, FormatError):
            return False
        return True

    def check_release(self) -> None:
        """Raise KeyFolderError for development keys: what they sign is no release."""
        if self.development:
            raise KeyFolderError(
                f"the keys of product {self.product} (key {self.fingerprint}) are development keys, expected keys of a "
                "product for a release: make some with `spboot keys new DIR`, without --development, and build the "
                "bootloader with them"
            )


def _closing(passphrase: source.Source) -> Secret | None:
    """The passphrase of a new key; the environment is not asked where nobody wants one."""
    secret = source.obtained(passphrase, source.PASSPHRASE) if passphrase is not None else None
    if secret is not None and not secret:
        raise KeyFolderError("the passphrase is empty, expected at least one character: no key was made")
    return secret


def _signing(place: Path, signer: Signer | str | None, need_private: bool, passphrase: source.Source) -> Signer | None:
    if signer is not None:
        return signers.named_by(signer) if isinstance(signer, str) else signer
    path = place / SIGNING
    if not need_private and not path.exists():
        return None
    pem = folder.read(path, private=True)
    if folder.is_locked(pem) and not need_private:
        return LockedKey(path)
    return FolderKey(folder.open_signing(path, pem, passphrase))


def _verify(place: Path, signing: Signer | None) -> ec.EllipticCurvePublicKey:
    path, own = place / VERIFY, signing.key.public_key() if isinstance(signing, FolderKey) else None
    if own is not None and not path.exists():
        return own
    found = folder.read_public(path)
    if own is not None and own.public_numbers() != found.public_numbers():
        raise KeyFolderError(f"{path} is not the public half of {SIGNING}: one of them is another key's")
    return found


def _encryption(path: Path, given: bytes | None) -> bytes:
    """The AES key of the folder, or the one from elsewhere; two that differ are a mistake."""
    if given is None and os.environ.get(source.ENCRYPTION_KEY):
        text = Secret(os.fsencode(os.environ[source.ENCRYPTION_KEY]))
        given = folder.parse_encryption(text, source.ENCRYPTION_KEY)
    if given is None:
        return folder.read_encryption(path)
    if len(given) != folder.KEY_SIZE:
        raise KeyFolderError(f"the encryption key has {len(given)} bytes, expected {folder.KEY_SIZE}")
    if path.exists() and folder.read_encryption(path) != given:
        raise KeyFolderError(
            f"{path} is another key than the one that was given beside it: expected the same, or none in the folder"
        )
    return Secret(given)
