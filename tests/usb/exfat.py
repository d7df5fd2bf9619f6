"""Puts files into the root directory of what mkfs.exfat made: Debian has no tool that does so without a mount.
fsck.exfat judges what comes of it.  Microsoft, "exFAT file system specification", 2019."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

_SECTOR = 512
_ENTRY = 32
_END = 0xFFFFFFFF
ARCHIVE, HIDDEN, SYSTEM, FOLDER = 0x20, 0x02, 0x04, 0x10


@dataclass(kw_only=True)
class Exfat:
    """The volume that begins at *start* of *path*; *data* is written back by `save`."""

    path: Path
    start: int = 0
    data: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self.data = bytearray(self.path.read_bytes())
        boot = self.data[self.start : self.start + _SECTOR]
        fat, _, heap, self.clusters, self.root = struct.unpack_from("<5I", boot, 80)
        self.cluster_size = _SECTOR << boot[109]
        self.fat_at, self.heap_at = (self.start + sector * _SECTOR for sector in (fat, heap))
        root = self.at(self.root)
        entries = range(root, root + self.cluster_size, _ENTRY)
        bitmap = next(at for at in entries if self.data[at] == 0x81)
        self.bitmap = self.at(struct.unpack_from("<I", self.data, bitmap + 20)[0])

    def save(self) -> None:
        self.path.write_bytes(self.data)

    def at(self, cluster: int) -> int:
        """Where that cluster is in the file."""
        return self.heap_at + (cluster - 2) * self.cluster_size

    def add(
        self, name: str, content: bytes, *, attributes: int = ARCHIVE, fragmented: bool = False, deleted: bool = False
    ) -> None:
        """*fragmented*: its clusters lie apart, and the FAT has their chain; else they follow each other, without."""
        clusters = self.take(-(-len(content) // self.cluster_size), 2 if fragmented else 1)
        if fragmented:
            self.chain(clusters)
        for number, cluster in enumerate(clusters):
            piece = content[number * self.cluster_size : (number + 1) * self.cluster_size]
            self.data[self.at(cluster) : self.at(cluster) + len(piece)] = piece
        self._enter(
            entry_set(name, len(content), clusters[0] if clusters else 0, attributes, flat=not fragmented), deleted
        )

    def take(self, count: int, step: int) -> list[int]:
        """That many free clusters, every *step*-th, marked as used."""
        found = [n for n in range(2, self.clusters + 2) if not self._used(n)][: count * step : step]
        assert len(found) == count
        for cluster in found:
            self.data[self.bitmap + (cluster - 2) // 8] |= 1 << (cluster - 2) % 8
        return found

    def chain(self, clusters: list[int]) -> None:
        """One behind the other in the FAT."""
        for cluster, following in zip(clusters, [*clusters[1:], _END], strict=True):
            struct.pack_into("<I", self.data, self.fat_at + 4 * cluster, following)

    def fat_of(self, cluster: int) -> int:
        return int(struct.unpack_from("<I", self.data, self.fat_at + 4 * cluster)[0])

    def root_clusters(self) -> list[int]:
        found = [self.root]
        while self.fat_of(found[-1]) != _END:
            found.append(self.fat_of(found[-1]))
        return found

    def _used(self, cluster: int) -> bool:
        return bool(self.data[self.bitmap + (cluster - 2) // 8] >> (cluster - 2) % 8 & 1)

    def _enter(self, entries: list[bytes], deleted: bool) -> None:
        """Behind the last entries of the root, which grows by clusters when it is full."""
        for entry in entries:
            places = [
                at
                for each in self.root_clusters()
                for at in range(self.at(each), self.at(each) + self.cluster_size, _ENTRY)
            ]
            free = next((at for at in places if self.data[at] == 0), None)
            if free is None:
                more = self.take(1, 1)
                self.chain([*self.root_clusters(), *more])
                free = self.at(more[0])
                self.data[free : free + self.cluster_size] = bytes(self.cluster_size)
            self.data[free : free + _ENTRY] = bytes([entry[0] & 0x7F if deleted else entry[0]]) + entry[1:]


def entry_set(name: str, size: int, cluster: int, attributes: int, *, flat: bool) -> list[bytes]:
    """The entries of a file: exFAT 7.4, 7.6, 7.7."""
    letters = name.encode("utf-16-le")
    parts = [letters[at : at + 30].ljust(30, b"\0") for at in range(0, len(letters), 30)]
    flags = 1 | 2 * flat if cluster else 0
    stream = struct.pack("<BBxBHHQIIQ", 0xC0, flags, len(letters) // 2, _hash(name), 0, size, 0, cluster, size)
    names = [b"\xc1\0" + part for part in parts]
    day = (2026 - 1980) << 25 | 1 << 21 | 1 << 16
    first = struct.pack("<BBHHHIII", 0x85, 1 + len(names), 0, attributes, 0, day, day, day).ljust(_ENTRY, b"\0")
    total = 0
    for number, byte in enumerate(b"".join([first, stream, *names])):
        if number not in (2, 3):
            total = ((total << 15 | total >> 1) + byte) & 0xFFFF
    return [first[:2] + struct.pack("<H", total) + first[4:], stream, *names]


def _hash(name: str) -> int:
    total = 0
    for byte in name.upper().encode("utf-16-le"):
        total = ((total << 15 | total >> 1) + byte) & 0xFFFF
    return total
