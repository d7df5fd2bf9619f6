"""A file for a programmer: with the bootloader of a board in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spboot import boards, disk
from spboot.boards import Board
from spboot.builder.personal import target_of
from spboot.errors import FormatError
from spboot.formats import delta_file, program
from spboot.formats.content import kind_of
from spboot.formats.manifest import name_id
from spboot.formats.spec import spec
from spboot.secret import Secret

_KINDS: Final = {".hex": "hex", ".bin": "bin", ".elf": "elf"}
_UPDATE_MAGIC: Final = int(spec()["manifest"]["magic"]).to_bytes(2, "little")
_MERGE: Final = "`spboot merge` makes a file for a programmer"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactoryFile:
    """A bootloader or factory file that fits *board*.  *kind*: "hex", "bin" or "elf"."""

    path: Path
    kind: str
    board: Board
    size: int
    """Bytes that are programmed,"""
    outside: int = 0
    """and those of them in external flash."""

    @classmethod
    def load(cls, path: Path, board: Board) -> FactoryFile:
        """Look into *path*.  Raises FormatError: an update, an application alone, the bootloader of another board, a
        name or content that no programmer knows; DiskError when it cannot be read."""
        data = Secret(disk.read(path))
        _refuse_updates(path, data)
        kind = _KINDS.get(path.suffix.lower())
        if kind is None:
            raise FormatError(f"{path}: programmers know .hex, .bin and .elf by their names: rename it; {_MERGE}")
        segments = program.read(path, data, board.bootloader.address).segments
        found = program.Program(kind=kind, segments=segments).run_at(board.bootloader.address)
        target = target_of(found)
        if target is None:
            raise FormatError(
                f"{path} has no bootloader at {board.bootloader.address:#010x}, where {board.name} starts: {_MERGE}"
            )
        if target != name_id(board.name):
            other = boards.of_id(target) or f"a board that is not ours ({target:#010x})"
            raise FormatError(f"{path}: its bootloader is not that of {board.name}, but was built for {other}")
        size, internal = sum(len(segment.data) for segment in segments), board.chip.flash
        inside = sum(len(each.data) for each in segments if internal[0].address <= each.address < internal[-1].end)
        return cls(path=path, kind=kind, board=board, size=size, outside=size - inside)


def _refuse_updates(path: Path, data: bytes) -> None:
    if data[:2] == _UPDATE_MAGIC and kind_of(data).startswith("an update"):
        raise FormatError(
            f"{path} is an update file (.sfb, .sfbp), which only a bootloader can read: send it with "
            f"`spboot send PORT {path.name}`; {_MERGE}"
        )
    if delta_file.is_delta_file(data):
        raise FormatError(f"{path} is a delta file, which no board takes: {_MERGE}")
