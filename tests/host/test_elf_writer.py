"""spboot.formats.elf_writer: a factory file as ELF has the bytes of the segments, and the names of their makers."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spboot.builder import merge
from spboot.errors import FormatError
from spboot.formats import elf, elf_writer, program
from spboot.formats.program import Program
from spboot.formats.segment import Segment, joined
from spboot.keys import Keys
from spboot.version import Version
from tests import apps

from . import elf as elf_file
from .test_program import programs

START = 0x08000000


def named(segments: list[tuple[int, bytes]], names: dict[str, int]) -> bytes:
    """The smallest ELF with these segments, and symbols: the first is local, all are functions."""
    made = bytearray(elf_file.make(segments))
    head = list(struct.unpack_from("<16sHHIIIIIHHHHHH", made))
    section_at, count = head[6], head[12]
    headers = [list(struct.unpack_from("<10I", made, section_at + 40 * n)) for n in range(count)]
    text, table = b"\0", bytes(16)
    for number, (name, value) in enumerate(names.items()):
        table += struct.pack("<IIIBBH", len(text), value, 2, (number > 0) << 4 | 2, 0, 1)
        text += name.encode() + b"\0"
    made = made[:section_at]
    for kind, data, link, info, each in ((2, table, count + 1, 2, 16), (3, text, 0, 0, 0)):
        headers.append([0, kind, 0, 0, len(made), len(data), link, info, 1, each])
        made += data
    head[6], head[12] = len(made), len(headers)
    made += b"".join(struct.pack("<10I", *header) for header in headers)
    struct.pack_into("<16sHHIIIIIHHHHHH", made, 0, *head)
    return bytes(made)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(programs().filter(bool))
def test_an_elf_of_segments_alone_has_these_segments(segments: tuple[Segment, ...]) -> None:
    data = elf_writer.write(segments, START + 9, [])
    assert program.read(Path("a.elf"), data, 0).segments == segments
    assert elf.read("a.elf", data).entry == START + 9
    assert elf.symbols("a.elf", data) == ()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 40)), min_size=1, max_size=6), st.integers(0, 70))
def test_gaps_between_sections_are_there(parts: list[tuple[int, int]], behind: int) -> None:
    """They are part of the image, whose hash a bootloader checks: gdb and objcopy go by sections."""
    at, cut = START, []
    for gap, size in parts:
        cut.append((at + gap, bytes(range(1, size + 1))))
        at += gap + size
    origin = elf_file.make(cut, runs_at={cut[-1][0]: 0x20000000})
    whole = Segment(START, program.flat([Segment(*each) for each in cut], START, b"\0") + bytes(behind))
    data = elf_writer.write([whole], START, [("", origin)])
    made = elf.read("a.elf", data)
    assert made.segments == (whole,)
    assert made.copied and 0x20000000 in {use.address for use in made.uses}, "what start-up code copies still is"
    assert len(made.uses) == len(parts) + sum(gap > 0 for gap, _ in parts) + (behind > 0)


def test_names_of_two_programs_stand_side_by_side() -> None:
    boot = named([(START, bytes(range(32)))], {"$t": START, "main": START + 9, "only_boot": START + 17})
    app = named([(START + 0x100, bytes(range(64)))], {"here": START + 0x101, "main": START + 0x111})
    segments = [
        Segment(START, bytes(range(32))),
        Segment(START + 0x80, b"head"),
        Segment(START + 0x100, bytes(range(64))),
    ]
    data = elf_writer.write(segments, START + 9, [("boot_", boot), ("", app)])
    assert program.read(Path("a.elf"), data, 0).segments == tuple(segments)
    found = {symbol.name: symbol.value for symbol in elf.symbols("a.elf", data)}
    assert found == {
        "$t": START,
        "boot_main": START + 9,
        "boot_only_boot": START + 17,
        "here": START + 0x101,
        "main": START + 0x111,
    }
    head = struct.unpack_from("<16sHHIIIIIHHHHHH", data)
    sections = [struct.unpack_from("<10I", data, head[6] + 40 * n) for n in range(head[12])]
    (table,) = (section for section in sections if section[1] == 2)
    entries = list(struct.iter_unpack("<IIIBBH", data[table[4] : table[4] + table[5]]))
    assert [entry[3] >> 4 for entry in entries[1:]] == [0, 0, 1, 1, 1], "local ones come first (ELF, symbol table)"
    assert table[7] == 3, "and sh_info is the number of the first that is not"
    assert all(
        sections[entry[5]][3] <= entry[1] < sections[entry[5]][3] + sections[entry[5]][5] for entry in entries[1:]
    )


def test_a_file_with_names_is_read_whole_or_refused() -> None:
    app = named([(START, bytes(64))], {"here": START + 1, "main": START + 9})
    segments = [Segment(START, bytes(64))]
    good = elf_writer.write(segments, START, [("", app)])
    for end in range(52, len(app), 7):
        try:
            data = elf_writer.write(segments, START, [("", app[:end])])
        except FormatError as error:
            assert "not a usable ELF file" in str(error)
        else:
            assert program.read(Path("a.elf"), data, 0).segments == tuple(segments)
            assert data != good
    for at in range(52, len(app)):
        broken = bytearray(app)
        broken[at] ^= 0xFF
        with contextlib.suppress(FormatError):
            elf.read("app.elf", bytes(broken))
            data = elf_writer.write(segments, START, [("", bytes(broken))])
            assert program.read(Path("a.elf"), data, 0).segments == tuple(segments), at


def test_merge_writes_an_elf_of_whatever_it_was_given(tmp_path: Path, keys_of: Keys) -> None:
    from spboot.boards import Board
    from spboot.image import Image

    board = Board.load("NUCLEO-L476RG")
    body = apps.startable(board, bytes(range(200)))
    boot = apps.bootloader(board, keys_of)
    files = {"app.bin": body, "app.elf": named([(board.image_address, body)], {"f": board.image_address + 9})}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        made = merge.factory(boot, Image.load(tmp_path / name, board, Version(1, 0, 0)), keys_of)
        made.save(tmp_path / "factory.elf")
        back = program.load(tmp_path / "factory.elf", 0)
        assert back.segments == made.segments
        assert back.entry == int.from_bytes(boot[4:8], "little")
        names = [symbol.name for symbol in elf.symbols("f", (tmp_path / "factory.elf").read_bytes())]
        assert names == (["f"] if name == "app.elf" else [])
    assert (tmp_path / "factory.elf").stat().st_mode & 0o77 == 0, "there are keys in it"


def test_no_repr_shows_the_file_that_names_came_from() -> None:
    made = Program(kind="factory", segments=joined("a", [Segment(START, b"key")]), origins=(("", b"key"),))
    assert "key" not in repr(made)


@pytest.fixture
def keys_of(tmp_path: Path) -> Keys:
    return Keys.new(tmp_path / "keys", "lamp", development=True)
