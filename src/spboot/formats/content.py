"""Tells in words what a file is, by its first bytes, for the message about a file that is not what was asked for."""

from __future__ import annotations

import re
from typing import Final

from spboot.formats.intel_hex import is_intel_hex
from spboot.formats.spec import spec

_ABI: Final = spec()["abi"]
AN_ELF: Final = "an ELF file"
A_HEX: Final = "an Intel HEX file"


def _number(value: int, size: int) -> bytes:
    return re.escape(value.to_bytes(size, "little"))


_BEGINNINGS: Final = (
    (rb"\x7fELF", AN_ELF),
    (_number(spec()["manifest"]["magic"], 2) + rb"[\x00-\x0f][\x00-\x0f]", "an update file of spboot (.sfb or .sfbp)"),
    (_number(spec()["delta_file"]["magic"], 2), "a delta file of spboot"),
    (rb"(?s:.{%d})%s" % (_ABI["offset"], _number(_ABI["magic"], 4)), "a bootloader of spboot, or a factory file"),
    (rb"version https://git-lfs", "a Git LFS pointer, which stands for the file: run `git lfs pull`"),
    (
        rb"(?i)(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body)",
        "an HTML page",
    ),
    (rb"(?:\xef\xbb\xbf)?\s*<\?xml", "an XML file"),
    (rb"(?:\xef\xbb\xbf)?\s*S0[0-9A-Fa-f]{8}", "Motorola S-records"),
    (rb"(?:\xef\xbb\xbf)?\s*@[0-9A-Fa-f]{4,8}\s", "Verilog hex"),
    (rb"!<arch>\n", "a library of object files (.a)"),
    (rb"PK\x03\x04", "a ZIP archive"),
    (rb"\x1f\x8b", "a gzip file"),
    (rb"BZh[1-9]", "a bzip2 file"),
    (rb"\xfd7zXZ\0", "an xz file"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (rb"DfuSe", "a DfuSe file (.dfu)"),
    (rb"UF2\n", "a UF2 file"),
    (rb"MZ", "a program for Windows"),
    (rb"%PDF-", "a PDF file"),
    (rb"-----BEGIN ", "a PEM file (a key or a certificate)"),
)
_TEXT: Final = re.compile(rb"[\t\n\r\x20-\x7e]{24,}")


def kind_of(data: bytes) -> str:
    """What *data* is, as "an ELF file"; "" when its first bytes do not tell, as those of a program."""
    if is_intel_hex(data):
        return A_HEX
    for pattern, kind in _BEGINNINGS:
        if re.match(pattern, data):
            return kind
    for value, kind in ((0xFF, "erased flash, all 0xff"), (0, "nothing but zeros")):
        if data and not data.strip(bytes([value])):
            return kind
    if _TEXT.match(data):
        return f"text, which begins with {data[:24].decode('ascii')!r}"
    return ""
