"""A program in a file: ELF, Intel HEX or binary -> segments by the addresses they are programmed at.

The one reader of programs: for holes, order, overlap, sections that are not loaded, and headers within a segment there
is one set of rules (docs/decisions/0030).  Reads no files, knows no chip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from spboot.errors import FormatError
from spboot.formats import elf, intel_hex
from spboot.formats.content import kind_of
from spboot.formats.elf import Use
from spboot.formats.segment import Segment

FILL: Final = b"\0"
"""What stands between the segments of a program: what `objcopy -O binary` puts there."""

_BINARY: Final = (".bin",)
_HEX: Final = (".hex", ".ihex", ".ihx", ".ihe")
_ELF: Final = (".elf", ".axf", ".out")
_CONVERT: Final = {
    "Motorola S-records": "arm-none-eabi-objcopy -I srec -O ihex {stem}{suffix} {stem}.hex",
    "Verilog hex": "arm-none-eabi-objcopy -I verilog -O ihex {stem}{suffix} {stem}.hex",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a file puts into memory.  *segments*: in the order of their addresses, none empty, none touching another.

    *entry*, *core* and *uses* are known of an ELF only: see formats.elf.Elf."""

    kind: str
    segments: tuple[Segment, ...]
    entry: int = 0
    core: str = ""
    uses: tuple[Use, ...] = ()

    def from_address(self, address: int) -> bytes:
        """Its bytes from *address* on, which none is below, gaps filled."""
        out = bytearray()
        for segment in self.segments:
            out += FILL * (segment.address - address - len(out)) + segment.data
        return bytes(out)


def read(path: PurePath, data: bytes, binary_at: int) -> Program:
    """The program in *data*, of a file named *path*; a binary, which carries no address, begins at *binary_at*.

    The name decides what the file is; where it says nothing, the content.  Raises FormatError."""
    suffix, found = path.suffix.lower(), kind_of(data)
    if suffix in _BINARY:
        return Program(kind="binary", segments=(Segment(binary_at, data),) if data else ())
    if suffix in _HEX or (suffix not in _ELF and found == "an Intel HEX file"):
        _check_content(path, found, "an Intel HEX file")
        return Program(kind="Intel HEX", segments=intel_hex.read(str(path), data))
    if suffix in _ELF or found == "an ELF file":
        _check_content(path, found, "an ELF file")
        made = elf.read(str(path), data)
        return Program(kind="ELF", segments=made.segments, entry=made.entry, core=made.core, uses=made.uses)
    raise FormatError(_unknown(path, found))


def _check_content(path: PurePath, found: str, expected: str) -> None:
    """Refuse a file whose content is known to be something else than its name says; text is judged line by line."""
    if found not in ("", expected) and not found.startswith("text"):
        raise FormatError(_unknown(path, found, f"not {expected}"))


def _unknown(path: PurePath, found: str, why: str = "") -> str:
    what = f"{path}: {why or f'unknown kind of file {path.suffix!r}'}"
    if found:
        what += f": the content is {found}"
    known = "expected an application as .elf, .hex or .bin"
    convert = next((line for kind, line in _CONVERT.items() if kind in found), "")
    if convert:
        return f"{what}, {known}: convert it by `{convert.format(stem=path.stem, suffix=path.suffix)}`"
    return f"{what}, {known}"
