"""Pictures, fonts and sounds of a generated GUI application, as they lie in external flash.  The same seed gives the
same bytes on every machine: paint.c draws them with integers."""

from __future__ import annotations

import ctypes
import random
import struct
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

from spboot.delta import compilation

Kind = Literal["photo", "gradient", "icon", "letter", "sound"]
_PIXEL: Final[dict[Kind, int]] = {"photo": 2, "gradient": 2, "icon": 4, "sound": 2}
"""Bytes of a pixel or sample: RGB565, ARGB8888, 16-bit sound.  Letters have half a byte."""
PICTURES: Final[dict[Kind, int]] = {"photo": 4, "gradient": 4, "icon": 0}
"""How the pixels of a picture are: numbers that code has for it."""
_ALIGNED: Final = 32
"""What a 2D accelerator wants; and a picture that moves by 4 bytes is no more than one that moves by 32."""
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
    """paint.c, compiled for this machine: two seconds, once a process.  Raises BuildError."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        source = Path(__file__).with_name("paint.c").read_bytes()
        name = f"paint{compilation.suffix(sys.platform)}"
        painter = ctypes.CDLL(str(compilation.compile_library({"paint.c": source}, Path(folder), name)))
    for kind in (*_PIXEL, "letter"):
        function = getattr(painter, f"spb_paint_{kind}")
        function.argtypes = (ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p)
        function.restype = None
    return painter
