"""What all examples need, made once: keys for the field, and the bootloader with them."""

from __future__ import annotations

from pathlib import Path

import pytest

import spboot
from tests.integrations.project import BOARD


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with keys and boot."""
    folder = tmp_path_factory.mktemp("made")
    spboot.build(spboot.Board.load(BOARD), spboot.Keys.new(folder / "keys", "lamp"), folder / "boot")
    return folder
