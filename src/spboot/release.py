"""Makes and checks the artefacts of a release: full images (.sfb) and patches (.sfbp).

File: manifest, signature, payload.  Formats: spec/spboot.toml.  The same inputs give the same bytes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from spboot import delta, fitting, startable, trial
from spboot.base import Base
from spboot.boards import Board
from spboot.delta import Progress
from spboot.delta.pair import REST_BASE
from spboot.errors import AuthenticationError, BoardError, FormatError, VersionError
from spboot.formats import payload
from spboot.formats.comb import point_of
from spboot.formats.header import Header
from spboot.formats.manifest import (
    BASE_HASH_SIZE,
    IMAGE_MIN,
    KIND_IMAGE,
    KIND_KEYS,
    KIND_PATCH,
    Extension,
    Manifest,
    name_id,
)
from spboot.formats.signature import SIGNATURE_SIZE
from spboot.formats.spec import spec
from spboot.image import Image
from spboot.keys import Keys
from spboot.version import Version

_NONCE_SIZE: Final[int] = spec()["cipher"]["nonce_size"]
_SALT_SIZE: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """An update file taken apart; nothing is checked yet but the manifest's own rules and the length."""

    header: Header
    wire: bytes

    @classmethod
    def parse(cls, data: bytes) -> Artefact:
        """Take an .sfb or .sfbp file apart.  Raises FormatError, also when bytes are missing or too many."""
        manifest = Manifest.parse(data)
        start = manifest.size + SIGNATURE_SIZE
        if len(data) - start != manifest.payload_size:
            raise FormatError(
                f"the file has {len(data)} bytes, expected {start + manifest.payload_size}: get the whole file again"
            )
        wire = data[start:]
        signature = data[manifest.size : start]
        return cls(
            header=Header(manifest=manifest, chunk_hash=payload.first_hash(wire), signature=signature), wire=wire
        )

    def pack(self) -> bytes:
        """The file."""
        return self.header.manifest.pack() + self.header.signature + self.wire

    @property
    def digest(self) -> bytes:
        """SHA-256 of what the signature covers: what a signer signs."""
        return hashlib.sha256(self.header.signed()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """An update that lacks nothing but its signature: the work file between the two steps of signing.

    It has no secret: manifest and encrypted payload are those of the finished file.  Where the signature goes are
    zeros, which no device takes.

    >>> unsigned = unsigned_image(new, keys=keys)
    >>> unsigned.signed(keys) == full_image(new, keys=keys)
    True
    """

    artefact: Artefact

    @classmethod
    def parse(cls, data: bytes) -> Unsigned:
        """Read a work file.  Raises FormatError, also when it is signed already."""
        artefact = Artefact.parse(data)
        if any(artefact.header.signature):
            raise FormatError("this update has a signature already, expected the work file that --digest-out left")
        return cls(artefact=artefact)

    def pack(self) -> bytes:
        """The work file."""
        return self.artefact.pack()

    @property
    def digest(self) -> bytes:
        """The 32 bytes that are to be signed."""
        return self.artefact.digest

    def check(self, keys: Keys) -> None:
        """Raise AuthenticationError unless the payload is that which the signature will cover, for the product of
        *keys*."""
        _check_content(self.artefact, keys)

    def signed(self, keys: Keys) -> bytes:
        """The finished file, signed by whoever signs for *keys*; no encryption key is needed.

        Raises SignerError: it is not signed by *keys* or not over this digest; AuthenticationError: the payload is not
        that which the signature covers, or the update is for another product."""
        self.check(keys)
        header = replace(self.artefact.header, signature=keys.sign(self.digest))
        return replace(self.artefact, header=header).pack()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What verify() proved.  *stream*: decrypted patch stream.  *image*: NEW, None for a patch checked without OLD.
    Both are None when there was no encryption key.  *rest*: what of NEW is for external flash.

    >>> report = verify(full_image(new, keys=keys), keys)
    >>> report.artefact.header.manifest.image_size == len(new.data)
    True
    """

    artefact: Artefact
    chunk_count: int
    stream: bytes | None
    image: bytes | None
    rest: bytes = b""


def full_image(image: Image, *, keys: Keys, progress: Progress | None = None) -> bytes:
    """The .sfb file of *image*, signed and encrypted: any device of its board takes it that runs an older version.

    Raises FormatError (size, cannot start), VersionError (0.0.0), KeyFolderError (cannot sign).

    >>> update = full_image(new, keys=keys)
    >>> Path("lamp-1.1.0.sfb").write_bytes(update) == len(update)
    True
    """
    return unsigned_image(image, keys=keys, progress=progress).signed(keys)


def unsigned_image(image: Image, *, keys: Keys, progress: Progress | None = None) -> Unsigned:
    """`full_image` without its last step.  Raises as it does, but for what is said of signing."""
    startable.check(image.data, image.board)
    return _to(image, None, keys, progress)


def patch(old: Image, new: Image, *, keys: Keys, progress: Progress | None = None) -> bytes:
    """The .sfbp file of the way from *old* to *new*, signed and encrypted: devices that run *old* take it.

    Raises as full_image, and BoardError: the board has a single slot, or the images are for two boards; VersionError:
    *new* is not above *old*; FormatError: both are one image.

    >>> len(patch(old, new, keys=keys)) < len(full_image(new, keys=keys))
    True
    """
    return unsigned_patch(old, new, keys=keys, progress=progress).signed(keys)


def check_pair(old: Image, new: Image) -> None:
    """Refuse *old* and *new* when no patch leads from one to the other.  Raises as `patch` does of its images."""
    board = new.board
    if old.board != board:
        raise BoardError(f"the old image is for {old.board.name}, the new one for {board.name}: expected one board")
    if board.slot1 is None:
        raise BoardError(f"{board.name} has a single slot, which takes no patches: make a full image (spboot image)")
    startable.check(old.data, board, "the old image")
    startable.check(new.data, board, "the new image")
    if new.version <= old.version:
        raise VersionError(f"version {new.version} is not above {old.version}, which the patch starts from: raise it")
    if not old.version.pack():
        raise VersionError(f"the patch starts from version {old.version}, which means no version: give the real one")
    if (new.data, new.rest) == (old.data, old.rest):
        raise FormatError("the new image is the old one, byte for byte: there is nothing to patch")


def unsigned_patch(old: Image, new: Image, *, keys: Keys, progress: Progress | None = None) -> Unsigned:
    """`patch` without its last step.  Raises as it does, but for what is said of signing."""
    check_pair(old, new)
    _check_size("old", old.data, new.board.image_capacity)
    return _to(new, Base.of(old), keys, progress)


def _to(image: Image, old: Base | None, keys: Keys, progress: Progress | None) -> Unsigned:
    """The way from *old*, or from nothing, to *image*, on trial where *image* ends one."""
    image.check_rest()
    return _unsigned(
        image.data,
        old,
        target=image.board.name,
        capacity=image.board.image_capacity,
        keys=keys,
        version=image.version,
        progress=progress,
        on_trial=trial.wanted(image.data, image.board),
        rest=image.rest if image.board.slot0.rest else None,
    )


def _check_size(which: str, image: bytes, capacity: int) -> None:
    if len(image) < IMAGE_MIN:
        raise FormatError(f"the {which} image has {len(image)} bytes, a vector table needs at least {IMAGE_MIN}")
    if len(image) > capacity:
        raise FormatError(
            f"the {which} image has {len(image)} bytes, the slot takes {capacity}: {len(image) - capacity} too many"
        )


def _unsigned(
    new: bytes,
    old: Base | None,
    *,
    target: str,
    capacity: int,
    keys: Keys,
    version: Version,
    progress: Progress | None,
    on_trial: bool = False,
    rest: bytes | None = None,
) -> Unsigned:
    """Of whatever *new* is.  Tests make images with it that cannot start."""
    _check_size("new", new, capacity)
    if not version.pack():
        raise VersionError(f"version is {version}, which means no version: use 0.0.1 or higher")
    stream = delta.encode(
        old.image if old else b"",
        new,
        progress,
        old.address if old else 0,
        old_rest=(old.rest or b"") if old else b"",
        new_rest=rest or b"",
        rest_base=old.rest_address if old else REST_BASE,
    )
    manifest = Manifest(
        kind=KIND_PATCH if old else KIND_IMAGE,
        product=name_id(keys.product),
        target=name_id(target),
        version=version.pack(),
        image_size=len(new),
        payload_size=payload.wire_size(len(stream)),
        base_version=old.version.pack() if old else 0,
        base_hash=old.hash if old else bytes(BASE_HASH_SIZE),
        salt=_salt(keys.cipher_key, stream),
        image_hash=hashlib.sha256(new).digest(),
        trial=on_trial,
        external=None if rest is None else Extension.of(rest),
    )
    wire, first = payload.build(_cipher(keys.cipher_key, manifest, stream))
    header = Header(manifest=manifest, chunk_hash=first, signature=bytes(SIGNATURE_SIZE))
    made = Unsigned(artefact=Artefact(header=header, wire=wire))
    found = _decoded(Artefact.parse(made.pack()), keys, old)
    if (found.image, found.rest) != (new, rest or b""):
        raise AssertionError("release: the artefact does not decode to the new image")
    return made


def _salt(key: bytes, stream: bytes) -> bytes:
    """Makes the nonce of every artefact its own, and tells nothing about *stream* without *key*."""
    salt_key = hashlib.sha256(b"spboot salt" + key).digest()
    return hmac.digest(salt_key, stream, "sha256")[:_SALT_SIZE]


def _cipher(key: bytes, manifest: Manifest, data: bytes) -> bytes:
    """AES-128-CTR under the manifest's nonce; its own inverse."""
    nonce = hashlib.sha256(manifest.pack()).digest()[:_NONCE_SIZE]
    encryptor = Cipher(AES(key), CTR(nonce.ljust(AES.block_size // 8, b"\0"))).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def verify(update: bytes, keys: Keys, *, old: Image | None = None, board: Board | None = None) -> Report:
    """Check *update* as a device would: signature, product, every chunk; then decode it and compare hashes.

    A patch is decoded only when *old*, which it starts from, is given.  *board*, that of *old* if that is given: the
    update is for it, and what is decoded can start there.  Without an encryption key (`Keys.load(..., public=True)`)
    nothing is decoded.  Raises AuthenticationError or FormatError.

    >>> verify(patch(old, new, keys=keys), keys, old=old).image == new.data
    True
    """
    artefact = Artefact.parse(update)
    keys.check(artefact.digest, artefact.header.signature)
    manifest = artefact.header.manifest
    board = old.board if old and not board else board
    if board is not None:
        fitting.check(manifest, board)
    report = _decoded(artefact, keys, Base.of(old) if old else None)
    if manifest.kind == KIND_PATCH and old is not None and old.version.pack() != manifest.base_version:
        raise AuthenticationError(
            f"the patch starts from version {Version.unpack(manifest.base_version)}, expected {old.version}"
        )
    if board is not None and report.image is not None:
        startable.check(report.image, board)
    return report


def signed_by(update: bytes, keys: Iterable[Keys]) -> Keys | None:
    """Those of *keys* whose key signed *update*; None: another one did, or it was changed.  Raises FormatError.

    >>> signed_by(full_image(new, keys=keys), [keys]).fingerprint == keys.fingerprint
    True
    """
    artefact = Artefact.parse(update)
    return next((each for each in keys if each.signed(artefact.digest, artefact.header.signature)), None)


def _check_content(artefact: Artefact, keys: Keys) -> list[bytes]:
    """The chunks of *artefact*, all of them those that its header vouches for, and for the product of *keys*."""
    product = artefact.header.manifest.product
    if product != name_id(keys.product):
        raise AuthenticationError(
            f"the update is for another product: id {product:#010x}, expected "
            f"{name_id(keys.product):#010x} ({keys.product})"
        )
    return list(payload.chunks(artefact.wire, artefact.header.chunk_hash))


def _decoded(artefact: Artefact, keys: Keys, old: Base | None) -> Report:
    """Everything but the signature."""
    manifest, chunks = artefact.header.manifest, _check_content(artefact, keys)
    if manifest.kind == KIND_KEYS:
        _check_table(manifest, chunks[0])
    if keys.encryption is None or manifest.kind == KIND_KEYS:
        return Report(artefact=artefact, chunk_count=len(chunks), stream=None, image=None)
    stream = _cipher(keys.encryption, manifest, b"".join(chunks))
    if _salt(keys.encryption, stream) != manifest.salt:
        raise AuthenticationError("the payload was encrypted with another key: check encryption.key")
    report = Report(artefact=artefact, chunk_count=len(chunks), stream=stream, image=None)
    if manifest.kind == KIND_IMAGE:
        return _decode(report, manifest, None, stream)
    if old is None:
        return report
    old.check(manifest)
    return _decode(report, manifest, old, stream)


def _check_table(manifest: Manifest, table: bytes) -> None:
    point_of(table)
    found = hashlib.sha256(table).digest()
    if found != manifest.image_hash:
        raise AuthenticationError(
            f"the key has hash {found.hex()}, expected {manifest.image_hash.hex()}: make the file again"
        )


def _decode(report: Report, manifest: Manifest, old: Base | None, stream: bytes) -> Report:
    """*report* with what *stream* makes of *old*, both parts of it if it has two."""
    size = manifest.image_size
    new = delta.decode(
        old.image if old else b"",
        stream,
        size,
        old_rest=(old.rest or b"") if old else b"",
        new_rest_size=manifest.external.size if manifest.external else 0,
        rest_base=old.rest_address if old else REST_BASE,
    )
    image, rest = new[:size], new[size:]
    found = hashlib.sha256(image).digest()
    if found != manifest.image_hash:
        raise AuthenticationError(
            f"the decoded image has hash {found.hex()}, expected {manifest.image_hash.hex()}: make the update again"
        )
    if manifest.external is not None and Extension.of(rest) != manifest.external:
        raise AuthenticationError("the decoded part for external flash has another hash: make the update again")
    return replace(report, image=image, rest=rest)


def header_for(data: bytes) -> bytes:
    """The installed header (156 bytes, 196 of slots of two parts) of the full image *data*, an .sfb file.

    Raises FormatError for a patch."""
    header = Artefact.parse(data).header
    if header.manifest.kind != KIND_IMAGE:
        raise FormatError("this is a patch, expected a full image (.sfb)")
    return header.pack()
