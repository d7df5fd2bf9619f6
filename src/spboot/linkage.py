"""What an application is compiled and linked with, in one folder with names that are the same on every board:

spboot.ld spboot-check.ld    linker include and checks
spboot-memory.ld             the first of them, and a MEMORY with FLASH and RAM
spboot/spboot.h              the header
spboot_version.h             the version of the build
bootloader.txt               which bootloader: files for production are made again when it is another one

A file is written only when it changes, so that a build tool compiles and links again when it has to, and not otherwise.
The bootloader itself is built when there is none."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spboot import disk, gitversion
from spboot.boards import Board
from spboot.builder import bootloader
from spboot.builder.linkinclude import check_name, include_name, link_check, link_include, memory
from spboot.builder.merge import bootloader_in
from spboot.errors import BuildError, named
from spboot.formats import program
from spboot.formats.spec import data_path
from spboot.gitversion import GitVersion
from spboot.keys import Keys

LINKER_INCLUDE: Final = "spboot.ld"
LINKER_CHECK: Final = "spboot-check.ld"
LINKER_MEMORY: Final = "spboot-memory.ld"
HEADER: Final = "spboot/spboot.h"
VERSION_HEADER: Final = "spboot_version.h"
BOOTLOADER: Final = "bootloader.txt"
FILES: Final = (LINKER_INCLUDE, LINKER_CHECK, LINKER_MEMORY, HEADER, VERSION_HEADER, BOOTLOADER)
"""What `prebuild` writes, seen from its folder: for the search path of linker and compiler."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linkage:
    """What `prebuild` wrote, for an application to be compiled and linked with.

    >>> linkage = prebuild(board, keys, "linkage", place=Path("boot"), version=GitVersion.given(new.version))
    >>> linkage.bootloader.name, linkage.made
    ('spboot-NUCLEO-L476RG.elf', False)
    """

    folder: Path
    bootloader: Path
    """The file of the bootloader that the application is linked for."""
    made: bool
    """Whether that was built now, as there was none."""
    changed: tuple[str, ...]
    """Of FILES, those that are new or have other content."""


def prebuild(
    board: Board,
    keys: Keys,
    folder: str | os.PathLike[str],
    *,
    place: Path,
    version: GitVersion,
    compiler: str = "clang",
) -> Linkage:
    """Write FILES for *board* into *folder*, and build the bootloader into *place* when there is none.

    *place*: folder of `spboot build`, or the file of a bootloader.  Raises BuildError: the bootloader cannot be built,
    or the one that is there is for another board or holds other keys; DiskError.

    >>> made = prebuild(board, keys, "build/spboot", place=Path("boot"), version=GitVersion.given(new.version))
    >>> made.changed[0], (made.folder / "spboot_version.h").exists()
    ('spboot.ld', True)
    """
    out, found = Path(folder), bootloader.find(place, board)
    if found is None:
        if place.suffix in (".elf", ".hex", ".bin"):
            raise BuildError(f"{place}: there is no such file, expected a bootloader or the folder of `spboot build`")
        boot = bootloader.build(board, keys, place, compiler=compiler).elf
    else:
        _check(found, board, keys)
        boot = found
    texts = _texts(boot, board, version)
    disk.make_folder((out / HEADER).parent)
    changed = tuple(name for name in FILES if disk.write_changed(out / name, texts[name]))
    return Linkage(folder=out, bootloader=boot, made=found is None, changed=changed)


def _check(boot: Path, board: Board, keys: Keys) -> None:
    """Before an application is linked for a bootloader that it cannot be merged with."""
    with named(boot):
        bootloader_in(program.load(boot, board.bootloader.address), board, keys, str(boot))


def _texts(boot: Path, board: Board, version: GitVersion) -> dict[str, bytes]:
    """Content by name.  What was built with the bootloader fits it, also when spboot is a newer one today."""

    def kept(name: str, text: bytes) -> bytes:
        path = boot.parent / name
        return disk.read(path) if path.is_file() else text

    own = check_name(board).encode()
    header = (data_path("firmware") / "include" / HEADER).read_bytes()
    return {
        LINKER_INCLUDE: kept(include_name(board), link_include(board).encode()).replace(own, LINKER_CHECK.encode()),
        LINKER_CHECK: kept(check_name(board), link_check(board).encode()),
        LINKER_MEMORY: memory(board, LINKER_INCLUDE).encode(),
        HEADER: kept(f"include/{HEADER}", header),
        VERSION_HEADER: gitversion.header(version).encode(),
        BOOTLOADER: f"{boot.name} of {board.name}, SHA-256 {hashlib.sha256(disk.read(boot)).hexdigest()}\n".encode(),
    }
