"""spboot.image: applications out of ELF, HEX and BIN."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from spboot import delta, image
from spboot.boards import Board, Slot
from spboot.disk import DiskError
from spboot.errors import FormatError
from tests import apps
from tests.delta.code import noise

from . import elf, hex_file

Pack = Callable[[list[tuple[int, bytes]]], bytes]
BOARD = Board.load("NUCLEO-L476RG")
BASE = BOARD.image_address
APP = apps.startable(BOARD, noise(64, "app"))


def laid(path: Path, room: int = 0x8000) -> bytes:
    """The bytes of *path* from BASE on, in a slot that takes *room* bytes; whether they can start is not asked."""
    slot = Slot(address=BOARD.slot0.address, size=room + BOARD.vector_size)
    board = dataclasses.replace(BOARD, slot0=slot)
    return image.flatten(image.read(path, board), board, str(path))


def write(path: Path, data: bytes) -> Path:
    """*path*, after *data* went there."""
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("suffix", "pack"), [("elf", elf.make), ("hex", hex_file.make)])
class TestAddressed:
    """What ELF and HEX have in common."""

    def test_gap_is_zero(self, tmp_path: Path, suffix: str, pack: Pack) -> None:
        path = write(tmp_path / f"a.{suffix}", pack([(BASE + 16, b"later"), (BASE, b"first")]))
        assert laid(path) == b"first" + b"\0" * 11 + b"later"

    def test_patch_of_several_segments(self, tmp_path: Path, suffix: str, pack: Pack) -> None:
        """Code, pictures and settings, far from each other; the first grows, the second moves up."""
        code, pictures, settings = (noise(size, str(size)) for size in (900, 700, 30))
        old_parts = [(BASE, code), (BASE + 0x1000, pictures), (BASE + 0x3000, settings)]
        new_parts = [(BASE, code[:500] + b"new" + code[500:]), (BASE + 0x1100, pictures), (BASE + 0x3000, settings)]
        old, new = (
            laid(write(tmp_path / f"{name}.{suffix}", pack(parts)))
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
            laid(path)

    def test_far_segment(self, tmp_path: Path, suffix: str, pack: Pack) -> None:
        path = write(tmp_path / f"a.{suffix}", pack([(BASE, b"code"), (0x20004000, b"data")]))
        with pytest.raises(FormatError, match=r"4 bytes at 0x20004000, which is RAM \(SRAM\).*AT> FLASH"):
            laid(path)

    def test_too_large(self, tmp_path: Path, suffix: str, pack: Pack) -> None:
        path = write(tmp_path / f"a.{suffix}", pack([(BASE, bytes(17))]))
        assert len(laid(path, 17)) == 17
        with pytest.raises(FormatError, match="ends outside the slot"):
            laid(path, 16)

    def test_nothing_in_it(self, tmp_path: Path, suffix: str, pack: Pack) -> None:
        path = write(tmp_path / f"a.{suffix}", pack([]))
        with pytest.raises(FormatError, match="nothing to load"):
            laid(path)

    def test_garbage(self, tmp_path: Path, suffix: str, pack: Pack) -> None:
        path = write(tmp_path / f"a.{suffix}", b"\x80garbage")
        with pytest.raises(FormatError, match="not an"):
            laid(path)


def test_bin_is_taken_as_it_is(tmp_path: Path) -> None:
    assert laid(write(tmp_path / "a.bin", b"anything")) == b"anything"


def test_bin_limits(tmp_path: Path) -> None:
    path = write(tmp_path / "a.bin", bytes(17))
    assert len(laid(path, 17)) == 17
    with pytest.raises(FormatError, match="17 bytes, the slot takes 16: 1 too many"):
        laid(path, 16)
    with pytest.raises(FormatError, match="nothing in it"):
        laid(write(path, b""))


def test_elf_without_suffix(tmp_path: Path) -> None:
    assert laid(write(tmp_path / "a.out", elf.make([(BASE, b"code")]))) == b"code"


def test_elf_headers_in_the_first_segment_are_no_code(tmp_path: Path) -> None:
    path = write(tmp_path / "a.elf", elf.make([(BASE, b"code"), (BASE + 8, b"data")], own_headers=True))
    assert laid(path) == b"code\0\0\0\0data"


def test_elf_for_another_machine(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="made for x64, expected an ELF for ARM"):
        laid(write(tmp_path / "a.elf", elf.make([(BASE, b"code")], machine=62)))


def test_elf_that_ends_early(tmp_path: Path) -> None:
    whole = elf.make([(BASE, bytes(range(64)))])
    for size in range(len(whole)):
        path = write(tmp_path / "a.elf", whole[:size])
        with pytest.raises(FormatError):
            laid(path)


def test_overlap(tmp_path: Path) -> None:
    path = write(tmp_path / "a.elf", elf.make([(BASE, bytes(16)), (BASE + 15, bytes(16))]))
    with pytest.raises(FormatError, match="bytes at 0x0800820f overlap those before them, which end at 0x08008210"):
        laid(path)


def test_unknown_kind_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"expected a program as \.elf, \.hex or \.bin"):
        laid(write(tmp_path / "a.zip", b"PK"))
    with pytest.raises(DiskError, match="cannot be read: No such file"):
        laid(tmp_path / "none.elf")
