"""spboot.image: applications out of ELF, HEX and BIN."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from intelhex import IntelHex

from spboot import delta, image
from spboot.errors import FormatError
from tests.delta.code import noise

from . import elf

Pack = Callable[[list[tuple[int, bytes]]], bytes]
BASE = 0x08008200
CAPACITY = 0x1000


def write(path: Path, data: bytes) -> Path:
    """*path*, after *data* went there."""
    path.write_bytes(data)
    return path


def as_hex(segments: list[tuple[int, bytes]]) -> bytes:
    """An Intel HEX file."""
    parsed, out = IntelHex(), StringIO()
    for address, data in segments:
        parsed.puts(address, data)
    parsed.write_hex_file(out)
    return out.getvalue().encode()


@pytest.mark.parametrize(("suffix", "pack"), [("elf", elf.make), ("hex", as_hex)])
class TestAddressed:
    """What ELF and HEX have in common."""

    def test_gap_is_erased_flash(self, tmp_path: Path, suffix: str, pack: Pack) -> None:
        path = write(tmp_path / f"a.{suffix}", pack([(BASE + 16, b"later"), (BASE, b"first")]))
        assert image.load(path, BASE, CAPACITY) == b"first" + b"\xff" * 11 + b"later"

    def test_patch_of_several_segments(self, tmp_path: Path, suffix: str, pack: Pack) -> None:
        """Code, pictures and settings, far from each other; the first grows, the second moves up."""
        code, pictures, settings = (noise(size, str(size)) for size in (900, 700, 30))
        old_parts = [(BASE, code), (BASE + 0x1000, pictures), (BASE + 0x3000, settings)]
        new_parts = [(BASE, code[:500] + b"new" + code[500:]), (BASE + 0x1100, pictures), (BASE + 0x3000, settings)]
        old, new = (
            image.load(write(tmp_path / f"{name}.{suffix}", pack(parts)), BASE, 0x4000)
            for name, parts in (("old", old_parts), ("new", new_parts))
        )
        assert len(old) == len(new) == 0x3000 + len(settings)
        for at, data in new_parts:
            assert new[at - BASE :].startswith(data)
        stream = delta.encode(old, new, base=BASE)
        assert delta.decode(old, stream, len(new)) == new
        assert len(stream) < 40  # gaps and what only moved cost nothing much

    @pytest.mark.parametrize("address", [0x08000000, BASE + 4])
    def test_linked_elsewhere(self, tmp_path: Path, suffix: str, pack: Pack, address: int) -> None:
        path = write(tmp_path / f"a.{suffix}", pack([(address, b"code")]))
        with pytest.raises(FormatError, match=f"linked at {address:#010x}, expected 0x08008200: include"):
            image.load(path, BASE, CAPACITY)

    def test_far_segment(self, tmp_path: Path, suffix: str, pack: Pack) -> None:
        path = write(tmp_path / f"a.{suffix}", pack([(BASE, b"code"), (0x20000000, b"data")]))
        with pytest.raises(FormatError, match="segment at 0x20000000 of 4 bytes ends outside"):
            image.load(path, BASE, CAPACITY)

    def test_too_large(self, tmp_path: Path, suffix: str, pack: Pack) -> None:
        path = write(tmp_path / f"a.{suffix}", pack([(BASE, bytes(17))]))
        assert len(image.load(path, BASE, 17)) == 17
        with pytest.raises(FormatError, match="ends outside the slot"):
            image.load(path, BASE, 16)

    def test_nothing_in_it(self, tmp_path: Path, suffix: str, pack: Pack) -> None:
        path = write(tmp_path / f"a.{suffix}", pack([]))
        with pytest.raises(FormatError, match="nothing to load"):
            image.load(path, BASE, CAPACITY)

    def test_garbage(self, tmp_path: Path, suffix: str, pack: Pack) -> None:
        path = write(tmp_path / f"a.{suffix}", b"\x80garbage")
        with pytest.raises(FormatError, match="not a"):
            image.load(path, BASE, CAPACITY)


def test_bin_is_taken_as_it_is(tmp_path: Path) -> None:
    assert image.load(write(tmp_path / "a.bin", b"anything"), BASE, CAPACITY) == b"anything"


def test_bin_limits(tmp_path: Path) -> None:
    path = write(tmp_path / "a.bin", bytes(17))
    assert len(image.load(path, BASE, 17)) == 17
    with pytest.raises(FormatError, match="17 bytes, the slot takes 16: 1 too many"):
        image.load(path, BASE, 16)
    with pytest.raises(FormatError, match="nothing in it"):
        image.load(write(path, b""), BASE, CAPACITY)


def test_elf_without_suffix(tmp_path: Path) -> None:
    assert image.load(write(tmp_path / "a.out", elf.make([(BASE, b"code")])), BASE, CAPACITY) == b"code"


def test_elf_headers_in_the_first_segment_are_no_code(tmp_path: Path) -> None:
    path = write(tmp_path / "a.elf", elf.make([(BASE, b"code"), (BASE + 8, b"data")], own_headers=True))
    assert image.load(path, BASE, CAPACITY) == b"code\xff\xff\xff\xffdata"


def test_elf_for_another_machine(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="made for x64, expected an ELF for ARM"):
        image.load(write(tmp_path / "a.elf", elf.make([(BASE, b"code")], machine=62)), BASE, CAPACITY)


def test_elf_that_ends_early(tmp_path: Path) -> None:
    whole = elf.make([(BASE, bytes(range(64)))])
    for size in range(len(whole)):
        path = write(tmp_path / "a.elf", whole[:size])
        with pytest.raises(FormatError):
            image.load(path, BASE, CAPACITY)


def test_overlap(tmp_path: Path) -> None:
    path = write(tmp_path / "a.elf", elf.make([(BASE, bytes(16)), (BASE + 15, bytes(16))]))
    with pytest.raises(FormatError, match="segment at 0x0800820f overlaps"):
        image.load(path, BASE, CAPACITY)


def test_unknown_kind_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"expected an application as \.elf, \.hex or \.bin"):
        image.load(write(tmp_path / "a.zip", b"PK"), BASE, CAPACITY)
    with pytest.raises(FormatError, match="cannot be read: No such file"):
        image.load(tmp_path / "none.elf", BASE, CAPACITY)
