"""Which of some updates a device gets: one rule, for a stick in it as for the server of a fleet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from spboot.base import Base
from spboot.image import Image
from spboot.version import Version

Refusals = Iterator[tuple[str, bool]]
"""Names of [status], and whether they are the answer; the first one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What a device runs.  *hash*: what patches name it by, or the whole SHA-256 that this begins; None: not known,
    and every patch from *version* fits.  *whole*: False where the image is broken: then the same version may come
    again, and no patch."""

    version: Version
    hash: bytes | None = None
    whole: bool = True

    @classmethod
    def of(cls, image: Image, *, whole: bool = True) -> Self:
        """*image*, by its version and its bytes."""
        return cls(version=image.version, hash=Base.of(image).hash, whole=whole)

    def is_base(self, version: Version, hash: bytes) -> bool:
        """Whether a patch starts from it that names *version* and *hash*, as far as both are known."""
        known = hash if self.hash is None else self.hash
        size = min(len(known), len(hash))
        return version == self.version and known[:size] == hash[:size]


def follows(
    installed: Installed, version: Version, base: tuple[Version, bytes] | None, *, single_slot: bool = False
) -> Refusals:
    """Why a device with *installed* takes no update to *version*; *base*: the version and the hash that a patch starts
    from.  As version_fits() and base_fits() of firmware/core/engine.c."""
    yield "IMAGE_VERSION_FAILURE", version < installed.version
    yield "SAME_VERSION", version == installed.version and installed.whole
    yield "SINGLE_SLOT", base is not None and single_slot
    yield "SECTION_NOT_AVAILABLE", base is not None and not installed.whole
    yield "INVALID_SOURCE_IMAGE", base is not None and not installed.is_base(*base)


class Candidate(Protocol):
    """What the choice looks at."""

    @property
    def version(self) -> Version | None: ...

    @property
    def size(self) -> int: ...


Some = TypeVar("Some", bound=Candidate)


def best(fit: Iterable[Some]) -> Some | None:
    """Of updates that *fit* a device the one that it gets: of the highest version, and of those the smallest; None:
    none fits."""
    return max(fit, key=lambda each: (each.version or Version(0, 0, 0), -each.size), default=None)
