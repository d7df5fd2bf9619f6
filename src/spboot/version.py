"""Versions of images: 8.16.8 bits, so that a larger version is a larger number."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.version import InvalidVersion
from packaging.version import Version as _Parsed

from spboot.errors import VersionError

_LIMITS = {"major": 0xFF, "minor": 0xFFFF, "patch": 0xFF}
_INSTEAD = {"major": "", "minor": ": raise major instead", "patch": ": raise minor instead"}


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """major 0 .. 255, minor 0 .. 65535, patch 0 .. 255.  Packed, 0 stands for "no base" only.

    Raises VersionError on a part out of range.

    >>> Version.parse("1.2.3") < Version.parse("v1.10")
    True
    """

    major: int
    minor: int
    patch: int

    def __post_init__(self) -> None:
        for part, limit in _LIMITS.items():
            value = getattr(self, part)
            if not 0 <= value <= limit:
                raise VersionError(f"version {self}: {part} is {value}, expected 0 .. {limit}{_INSTEAD[part]}")

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read "1.2.3" or "v1.2.3"; missing parts are 0.  Raises VersionError, also on "1.2.3rc1"."""
        try:
            parsed = _Parsed(text)
        except InvalidVersion:
            raise VersionError(f"version is {text!r}, expected three numbers as 1.2.3") from None
        if len(parsed.release) > 3:
            raise VersionError(
                f"version is {text!r}, expected at most three numbers, as 1.2.3: a device compares no more"
            )
        if str(parsed) != ".".join(map(str, parsed.release)):
            plain = ".".join(map(str, parsed.release))
            raise VersionError(
                f"version is {text!r}, expected nothing but three numbers: a device knows no pre-releases; "
                f"use {plain}, and a higher number for each build that devices shall take after it"
            )
        major, minor, patch = (*parsed.release, 0, 0)[:3]
        return cls(major, minor, patch)

    @classmethod
    def unpack(cls, packed: int) -> Version:
        """From 8.16.8 bits.  Raises VersionError when *packed* is not an unsigned 32-bit number."""
        if not 0 <= packed <= 0xFFFFFFFF:
            raise VersionError(f"packed version is {packed}, expected 0 .. 0xffffffff")
        return cls(packed >> 24, packed >> 8 & 0xFFFF, packed & 0xFF)

    def pack(self) -> int:
        """8.16.8 bits."""
        return self.major << 24 | self.minor << 8 | self.patch

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"
