"""What the fuzzer of sticks starts from: small disks with one update each, as tests/fuzz/stick.c reads them.  Made by
hand, so that they stay small; that the readers know those of real tools is shown in tests/usb."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from spboot.formats.spec import record
from tests.usb.exfat import entry_set

_START = 64
"""Of a partition, in sectors."""
_FILE = 600
"""Bytes of the update: two sectors."""
_NAMES = ("A.SFB", "app-1.0.0.sfbp")
_MBR = 446

Pieces = dict[int, bytes]
"""Sector -> what it begins with, up to its last byte that is not zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """Sectors count from its start."""

    sectors: int
    mbr: int
    pieces: Pieces


def stick_seeds() -> list[bytes]:
    """Every file system in every style of partitions, with a short name or a long one, in one piece or two."""
    disks = [
        disk
        for name in _NAMES
        for apart in (False, True)
        for volume in (*(_fat(bits, name, apart) for bits in (12, 16, 32)), _exfat(name, apart))
        for disk in (volume, _by_mbr(volume), _by_gpt(volume))
    ]
    disks += [
        _fat(16, _NAMES[0], True, copies=3),
        _fat(32, _NAMES[1], False, copies=16),
        _circle(),
        _exfat("x" * 60 + ".sfbp", False),
    ]
    return [struct.pack("<IHB", disk.sectors, 0, 0) + b"".join(_packed(disk.pieces)) for disk in disks]


def _update() -> bytes:
    """What the harness takes for one: a magic, a version, and payload as long as the file says."""
    manifest, signature = record("manifest"), 64
    head = bytearray(manifest.size)
    head[0] = 0x53
    struct.pack_into("<I", head, manifest.field("version").offset, 0x01000000)
    struct.pack_into("<I", head, manifest.field("payload_size").offset, _FILE - manifest.size - signature)
    return bytes(head)


def _circle() -> Volume:
    """A root directory whose second cluster has deleted files alone, and goes on with itself."""
    volume = _fat(32, _NAMES[0], False, copies=16)
    fat = bytearray(volume.pieces[1])
    struct.pack_into("<II", fat, 4 * 2, 3, 3)
    root = max(sector for sector, piece in volume.pieces.items() if len(piece) == 512 and sector > 1)
    pieces = volume.pieces | {1: bytes(fat), root + 1: b"\xe5".ljust(32, b"\0") * 16}
    return Volume(sectors=volume.sectors, mbr=volume.mbr, pieces=pieces)


