"""Makes spec/patch-stream.json: `python -m tests.delta.make_vectors`.

Streams are put together operation by operation, not by the encoder's parser: a better parser changes no vector.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import Any

from spboot.delta import decode
from spboot.delta.models import COPY_NEW, COPY_OLD, LITERAL, NREP, OP, U32
from spboot.delta.operations import Operation, Writer
from spboot.delta.rangecoder import Encoder
from spboot.errors import FormatError
from spboot.formats.spec import data_path, spec


def noise(size: int, seed: str) -> bytes:
    """*size* bytes that do not compress and are the same everywhere."""
    blocks = (hashlib.sha256(f"{seed} {at}".encode()).digest() for at in range(size // 32 + 1))
    return b"".join(blocks)[:size]


class Script:
    """Operations one after the other, and the NEW they make."""

    def __init__(self, old: bytes = b"") -> None:
        self.old = old
        self.new = bytearray()
        self.operations: list[Operation] = []

    def literals(self, data: bytes) -> Script:
        """Each byte of *data* as a literal."""
        self.operations += [Operation(LITERAL, 1, 0)] * len(data)
        self.new += data
        return self

    def copy_old(self, src: int, length: int) -> Script:
        """*length* bytes of OLD from *src*, which may be wrong."""
        self.operations.append(Operation(COPY_OLD, length, len(self.new) - src & U32))
        self.new += self.old[src : src + length].ljust(length, b"?")
        return self

    def copy_new(self, distance: int, length: int) -> Script:
        """*length* bytes from *distance* back, which may be wrong."""
        self.operations.append(Operation(COPY_NEW, length, distance))
        for _ in range(length):
            self.new.append(self.new[-distance] if 1 <= distance <= len(self.new) else ord("?"))
        return self

    def stream(self) -> bytes:
        """The stream of all operations."""
        coder = Encoder()
        Writer(coder, len(self.old), bytes(self.new)).put_all(self.operations)
        return coder.finish()


def valid() -> dict[str, Script]:
    """What a decoder must accept."""
    code = noise(600, "code")
    walk = Script(code).copy_old(0, 100).literals(b"ab").copy_old(102, 50).literals(b"c")
    walk.copy_old(140, 60).copy_old(153 + 60, 30).copy_old(500, 100).copy_old(243, 9).copy_old(0, 600)
    mixed = Script(code).literals(b"ab").copy_new(2, 30).copy_old(7, 20).copy_new(2, 3).copy_new(31, 8)
    mixed.copy_old(27, 5).literals(b"\xff").copy_new(31, 1).copy_old(599, 1).copy_new(1, 4)
    turns = Script(code).literals(b"abcde").copy_old(0, 20).copy_old(300, 20).copy_old(40, 20).copy_old(340, 10)
    turns.copy_old(352, 10).copy_old(360, 9).copy_old(371, 6).literals(b"f").copy_old(3, 50).copy_old(428, 10)
    return {
        "empty NEW": Script(),
        "empty NEW from OLD": Script(code),
        "one zero byte": Script().literals(b"\0"),
        "two bytes": Script().literals(b"\x01\xfe"),
        "text": Script().literals(b"The quick brown fox jumps over the lazy dog."),
        "noise": Script().literals(noise(300, "literals")),
        "all zero": Script().literals(bytes(64)),
        "overlapping copy": Script().literals(b"xyz").copy_new(3, 1000).copy_new(1, 5),
        "distances": Script()
        .literals(noise(70, "d"))
        .copy_new(70, 70)
        .copy_new(1, 1)
        .copy_new(141, 30)
        .copy_new(141, 2),
        "whole OLD": Script(code).copy_old(0, 600),
        "OLD of one byte": Script(b"A").copy_old(0, 1).literals(b"B").copy_old(0, 1),
        "displacements": walk,
        "displacements that take turns": turns,
        "both spaces": mixed,
        "long copy": Script().literals(b"\0").copy_new(1, 4095),
    }


def first_operation(*decisions: tuple[int, int]) -> bytes:
    """A stream that begins with these decisions (model, bit) and goes on with zeros."""
    coder = Encoder()
    for model, bit in decisions:
        coder.bit(model, bit)
    return coder.finish()


def padded(script: Script) -> bytes:
    """The stream of *script* with as many zero bytes after it as the decoder reads."""
    stream = script.stream()
    with contextlib.suppress(FormatError):
        while True:
            decode(script.old, stream + b"\0", len(script.new))
            stream += b"\0"
    return stream


def invalid() -> list[tuple[str, bytes, int, bytes]]:
    """What a decoder must refuse: reason, OLD, length of NEW, stream."""
    code = noise(600, "code")

    def case(reason: str, script: Script, short: int = 0) -> tuple[str, bytes, int, bytes]:
        return reason, script.old, len(script.new) - short, script.stream()

    ends = Script(code).literals(b"ab").copy_old(0, 50)
    return [
        case("OLD: copy begins before it", Script(code).literals(b"ab").copy_old(-1, 5)),
        case("OLD: copy begins at its end", Script(code).literals(b"ab").copy_old(600, 1)),
        case("OLD: copy ends behind it", Script(code).literals(b"ab").copy_old(590, 11)),
        case("NEW: copy from OLD too long", Script(code).literals(b"ab").copy_old(0, 50), short=1),
        case("NEW: copy from NEW too long", Script().literals(b"ab").copy_new(2, 50), short=1),
        case("distance: before the start of NEW", Script().literals(b"ab").copy_new(3, 5)),
        case("distance: nothing written yet", Script().copy_new(1, 5)),
        ("distance: 0", b"", 10, first_operation((OP, 1), (NREP, 1))),
        ("unread: one zero byte", code, len(ends.new), padded(ends) + b"\0"),
        ("unread: one byte", code, len(ends.new), padded(ends) + b"\1"),
        ("unread: bytes after an empty NEW", b"", 0, b"\0\0\0\0\1"),
        ("unread: NEW is shorter than the stream", b"", 20, Script().literals(noise(300, "literals")).stream()),
    ]


def document() -> dict[str, Any]:
    """The whole file as a value."""
    accepted = [(name, script, script.stream()) for name, script in valid().items()]
    for name in ("empty NEW", "text", "displacements"):
        accepted.append((f"{name}, zeros to the last byte read", valid()[name], padded(valid()[name])))
    return {
        "format": spec()["format"],
        "valid": [
            {"name": name, "old": script.old.hex(), "new": script.new.hex(), "stream": stream.hex()}
            for name, script, stream in accepted
        ],
        "invalid": [
            {"reason": reason, "old": old.hex(), "new_len": new_len, "stream": stream.hex()}
            for reason, old, new_len, stream in invalid()
        ],
    }


def text() -> str:
    """The file's text."""
    return json.dumps(document(), indent=1) + "\n"


if __name__ == "__main__":
    (data_path("spec") / "patch-stream.json").write_text(text(), encoding="utf-8")
