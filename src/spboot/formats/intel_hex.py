"""Intel HEX <-> segments.  Reads strictly: what a damaged or cut file looks like is refused, not taken as a shorter
program, which intelhex does (docs/decisions/0030); so intelhex only writes.

Source: Intel, Hexadecimal Object File Format Specification, revision A, 1988; record types 0 to 5."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import intelhex

from spboot.errors import FormatError
from spboot.formats.segment import Segment, joined

_DATA, _END, _SEGMENT_BASE, _SEGMENT_START, _LINEAR_BASE, _LINEAR_START = range(6)
_LENGTHS: Final = {_END: 0, _SEGMENT_BASE: 2, _SEGMENT_START: 4, _LINEAR_BASE: 2, _LINEAR_START: 4}
_BORDER: Final = 0x1_0000
"""A record must not cross a multiple of this: readers differ in what that would mean."""
_LOST_AT_MOST: Final = 4
_LINE_AT_LEAST: Final = 16
"""A hole of up to so many whole lines is taken for lost lines, in a file whose lines have at least so many bytes: a
linker seldom leaves such a hole."""
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_LAST: Final = ":00000001FF\n"
_GET_IT_WHOLE: Final = "get the file again, whole, or build it again"


def is_intel_hex(data: bytes) -> bool:
    """Whether *data* begins as an Intel HEX file does, a byte order mark or blank lines in front or not."""
    return re.match(rb"(?:\xef\xbb\xbf)?\s*:[0-9A-Fa-f]{10}", data) is not None


def read(name: str, data: bytes) -> tuple[Segment, ...]:
    """The segments of the Intel HEX file *data*, in the order of their addresses.

    Raises FormatError, with *name* and the line: a damaged record, no end record or bytes behind it, two bytes for one
    address, a hole as lost lines leave it."""
    return _Reader(name).segments(data)


def write(segments: Iterable[Segment]) -> bytes:
    """The Intel HEX file of *segments*, none of which overlap: read again, it has the same.

    Its lines are short where a hole between two segments would look like lost lines otherwise."""
    ordered = sorted(segments)
    holes = {after.address - before.end for before, after in itertools.pairwise(ordered)}
    lost = any(hole <= _LOST_AT_MOST * _LINE_AT_LEAST for hole in holes - {0})
    text = io.StringIO()
    for _, pieces in itertools.groupby(_cut(ordered), key=lambda piece: piece.address // _BORDER):
        text.write(_records(pieces, _LINE_AT_LEAST // 2 if lost else _LINE_AT_LEAST))
    return (text.getvalue() + _LAST).encode("ascii")


def _cut(segments: Iterable[Segment]) -> Iterator[Segment]:
    """The pieces of *segments* between multiples of 64 KB."""
    for address, data in segments:
        at = 0
        while at < len(data):
            end = min(len(data), at + _BORDER - (address + at) % _BORDER)
            yield Segment(address + at, data[at:end])
            at = end


def _records(pieces: Iterable[Segment], size: int) -> str:
    """Those of *pieces*, which are in one 64 KB, without the last one.  intelhex takes 100 bytes for each byte that it
    has, too much for all of a file."""
    file: Any = intelhex.IntelHex()
    for piece in pieces:
        file.frombytes(piece.data, offset=piece.address)
    text = io.StringIO()
    file.write_hex_file(text, byte_count=size)
    return text.getvalue().removesuffix(_LAST)


@dataclass(slots=True)
class _Reader:
    name: str
    base: int = 0
    line: int = 0
    records: list[Segment] = field(default_factory=list)

    def fail(self, what: str) -> FormatError:
        return FormatError(f"{self.name}: line {self.line}: {what}")

    def segments(self, data: bytes) -> tuple[Segment, ...]:
        if data.startswith(_MARKS):
            raise FormatError(
                f"{self.name}: begins with a byte order mark (BOM), expected ':' of Intel HEX: save it as plain ASCII"
            )
        ended = 0
        for kind, offset, content in self._lines(data):
            if ended:
                raise self.fail(
                    f"there are records behind the end record in line {ended}, expected it last: give one program, "
                    "not two files in one"
                )
            if kind == _END:
                ended = self.line
            self._take(kind, offset, content)
        if not ended:
            raise FormatError(
                f"{self.name}: not a whole Intel HEX file: {self.line} lines without an end record (:00000001FF), "
                f"which is the last: {_GET_IT_WHOLE}"
            )
        self._look_for_lost_lines()
        return joined(self.name, self.records)

    def _lines(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """(type, address, content) of every line that is not blank; lines end with LF, CR or both."""
        lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n").split(b"\n")
        for self.line, raw in enumerate(lines, 1):
            line = raw.strip()
            if line:
                yield self._record(line)

    def _record(self, line: bytes) -> tuple[int, int, bytes]:
        text = line.decode("ascii", "backslashreplace")
        if not text.startswith(":"):
            raise self.fail(
                f"not an Intel HEX record: found {text[:16]!r}, expected ':' and pairs of hex digits: comments and "
                "other text have no place in the file"
            )
        if not re.fullmatch(r":(?:[0-9A-Fa-f]{2}){5,}", text):
            raise self.fail(f"not an Intel HEX record: {len(text) - 1} digits or other characters: {_GET_IT_WHOLE}")
        record = bytes.fromhex(text[1:])
        if len(record) != record[0] + 5:
            raise self.fail(f"the record has {len(record) - 5} bytes and says {record[0]}: {_GET_IT_WHOLE}")
        if sum(record) & 0xFF:
            right = -sum(record[:-1]) & 0xFF
            raise self.fail(f"the checksum is {record[-1]:#04x}, expected {right:#04x}: {_GET_IT_WHOLE}")
        return record[3], int.from_bytes(record[1:3], "big"), record[4:-1]

    def _take(self, kind: int, offset: int, content: bytes) -> None:
        if kind != _DATA and kind not in _LENGTHS:
            raise self.fail(f"a record of type {kind:#04x}, expected 00 to 05: make the file again, as Intel HEX")
        if kind != _DATA and len(content) != _LENGTHS[kind]:
            raise self.fail(f"a record of type {kind:#04x} with {len(content)} bytes, expected {_LENGTHS[kind]}")
        if kind == _DATA:
            if offset + len(content) > _BORDER:
                raise self.fail(f"{len(content)} bytes at offset {offset:#06x} go over 64 KB: make the file again")
            if content:
                self.records.append(Segment(self.base + offset, content))
        elif kind == _SEGMENT_BASE:
            self.base = int.from_bytes(content, "big") << 4
        elif kind == _LINEAR_BASE:
            self.base = int.from_bytes(content, "big") << 16
        # Records 03 and 05 tell a debugger where to start; the chip starts where the vector table says.

    def _look_for_lost_lines(self) -> None:
        """Refuse a hole of a few whole lines behind a whole line.  No checksum tells of it: each covers one line."""
        whole = max((len(record.data) for record in self.records), default=0)
        ordered = sorted(self.records)
        for before, after in itertools.pairwise(ordered):
            lines, rest = divmod(after.address - before.end, whole)
            if len(before.data) == whole >= _LINE_AT_LEAST and not rest and 1 <= lines <= _LOST_AT_MOST:
                raise FormatError(
                    f"{self.name}: nothing for {before.end:#010x} .. {after.address - 1:#010x}, as when "
                    f"{lines} {'line was' if lines == 1 else 'lines were'} lost: {_GET_IT_WHOLE}; give the .elf, or "
                    "convert it by `objcopy --gap-fill 0 -O ihex`, when the gap is meant"
                )
