"""Images that cannot start on a board, as bytes from the vector table on: the host refuses to sign them, the device to
take them when they were signed by force."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
from typing import Final

from spboot.boards import Board
from spboot.formats.spec import record, spec
from tests import apps

SIZE: Final = 1200
LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a" * 16 + b"\nsize 131072\n"
HTML: Final = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>No such file.</body></html>\n"
HEX_TEXT: Final = b":020000040800F2\r\n:10820000008001200983000800000000000000002B\r\n:00000001FF\r\n"
SREC_TEXT: Final = b"S00600004844521B\nS31508008200008001200983000800000000000000008F\nS70508000000F2\n"
ELF_HEAD: Final = b"\x7fELF\x01\x01\x01" + bytes(9) + struct.pack("<2HI", 2, 40, 1)


def images(board: Board) -> dict[str, bytes]:
    """Name -> bytes.  Each is at least 8 bytes and fits the smallest slot."""
    body = random.Random(1).randbytes(SIZE)
    good = apps.startable(board, body)
    return (
        {name: content[:8].ljust(8, b"\n") + content[8:] for name, content in _other_files(board, body).items()}
        | {f"stack pointer {name}": struct.pack("<I", stack) + good[4:] for name, stack in _stacks(board).items()}
        | {f"reset vector {name}": good[:4] + struct.pack("<I", at) + good[8:] for name, at in _resets(board).items()}
        | {
            "vectors swapped": good[4:8] + good[:4] + good[8:],
            "vectors big-endian": good[3::-1] + good[7:3:-1] + good[8:],
            "code in front of the vectors": body[:256] + good,
            "zeros in front of the vectors": bytes(16) + good,
            "the first word is lost": good[4:],
            "the vectors are lost": good[512:],
            "cut behind the vectors": good[:8],
            "cut within the first instruction": good[:9],
        }
    )


def _other_files(board: Board, body: bytes) -> dict[str, bytes]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("app.bin", body)
    return {
        "random bytes": body,
        "all 0xff": b"\xff" * SIZE,
        "all zero": bytes(SIZE),
        "an HTML page": HTML,
        "a Git LFS pointer": LFS_POINTER,
        "Intel HEX as text": HEX_TEXT,
        "S-records as text": SREC_TEXT,
        "an ELF file": ELF_HEAD + body,
        "an update file": spec()["manifest"]["magic"].to_bytes(2, "little") + b"\x03\x00" + body,
        "a bootloader": bootloader_like(board, body),
        "a ZIP archive": archive.getvalue(),
        "a gzip file": gzip.compress(body),
        "some text": b"The application is attached to the other mail, sorry.\n",
        "a PEM key": b"-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n",
    }


def bootloader_like(board: Board, body: bytes) -> bytes:
    """What a bootloader, and so a factory file, begins with."""
    start = board.bootloader.address
    table = struct.pack("<I", spb_magic()).ljust(record("abi").size, b"\0")
    return struct.pack("<II", board.ram.address + 0x900, start + 0x4C1).ljust(64, b"\0") + table + body


def spb_magic() -> int:
    """Of the ABI table."""
    magic: int = spec()["abi"]["magic"]
    return magic


def _stacks(board: Board) -> dict[str, int]:
    top = board.stacks[-1].end
    return {
        "0": 0,
        "0xffffffff": 0xFFFF_FFFF,
        "0xfffffffc": 0xFFFF_FFFC,
        "odd": top - 0xFF,
        "a multiple of 2 only": top - 0x102,
        "a word behind the end of RAM": top + 4,
        "far behind the end of RAM": top + 0x10_0000,
        "one above the reserved RAM's start": board.ram.address + 4,
        "in the middle of the reserved RAM": board.ram.address + board.ram.size // 2,
        "at the end of the reserved RAM": board.ram.end,
        "in flash": board.image_address + 0x100,
        "at a peripheral": 0x4000_0000,
        "in external RAM": 0xC010_0000,
        "in system memory": 0x1FFF_0000,
    }


def _resets(board: Board) -> dict[str, int]:
    start, end = board.image_address, board.image_address + SIZE
    return {
        "0": 0,
        "0xffffffff": 0xFFFF_FFFF,
        "even": start + 0x100,
        "even, of the first instruction": start + apps.VECTORS,
        "at word 0": start + 1,
        "at word 1": start + 5,
        "behind the last byte": end + 1,
        "far behind the end, as of a cut file": end + 0x1001,
        "linked at the start of flash": board.chip.flash[0].address + 0x101,
        "linked at 0": 0x101,
        "in the header": start - 0xFF,
        "in the bootloader": board.bootloader.address + spec()["abi"]["gate_offset"] + 1,
        "in RAM": board.ram.end + 0x101,
        "behind the slot": board.slot0.end + 0x101,
        "in system memory": 0x1FFF_0101,
    }
