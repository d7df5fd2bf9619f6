"""What spec/update-files.json says, and its keys as `spboot` has them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric import ec

from spboot.boards import Board
from spboot.image import Image
from spboot.keys import Keys
from spboot.keys.signer import FolderKey
from spboot.version import Version
from tests.formats.make_vectors import NEW, OLD, PATH

DOCUMENT: Final[dict[str, Any]] = json.loads(PATH.read_text(encoding="utf-8"))


def keys(index: int = 0) -> Keys:
    """Those that the files are made with, or the next ones."""
    row = DOCUMENT["keys"][index]
    private = ec.derive_private_key(int(row["private"], 16), ec.SECP256R1())
    return Keys(
        product=row["product"],
        development=True,
        signing=FolderKey(private),
        verify=private.public_key(),
        encryption=bytes.fromhex(row["encryption"]),
        index=index,
    )


def application(board: str, version: str) -> Image:
    """The one for *board*."""
    (row,) = [each for each in DOCUMENT["applications"] if (each["board"], each["version"]) == (board, version)]
    return Image(
        data=bytes.fromhex(row["image"]),
        board=Board.load(board),
        version=Version.parse(version),
        rest=bytes.fromhex(row.get("external", "")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """A file."""

    name: str
    board: str
    data: bytes
    header: bytes
    stream: bytes | None
    patch: bool
    trial: bool

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        return cls(
            name=row["name"],
            board=row["board"],
            data=bytes.fromhex(row["file"]),
            header=bytes.fromhex(row["header"]),
            stream=bytes.fromhex(row["stream"]) if "stream" in row else None,
            patch=row.get("patch", False),
            trial=row.get("trial", False),
        )

    @property
    def old(self) -> Image:
        return application(self.board, OLD)

    @property
    def new(self) -> Image:
        return application(self.board, NEW)


FILES: Final = [Vector.of(row) for row in DOCUMENT["files"]]
UPDATES: Final = [each for each in FILES if each.stream is not None]
(KEY,) = (each for each in FILES if each.stream is None)
(GOOD,) = (each for each in FILES if each.name == DOCUMENT["refused"]["of"])


def _changed(row: dict[str, Any]) -> bytes:
    data = bytearray(GOOD.data)
    for at, text in row["changes"].items():
        new = bytes.fromhex(text)
        data[int(at) : int(at) + len(new)] = new
    return bytes(data)


REFUSED: Final = {row["reason"]: _changed(row) for row in DOCUMENT["refused"]["files"]}
"""Reason -> file."""
