"""What the host tests share: a key folder, and small applications that compress badly."""

from __future__ import annotations

from pathlib import Path

import pytest

from spboot import release
from spboot.boards import Board
from spboot.image import Image
from spboot.keys import Keys
from spboot.version import Version
from tests import apps

TARGET = "NUCLEO-L476RG"
BOARD = Board.load(TARGET)
OLD_APP = apps.startable(BOARD, bytes((at * at * 7 + at // 3 * 31) >> 3 & 255 for at in range(3000)))
NEW_APP = OLD_APP[:700] + bytes((at * 89 ^ at >> 2) & 255 for at in range(900)) + OLD_APP[640:]


def made(app: bytes, version: str, board: Board = BOARD) -> Image:
    """The image of an application that comes from no file."""
    return Image(data=app, board=board, version=Version.parse(version))


@pytest.fixture(scope="session")
def key_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key folder for product "demo"."""
    folder = tmp_path_factory.mktemp("keys") / "demo"
    Keys.new(folder)
    return folder


@pytest.fixture(scope="session")
def secrets(key_folder: Path) -> Keys:
    """The keys in it."""
    return Keys.load(key_folder, need_private=True)


@pytest.fixture(scope="session")
def image_file(secrets: Keys) -> bytes:
    """A full image release of NEW_APP, version 1.2.3."""
    return release.full_image(made(NEW_APP, "1.2.3"), keys=secrets)


@pytest.fixture(scope="session")
def patch_file(secrets: Keys) -> bytes:
    """A patch from OLD_APP 1.2.2 to NEW_APP 1.2.3."""
    return release.patch(made(OLD_APP, "1.2.2"), made(NEW_APP, "1.2.3"), keys=secrets)
