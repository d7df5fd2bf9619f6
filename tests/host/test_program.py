"""spboot.formats.program: what is written is what is read.  What is refused: test_program_files.py."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from intelhex import IntelHex

from spboot.errors import FormatError, TwinError
from spboot.formats import elf, intel_hex, program
from spboot.formats.segment import Segment
from spboot.twin import Twin
from spboot.twin.host import images
from spboot.twin.measure.callee import Callee
from tests.delta.code import noise

from . import elf as elf_file
from . import hex_file

Segments = tuple[Segment, ...]
START = 0x08000000
LINES = st.sampled_from([16, 32, 48, 64, 80])
SIZES = st.one_of(st.integers(1, 70), LINES, st.integers(500, 600))


@st.composite
def programs(draw: st.DrawFn) -> Segments:
    """Segments with holes between, of whole lines and others, over borders of 64 KB and at both ends of memory."""
    at = draw(st.sampled_from([0, 0x0800FFE9, START, 0x1FFF7800]))
    made = []
    for hole, size in draw(st.lists(st.tuples(st.one_of(st.integers(1, 100), LINES), SIZES), max_size=5)):
        made.append(Segment(at + hole, noise(size, f"{at}")))
        at = made[-1].end
    if draw(st.booleans()):
        made.append(Segment(0x1_0000_0000 - 20, noise(20, "last")))
    return tuple(made)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(programs())
@example((Segment(START, bytes(16)), Segment(START + 32, bytes(16))))
def test_hex_of_segments_has_these_segments(segments: Segments) -> None:
    text = intel_hex.write(reversed(segments))
    assert intel_hex.read("a.hex", text) == segments
    assert program.read(Path("a.hex"), text, 0).segments == segments
    other = IntelHex()
    other.loadhex(io.StringIO(text.decode()))
    assert [(first, end) for first, end in other.segments()] == [(each.address, each.end) for each in segments]
    assert all(other.tobinstr(each.address, size=len(each.data)) == each.data for each in segments)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(programs(), st.integers(1, 8))
def test_pieces_that_touch_are_one_segment(segments: Segments, width: int) -> None:
    """However a maker cuts what has no hole, and in whatever order."""
    pieces = [
        Segment(each.address + at, each.data[at : at + size])
        for each in segments
        for size in [max(len(each.data) // width, 1)]
        for at in range(0, len(each.data), size)
    ]
    assert intel_hex.read("a.hex", intel_hex.write(pieces[::-1])) == segments
    assert elf.read("a.elf", elf_file.make(pieces[::-1])).segments == segments


@settings(max_examples=40, deadline=None, derandomize=True)
@given(programs(), st.booleans())
def test_elf_of_segments_has_these_segments(segments: Segments, sections: bool) -> None:
    made = elf_file.make(list(segments), sections=sections)
    found = program.read(Path("a.elf"), made, 0)
    assert found.segments == segments
    if not segments or segments[-1].end - segments[0].address > 1 << 16:
        return
    start, size = segments[0].address, segments[-1].end - segments[0].address
    other = Segment(start, noise(size, "other"))
    changed = elf.filled("a.elf", made, other)
    assert elf.read("a.elf", changed).segments == tuple(
        Segment(at, other.data[at - start : at - start + len(data)]) for at, data in segments
    )
    assert elf.filled("a.elf", changed, Segment(start, found.from_address(start))) == made


def test_a_block_has_the_gaps_filled() -> None:
    segments = (Segment(0x10, b"ab"), Segment(0x14, b"c"))
    assert program.flat(segments, 0x0E, b"\xff") == b"\xff\xffab\xff\xffc"
    made = program.Program(kind="ELF", segments=segments)
    assert made.from_address(0x10) == b"ab\0\0c"
    assert [made.run_at(at) for at in (0x10, 0x12, 0x14)] == [b"ab", b"", b"c"]


def test_an_elf_is_filled_as_a_whole() -> None:
    made = elf_file.make([(START, b"abcd"), (START + 8, b"efgh")])
    for address, size in ((START + 1, 40), (START, 11), (START - 4, 15)):
        with pytest.raises(FormatError, match=r"a\.elf: it has <4 bytes at 0x0800000.>, expected all within <"):
            elf.filled("a.elf", made, Segment(address, bytes(size)))


def test_a_segment_shows_no_bytes() -> None:
    segment = Segment(START, b"secret")
    assert f"{segment} {[segment]}" == "<6 bytes at 0x08000000> [<6 bytes at 0x08000000>]"


@pytest.mark.parametrize("name", ["a.bin", "A.BIN"])
@pytest.mark.parametrize("data", [elf_file.make([(START, b"code")]), hex_file.make([(START, b"code")])])
def test_what_has_addresses_is_no_binary(name: str, data: bytes) -> None:
    with pytest.raises(FormatError, match=r"it is an (ELF|Intel HEX) file: give it by a name that says so"):
        program.read(Path(name), data, START)


PLACES = [
    (0x1FFF7800, "there is system memory: option bytes and OTP of the chip: leave it out .* and program it by itself"),
    (0x1FFF7000, "there is system memory"),
    (0x20004000, r"there is RAM \(SRAM\): load it from flash"),
    (0x90000000, r"there is external memory \(QUADSPI, OCTOSPI\): .*program that memory by itself"),
    (0x40022000, "there is peripheral registers: .*write them in code"),
    (0x08100000, "is it for STM32L476RG"),
]


@pytest.mark.parametrize(("suffix", "make"), [("elf", elf_file.make), ("hex", hex_file.make)])
@pytest.mark.parametrize(("address", "words"), PLACES)
def test_a_twin_is_programmed_in_its_flash_only(
    address: int, words: str, suffix: str, make: hex_file.Maker, tmp_path: Path
) -> None:
    """What is for other places is named: no twin that differs from the chip, without a word."""
    path, twin = tmp_path / f"a.{suffix}", Twin("STM32L476RG")
    path.write_bytes(make([(START, b"code"), (address, b"data")]))
    with pytest.raises(TwinError, match=f"a.{suffix}: 4 bytes at {address:#010x} are outside of flash, .*; {words}"):
        images.load(twin, path)


def test_data_that_start_up_code_would_copy_is_not_called_without(tmp_path: Path) -> None:
    """A function whose data would not be there gives wrong answers, and no error."""
    path = tmp_path / "a.elf"
    path.write_bytes(elf_file.make([(START, b"code"), (START + 0x100, b"data")], runs_at={START + 0x100: 0x20000000}))
    with pytest.raises(TwinError, match="start-up code would copy some of it"):
        Callee(path)
    path.write_bytes(elf_file.make([(START, b"code"), (0x20000000, b"data")]))
    assert Callee(path).read(0x20000000, 4) == b"data"


def test_holes_are_of_all_kinds() -> None:
    """What the property tests are about: holes that a reader takes for lost lines, where lines are long."""
    close = (Segment(START, bytes(16)), Segment(START + 32, bytes(16)))
    assert max(len(line) for line in intel_hex.write(close).splitlines()) == 11 + 2 * 8
    with pytest.raises(FormatError, match="line was lost"):
        intel_hex.read("a.hex", hex_file.make([tuple(each) for each in close]))
    far = (Segment(START, bytes(32)), Segment(START + 0x100, bytes(32)))
    assert {len(line) for line in intel_hex.write(reversed(far)).splitlines()} == {11, 15, 11 + 2 * 16}
    assert [after.address - before.end for before, after in pairwise(far)] == [0xE0]
