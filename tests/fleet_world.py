"""A small industry: two products on four kinds of boards, with release folders as `spboot postbuild` makes them."""

from __future__ import annotations

import hashlib
import itertools
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from spboot import fleet, release
from spboot.boards import Board
from spboot.image import Image
from spboot.keys import Keys
from spboot.version import Version
from tests import apps
from tests.host import release_folder

VERSIONS: Final = ("1.0.0", "1.1.0", "1.2.0")
LATER: Final = "1.3.0"
"""The release that is added while devices ask."""
KINDS: Final = (
    ("demo", "NUCLEO-L476RG"),
    ("demo", "NUCLEO-G0B1RE"),
    ("demo", "NUCLEO-L412KB"),  # a single slot: full images alone
    ("demo", "DISCO-F469I-EXT"),  # slots of two parts
    ("lamp", "NUCLEO-L476RG"),
)


@dataclass
class World:
    """*folder* gets releases, the site of all of them, and keys of products that have none in *key_folders*."""

    folder: Path
    key_folders: dict[str, Path] = field(default_factory=dict)
    images: dict[tuple[str, str, str], Image] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for product in {product for product, _ in KINDS} - self.key_folders.keys():
            self.key_folders[product] = self.folder / f"keys-{product}"
            Keys.new(self.key_folders[product], product, development=True)
        self.keys = {product: Keys.load(place) for product, place in self.key_folders.items()}
        self.public = {product: Keys.load(place, public=True) for product, place in self.key_folders.items()}
        for (product, name), version in itertools.product(KINDS, (*VERSIONS, LATER)):
            self.images[product, name, version] = image(product, Board.load(name), version)

    @property
    def site(self) -> Path:
        return self.folder / "site"

    def releases(self, product: str) -> Path:
        return self.folder / f"releases-{product}"

    def make(self, version: str) -> None:
        """The release *version* of every product for every board, with patches from all that are below it."""
        for product, name in KINDS:
            new, keys = self.images[product, name, version], self.keys[product]
            olds = [old for old in VERSIONS if Version.parse(old) < new.version and new.board.slot1]
            patches = {old: release.patch(self.images[product, name, old], new, keys=keys) for old in olds}
            place = self.releases(product) / f"{name}-{version}"
            full = release.full_image(new, keys=keys)
            release_folder.write(place, version, full, patches, board=name, product=product)

    def publish(self) -> fleet.Index:
        """All releases that there are."""
        for product, keys in self.public.items():
            index = fleet.publish([self.releases(product)], self.site, keys)
        return index


def image(product: str, board: Board, version: str, size: int = 2_400) -> Image:
    """An application that runs on the spot and tells its version by some of its bytes."""
    body = bytearray(random.Random(product + board.name).randbytes(size))
    body[8:10] = b"\xfe\xe7"  # b .
    body[1000:1020] = random.Random(version).randbytes(20)
    rest = bytearray(random.Random(board.name).randbytes(5_000)) if board.slot0.rest else bytearray()
    rest[200:220] = random.Random(version).randbytes(20) if rest else b""
    return Image(data=apps.startable(board, bytes(body)), board=board, version=Version.parse(version), rest=bytes(rest))


def digest(image: Image) -> str:
    """What the application has in ActiveFwTag."""
    return hashlib.sha256(image.data).hexdigest()
