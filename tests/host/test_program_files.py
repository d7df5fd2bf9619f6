"""Files of all kinds: which are read, to which bytes, and what is said about those that are refused."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from spboot.errors import FormatError
from spboot.image import Image
from tests import apps, cannot_start
from tests.delta.code import noise

from . import elf, hex_file
from .conftest import BOARD

Maker = Callable[[], bytes]
BASE = BOARD.image_address
APP = apps.startable(BOARD, noise(333, "app"))
RESET = struct.unpack_from("<I", APP, 4)[0]
BYTES = cannot_start.images(BOARD)


def hexed(parts: dict[int, bytes], width: int = 16) -> bytes:
    """An Intel HEX file."""
    return hex_file.make(list(parts.items()), width)


GOOD_HEX = hexed({BASE: APP})
LINES = GOOD_HEX.splitlines(keepends=True)
END = b":00000001FF\n"


def record_of(kind: int, content: bytes, offset: int = 0) -> bytes:
    raw = bytes([len(content)]) + offset.to_bytes(2, "big") + bytes([kind]) + content
    return b":" + (raw + bytes([-sum(raw) & 0xFF])).hex().upper().encode() + b"\n"


def without(line: int, count: int = 1) -> bytes:
    """The HEX file that lost lines from *line* on."""
    return b"".join(LINES[:line] + LINES[line + count :])


def at(address: int, data: bytes = b"data") -> dict[int, bytes]:
    return {BASE: APP, address: data}


def elf_with(**options: object) -> Maker:
    return lambda: elf.make([(BASE, APP)], **options)  # type: ignore[arg-type]


FILES: dict[str, tuple[str, Maker, tuple[str, ...]]] = {
    "empty .bin": ("a.bin", lambda: b"", ("there is nothing in it",)),
    "one byte": ("a.bin", lambda: b"\0", ("1 bytes, a vector table needs at least 8",)),
    "ELF by the name of .bin": ("a.bin", elf_with(), ("it is an ELF file",)),
    "HEX by the name of .bin": ("a.bin", lambda: GOOD_HEX, ("it is an Intel HEX file",)),
    "ELF by the name of .hex": ("a.hex", elf_with(), ("not an Intel HEX file: the content is an ELF file",)),
    "HEX by the name of .elf": ("a.elf", lambda: GOOD_HEX, ("not an ELF file: the content is an Intel HEX file",)),
    "binary by the name of .elf": ("a.elf", lambda: APP, ("not an ELF file", "expected 7f 45 4c 46")),
    "binary by the name of .hex": ("a.hex", lambda: APP, ("line 1", "not an Intel HEX record")),
    "page by the name of .hex": ("a.hex", lambda: cannot_start.HTML, ("not an Intel HEX file", "an HTML page")),
    "pointer by the name of .elf": ("a.elf", lambda: cannot_start.LFS_POINTER, ("not an ELF file", "git lfs pull")),
    "S-records": ("a.srec", lambda: cannot_start.SREC_TEXT, ("'.srec'", "objcopy -I srec -O ihex a.srec a.hex")),
    "S-records of Renesas": ("a.mot", lambda: cannot_start.SREC_TEXT, ("'.mot'", "objcopy -I srec -O ihex a.mot")),
    "S19": ("a.s19", lambda: cannot_start.SREC_TEXT, ("'.s19'", "objcopy -I srec -O ihex a.s19 a.hex")),
    "S-records by the name of .hex": ("a.hex", lambda: cannot_start.SREC_TEXT, ("objcopy -I srec -O ihex",)),
    "ZIP archive": ("a.zip", lambda: b"PK\x03\x04" + bytes(40), ("'.zip'", "a ZIP archive", ".elf, .hex or .bin")),
    "update file": ("a.sfb", lambda: b"SP\x02\x00" + bytes(200), ("'.sfb'", "an update file of spboot")),
    # Intel HEX
    "empty .hex": ("a.hex", lambda: b"", ("without an end record",)),
    "no records but the end": ("a.hex", lambda: END, ("nothing to load",)),
    "HEX cut at a line end": ("a.hex", lambda: b"".join(LINES[:12]), ("12 lines without an end record", "whole")),
    "HEX cut within a line": ("a.hex", lambda: GOOD_HEX[:-40], ("line 22", "get the file again")),
    "HEX without its end record": ("a.hex", lambda: without(len(LINES) - 1), ("without an end record",)),
    "HEX with a lost line": ("a.hex", lambda: without(7), ("nothing for 0x08008260 .. 0x0800826f", "line was lost")),
    "HEX with three lost lines": ("a.hex", lambda: without(7, 3), ("0x08008260 .. 0x0800828f", "3 lines were lost")),
    "HEX that lost its first line": ("a.hex", lambda: without(0), ("0x00008200",)),
    "HEX that lost its vectors": ("a.hex", lambda: without(1), ("linked at 0x08008210, expected 0x08008200",)),
    "two HEX files in one": ("a.hex", lambda: GOOD_HEX + GOOD_HEX, ("behind the end record in line 23",)),
    "data behind the end record": ("a.hex", lambda: GOOD_HEX + LINES[3], ("line 24", "behind the end record")),
    "two end records": ("a.hex", lambda: GOOD_HEX + END, ("line 24", "behind the end record")),
    "end record in the middle": ("a.hex", lambda: b"".join([*LINES[:4], END, *LINES[4:]]), ("line 6", "in line 5")),
    "text behind the end record": ("a.hex", lambda: GOOD_HEX + b"bye\n", ("line 24", "found 'bye'")),
    "a bit of one line": ("a.hex", lambda: GOOD_HEX.replace(b"FF", b"FE", 1), ("the checksum is",)),
    "a line twice": ("a.hex", lambda: b"".join([*LINES[:4], LINES[3], *LINES[4:]]), ("overlap",)),
    "comment": ("a.hex", lambda: b"; made today\n" + GOOD_HEX, ("line 1", "'; made today'", "comments")),
    "comment behind a record": ("a.hex", lambda: GOOD_HEX.replace(b"\n", b" # x\n", 1), ("line 1",)),
    "byte order mark": ("a.hex", lambda: b"\xef\xbb\xbf" + GOOD_HEX, ("byte order mark", "plain ASCII")),
    "UTF-16": ("a.hex", lambda: GOOD_HEX.decode().encode("utf-16"), ("byte order mark", "plain ASCII")),
    "record of type 6": ("a.hex", lambda: LINES[0] + record_of(6, b"") + END, ("type 0x06", "expected 00 to 05")),
    "short base record": ("a.hex", lambda: record_of(4, b"\x08") + END, ("type 0x04 with 1 bytes, expected 2",)),
    "record over 64 KB": ("a.hex", lambda: record_of(0, bytes(16), 0xFFF8) + END, ("go over 64 KB",)),
    "length that is none": ("a.hex", lambda: b":10000000FF\n" + END, ("has 0 bytes and says 16",)),
    "HEX at the start of flash": ("a.hex", lambda: hexed({0x08000000: APP}), ("linked at 0x08000000", "linker file")),
    "HEX of the external flash": ("a.hex", lambda: hexed(at(0x90000000)), ("4 bytes at 0x90000000", "QUADSPI")),
    "HEX with FMC": ("a.hex", lambda: hexed(at(0x60000000)), ("external memory", "--remove-section")),
    "HEX with option bytes": ("a.hex", lambda: hexed(at(0x1FFF7800)), ("option bytes and OTP", "by itself")),
    "HEX with a configuration page": ("a.hex", lambda: hexed(at(0x08078000)), ("flash outside of SLOT0", "0x08078000")),
    "HEX with a page in SLOT1": ("a.hex", lambda: hexed(at(0x08080000)), ("the place of slot1",)),
    "HEX with data for RAM": ("a.hex", lambda: hexed(at(0x20004000)), ("which is RAM (SRAM)", "AT> FLASH")),
    "HEX with data for SDRAM": ("a.hex", lambda: hexed(at(0xC0000000)), ("external RAM",)),
    "HEX with registers": ("a.hex", lambda: hexed(at(0x40020000)), ("peripheral registers", "write them in code")),
    "HEX too large": ("a.hex", lambda: hexed({BASE: APP, 0x08077FFE: b"data"}), ("ends outside the slot",)),
    "HEX that cannot start": ("a.hex", lambda: hexed({BASE: BYTES["reset vector even"]}), ("which is ARM state",)),
    # ELF
    "ELF with nothing to load": ("a.elf", lambda: elf.make([]), ("nothing to load",)),
    "ELF with code in front of the vectors": (
        "a.elf", lambda: elf.make([(BASE, noise(64, "x")), (BASE + 0x100, APP)]), ("is the vector table first",),
    ),
    "ELF at the start of flash": ("a.elf", lambda: elf.make([(0x08000000, APP)]), ("linked at 0x08000000, expected",)),
    "ELF at SLOT0 without VECTOR_SIZE": ("a.elf", lambda: elf.make([(0x08008000, APP)]), ("linked at 0x08008000",)),
    "big-endian ELF": ("a.elf", elf_with(big=True), ("big-endian, expected little-endian", "-mbig-endian")),
    "ELF for AArch64": ("a.elf", elf_with(machine=elf.AARCH64), ("made for AArch64, expected an ELF for ARM",)),
    "ELF for a PC": ("a.elf", elf_with(machine=elf.X64), ("made for x64, expected an ELF for ARM",)),
    "object file": ("a.o", elf_with(kind=elf.OBJECT), ("not linked yet: link it",)),
    "shared object": ("a.elf", elf_with(kind=elf.SHARED), ("a shared object", "-pie")),
    "entry in ARM state": ("a.elf", elf_with(entry=RESET - 1), (f"ELF entry is {RESET - 1:#010x}", "ENTRY()")),
    "entry elsewhere": ("a.elf", elf_with(entry=RESET + 0x20), ("its reset vector 0x08008209", "ENTRY()")),
    "RAM of the bootloader": (
        "a.elf", elf_with(ram=((0x20000000, 0x400),)), ("0x20000000 .. 0x200003ff", "0x20000000+0x1500", "0x20001500"),
    ),
    "RAM around that of the bootloader": ("a.elf", elf_with(ram=((0x20001000, 0x4000),)), ("never take an update",)),
    "the same without sections": (
        "a.elf", elf_with(ram=((0x20000000, 0x400),), sections=False), ("never take an update",),
    ),
    "ELF of the external flash": (
        "a.elf", lambda: elf.make([(BASE, APP), (0x90000000, b"font")]), ("0x90000000", "external memory"),
    ),
    "ELF with data for RAM": (
        "a.axf", lambda: elf.make([(BASE, APP), (0x20004000, b"data")]), ("RAM (SRAM)", "AT> FLASH"),
    ),
    "ELF with option bytes": ("a.out", lambda: elf.make([(BASE, APP), (0x1FFF7800, b"opt!")]), ("option bytes",)),
    "ELF that is cut": ("a.elf", lambda: elf.make([(BASE, APP)])[:300], ("ELF",)),
    "ELF whose segments overlap": ("a.elf", lambda: elf.make([(BASE, APP), (BASE + 332, b"xy")]), ("overlap",)),
}  # fmt: skip


def test_there_are_many_kinds() -> None:
    assert len(FILES) >= 40


@pytest.mark.parametrize("name", FILES)
def test_files_are_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    file, make, words = FILES[name]
    path = tmp_path / file
    path.write_bytes(make())
    with pytest.raises(FormatError) as refused:
        Image.load(path, BOARD, "1.0.0")
    said = str(refused.value).replace(f"{tmp_path}/", "")
    assert said.startswith(file)
    assert [word for word in words if word not in said] == [], said


GOOD: dict[str, tuple[str, Maker]] = {
    "binary": ("a.bin", lambda: APP),
    "HEX": ("a.hex", lambda: GOOD_HEX),
    "HEX in capitals": ("A.HEX", lambda: GOOD_HEX),
    ".ihex": ("a.ihex", lambda: GOOD_HEX),
    "HEX by content": ("a.txt", lambda: GOOD_HEX),
    "HEX, lines with CR LF": ("a.hex", lambda: GOOD_HEX.replace(b"\n", b"\r\n")),
    "HEX, lines with CR": ("a.hex", lambda: GOOD_HEX.replace(b"\n", b"\r")),
    "HEX, no line end at the end": ("a.hex", lambda: GOOD_HEX.rstrip()),
    "HEX, blank lines": ("a.hex", lambda: b"\n" + GOOD_HEX.replace(b"\n", b"\n\n") + b"  \n"),
    "HEX, small letters": ("a.hex", lambda: GOOD_HEX.lower()),
    "HEX, lines of 32 bytes": ("a.hex", lambda: hexed({BASE: APP}, 32)),
    "HEX, lines of 255 bytes": ("a.hex", lambda: hexed({BASE: APP}, 255)),
    "HEX, records in another order": ("a.hex", lambda: b"".join([LINES[0], *LINES[:0:-1][1:], END])),
    "HEX, start address": ("a.hex", lambda: b"".join([*LINES[:-1], record_of(5, RESET.to_bytes(4, "big")), END])),
    "HEX, start segment": ("a.hex", lambda: record_of(3, bytes(4)) + GOOD_HEX),
    "HEX, empty record": ("a.hex", lambda: record_of(0, b"") + GOOD_HEX),
    "ELF": ("a.elf", elf_with()),
    "ELF of Keil": ("a.axf", elf_with(entry=RESET)),
    "ELF of IAR": ("a.out", elf_with(ram=((0x20001500, 0x400),))),
    "ELF without a suffix": ("app", elf_with()),
    "ELF without sections": ("a.elf", elf_with(sections=False)),
    "ELF with its own headers": ("a.elf", elf_with(own_headers=True)),
}


@pytest.mark.parametrize("name", GOOD)
def test_the_same_application_in_many_files(name: str, tmp_path: Path) -> None:
    file, make = GOOD[name]
    (tmp_path / file).write_bytes(make())
    assert Image.load(tmp_path / file, BOARD, "1.0.0").data == APP


def test_hex_with_segment_bases(tmp_path: Path) -> None:
    """Record type 02: up to 1 MB only, where no STM32 has its flash; so it is read, and the place is refused."""
    lines = record_of(2, b"\x10\x00") + record_of(0, b"data", 0x20) + END
    (tmp_path / "a.hex").write_bytes(lines)
    with pytest.raises(FormatError, match="4 bytes at 0x00010020, which is no memory of the chip"):
        Image.load(tmp_path / "a.hex", BOARD, "1.0.0")


def test_a_gap_that_no_lost_line_leaves_is_filled(tmp_path: Path) -> None:
    for size, gap in ((32, 1000), (30, 18), (32, 8), (32, 24), (24, 40), (32, 16 * 5)):
        parts = {BASE: apps.startable(BOARD, noise(size, "part")), BASE + size + gap: b"behind"}
        (tmp_path / "a.hex").write_bytes(hexed(parts))
        assert Image.load(tmp_path / "a.hex", BOARD, "1.0.0").data == parts[BASE] + bytes(gap) + b"behind"


def test_any_line_lost_is_noticed(tmp_path: Path) -> None:
    """All but the last with data, which may be the end of a shorter program as well."""
    for line in range(len(LINES)):
        (tmp_path / "a.hex").write_bytes(without(line))
        if line == len(LINES) - 2:
            assert Image.load(tmp_path / "a.hex", BOARD, "1.0.0").data == APP[: len(APP) // 16 * 16]
            continue
        with pytest.raises(FormatError):
            Image.load(tmp_path / "a.hex", BOARD, "1.0.0")


def test_damaged_elf_files_are_no_crash(tmp_path: Path) -> None:
    """Every byte of the ELF's own structures, changed in several ways: an image or a sentence."""
    whole = elf.make([(BASE, APP)], ram=((0x20001500, 0x100),), entry=RESET)
    places = [*range(52 + 64), *range(len(whole) - 4 * 40 - 1, len(whole))]
    path, refused = tmp_path / "a.elf", 0
    for place in places:
        for bits in (0x01, 0x80, 0xFF):
            bad = bytearray(whole)
            bad[place] ^= bits
            path.write_bytes(bad)
            try:
                Image.load(path, BOARD, "1.0.0")
            except FormatError:
                refused += 1
    assert refused > 100
