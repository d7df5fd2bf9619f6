"""One file for production: bootloader, installed header, application."""

from __future__ import annotations

from spboot import release
from spboot.boards import Board
from spboot.build.elf import intel_hex
from spboot.build.personal import check_made_for
from spboot.keys import Keys
from spboot.secret import Secret
from spboot.version import Version


def areas(board: Board, bootloader: bytes, app: bytes, keys: Keys, version: Version) -> dict[int, bytes]:
    """Address -> bytes of a device as it leaves production with *app* installed as *version*.

    Raises BuildError: *bootloader* is none, is for another board, or holds other keys than *keys*; FormatError: *app*
    cannot start."""
    check_made_for(bootloader, board, keys)
    sealed = release.make_image(app, board=board, keys=keys, version=version)
    return {
        board.bootloader.address: Secret(bootloader),
        board.slot0.address: release.header_for(sealed),
        board.image_address: app,
    }


def as_hex(parts: dict[int, bytes]) -> bytes:
    """Intel HEX."""
    return Secret(intel_hex(parts).encode("ascii"))


def as_bin(parts: dict[int, bytes]) -> bytes:
    """One block from the lowest address on, gaps erased (0xFF)."""
    start = min(parts)
    out = bytearray()
    for address in sorted(parts):
        out += b"\xff" * (address - start - len(out)) + parts[address]
    return Secret(out)
