"""Makes spec/patch-stream.json: `python -m tests.delta.make_vectors`.

Streams are put together decision by decision, not by the encoder: a better encoder changes no vector.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from spboot.delta.decoder import decode
from spboot.errors import FormatError
from spboot.formats.spec import data_path, spec

from .scripts import OLD, invalid, valid
from .writer import Writer


def padded(old: bytes, stream: bytes, new_len: int) -> bytes:
    """*stream* with as many zero bytes after it as the decoder reads."""
    with contextlib.suppress(FormatError):
        while True:
            decode(old, stream + b"\0", new_len)
            stream += b"\0"
    return stream


def _accepted() -> list[dict[str, str]]:
    made = {name: make() for name, make in valid().items()}
    rows = [(name, writer, writer.stream()) for name, writer in made.items()]
    for name in ("empty NEW", "text", "displacements"):
        writer = made[name]
        rows.append(
            (f"{name}, zeros to the last byte read", writer, padded(writer.old, writer.stream(), len(writer.new)))
        )
    return [
        {"name": name, "old": writer.old.hex(), "new": writer.parts[0].hex(), "stream": stream.hex(), **_rest(writer)}
        for name, writer, stream in rows
    ]


def _rest(writer: Writer) -> dict[str, str]:
    """The second parts, of those that have them."""
    old, new = writer.decoder.old_rest, writer.parts[1]
    return {"old_rest": old.hex(), "new_rest": new.hex()} if old or new else {}


def _refused() -> list[dict[str, str | int]]:
    made = {reason: make() for reason, make in invalid().items()}
    rows = [(reason, w.old, w.decoder.lens[0], w.stream()) for reason, w in made.items()]
    rests = {r: {"old_rest": w.decoder.old_rest.hex(), "new_rest_len": w.decoder.lens[1]} for r, w in made.items()}
    whole = valid()["whole OLD"]()
    ends = padded(OLD, whole.stream(), len(OLD))
    stored = valid()["stored, with an OLD"]()
    more = padded(stored.old, stored.stream(), len(stored.new)) + b"\0"
    rows += [
        ("unread: one zero byte", OLD, len(OLD), ends + b"\0"),
        ("unread: one byte", OLD, len(OLD), ends + b"\1"),
        ("unread: one byte behind stored ones", b"A", len(stored.new), more),
        ("unread: bytes after an empty NEW", b"", 0, b"\0\0\0\0\1"),
        ("unread: NEW is shorter than the stream", b"", 20, valid()["every byte"]().stream()),
    ]
    return [
        {
            "reason": reason,
            "old": old.hex(),
            "new_len": new_len,
            "stream": stream.hex(),
            **(
                rests[reason]
                if rests.get(reason, {}).get("new_rest_len") or rests.get(reason, {}).get("old_rest")
                else {}
            ),
        }
        for reason, old, new_len, stream in rows
    ]


def text() -> str:
    """The file's text."""
    document: dict[str, Any] = {"format": spec()["delta"]["format"], "valid": _accepted(), "invalid": _refused()}
    return json.dumps(document, indent=1) + "\n"


if __name__ == "__main__":
    (data_path("spec") / "patch-stream.json").write_text(text(), encoding="utf-8")
