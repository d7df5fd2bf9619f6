"""Where the bytes of a patch go, what it costs a board, and what would make it smaller.

`explain` is for two applications, `explain_delta` for any two files."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from spboot import delta, release
from spboot.base import Base
from spboot.boards import Board
from spboot.delta import meter
from spboot.device.forecast import Forecast, changed_pages, forecast, line_seconds
from spboot.errors import AuthenticationError, FormatError, KeyFolderError
from spboot.explanation import hints, order, texts
from spboot.explanation.account import HEADER, OVERHEAD, Row, account
from spboot.explanation.hints import Hint, Progress
from spboot.explanation.pair import Pair
from spboot.explanation.places import FUNCTION, LITERAL, TABLE, Rest
from spboot.formats import payload
from spboot.formats.delta_file import HEAD_SIZE, DeltaHead, is_delta_file
from spboot.formats.manifest import EXTENSION_SIZE, KIND_PATCH, MANIFEST_SIZE, Extension
from spboot.formats.signature import SIGNATURE_SIZE
from spboot.image import Image
from spboot.keys import Keys

__all__ = ["Explanation", "Hint", "Progress", "Row", "explain", "explain_delta"]

_REFERENCE: Final = "reference"
GROUPS: Final = {
    FUNCTION: "functions",
    TABLE: "tables",
    LITERAL: "literals, bytes of no symbol",
    _REFERENCE: "references",
    HEADER: "header",
    OVERHEAD: "overhead",
}
"""What a byte of the file can be for, and its name; references of all places are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A patch explained.  *rows*: where its bytes go, the dearest first; their `bytes` add up to *file_size* exactly.

    *made*: there was no patch, so one was made.  *forecast*: what it does to the board's flash, *line_s*: seconds on
    its console; None of a delta file.  *hints*: what would make it smaller; None when nobody asked.

    >>> explanation = explain(old, new)
    >>> explanation.groups["header"], explanation.forecast.changed[0]
    (140.0, 0)
    """

    file_size: int
    stream_size: int
    old_size: int
    new_size: int
    made: bool
    rows: tuple[Row, ...]
    board: str | None
    forecast: Forecast | None
    line_s: float | None
    hints: tuple[Hint, ...] | None

    @property
    def groups(self) -> dict[str, float]:
        """Bytes of the file by what they are for, see GROUPS: what references cost is not in the other groups."""
        found = dict.fromkeys(GROUPS, 0.0)
        for row in self.rows:
            references = row.of(meter.REFERENCE)
            found[_REFERENCE] += references
            found[row.kind] += row.bytes - references
        return found

    def facts(self, rows: int | None = None) -> dict[str, Any]:
        """All of it for JSON; of *rows* no more than so many, with what is left as one."""
        shown, rest = self.top(rows)
        return {
            "file_size": self.file_size,
            "stream_size": self.stream_size,
            "old_size": self.old_size,
            "new_size": self.new_size,
            "made": self.made,
            "board": self.board,
            "groups": self.groups,
            "rows": [_row(row) for row in shown],
            "rest": {"rows": len(self.rows) - len(shown), "bytes": rest},
            "flash": self.forecast and {**dataclasses.asdict(self.forecast), "line_s": self.line_s},
            "hints": None if self.hints is None else [dataclasses.asdict(hint) for hint in self.hints],
        }

    def top(self, count: int | None) -> tuple[Sequence[Row], float]:
        """The *count* dearest rows, and the bytes of the others."""
        shown = self.rows if count is None else self.rows[:count]
        return shown, self.file_size - sum(row.bytes for row in shown)


def _row(row: Row) -> dict[str, Any]:
    costs = {kind: row.of(kind) for kind in row.parts if row.parts[kind]}
    return {
        "name": row.name,
        "kind": row.kind,
        "address": row.address,
        "size": row.size,
        "change": row.change,
        "bytes": row.bytes,
        "costs": costs,
    }


def explain(
    old: Image,
    new: Image,
    *,
    patch: bytes | None = None,
    keys: Keys | None = None,
    with_hints: bool = True,
    progress: Progress | None = None,
) -> Explanation:
    """Where the bytes of *patch*, an .sfbp file from *old* to *new*, go; without it, of the one that would be made.

    *keys* decrypt the patch and check it.  A hint takes the time of a patch each.  Raises AuthenticationError: the
    patch is for other images, or *keys* do not fit; KeyFolderError: a patch without *keys*; and as `release.patch` does
    of images that no patch is made of.

    >>> update = patch(old, new, keys=keys)
    >>> sum(row.bytes for row in explain(old, new, patch=update, keys=keys).rows) == len(update)
    True
    """
    board = new.board
    pair = Pair(
        old=Base.of(old).data,
        new=Base.of(new).data,
        address=new.address,
        old_elf=_elf(old),
        new_elf=_elf(new),
        step=board.page_size,
        old_rest=_rest(old),
        new_rest=_rest(new),
    )
    stream = None if patch is None else _stream_of(patch, old, new, keys)
    release.check_pair(old, new)
    if stream is None:
        before, after, old_rest, new_rest = pair.parts
        stream = delta.encode(before, after, None, new.address, old_rest=old_rest, new_rest=new_rest)
    return _explanation(
        pair,
        stream,
        made=patch is None,
        board=board,
        cost=forecast(board, old.data, new.data, rests=(old.rest, new.rest)),
        line_s=line_seconds(board, _manifest_size(board) + SIGNATURE_SIZE + payload.wire_size(len(stream))),
        with_hints=with_hints and board.slot0.rest is None,
        progress=progress,
    )


def explain_delta(
    old: bytes, new: bytes, packed: bytes, *, with_hints: bool = True, progress: Progress | None = None
) -> Explanation:
    """The same for the delta file *packed*.  Raises FormatError: it is damaged, or of other files.

    >>> explanation = explain_delta(before, after, delta.encode_file(before, after))
    """
    made = delta.apply_file(old, packed)
    if made != new:
        raise FormatError("the delta file makes another file than the one that was named: give the one it was made for")
    stream = packed[HEAD_SIZE:]
    assert DeltaHead.parse(packed).new_size == len(new)
    pair = Pair(old=old, new=new, address=meter.base_of(stream) if old else 0)
    return _explanation(
        pair, stream, made=False, board=None, cost=None, line_s=None, with_hints=with_hints, progress=progress
    )


def _explanation(
    pair: Pair,
    stream: bytes,
    *,
    made: bool,
    board: Board | None,
    cost: Forecast | None,
    line_s: float | None,
    with_hints: bool,
    progress: Progress | None,
) -> Explanation:
    before, after, old_rest, new_rest = pair.parts
    rows = account(
        meter.trace(before, stream, len(after), old_rest=old_rest, new_rest_len=len(new_rest)),
        stream_size=len(stream),
        old=pair.old_places,
        new=pair.new_places,
        manifest=_manifest_size(board) if board else 0,
    )

    def size_of(stream_size: int) -> int:
        if board is None:
            return HEAD_SIZE + stream_size
        return _manifest_size(board) + SIGNATURE_SIZE + payload.wire_size(stream_size)

    found: tuple[Hint, ...] | None = None
    if with_hints:
        differences = [*texts.differences(pair), *order.differences(pair, rows)]
        found = hints.measure(
            differences,
            pair,
            file_size=size_of(len(stream)),
            size_of=size_of,
            changed=(lambda image: len(changed_pages(board, pair.old, image))) if board else None,
            progress=progress,
        )
    return Explanation(
        file_size=size_of(len(stream)),
        stream_size=len(stream),
        old_size=len(pair.old),
        new_size=len(pair.new),
        made=made,
        rows=tuple(rows),
        board=board.name if board else None,
        forecast=cost,
        line_s=line_s,
        hints=found,
    )


def _manifest_size(board: Board) -> int:
    """Bytes of the manifest of an update for *board*."""
    return MANIFEST_SIZE + (EXTENSION_SIZE if board.slot0.rest is not None else 0)


def _rest(image: Image) -> Rest | None:
    """What of *image* is in external flash."""
    place, step = image.board.slot0.rest, image.board.rest_page_size
    return None if place is None else Rest(start=len(image.data), address=place.address, step=step)


def _elf(image: Image) -> bytes | None:
    return image.origins[0][1] if image.origins else None


def _stream_of(patch: bytes, old: Image, new: Image, keys: Keys | None) -> bytes:
    """The patch stream in *patch*, which is one from *old* to *new*.  Raises AuthenticationError, KeyFolderError,
    FormatError."""
    if is_delta_file(patch):
        raise FormatError("this is a delta file, expected a patch (.sfbp)")
    manifest = release.Artefact.parse(patch).header.manifest
    if manifest.kind != KIND_PATCH:
        raise FormatError("this is a full image, which starts from nothing: expected a patch (.sfbp)")
    Base.of(old).check(manifest)
    found, rest = hashlib.sha256(new.data).digest(), Base.of(new).rest
    if found != manifest.image_hash or manifest.external != (None if rest is None else Extension.of(rest)):
        raise AuthenticationError(
            f"the patch makes another image than the one named as new: that has hash {found.hex()}, expected "
            f"{manifest.image_hash.hex()}: name the file that the patch was made of"
        )
    if keys is None:
        raise KeyFolderError("the patch is encrypted, and only its keys open it: give --keys DIR, or no patch at all")
    stream = release.verify(patch, keys, old=old).stream
    if stream is None:
        raise KeyFolderError("the patch is encrypted, and the key folder has no encryption key: give keys with one")
    return stream
