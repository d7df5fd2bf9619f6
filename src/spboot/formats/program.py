"""A program in a file: ELF, Intel HEX or binary <-> segments by the addresses they are programmed at.

The one reader and writer of programs, for applications, bootloaders, factory files and the twin: for holes, order,
overlap, sections that are not loaded, and headers within a segment there is one set of rules (docs/decisions/0030,
0046).  Knows no chip: whoever has a place for the segments refuses those that are not for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path, PurePath
from typing import Final

from spboot import disk
from spboot.errors import FormatError
from spboot.formats import elf, elf_writer, intel_hex
from spboot.formats.content import A_HEX, AN_ELF, kind_of
from spboot.formats.elf import Use
from spboot.formats.segment import Segment
from spboot.secret import Secret

FILL: Final = b"\0"
"""What stands between the segments of a program: what `objcopy -O binary` puts there."""
ERASED: Final = b"\xff"
"""What stands between the programs of a device: what most flash reads that nobody programmed."""

WRITTEN: Final = (".hex", ".bin", ".elf")
_LARGEST_BINARY: Final = 0x1000_0000
"""Bytes of a .bin, at most: more than any flash has."""
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

    *kind* is that of the file, "factory" when it was put together here.  *entry*, *core* and *uses* are known of an ELF
    only: see formats.elf.Elf, and so is *code*, the sections with instructions.  *origins* are the ELF files that it
    comes from, each with what is put in front of its names when they are written.  No repr shows bytes: a bootloader
    has keys in it.

    >>> Program(kind="factory", segments=(Segment(0x8000000, b"lamp"),))
    Program(kind='factory', segments=(<4 bytes at 0x08000000>,), entry=0, core='', uses=())
    """

    kind: str
    segments: tuple[Segment, ...]
    entry: int = 0
    core: str = ""
    uses: tuple[Use, ...] = ()
    code: tuple[Use, ...] = field(default=(), repr=False, compare=False)
    origins: tuple[tuple[str, bytes], ...] = field(default=(), repr=False, compare=False)

    def from_address(self, address: int) -> bytes:
        """Its bytes from *address* on, which none is below, gaps filled."""
        return flat(self.segments, address, FILL)

    def run_at(self, address: int) -> bytes:
        """Those of its bytes that begin at *address*, up to the first gap; none when nothing begins there."""
        return next((segment.data for segment in self.segments if segment.address == address), b"")

    def save(self, path: str | PathLike[str]) -> None:
        """Write it to *path*: as Intel HEX, as a .bin from the lowest address on, gaps as of erased flash, or as ELF
        with the names of *origins*, which starts at its first vector table.

        Only the owner may read the file, as there may be keys in it.  Raises FormatError for another suffix, DiskError.

        >>> merge(boot, old, keys=keys).save("factory.hex")
        """
        target = Path(path)
        check_writable(target)
        if target.suffix == ".hex":
            data = Secret(intel_hex.write(self.segments))
        elif target.suffix == ".elf":
            entry = int.from_bytes(self.segments[0].data[4:8], "little")
            data = Secret(elf_writer.write(self.segments, entry, self.origins))
        else:
            self._check_binary(target)
            data = Secret(flat(self.segments, self.segments[0].address, ERASED))
        disk.write(target, data, secret=True)

    def _check_binary(self, target: Path) -> None:
        """A .bin has every byte between the first and the last: too many where there is another memory far away."""
        first, last = self.segments[0], self.segments[-1]
        if last.end - first.address > _LARGEST_BINARY:
            megabytes = (last.end - first.address) >> 20
            raise FormatError(
                f"{target}: a .bin from {first.address:#010x} to {last.end - 1:#010x} would have {megabytes:,} MB, as "
                "there are bytes for external flash: write a .hex or .elf, whose bytes have addresses"
            )


def check_writable(path: Path) -> None:
    """Raise FormatError unless `Program.save` writes files with the suffix of *path*."""
    if path.suffix not in WRITTEN:
        raise FormatError(f"{path}: cannot write {path.suffix!r}, expected a name that ends in .hex, .bin or .elf")


def flat(segments: Iterable[Segment], address: int, fill: bytes) -> bytes:
    """*segments*, in the order of their addresses, none below *address*, as one block from there; *fill* in gaps."""
    out = bytearray()
    for segment in segments:
        out += fill * (segment.address - address - len(out)) + segment.data
    return bytes(out)


def load(path: Path, binary_at: int) -> Program:
    """The program in the file *path*: see `read`.  Raises FormatError; DiskError when it cannot be read."""
    return read(path, Secret(disk.read(path)), binary_at)


def read(path: PurePath, data: bytes, binary_at: int) -> Program:
    """The program in *data*, of a file named *path*; a binary, which carries no address, begins at *binary_at*.

    The name decides what the file is; where it says nothing, the content.  Raises FormatError."""
    suffix, found = path.suffix.lower(), kind_of(data)
    if suffix in _BINARY:
        if found in (AN_ELF, A_HEX):
            raise FormatError(f"{path} cannot start: it is {found}: give it by a name that says so, as .elf or .hex")
        return Program(kind="binary", segments=(Segment(binary_at, data),) if data else ())
    if suffix in _HEX or (suffix not in _ELF and found == A_HEX):
        _check_content(path, found, A_HEX)
        return Program(kind="Intel HEX", segments=intel_hex.read(str(path), data))
    if suffix in _ELF or found == AN_ELF:
        _check_content(path, found, AN_ELF)
        made = elf.read(str(path), data)
        return Program(
            kind="ELF",
            segments=made.segments,
            entry=made.entry,
            core=made.core,
            uses=made.uses,
            code=made.code,
            origins=(("", data),),
        )
    raise FormatError(_unknown(path, found))


def _check_content(path: PurePath, found: str, expected: str) -> None:
    """Refuse a file whose content is known to be something else than its name says; text is judged line by line."""
    if found not in ("", expected) and not found.startswith("text"):
        raise FormatError(_unknown(path, found, f"not {expected}"))


def _unknown(path: PurePath, found: str, why: str = "") -> str:
    what = f"{path}: {why or f'unknown kind of file {path.suffix!r}'}"
    if found:
        what += f": the content is {found}"
    known = "expected a program as .elf, .hex or .bin"
    convert = next((line for kind, line in _CONVERT.items() if kind in found), "")
    if convert:
        return f"{what}, {known}: convert it by `{convert.format(stem=path.stem, suffix=path.suffix)}`"
    return f"{what}, {known}"
