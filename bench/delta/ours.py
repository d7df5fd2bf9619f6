"""Our own sizes, in bytes, through the library as an application would call it."""

from __future__ import annotations

from dataclasses import dataclass

from spboot import delta
from spboot.formats import payload
from spboot.formats.delta_file import HEAD_SIZE
from spboot.formats.manifest import MANIFEST_SIZE
from spboot.formats.signature import SIGNATURE_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """*stream*: the patch stream alone.  *file*: the delta file, head and stream.  *payload*: the stream in chunks with
    their hashes.  *artefact*: the whole .sfbp or .sfb, manifest and signature included."""

    stream: int
    file: int
    payload: int
    artefact: int


def sizes(old: bytes, new: bytes, base: int) -> Sizes:
    """What NEW from *old* (empty: a full image), both linked at *base*, takes.  The library decodes it again."""
    file = len(delta.encode_file(old, new, base=base))
    wire = payload.wire_size(file - HEAD_SIZE)
    return Sizes(stream=file - HEAD_SIZE, file=file, payload=wire, artefact=MANIFEST_SIZE + SIGNATURE_SIZE + wire)
