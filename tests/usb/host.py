"""The readers of sticks and the engine as a program of this machine, under the address and undefined-behaviour
sanitizers, and disks for them."""

from __future__ import annotations

import os
import subprocess
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from spboot.boards import Board
from spboot.builder import headers
from spboot.builder.bootloader import boot_version
from spboot.builder.texts import Texts, status_sentences
from spboot.formats.spec import data_path

FOREVER = 1 << 30
"""Reads of a stick that does not fail."""
_HERE = Path(__file__).parent
_SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1")


@dataclass(frozen=True, kw_only=True)
class Found:
    """An update file as the firmware finds it: *crc* over all of its bytes, 0 when they could not be read."""

    name: str
    size: int
    crc: int

    @classmethod
    def of(cls, name: str, data: bytes) -> Found:
        return cls(name=name, size=len(data), crc=zlib.crc32(data))


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What is on a disk.  *trouble*: why no more; *kind*: as "FAT, 32 bits, 8 sectors in a cluster"."""

    files: tuple[Found, ...]
    trouble: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Host:
    """The program."""

    path: Path
    folder: Path

    def list(self, image: Path, reads: int = FOREVER) -> Listing:
        *lines, kind = self._run("list", image, str(reads))
        trouble = [line[2:] for line in lines if line.startswith("= ")]
        rows = [line.split(" ", 2) for line in lines if not line.startswith("= ")]
        files = tuple(Found(name=name, size=int(size), crc=int(crc, 16)) for size, crc, name in rows)
        return Listing(files=files, trouble=" ".join(trouble), kind=kind.removeprefix("= "))

    def run(
        self, what: str, image: Path, cells: bytes, personal: bytes, *, active: bool = True, reads: int = FOREVER
    ) -> list[str]:
        """Lines of "choose" or "update" with *cells* in SLOT0."""
        paths = self.folder / "cells.bin", self.folder / "personal.bin"
        for path, data in zip(paths, (cells, personal), strict=True):
            path.write_bytes(data)
        return self._run(what, image, str(reads), *map(str, paths), str(int(active)))

    def _run(self, what: str, image: Path, *arguments: str) -> list[str]:
        done = subprocess.run([self.path, what, image, *arguments], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout.splitlines()


FILES = ("directory", "stick", "volume")
"""Of firmware/usb, what is above disk.h."""


def compile_host(board: Board, folder: Path) -> Host:
    """For *board*."""
    other = os.environ.get("SPBOOT_TEST_FIRMWARE")  # test_mutants.py sets it
    tree = Path(other) if other else data_path("firmware")
    headers.write(folder / "generated", board, boot_version())
    core = folder / "generated/core"
    texts = Texts(status_sentences())
    (core / "spb_texts.h").write_text(texts.header())
    rooms = [tree / room for room in ("usb", "loader", "core", "crypto")]
    includes = [f"-I{path}" for path in (*rooms, core, folder / "generated/crypto")]
    flags = ["-std=c11", "-g", *_SANITIZED, *([] if other else ["-Wall", "-Wextra", "-Wpedantic", "-Werror"])]
    sources: list[Path] = []
    for source in (tree / "usb" / f"{name}.c" for name in FILES):
        done = subprocess.run(["gcc", *flags, *includes, "-E", source], capture_output=True, text=True, check=True)
        sources.append(folder / f"{source.stem}.i")
        sources[-1].write_text(texts.number(done.stdout))
    (core / "spb_texts.h").write_text(texts.header())
    (core / "sentences.h").write_text(_table(texts.sentences))
    sources += [*(tree / "core").glob("*.c"), *(tree / "crypto").glob("*.c"), _HERE.parent / "core/host_port.c"]
    unit = board.chip.memory_at(board.slot0.address).erase_unit
    command = ["gcc", *flags, f"-DHP_ERASE_UNIT={unit}u", *includes, "-o", str(folder / "host_stick")]
    subprocess.run([*command, *map(str, sources), str(_HERE / "host_stick.c")], check=True)
    return Host(path=folder / "host_stick", folder=folder)


def _table(sentences: Iterable[str]) -> str:
    rows = ",\n".join('"' + "".join(f"\\{byte:03o}" for byte in text.encode()) + '"' for text in sentences)
    return f"static const char *const sentences[] = {{\n{rows}\n}};\n"
