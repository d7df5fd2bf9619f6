"""The version that an update brings, and the one that a device says it starts."""

from __future__ import annotations

import re
from typing import Final

from spboot.errors import FormatError
from spboot.formats.manifest import KIND_KEYS, Manifest
from spboot.version import Version

_BOOT: Final = re.compile(rb"spboot \S+ for |\] starting (\S+)\r")
"""The banner of a start, and what the bootloader starts at its end."""


def version_in(update: bytes) -> str | None:
    """What *update* calls itself; None when it brings no image, or is no update, which is the device's to refuse."""
    try:
        manifest = Manifest.parse(update)
    except FormatError:
        return None
    return None if manifest.kind == KIND_KEYS else str(Version.unpack(manifest.version))


def version_told(text: bytes | bytearray) -> str | None:
    """What was started at the last of the starts that *text* tells of."""
    version = None
    for start in _BOOT.finditer(text):
        version = start[1]
    return version.decode(errors="replace") if version is not None else None
