"""Pictures, fonts and sounds of a GUI application, as they lie in external flash.  The same seed gives the same bytes
on every machine: paint.c draws them with integers.

    python generate.py assets.toml build/assets [BYTES]

writes what the application is compiled with: assets.S with all that goes outside, bitmap_database.c and .h with what
points there.  BYTES: so much beside what assets.toml has, as a product of that size would have it.  It wants the Python
that has spboot, whose compiler it uses."""

from __future__ import annotations

import ctypes
import hashlib
import random
import struct
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

from spboot import disk
from spboot.delta import compilation

Kind = Literal["photo", "gradient", "icon", "letter", "sound"]
_PIXEL: Final[dict[Kind, int]] = {"photo": 2, "gradient": 2, "icon": 4, "sound": 2}
"""Bytes of a pixel or sample: RGB565, ARGB8888, 16-bit sound.  Letters have half a byte."""
PICTURES: Final[dict[Kind, int]] = {"photo": 4, "gradient": 4, "icon": 0}
"""How the pixels of a picture are: numbers that code has for it."""
_ALIGNED: Final = 32
"""What a 2D accelerator wants; and a picture that moves by 4 bytes is no more than one that moves by 32."""
PAINTERS: Final[list[Path]] = []
"""Folders that keep the compiled paint.c for the next process."""
_COLUMNS, _ROWS = 5, 7
"""Dots of a letter in letters.txt."""
_INCLUDED: Final = """\
    .section {section}, "a", %progbits
    .balign 32
    .global asset_{name}
asset_{name}:
    .incbin "{name}.bin"
"""
_HEADER: Final = """\
/* Made by generate.py. */
#ifndef BITMAP_DATABASE_H
#define BITMAP_DATABASE_H

#include "draw.h"

enum bitmap {{
{names}    BITMAPS
}};
extern const struct bitmap_entry bitmap_database[BITMAPS];
{fonts}
#endif
"""
_SOURCE: Final = """\
/* Made by generate.py. */
#include "bitmap_database.h"

{told}
const struct bitmap_entry bitmap_database[BITMAPS] = {{
{rows}}};
{fonts}"""
_LETTER: Final = struct.Struct("<IHBBbbBB")
assert _LETTER.size == 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One picture, font or sound.  *width* and *height*: pixels, of a letter in a font; of a sound samples and 0.
    *letters*: how many a font has."""

    name: str
    kind: Kind
    seed: int
    width: int
    height: int
    letters: int = 0

    @property
    def size(self) -> int:
        """Bytes in flash."""
        if self.kind == "letter":
            return self.letters * (_LETTER.size + self.height * ((self.width + 1) // 2))
        return self.width * max(self.height, 1) * _PIXEL[self.kind]

    def data(self) -> bytes:
        """Its bytes.  A font is a table of letters, and their pixels one behind the other."""
        if self.kind != "letter":
            return _painted(self.kind, self.seed, self.width, self.height, self.size)
        step = self.height * ((self.width + 1) // 2)
        table, pixels = bytearray(), bytearray()
        for number in range(self.letters):
            table += _LETTER.pack(number * step, 0x20 + number, self.width, self.height, 0, 1, self.width + 1, 0)
            pixels += _painted("letter", self.seed + 7 * number, self.width, self.height, step)
        return bytes(table + pixels)


def some(size: int, seed: int) -> list[Asset]:
    """Assets of about *size* bytes, as a GUI has them: of each kind its share, in an order of their own."""
    chance = random.Random(seed)
    sizes = [side for side in (800, 480, 320, 256, 128, 64) if side * side <= size // 8]
    found: list[Asset] = []
    left = size
    while left > 2048:
        kind = chance.choices(("photo", "gradient", "icon", "letter", "sound"), (3, 2, 8, 1, 1))[0]
        asset = _one(chance, kind, len(found), sizes)  # type: ignore[arg-type]
        if asset.size <= left:
            found.append(asset)
        elif left < 65536:
            break
        left -= asset.size if asset.size <= left else 0
    return found


def _one(chance: random.Random, kind: Kind, number: int, sizes: Sequence[int]) -> Asset:
    name, seed = f"{kind}_{number}", chance.getrandbits(30)
    if kind == "sound":
        return Asset(name=name, kind=kind, seed=seed, width=chance.randrange(1, 9) * 4096, height=0)
    if kind == "letter":
        height = chance.choice((16, 20, 24, 32, 48))
        return Asset(name=name, kind=kind, seed=seed, width=height // 2 + 1, height=height, letters=96)
    if kind == "icon":
        side = chance.choice((24, 32, 48, 64))
        return Asset(name=name, kind=kind, seed=seed, width=side, height=side)
    width = chance.choice(sizes)
    return Asset(name=name, kind=kind, seed=seed, width=width, height=width * chance.choice((3, 4, 6)) // 8)


def places(assets: Sequence[Asset], address: int) -> Iterator[tuple[Asset, int]]:
    """Each asset and where it lies, from *address* on."""
    for asset in assets:
        yield asset, address
        address += -(-asset.size // _ALIGNED) * _ALIGNED


def image(assets: Sequence[Asset]) -> bytes:
    """All of them as they lie in flash."""
    laid = bytearray()
    for asset, at in places(assets, 0):
        laid += b"\xff" * (at - len(laid)) + asset.data()
    return bytes(laid) + b"\xff" * (-len(laid) % _ALIGNED)


def _painted(kind: Kind, seed: int, width: int, height: int, size: int) -> bytes:
    room = ctypes.create_string_buffer(size)
    getattr(_painter(), f"spb_paint_{kind}")(seed, width, height, room)
    return room.raw


@cache
def _painter() -> ctypes.CDLL:
    """paint.c, compiled for this machine: two seconds, once a process, or once for a folder of `PAINTERS`.  Raises
    BuildError."""
    source = Path(__file__).with_name("paint.c").read_bytes()
    name = f"paint-{hashlib.sha256(source).hexdigest()[:16]}{compilation.suffix(sys.platform)}"
    kept = [folder / name for folder in PAINTERS]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        found = next((path for path in kept if path.exists()), None)
        library = found or compilation.compile_library({"paint.c": source}, Path(folder), name)
        for path in kept if found is None else ():
            disk.write(path, library.read_bytes())
        painter = ctypes.CDLL(str(library.absolute()))
    for kind in (*_PIXEL, "letter"):
        function = getattr(painter, f"spb_paint_{kind}")
        function.argtypes = (ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p)
        function.restype = None
    return painter


@dataclass(frozen=True, slots=True, kw_only=True)
class Font:
    """Letters of letters.txt, *height* pixels high; *weight*: how thick strokes are, 0 to 100."""

    name: str
    height: int
    weight: int

    @property
    def width(self) -> int:
        """Of each letter."""
        return -(-self.height * _COLUMNS // _ROWS)

    def data(self) -> bytes:
        """Its bytes: a table of letters in the order of their codes, and their pixels one behind the other."""
        step = self.height * ((self.width + 1) // 2)
        table, pixels = bytearray(), bytearray()
        for number, (code, rows) in enumerate(letters().items()):
            table += _LETTER.pack(number * step, code, self.width, self.height, 0, 0, self.width + self.height // 8, 0)
            for y in range(self.height):
                line = [self.alpha(rows, x, y) for x in range(self.width)] + [0] * (self.width % 2)
                pixels += bytes(low | high << 4 for low, high in zip(line[::2], line[1::2], strict=True))
        return bytes(table + pixels)

    def alpha(self, rows: Sequence[str], x: int, y: int) -> int:
        """How much of a pixel the letter covers, 0 to 15: between the dots it was drawn with, then made steeper."""
        u, v = (2 * x + 1) * _COLUMNS * 128 // self.width - 128, (2 * y + 1) * _ROWS * 128 // self.height - 128
        grey = 0
        for row, part in ((v >> 8, 256 - (v & 255)), ((v >> 8) + 1, v & 255)):
            for column, share in ((u >> 8, 256 - (u & 255)), ((u >> 8) + 1, u & 255)):
                if 0 <= row < _ROWS and 0 <= column < _COLUMNS and rows[row][column] == "#":
                    grey += part * share
        return max(0, min(15, (grey * 100 // 65536 + self.weight - 70) // 3))


def letters() -> dict[int, list[str]]:
    """Code -> its rows of dots."""
    text = Path(__file__).with_name("letters.txt").read_text(encoding="ascii")
    found = {int(code, 16): rows for code, *rows in map(str.split, text.splitlines())}
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What an assets.toml has, and *gallery*, what nobody shows."""

    gallery: tuple[Asset, ...]
    pictures: tuple[Asset, ...]
    fonts: tuple[Font, ...]

    @classmethod
    def load(cls, path: Path, more: int = 0) -> Project:
        """The project of *path* with *more* bytes of other assets."""
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(
            gallery=tuple(some(more, 1)),
            pictures=tuple(Asset(**each) for each in table["picture"]),
            fonts=tuple(Font(**each) for each in table["font"]),
        )

    def write(self, folder: Path) -> None:
        """The files that are compiled, into *folder*."""
        folder.mkdir(parents=True, exist_ok=True)
        shown = [*self.gallery, *self.pictures]
        files: list[Asset | Font] = [*shown, *self.fonts]
        for file in files:
            (folder / f"{file.name}.bin").write_bytes(file.data())
        parts = [_INCLUDED.format(section="ExtFlashSection", name=each.name) for each in shown]
        parts += [_INCLUDED.format(section="FontFlashSection", name=each.name) for each in self.fonts]
        (folder / "assets.S").write_text("".join(parts), encoding="ascii")
        bitmaps = [each for each in shown if each.kind in PICTURES]
        names = "".join(f"    BITMAP_{each.name.upper()},\n" for each in bitmaps)
        fonts = "".join(f"extern const struct font font_{each.name};\n" for each in self.fonts)
        (folder / "bitmap_database.h").write_text(_HEADER.format(names=names, fonts=fonts), encoding="ascii")
        pointed_to: list[Asset | Font] = [*bitmaps, *self.fonts]
        told = "".join(f"extern const uint8_t asset_{each.name}[];\n" for each in pointed_to)
        rows = "".join(
            f"    {{asset_{each.name}, {each.width}, {each.height}, {PICTURES[each.kind]}}},\n" for each in bitmaps
        )
        kept = "".join(
            f"const struct font font_{each.name} = {{asset_{each.name}, {len(letters())}, {each.height}}};\n"
            for each in self.fonts
        )
        (folder / "bitmap_database.c").write_text(_SOURCE.format(told=told, rows=rows, fonts=kept), encoding="ascii")


if __name__ == "__main__":
    disk.make_folder(Path(sys.argv[2]))
    PAINTERS.append(Path(sys.argv[2]))
    Project.load(Path(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else 0).write(Path(sys.argv[2]))
