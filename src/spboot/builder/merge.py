"""One file for production: bootloader, installed header, application."""

from __future__ import annotations

from spboot import image, release
from spboot.boards import Board
from spboot.builder.personal import check_made_for
from spboot.formats import intel_hex, program
from spboot.formats.program import Program
from spboot.formats.segment import Segment
from spboot.keys import Keys
from spboot.secret import Secret
from spboot.version import Version


def bootloader_in(found: Program, board: Board, keys: Keys, name: str) -> Secret:
    """The bytes of the bootloader that *found*, of a file named *name*, is.

    Raises BuildError: it is none, is for another board, or holds other keys than *keys*; FormatError: it has bytes for
    other places."""
    start = board.bootloader.address
    check_made_for(Secret(found.run_at(start)), board, keys)
    for segment in found.segments:
        image.check_place(segment, _room(board), board, name)
    return Secret(found.from_address(start))


def areas(board: Board, bootloader: bytes, app: bytes, keys: Keys, version: Version) -> dict[int, bytes]:
    """Address -> bytes of a device as it leaves production with *app* installed as *version*.

    Raises BuildError: *bootloader* is none, is for another board, or holds other keys than *keys*; FormatError: it is
    larger than its place, or *app* cannot start."""
    check_made_for(bootloader, board, keys)
    image.check_place(Segment(board.bootloader.address, bootloader), _room(board), board, "the bootloader")
    sealed = release.make_image(app, board=board, keys=keys, version=version)
    return {
        board.bootloader.address: Secret(bootloader),
        board.slot0.address: release.header_for(sealed),
        board.image_address: app,
    }


def as_hex(parts: dict[int, bytes]) -> bytes:
    """Intel HEX."""
    return Secret(intel_hex.write(_segments(parts)))


def as_bin(parts: dict[int, bytes]) -> bytes:
    """One block from the lowest address on, gaps erased (0xFF)."""
    return Secret(program.flat(_segments(parts), min(parts), program.ERASED))


def _segments(parts: dict[int, bytes]) -> list[Segment]:
    return sorted(Segment(address, data) for address, data in parts.items())


def _room(board: Board) -> image.Room:
    return image.Room(board.bootloader, "the bootloader's place", "a bootloader", "give the bootloader alone")
