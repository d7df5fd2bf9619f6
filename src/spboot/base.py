"""What a patch starts from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

from spboot.delta.pair import REST_BASE
from spboot.errors import AuthenticationError
from spboot.formats.manifest import Extension, Manifest, base_hash
from spboot.image import Image
from spboot.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What a patch starts from: an image in the field.

    *address*: where both images are linked, a multiple of 256; 0 when that is not known, which makes a larger patch.
    *rest*: what is in external flash, at *rest_address*; None on a board whose slots have one part."""

    image: bytes
    version: Version
    address: int = 0
    rest: bytes | None = None
    rest_address: int = REST_BASE

    @property
    def hash(self) -> bytes:
        """What a patch names it by."""
        external = None if self.rest is None else Extension.of(self.rest)
        return base_hash(hashlib.sha256(self.image).digest(), external)

    @classmethod
    def of(cls, old: Image) -> Self:
        """*old*, with its part in external flash where its board has one."""
        place = old.board.slot0.rest
        if place is None:
            return cls(image=old.data, version=old.version, address=old.address)
        return cls(image=old.data, version=old.version, address=old.address, rest=old.rest, rest_address=place.address)

    @property
    def data(self) -> bytes:
        """All of it, as a patch counts its bytes."""
        return self.image + (self.rest or b"")

    def check(self, manifest: Manifest) -> None:
        """Raise AuthenticationError unless the patch with this *manifest* starts from it."""
        if self.hash != manifest.base_hash:
            raise AuthenticationError(
                f"the patch starts from another image: found hash {self.hash.hex()}, expected "
                f"{manifest.base_hash.hex()} (version {Version.unpack(manifest.base_version)})"
            )