def _fat(bits: int, name: str, apart: bool, copies: int = 1) -> Volume:
    """Clusters of one sector, one FAT with entries as long as they need be, the update in cluster 5; *copies*: as many
    updates, the others in one piece behind it."""
    clusters = {12: 100, 16: 5000, 32: 70000}[bits]
    fat_sectors = -(-(clusters + 2) * bits // 8 // 512)
    root_sectors = 0 if bits == 32 else 1
    data = 1 + fat_sectors + root_sectors
    boot = bytearray(512)
    boot[0:3] = b"\xeb\x3c\x90"
    small = fat_sectors if bits < 32 else 0
    struct.pack_into("<HBHBHHBH", boot, 11, 512, 1, 1, 1, 16 * root_sectors, 0, 0xF8, small)
    struct.pack_into("<I", boot, 32, data + clusters)
    if bits == 32:
        struct.pack_into("<II", boot, 36, fat_sectors, 0)
        struct.pack_into("<I", boot, 44, 2)
    boot[510:] = b"\x55\xaa"
    second = 8 if apart else 6
    fat = bytearray(512)
    for cluster, following in ((2, (1 << bits) - 1), (5, second), (second, (1 << bits) - 1)):
        _put_entry(fat, bits, cluster, following & 0x0FFFFFFF)
    root = data if bits == 32 else data - 1
    entries = b"".join(_fat_entries(name, 5 + 8 * number) for number in range(copies))[:512]
    pieces = {0: bytes(boot), root: entries} | {data + 3 + 8 * number: _update() for number in range(copies)}
    for number in range(1, copies):
        _put_entry(fat, bits, 5 + 8 * number, 6 + 8 * number)
    pieces[1] = bytes(fat)
    return Volume(sectors=data + clusters, mbr={12: 1, 16: 4, 32: 12}[bits], pieces=pieces)


def _put_entry(fat: bytearray, bits: int, cluster: int, value: int) -> None:
    at = cluster * bits // 8
    size = -(-bits // 8)
    found = int.from_bytes(fat[at : at + size], "little")
    shift = 4 if bits == 12 and cluster % 2 else 0
    fat[at : at + size] = (found | value << shift).to_bytes(size, "little")


def _fat_entries(name: str, cluster: int) -> bytes:
    short = b"A       SFB" if name == _NAMES[0] else b"APP-10~1SFB"
    entry = struct.pack("<11sBBBHHHHHHHI", short, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, cluster, _FILE)
    if name == _NAMES[0]:
        return entry
    total = 0
    for byte in short:
        total = ((total << 7 | total >> 1) + byte) & 0xFF
    letters = (name + "\0").ljust(26, "\uffff")
    parts = [letters[at : at + 13].encode("utf-16-le") for at in (13, 0)]
    long = [
        bytes([number]) + part[:10] + bytes([0x0F, 0, total]) + part[10:22] + b"\0\0" + part[22:]
        for number, part in zip((0x42, 1), parts, strict=True)
    ]
    return b"".join([*long, entry])


def _exfat(name: str, apart: bool) -> Volume:
    """Clusters of a sector, the root in cluster 4, the update in cluster 5."""
    boot = bytearray(512)
    boot[3:11] = b"EXFAT   "
    struct.pack_into("<5I", boot, 80, 1, 2, 3, 200, 4)
    boot[108], boot[109], boot[110] = 9, 0, 1
    boot[510:] = b"\x55\xaa"
    fat = bytearray(512)
    for cluster, following in ((4, 0xFFFFFFFF), (5, 9), (9, 0xFFFFFFFF)):
        struct.pack_into("<I", fat, 4 * cluster, following)
    root = b"".join(entry_set(name, _FILE, 5, 0x20, flat=not apart))
    return Volume(sectors=300, mbr=7, pieces={0: bytes(boot), 1: bytes(fat), 5: root, 6: _update()})


def _moved(volume: Volume) -> Pieces:
    return {_START + sector: piece for sector, piece in volume.pieces.items()}


def _by_mbr(volume: Volume) -> Volume:
    table = bytearray(512)
    struct.pack_into("<I", table, _MBR + 4, 0x0F)  # another one, which is passed over
    struct.pack_into("<IIII", table, _MBR + 16, 0, volume.mbr, _START, volume.sectors)
    table[510:] = b"\x55\xaa"
    return Volume(sectors=_START + volume.sectors, mbr=0, pieces={0: bytes(table), **_moved(volume)})


def _by_gpt(volume: Volume) -> Volume:
    table = bytearray(512)
    struct.pack_into("<IIII", table, _MBR, 0, 0xEE, 1, 0xFFFFFFFF)
    table[510:] = b"\x55\xaa"
    header = b"EFI PART".ljust(72, b"\0") + struct.pack("<QII", 2, 8, 128)
    entry = struct.pack("<I28xQQ", 0xEBD0A0A2, _START, _START + volume.sectors - 1)
    entries = struct.pack("<I28xQQ", 0xC12A7328, 1, 2).ljust(128, b"\0") + entry
    pieces = {0: bytes(table), 1: header, 2: entries, **_moved(volume)}
    return Volume(sectors=_START + volume.sectors + 40, mbr=0, pieces=pieces)


def _packed(pieces: Pieces) -> Iterator[bytes]:
    """In runs without many zeros, which are there anyway."""
    for sector, piece in pieces.items():
        at = 0
        while at < len(piece):
            if not any(piece[at : at + 2]):
                at += 2
                continue
            end = piece.find(bytes(8), at)
            run = piece[at : min(end if end >= 0 else len(piece), at + 250)]
            yield struct.pack("<IBB", sector, at // 2, len(run)) + run
            at += -(-len(run) // 2) * 2
