"""What a file is, for the sentence about one that is in the wrong place."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from spboot.builder.personal import target_of
from spboot.cli import files
from spboot.errors import FormatError
from spboot.formats.content import A_HEX, AN_ELF, kind_of
from spboot.formats.delta_file import is_delta_file
from spboot.formats.spec import spec

UPDATE: Final = "an update file (.sfb, .sfbp, .sfbk)"
DELTA: Final = "a delta file"
_UPDATE_MAGIC: Final = int(spec()["manifest"]["magic"]).to_bytes(2, "little")
_STATE_MAGIC: Final = b"SPTW1\n"
_MAKERS: Final = {
    UPDATE: "`spboot image` and `spboot patch` make one",
    DELTA: "`spboot delta encode` makes one",
}


def kind(data: bytes) -> str | None:
    """What *data* is; None when it begins like nothing we know."""
    if not data:
        return "an empty file"
    if is_delta_file(data):
        return DELTA
    if data[:2] == _UPDATE_MAGIC and data[:6] != _STATE_MAGIC:
        return UPDATE
    if data[:6] == _STATE_MAGIC:
        return "the flash of a twin"
    if kind_of(data) in (AN_ELF, A_HEX):
        return kind_of(data)
    if data[:10] == b"-----BEGIN":
        return "a key"
    if target_of(data) is not None:
        return "a bootloader"
    return None


def read(path: Path, *wanted: str) -> bytes:
    """The bytes of *path*, which is one of *wanted*, or begins like nothing we know: then its reader says more.

    Raises FormatError for another kind, DiskError when it cannot be read."""
    data = files.read(path)
    found = kind(data)
    if found is not None and found not in wanted:
        raise FormatError(
            f"{path} is {found}, expected {' or '.join(wanted)}: {'; '.join(_MAKERS[each] for each in wanted)}"
        )
    return data
