"""Images of sticks, by the tools that make real ones: mkfs.vfat, mkfs.exfat, mtools, sfdisk."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.usb.exfat import Exfat

SECTOR = 512
MIB = 1 << 20
BASIC_DATA = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
START = MIB
"""Of a partition, as tools align it."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """*mebibytes* of a volume; *sectors* of a cluster; *mbr*: the type of its partition."""

    name: str
    make: tuple[str, ...]
    mebibytes: int
    sectors: int
    bits: int
    mbr: str

    @property
    def exfat(self) -> bool:
        return self.make[0] == "mkfs.exfat"


def _fat(bits: int, mebibytes: int, sectors: int, mbr: str) -> Format:
    make = ("mkfs.vfat", "-F", str(bits), "-s", str(sectors))
    return Format(name=f"FAT{bits}-{sectors}", make=make, mebibytes=mebibytes, sectors=sectors, bits=bits, mbr=mbr)


def _exfat(mebibytes: int, sectors: int) -> Format:
    make = ("mkfs.exfat", "-c", str(sectors * SECTOR))
    return Format(name=f"exFAT-{sectors}", make=make, mebibytes=mebibytes, sectors=sectors, bits=32, mbr="7")


FORMATS = (
    _fat(12, 2, 1, "1"),
    _fat(12, 30, 16, "1"),
    _fat(16, 20, 4, "4"),
    _fat(16, 80, 32, "e"),
    _fat(32, 40, 1, "b"),
    _fat(32, 300, 8, "c"),
    _exfat(8, 1),
    _exfat(16, 8),
    _exfat(32, 64),
)
STYLES = ("superfloppy", "MBR", "GPT")


def run(*command: str | Path, text: str | None = None) -> str:
    environment = os.environ | {"MTOOLS_SKIP_CHECK": "1", "PATH": f"{os.environ['PATH']}:/sbin:/usr/sbin"}
    done = subprocess.run(list(map(str, command)), input=text, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def sparse(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


def make_volume(path: Path, of: Format) -> Path:
    run(*of.make, sparse(path, of.mebibytes * MIB))
    return path


def fill(volume: Path, of: Format, files: Mapping[str, bytes]) -> None:
    """All *files* into the root, in their order."""
    if of.exfat:
        exfat = Exfat(path=volume)
        for name, data in files.items():
            exfat.add(name, data)
        exfat.save()
        return
    folder = volume.with_suffix(".files")
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
        run("mcopy", "-o", "-Q", "-i", volume, folder / name, "::")


def check(volume: Path, of: Format) -> None:
    """A peer finds nothing wrong with it."""
    run(*(("fsck.exfat", "-n") if of.exfat else ("fsck.vfat", "-n")), volume)


def partitioned(path: Path, volume: Path, style: str, of: Format) -> Path:
    """A disk with *volume* on it.  By GPT a system partition is in front of it, as macOS puts one there."""
    size = volume.stat().st_size
    if style == "superfloppy":
        path.hardlink_to(volume)
        return path
    start = START
    sparse(path, start + size + (3 if style == "GPT" else 1) * MIB)
    if style == "MBR":
        run("sfdisk", path, text=f"label: dos\n{start // SECTOR},{size // SECTOR},{of.mbr}\n")
    else:
        first = f"{start // SECTOR},{MIB // SECTOR},{ESP}\n"
        start += MIB
        run("sfdisk", path, text=f"label: gpt\n{first}{start // SECTOR},{size // SECTOR},{BASIC_DATA}\n")
        system = make_volume(path.with_suffix(".esp"), _fat(12, 1, 1, "1"))
        fill(system, FORMATS[0], {"wrong.sfb": b"of another partition"})
        _put(path, START, system)
    _put(path, start, volume)
    return path


def _put(path: Path, at: int, volume: Path) -> None:
    """Without what is zero, so that large images stay small."""
    with path.open("r+b") as file, volume.open("rb") as source:
        while piece := source.read(MIB):
            if piece.count(0) != len(piece):
                file.seek(at + source.tell() - len(piece))
                file.write(piece)
