"""What all examples need, made once: keys for the field, and the bootloader with them."""

from __future__ import annotations

from pathlib import Path

import pytest

import spboot
from spboot.gitversion import GitVersion
from tests.integrations.project import BOARD


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with keys and boot."""
    folder = tmp_path_factory.mktemp("made")
    keys, version = spboot.Keys.new(folder / "keys", "lamp"), GitVersion.given(spboot.Version(1, 0, 0))
    linkage = spboot.prebuild(
        spboot.Board.load(BOARD), keys, folder / "linkage", place=folder / "boot", version=version
    )
    assert linkage.made, "there was no bootloader"
    return folder
