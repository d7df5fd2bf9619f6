"""Bootloader, installed header and application as one program: what a device has when it leaves production."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Final

from spboot import image, release
from spboot.boards import Board
from spboot.builder.bootloader import Bootloader
from spboot.builder.personal import check_made_for
from spboot.errors import named
from spboot.formats import program
from spboot.formats.program import Program
from spboot.formats.segment import Segment, joined
from spboot.image import Image
from spboot.keys import Keys
from spboot.secret import Secret

BOOT_PREFIX: Final = "boot_"
"""In front of the bootloader's names in an ELF file, as an application has a `main`, too."""


def merge(boot: Bootloader | str | PathLike[str], app: Image, *, keys: Keys, update: bytes | None = None) -> Program:
    """The program of a device as it leaves production: bootloader *boot*, or the one in a file (.bin, .hex, .elf), and
    *app* installed, what it has for external flash at its place there.  *update*: the full image of *app*, where it is
    made and signed already.

    Raises BuildError: the file is no bootloader, for another board, or holds other keys than *keys*; FormatError: it
    has bytes for other places, or *app* cannot start; DiskError.

    >>> [hex(segment.address) for segment in merge(boot, old, keys=keys).segments]
    ['0x8000000', '0x8008000', '0x8008200']
    """
    path = boot.elf if isinstance(boot, Bootloader) else Path(boot)
    with named(path):
        found = program.load(path, app.board.bootloader.address)
        inside = bootloader_in(found, app.board, keys, str(path))
    return factory(inside, app, keys, [(BOOT_PREFIX, elf) for _, elf in found.origins], update)


def bootloader_in(found: Program, board: Board, keys: Keys, name: str) -> Secret:
    """The bytes of the bootloader that *found*, of a file named *name*, is.

    Raises BuildError: it is none, is for another board, or holds other keys than *keys*; FormatError: it has bytes for
    other places."""
    start = board.bootloader.address
    check_made_for(Secret(found.run_at(start)), board, keys)
    for segment in found.segments:
        image.check_place(segment, _room(board), board, name)
    return Secret(found.from_address(start))


def factory(
    bootloader: bytes,
    app: Image,
    keys: Keys,
    origins: Iterable[tuple[str, bytes]] = (),
    update: bytes | None = None,
) -> Program:
    """What `merge` makes, of the bytes of a bootloader.  Raises BuildError and FormatError as it does."""
    board = app.board
    check_made_for(bootloader, board, keys)
    image.check_place(Segment(board.bootloader.address, bootloader), _room(board), board, "the bootloader")
    header = release.header_for(update or release.full_image(app, keys=keys))
    made = program_of(board, bootloader, header, app.data, app.rest)
    return replace(made, origins=(*origins, *app.origins))


def program_of(board: Board, bootloader: bytes, header: bytes = b"", app: bytes = b"", rest: bytes = b"") -> Program:
    """These bytes at their places in the flash of *board*, whatever they are."""
    pieces = [
        Segment(board.bootloader.address, bootloader),
        Segment(board.slot0.address, header),
        Segment(board.image_address, app),
    ]
    if board.slot0.rest is not None:
        pieces.append(Segment(board.slot0.rest.address, rest))
    return Program(kind="factory", segments=joined("the factory file", pieces))


def _room(board: Board) -> image.Room:
    return image.Room(board.bootloader, "the bootloader's place", "a bootloader", "give the bootloader alone")
