"""Updates that bring a new key to devices: a table signed by the key that it replaces (.sfbk).

The container is that of every update; its payload is the comb table of the new key, in the clear."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric import ec

from spboot.boards import Board
from spboot.errors import BoardError, FormatError, KeyFolderError
from spboot.formats import payload
from spboot.formats.comb import comb_table, point_of
from spboot.formats.header import Header
from spboot.formats.manifest import BASE_HASH_SIZE, KIND_KEYS, Manifest, name_id
from spboot.formats.signature import SIGNATURE_SIZE
from spboot.keys import Keys
from spboot.keys.fingerprint import fingerprint
from spboot.release import Artefact, Unsigned

SUFFIX: Final = ".sfbk"
"""Of such files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """An update that brings a new key, taken apart.

    >>> Rotation.parse(rotation(old_keys, new_keys, board)).fingerprint == new_keys.fingerprint
    True
    """

    artefact: Artefact
    key: ec.EllipticCurvePublicKey

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Take a file apart.  Raises FormatError: it brings no key.  Who signed it is not looked at."""
        artefact = Artefact.parse(data)
        if artefact.header.manifest.kind != KIND_KEYS:
            raise FormatError("this update brings an image, expected one that brings a key: spboot keys rotate")
        x, y = point_of(artefact.wire)
        return cls(artefact=artefact, key=ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key())

    @property
    def fingerprint(self) -> str:
        """Of the key that it brings."""
        return fingerprint(self.key)

    @property
    def index(self) -> int:
        """Of that key: higher than that of the key which signed it."""
        return self.artefact.header.manifest.version


def rotation(old: Keys, new: Keys, board: Board) -> bytes:
    """The .sfbk file that makes devices of *board* trust the key of *new* and no longer that of *old*, which signs it.

    Raises BoardError: devices of this board have no room for a key; KeyFolderError: *new* does not come after *old*, or
    cannot be signed; SignerError.

    >>> new_keys = old_keys.successor("lamp-keys-2")
    >>> Path("lamp-2.sfbk").write_bytes(rotation(old_keys, new_keys, board))
    652
    """
    return unsigned_rotation(old, new, board).signed(old)


def unsigned_rotation(old: Keys, new: Keys, board: Board) -> Unsigned:
    """`rotation` without its last step.  Raises as it does, but for what is said of signing."""
    check_board(board)
    _check_order(old, new)
    point = new.verify.public_numbers()
    wire, first = payload.build(comb_table(point.x, point.y))
    manifest = Manifest(
        kind=KIND_KEYS,
        product=name_id(old.product),
        target=name_id(board.name),
        version=new.index,
        image_size=len(wire),
        payload_size=len(wire),
        base_version=0,
        base_hash=bytes(BASE_HASH_SIZE),
        salt=bytes(4),
        image_hash=hashlib.sha256(wire).digest(),
    )
    header = Header(manifest=manifest, chunk_hash=first, signature=bytes(SIGNATURE_SIZE))
    return Unsigned(artefact=Artefact(header=header, wire=wire))


def check_board(board: Board) -> None:
    """Raise BoardError unless devices of *board* can take a new key."""
    if board.keys is None:
        raise BoardError(
            f"{board.name} has no area for keys: its devices trust one key for ever; for devices to come give the "
            "board file flash.keys, and build their bootloader with it (docs/keys.md)"
        )


def _check_order(old: Keys, new: Keys) -> None:
    if new.product != old.product:
        raise KeyFolderError(f"the new keys are of product {new.product!r}, expected {old.product!r}: give its keys")
    if new.fingerprint == old.fingerprint:
        raise KeyFolderError(f"both folders have the key {old.fingerprint}: make a new one with `spboot keys rotate`")
    if new.index <= old.index:
        raise KeyFolderError(
            f"the new key has index {new.index}, the old one {old.index}: devices take a higher one only; is this the "
            "older folder?"
        )
    if None not in (new.encryption, old.encryption) and new.encryption != old.encryption:
        raise KeyFolderError(
            "the new folder has another encryption key, expected the same: devices keep the one that they have, and "
            "could not read what is encrypted with another"
        )
