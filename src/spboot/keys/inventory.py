"""What is in a key folder, without its secrets: for `spboot keys show`."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from spboot.errors import KeyFolderError
from spboot.keys import folder, tracked
from spboot.keys.fingerprint import fingerprint
from spboot.keys.folder import ENCRYPTION, FILES, PRIVATE, PRODUCT, SIGNING, VERIFY

Facts = dict[str, str | bool | None]
"""Name -> what there is; None: not known, as a file is missing."""

_ABSENT = {
    SIGNING: "missing: updates are checked, and signed by --signer alone",
    VERIFY: f"missing: {SIGNING} is needed for every check",
    ENCRYPTION: "missing: signatures are checked, and the rest needs --encryption-key",
    PRODUCT: "missing: nothing can be done without it",
}


def facts(path: Path) -> Facts:
    """product, development, fingerprint, then each file by its name.  Reads no encryption key and asks for nothing.

    Raises KeyFolderError: *path* is no key folder, or verify.pem or product.toml is not what it should be; of a
    signing.pem that is not, the fingerprint is not known."""
    folder.check(path)
    there = [name for name in FILES if (path / name).exists()]
    product, development, index = folder.read_product(path / PRODUCT) if PRODUCT in there else (None, None, None)
    in_git = {found.name for found in tracked.tracked(path / name for name in PRIVATE if name in there)}
    signing = folder.read(path / SIGNING, private=True) if SIGNING in there else None
    public = folder.read_public(path / VERIFY) if VERIFY in there else _public_half(path / SIGNING, signing)
    named = fingerprint(public) if public else None
    found: Facts = {"product": product, "development": development, "fingerprint": named}
    if index:
        found["index"] = f"{index}: it replaced another key"
    for name in FILES:
        text = "there" if name in there else _ABSENT[name]
        if name == SIGNING and signing is not None:
            text += ", with a passphrase" if folder.is_locked(signing) else ", in the clear"
        if name in in_git:
            text += "; tracked by git" + (", as development keys may be" if development else ": it is refused")
        found[name] = text
    return found


def _public_half(path: Path, pem: bytes | None) -> ec.EllipticCurvePublicKey | None:
    """Of the signing key that *path* holds as *pem*; None where nobody can tell without asking."""
    if pem is None or folder.is_locked(pem):
        return None
    try:
        return folder.open_signing(path, pem, None).public_key()
    except KeyFolderError:
        return None
