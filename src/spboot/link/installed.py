"""Which version a device has, by what it says: at a start the bootloader, any time an application that tells it.

`SLOT0 holds 1.2.3, ... bytes` and `starting 1.2.3` are the bootloader's.  docs/programming.md asks applications to say
`installed as 1.2.3`.  The last one counts.  A start of which nothing else is heard leaves it unknown, as does one
without a valid image."""

from __future__ import annotations

import re
from typing import Final

from spboot.errors import VersionError
from spboot.version import Version

SAID: Final = re.compile(
    rb"(?:SLOT0 holds|\] starting|installed as) (\d+\.\d+\.\d+)(?=[^\d.]|\.\D)"
    rb"|no valid firmware in SLOT0|spboot \S+ for |version \S+ is not whole"
)
_START: Final = re.compile(rb"\] starting (\d+\.\d+\.\d+)\r")


def installed(said: bytes | bytearray) -> Version | None:
    """The version that a device has which *said* this.

    >>> installed(b"[0.012] SLOT0 holds 1.2.3, 4096 bytes\\r\\n")
    Version(major=1, minor=2, patch=3)
    """
    found = list(SAID.finditer(said))
    return _parsed(found[-1][1]) if found else None


def started(said: bytes | bytearray) -> Version | None:
    """The version that the bootloader started last; None when it started none."""
    found = _START.findall(said)
    return _parsed(found[-1]) if found else None


def _parsed(text: bytes | None) -> Version | None:
    """None as well for numbers that only noise on the line makes."""
    try:
        return Version.parse(text.decode()) if text else None
    except VersionError:
        return None
