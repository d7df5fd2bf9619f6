"""`spboot drill` on the twin: releases whose devices come back, and one whose devices would not."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from spboot import releases
from spboot.boards import Board
from spboot.builder.bootloader import build
from spboot.builder.demo import build_demo
from spboot.drill import STEPS, drill
from spboot.errors import BoardError
from spboot.keys import Keys
from spboot.making import Making, postbuild
from spboot.version import Version
from tests.system.test_rotation import board_with_keys

NAME = "NUCLEO-L476RG"


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys; release 1.0.0 with a bootloader that takes no key, and 1.1.0 with one that does."""
    folder = tmp_path_factory.mktemp("drill")
    keys = Keys.new(folder / "keys", "demo", development=True)
    for version, board in ((Version(1, 0, 0), Board.load(NAME)), (Version(1, 1, 0), board_with_keys(NAME))):
        shutil.rmtree(folder / "boot", ignore_errors=True)
        build(board, keys, folder / "boot")
        app = build_demo(board, version, folder / "apps")
        making = Making(app=app, board=board, keys=keys, version=version, name="lamp", bootloader=folder / "boot")
        postbuild(making, folder / "releases")
    return folder


def test_devices_that_come_back_and_such_that_do_not(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(place)
    temporary = place.parent / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    keys, kept = Keys.load(place / "keys", need_private=True), releases.all_in(place / "releases")
    report = drill(board_with_keys(NAME), keys, kept)
    assert contents(place) == before
    assert list(temporary.iterdir()) == []
    old, new = report.outcomes
    assert (old.version, old.failed, new.version, new.failed) == (Version(1, 0, 0), "new key", Version(1, 1, 0), "")
    assert "code 36: needs another bootloader" in old.why
    assert [old.mark(step) for step in STEPS] == ["yes", "NO", "-", "-", "-"]
    assert [new.mark(step) for step in STEPS] == ["yes"] * 5
    text = report.markdown()
    assert "| 1.1.0 | yes | yes | yes | yes | yes |" in text
    assert "- 1.0.0, it takes the new key, and goes on running: no." in text
    assert len(text.splitlines()) < 30


def test_a_device_that_takes_what_the_old_key_signs_is_seen(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key does not change, as the file that brings it is not sent."""
    monkeypatch.setitem(__import__("spboot.drill", fromlist=["_LOOKS"])._LOOKS, "new key", lambda *_: None)
    monkeypatch.setitem(__import__("spboot.drill", fromlist=["_LOOKS"])._LOOKS, "replay", lambda *_: None)
    keys, kept = Keys.load(place / "keys", need_private=True), releases.all_in(place / "releases")[1:]
    (found,) = drill(board_with_keys(NAME), keys, kept).outcomes
    assert (found.failed, found.why) == ("old key", "it took the file, expected that it refuses it")


def test_a_board_without_an_area(place: Path) -> None:
    keys = Keys.load(place / "keys", need_private=True)
    board = dataclasses.replace(board_with_keys(NAME), keys=None)
    with pytest.raises(BoardError, match="has no area for keys"):
        drill(board, keys, releases.all_in(place / "releases"))
